//! What a gate decided, as it is kept beside the backup and printed with `--json`. Fields are only added.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::approval::Approval;
use super::decide::{Check, Verdict};
use super::facts::{Facts, KnownBy, PendingFile};
use super::reason::Reason;
use crate::catalog::{BackupId, RunNote, SourceName};
use crate::lease::Holder;

/// The whole decision.
#[derive(Debug, Clone, Serialize)]
pub struct GateRecord {
    /// The version of this record's format.
    pub format: u32,
    /// `open` or `closed`.
    pub verdict: &'static str,
    /// Why it is closed.
    pub reasons: Vec<Reason>,
    /// The environment whose policy it was.
    pub environment: Option<String>,
    /// The source whose backups count.
    pub source: Option<SourceName>,
    /// The backup that it was decided by.
    pub backup: Option<BackupId>,
    /// When.
    pub at: DateTime<Utc>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// The migrations that will run.
    pub migrations: Vec<PendingFile>,
    /// How it is known that they will.
    pub known_by: String,
    /// Who signed for what.
    pub approvals: Vec<Signed>,
    /// The migration window that was left open, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<LeftOpen>,
    /// The run.
    pub run: RunNote,
    /// Where it ran.
    pub host: String,
    /// guard's version.
    pub guard: &'static str,
}

/// A finding that somebody signed for.
#[derive(Debug, Clone, Serialize)]
pub struct Signed {
    /// The rule.
    pub rule: &'static str,
    /// Where.
    pub file: PathBuf,
    /// The line there.
    pub line: usize,
    /// Who and until when.
    pub approval: Approval,
}

/// A migration window that outlives the gate.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOpen {
    /// What closes it: `guard gate --close TOKEN`.
    pub token: String,
    /// When it closes by itself.
    pub until: DateTime<Utc>,
}

impl GateRecord {
    /// Puts down what was decided by which facts.
    pub fn new(facts: &Facts, verdict: &Verdict, environment: Option<&str>, run: &RunNote, at: DateTime<Utc>) -> Self {
        let repository = facts.repository.as_ref().ok();
        let newest = repository.and_then(|repository| repository.newest.as_ref()?.as_ref().ok());
        let migrations = &facts.migrations;
        Self {
            format: 1,
            verdict: if verdict.is_open() { "open" } else { "closed" },
            reasons: verdict.reasons().cloned().collect(),
            environment: environment.map(str::to_owned),
            source: repository.map(|repository| repository.source.clone()),
            backup: newest.map(|newest| newest.id.clone()),
            at,
            checks: verdict.checks.clone(),
            migrations: migrations.pending.clone(),
            known_by: known_by(&migrations.known_by),
            approvals: migrations.suppressed.iter().flat_map(signed).collect(),
            window: None,
            run: run.clone(),
            host: Holder::of_this_process().host,
            guard: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether the migrations may run.
    pub fn is_open(&self) -> bool {
        self.reasons.is_empty()
    }
}

fn known_by(known_by: &KnownBy) -> String {
    match known_by {
        KnownBy::Database => "database".to_owned(),
        KnownBy::Backup(_) => "backup".to_owned(),
        KnownBy::Since(reference) => format!("since {reference}"),
        KnownBy::Nothing => "nothing".to_owned(),
        KnownBy::Unknown => "unknown".to_owned(),
    }
}

fn signed(suppressed: &migrations_lint::suppress::Suppressed) -> impl Iterator<Item = Signed> {
    let finding = &suppressed.finding;
    let approvals =
        suppressed.reasons.iter().map(String::as_str).map(Approval::read).filter(|approval| approval.owner.is_some());
    approvals.map(|approval| Signed {
        rule: finding.rule,
        file: finding.file.clone(),
        line: finding.start.line,
        approval,
    })
}
