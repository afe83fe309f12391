//! `guard list` and `guard show`: what is in the store.

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::backup::summary;
use super::exit::CliError;
use super::output::{self, Answer};
use super::{Session, workbench};
use crate::catalog::{CompleteBackup, Selector, Verdict};

/// Whose backups to list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Names of sources; all of them by default
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
}

/// Which backup to show.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    which: WhichBackup,
}

/// How a backup is named on the command line; several verbs share it.
#[derive(Debug, Args)]
pub(super) struct WhichBackup {
    /// `latest`, `latest~2`, an id, or the beginning of one
    #[arg(value_name = "ID", default_value = "latest")]
    id: String,
    /// The source, if the store has several
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The newest backup whose data is from this time or before (RFC 3339, as 2026-11-21T02:00:00Z)
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
}

impl WhichBackup {
    pub(super) async fn find(&self, catalog: &crate::catalog::Catalog) -> Result<CompleteBackup, CliError> {
        let selector = match self.at {
            Some(time) => Selector::At(time),
            None => self.id.parse()?,
        };
        workbench::find_backup(catalog, self.source.as_ref(), &selector).await
    }
}

pub(super) async fn run(args: ListArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let mut backups = Vec::new();
    for source in workbench::source_names(&catalog, &args.sources).await? {
        backups.extend(workbench::trusted(catalog.backups(&source).await?));
    }
    let json = json!({ "backups": backups.iter().map(listed).collect::<Vec<_>>() });
    if backups.is_empty() {
        return Ok(Answer::yes(format!("{} holds no backups yet\n", catalog.store().location()), json));
    }
    Ok(Answer::yes(table(&backups), json))
}

/// A line a backup.
pub(super) fn table(backups: &[CompleteBackup]) -> String {
    let heading = ["SOURCE", "ID", "TAKEN", "TABLES", "ROWS", "SIZE", "STORED", "PROVEN", "KEPT"];
    let rows: Vec<Vec<String>> = backups.iter().map(row).collect();
    output::table(&heading, &rows)
}

pub(super) async fn show(args: ShowArgs, session: &Session) -> Result<Answer, CliError> {
    let catalog = workbench::open(&session.config()?).await?;
    let backup = args.which.find(&catalog).await?;
    let manifest = serde_json::to_value(&backup.manifest).expect("a manifest has string keys and finite numbers");
    Ok(Answer::yes(described(&backup), manifest))
}

fn listed(backup: &CompleteBackup) -> Value {
    let mut value = summary(&backup.manifest);
    value["proven"] = json!(backup.proven());
    value["kept"] = json!(backup.kept.is_some());
    value
}

fn row(backup: &CompleteBackup) -> Vec<String> {
    let manifest = &backup.manifest;
    vec![
        manifest.source.to_string(),
        manifest.id.to_string(),
        manifest.consistent.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        manifest.contents.tables.len().to_string(),
        manifest.contents.tables.values().map(|table| table.rows).sum::<u64>().to_string(),
        output::bytes(manifest.plain_bytes()),
        output::bytes(manifest.stored_bytes()),
        proven(backup),
        if backup.kept.is_some() { "yes".to_owned() } else { "-".to_owned() },
    ]
}

fn proven(backup: &CompleteBackup) -> String {
    match backup.proven() {
        None => "never".to_owned(),
        Some(proof) => {
            let verdict = if proof.verdict == Verdict::Proven { "proven" } else { "FAILED" };
            format!("{verdict} {}", proof.at.format("%Y-%m-%d"))
        }
    }
}

fn described(backup: &CompleteBackup) -> String {
    let manifest = &backup.manifest;
    let facts = manifest.postgres();
    let mut lines = vec![
        format!("backup      {}/{}", manifest.source, manifest.id),
        format!("database    {} of PostgreSQL {}", facts.database, facts.server_version),
        format!("data as of  {}", manifest.consistent.at.format("%Y-%m-%d %H:%M:%S UTC")),
        format!(
            "size        {} stored as {}",
            output::bytes(manifest.plain_bytes()),
            output::bytes(manifest.stored_bytes())
        ),
        format!("proven      {}", proven(backup)),
    ];
    for stream in &manifest.streams {
        let encrypted = if stream.recipients.is_empty() { "not encrypted" } else { "encrypted with age" };
        lines.push(format!("stream      {} ({}, {encrypted})", stream.file, stream.codec));
    }
    let rows: Vec<Vec<String>> = manifest
        .contents
        .tables
        .iter()
        .map(|(name, table)| {
            vec![name.clone(), table.rows.to_string(), output::bytes(table.bytes), table.digest.to_string()]
        })
        .collect();
    lines.push(String::new());
    lines.push(output::table(&["TABLE", "ROWS", "SIZE", "DIGEST"], &rows));
    lines.join("\n")
}
