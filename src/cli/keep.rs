//! `guard keep` and `guard unkeep`: pins.

use clap::Args;
use serde_json::json;

use super::exit::CliError;
use super::list::WhichBackup;
use super::output::Answer;
use super::{Session, workbench};
use crate::catalog::Pin;

/// Which backup to pin, and why.
#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    #[command(flatten)]
    which: WhichBackup,
    /// Why it is kept; shown by `guard prune`
    #[arg(long)]
    reason: Option<String>,
}

/// Which pin to take away.
#[derive(Debug, Args)]
pub(super) struct UnkeepArgs {
    #[command(flatten)]
    which: WhichBackup,
}

pub(super) async fn run(args: KeepArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let backup = args.which.find(&catalog).await?;
    catalog.keep(&backup.keys, &Pin { at: workbench::now(), reason: args.reason }).await?;
    let name = backup.keys.folder();
    Ok(Answer::yes(format!("{name} is kept until `guard unkeep`\n"), json!({ "id": backup.manifest.id, "kept": true })))
}

pub(super) async fn undo(args: UnkeepArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let backup = args.which.find(&catalog).await?;
    catalog.unkeep(&backup.keys).await?;
    let name = backup.keys.folder();
    Ok(Answer::yes(format!("{name} is no longer pinned\n"), json!({ "id": backup.manifest.id, "kept": false })))
}
