//! `guard prune`: remove what unfinished backups left behind.

use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use serde_json::json;

use super::exit::CliError;
use super::output::Answer;
use super::{Session, workbench};
use crate::prune::{leftovers, sweep};

/// Whether to remove, and what is old enough.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Remove; without it only what would be removed is told
    #[arg(long)]
    confirm: bool,
    /// How old a leftover must be: a backup that runs right now must not be mistaken for one
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = humantime::parse_duration)]
    leftovers_older_than: Duration,
}

pub(super) async fn run(args: PruneArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let now = catalog.store().clock().await?;
    let grace = TimeDelta::from_std(args.leftovers_older_than).unwrap_or(TimeDelta::MAX);
    let found = leftovers(&catalog, now, grace).await?;
    if args.confirm {
        sweep(&catalog, &found).await?;
    }
    let objects: Vec<String> = found.objects.iter().map(ToString::to_string).collect();
    let uploads: Vec<String> = found.uploads.iter().map(|upload| upload.key.to_string()).collect();
    let done = if args.confirm { "removed" } else { "would remove" };
    let mut text: String =
        objects.iter().map(|key| format!("{done} {key} (of a backup that was never finished)\n")).collect();
    text.extend(uploads.iter().map(|key| format!("{done} the unfinished upload of {key}\n")));
    if found.is_empty() {
        text.push_str("no leftovers\n");
    } else if !args.confirm {
        text.push_str("nothing was removed; add --confirm\n");
    }
    let json =
        json!({ "decisions": [], "leftovers": { "objects": objects, "uploads": uploads }, "removed": args.confirm });
    Ok(Answer::yes(text, json))
}
