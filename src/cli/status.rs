//! `guard status`: every source against what was promised, and the evidence for an auditor.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::{Session, watch, workbench};
use crate::catalog::{Catalog, CatalogError, Verdict};
use crate::http::evidence;
use crate::status::history::{History, Snapshot};
use crate::status::live::{Activity, Job};
use crate::status::{Health, Report, SourceReport, report, words};

/// What to tell, and how.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Names of sources; all of them by default
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// List what test restores have shown, newest first
    #[arg(long)]
    evidence: bool,
    /// Only evidence that is not older than this
    #[arg(long, value_name = "AGE", requires = "evidence", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// How the evidence is written; `--json` is short for json
    #[arg(long, value_name = "FORMAT", requires = "evidence")]
    format: Option<Format>,
}

/// How evidence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a test restore
    Text,
    /// The whole evidence
    Json,
    /// One document to be read in a browser or printed
    Html,
}

pub(super) async fn run(args: StatusArgs, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let store = workbench::open_store(&config).await?;
    let now = workbench::now();
    let snapshot = match Catalog::open(store).await {
        Ok(catalog) => History::new(catalog).refresh(now).await?,
        Err(CatalogError::NotARepository { location }) => Snapshot::empty(location, now),
        Err(error) => return Err(error.into()),
    };
    let mut report = report(&snapshot, &watch::expected(&config, now), &Activity::default(), now);
    choose(&mut report, &args.sources)?;
    Ok(if args.evidence { evidence_answer(&args, &report, session, now) } else { answer(&report) })
}

fn choose(report: &mut Report, names: &[String]) -> Result<(), CliError> {
    if let Some(unknown) = names.iter().find(|name| report.source(name).is_none()) {
        let known: Vec<&str> = report.sources.iter().map(|source| source.source.as_str()).collect();
        return Err(CliError::usage(format!("there is no source `{unknown}`"))
            .with_help(format!("configured, or in the repository, are: {}", known.join(", "))));
    }
    if !names.is_empty() {
        report.sources.retain(|source| names.iter().any(|name| name == source.source.as_str()));
        report.health = report.sources.iter().map(|source| source.health).max().unwrap_or(Health::Ok);
    }
    Ok(())
}

fn answer(report: &Report) -> Answer {
    let exit = if report.health == Health::Breach { Exit::No } else { Exit::Yes };
    Answer::new(text(report), json!(report), exit)
}

fn evidence_answer(args: &StatusArgs, report: &Report, session: &Session, now: DateTime<Utc>) -> Answer {
    let oldest = args.since.map(|since| now - TimeDelta::from_std(since).unwrap_or(TimeDelta::MAX));
    let mut found = evidence::select(report, None, oldest);
    found.sort_by_key(|evidence| std::cmp::Reverse(evidence.finished));
    let documents: Vec<_> = found.iter().map(|evidence| json!(Arc::as_ref(evidence))).collect();
    let json = json!({ "evidence": documents });
    let default = if session.style.json { Format::Json } else { Format::Text };
    let text = match args.format.unwrap_or(default) {
        Format::Text => evidence::text(&found),
        Format::Json => format!("{json:#}\n"),
        Format::Html => evidence::html(&found, &scope(report, oldest), now),
    };
    Answer::yes(text, json)
}

fn scope(report: &Report, oldest: Option<DateTime<Utc>>) -> String {
    let names: Vec<&str> = report.sources.iter().map(|source| source.source.as_str()).collect();
    let since = oldest.map_or(String::new(), |oldest| format!(" since {}", words::minute(oldest)));
    format!("Repository {}, sources {}{since}.", report.store, names.join(", "))
}

fn text(report: &Report) -> String {
    if report.sources.is_empty() {
        return format!("no source is configured, and {} holds no backups\n", report.store);
    }
    let heading = ["SOURCE", "STATE", "AGE", "RPO", "RESTORE", "RTO", "LAST BACKUP", "STORED", "LAST PROOF", "NEXT"];
    let rows: Vec<Vec<String>> = report.sources.iter().map(|source| row(source, report.at)).collect();
    let mut text = output::table(&heading, &rows);
    for source in &report.sources {
        for finding in &source.findings {
            text.push_str(&format!("{}: {} [{}]\n", source.source, finding.message, finding.code));
        }
    }
    text
}

fn row(source: &SourceReport, now: DateTime<Utc>) -> Vec<String> {
    let seconds = |seconds: Option<f64>| seconds.map_or("-".to_owned(), words::seconds);
    let state = match source.health {
        _ if !source.configured => "not configured",
        Health::Ok => "ok",
        Health::Warning => "WARNING",
        Health::Breach => "BREACH",
    };
    let proof = source.last_proof.as_ref().map_or("never".to_owned(), |proof| {
        let verdict = if proof.verdict == Verdict::Proven { "proven" } else { "FAILED" };
        format!("{verdict} {}", proof.at.format("%Y-%m-%d"))
    });
    vec![
        source.source.to_string(),
        state.to_owned(),
        seconds(source.age_seconds),
        seconds(source.rpo_target_seconds),
        seconds(source.restore_seconds),
        seconds(source.rto_target_seconds),
        source.last_backup.as_ref().map_or("never".to_owned(), |backup| words::minute(backup.data_at)),
        source.last_backup.as_ref().map_or("-".to_owned(), |backup| words::bytes(backup.stored_bytes)),
        proof,
        source.next(Job::Backup).map_or("-".to_owned(), |next| words::relative(next.at, now)),
    ]
}
