//! `guard list` and `guard show`: what is in the store.

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::backup::{summary, weaker_guarantee};
use super::exit::CliError;
use super::output::{self, Answer};
use super::{Session, workbench};
use crate::catalog::{CompleteBackup, Selector, Verdict};
use crate::contents::keyspace::{Keyspace, KindContents};
use crate::contents::{Contents, TableContents};

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
    let heading = ["SOURCE", "ID", "TAKEN", "HOLDS", "SIZE", "STORED", "PROVEN", "KEPT"];
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
    value["alarm_released"] = json!(backup.released);
    value
}

fn row(backup: &CompleteBackup) -> Vec<String> {
    let manifest = &backup.manifest;
    vec![
        manifest.source.to_string(),
        manifest.id.to_string(),
        manifest.consistent.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        holds(backup),
        output::bytes(manifest.plain_bytes()),
        output::bytes(manifest.stored_bytes()),
        proven(backup),
        if backup.kept.is_some() { "yes".to_owned() } else { "-".to_owned() },
    ]
}

/// What a backup holds; marked if it is not of one moment, or much less than before.
fn holds(backup: &CompleteBackup) -> String {
    let manifest = &backup.manifest;
    let mark = if weaker_guarantee(manifest).is_some() { " (not a point in time)" } else { "" };
    let alarm = if backup.open_alarm().is_some() { " (ALARM: much less than before)" } else { "" };
    format!("{}{mark}{alarm}", manifest.contents.summary())
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
    let mut lines = vec![
        format!("backup      {}/{}", manifest.source, manifest.id),
        format!("{:<12}{}", if manifest.redis().is_some() { "server" } else { "database" }, manifest.facts.subject()),
        format!("data as of  {}", manifest.consistent.at.format("%Y-%m-%d %H:%M:%S UTC")),
        format!(
            "size        {} stored as {}",
            output::bytes(manifest.plain_bytes()),
            output::bytes(manifest.stored_bytes())
        ),
        format!("proven      {}", proven(backup)),
    ];
    if let Some(alarm) = &manifest.alarm {
        let released = backup
            .released
            .as_ref()
            .map_or("open".to_owned(), |release| format!("released {}", release.at.format("%Y-%m-%d")));
        lines.push(format!("alarm       {released}, compared with {}", alarm.against));
        lines.extend(alarm.losses.iter().map(|loss| format!("            {}", loss.message)));
    }
    for stream in &manifest.streams {
        let encrypted = if stream.recipients.is_empty() { "not encrypted" } else { "encrypted with age" };
        lines.push(format!("stream      {} ({}, {encrypted})", stream.file, stream.codec));
    }
    if let Some(facts) = manifest.redis() {
        lines.push(format!("guarantee   {}", facts.guarantee.sentence()));
        for shard in &facts.shards {
            let slots =
                if shard.slots.is_empty() { String::new() } else { format!(", slots {}", shard.slots.join(" ")) };
            lines.push(format!("read        {} by {}, {}{slots}", shard.address, shard.method, shard.role));
        }
    }
    lines.push(String::new());
    lines.push(match &manifest.contents.keyspace {
        Some(keyspace) => key_table(keyspace),
        None => row_table(&manifest.contents),
    });
    lines.join("\n")
}

fn row_table(contents: &Contents) -> String {
    let tables = contents.tables.iter();
    let row = |(name, table): (&String, &TableContents)| {
        vec![name.clone(), table.rows.to_string(), output::bytes(table.bytes), table.digest.to_string()]
    };
    output::table(&["TABLE", "ROWS", "SIZE", "DIGEST"], &tables.map(row).collect::<Vec<_>>())
}

fn key_table(keyspace: &Keyspace) -> String {
    let mut rows = Vec::new();
    for (database, kinds) in &keyspace.databases {
        for (kind, KindContents { persistent, expiring, .. }) in kinds {
            for (expires, keys) in [("no", persistent), ("yes", expiring)].into_iter().filter(|(_, keys)| keys.keys > 0)
            {
                rows.push(vec![
                    database.to_string(),
                    kind.name().to_owned(),
                    expires.to_owned(),
                    keys.keys.to_string(),
                    keys.elements.to_string(),
                    output::bytes(keys.bytes),
                    keys.digest.to_string(),
                ]);
            }
        }
    }
    output::table(&["DB", "TYPE", "EXPIRE", "KEYS", "ELEMENTS", "SIZE", "DIGEST"], &rows)
}
