//! `guard release`: what is missing from a backup is missing on purpose; retention goes on.

use clap::Args;
use serde_json::json;

use super::exit::CliError;
use super::output::Answer;
use super::{Session, workbench};
use crate::catalog::{CompleteBackup, Release};

/// Which alarms are as they should be, and why.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// Ids of backups whose data-loss alarm is open, or beginnings of ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The source, if the store has several
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Why it is as it should be; kept beside the backup
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(args: ReleaseArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let mut alarmed: Vec<CompleteBackup> = Vec::new();
    // All are looked up before the first is released.
    for id in &args.ids {
        let backup = workbench::find_backup(&catalog, args.source.as_ref(), &id.parse()?).await?;
        if backup.manifest.alarm.is_none() {
            return Err(CliError::usage(format!("{} raised no alarm", backup.keys.folder()))
                .with_help("`guard status` shows the alarms that are open"));
        }
        alarmed.push(backup);
    }
    let mut text = String::new();
    for backup in &alarmed {
        catalog.release(&backup.keys, &Release { at: workbench::now(), reason: args.reason.clone() }).await?;
        let summary = backup.manifest.alarm.as_ref().map(crate::catalog::Alarm::summary).unwrap_or_default();
        text.push_str(&format!("{}: released: {summary}\n", backup.keys.folder()));
    }
    let ids: Vec<_> = alarmed.iter().map(|backup| &backup.manifest.id).collect();
    Ok(Answer::yes(text, json!({ "released": ids })))
}
