//! `guard verify`: does every stored byte still match its manifest?

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::Answer;
use super::{Session, workbench};
use crate::catalog::{CatalogError, CompleteBackup};
use crate::verify::{Checked, verify};

/// Which backups to read.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Ids, beginnings of ids, `latest`, `latest~2`; every backup by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only this source's backups
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub(super) async fn run(args: VerifyArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let mut checked = Vec::new();
    let mut backups: Vec<CompleteBackup> = Vec::new();
    if args.ids.is_empty() {
        let names: Vec<String> = args.source.iter().cloned().collect();
        for source in workbench::source_names(&catalog, &names).await? {
            for listed in catalog.backups(&source).await? {
                match listed.backup {
                    Ok(backup) => backups.push(backup),
                    Err(CatalogError::Untrusted { key, reason }) => {
                        let reason = Some(format!("untrusted: {reason}"));
                        checked.push(Checked { key: key.to_string(), ok: false, reason });
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    } else {
        for id in &args.ids {
            backups.push(workbench::find_backup(&catalog, args.source.as_ref(), &id.parse()?).await?);
        }
    }
    for backup in &backups {
        tokio::select! {
            read = verify(&**catalog.store(), backup) => checked.extend(read?),
            () = session.cancel.cancelled() => return Err(CliError {
                exit: Exit::Interrupted,
                ..CliError::unable("interrupted", "interrupted; nothing was changed".to_owned())
            }),
        }
    }
    Ok(answer(&checked, backups.len()))
}

fn answer(checked: &[Checked], n_backups: usize) -> Answer {
    let bad: Vec<&Checked> = checked.iter().filter(|checked| !checked.ok).collect();
    let mut text: String = bad
        .iter()
        .map(|checked| format!("DAMAGED {}: {}\n", checked.key, checked.reason.as_deref().unwrap_or_default()))
        .collect();
    let (verdict, exit) = if bad.is_empty() { ("ok", Exit::Yes) } else { ("damaged", Exit::No) };
    text.push_str(&format!("{n_backups} backups, {} objects read, {} damaged\n", checked.len(), bad.len()));
    Answer::new(text, json!({ "objects": checked, "verdict": verdict }), exit)
}
