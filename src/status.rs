//! The state of every source at one moment, measured against what was promised: a pure function of what the repository
//! holds, what the schedules expect, what runs, and the time. `guard status`, the page and the metrics all show this.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::catalog::{Alarm, BackupId, Evidence, SourceName, Verdict};
use crate::retention::Rules;

pub mod growth;
pub mod history;
pub mod live;
mod preview;
pub mod words;

use growth::TableGrowth;
use history::{Listed, Recorded, Snapshot, Untrusted};
use live::{Activity, Attempt, Job, Running};

/// What a configured source is expected to do, as of one moment.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Its configured name; the sources `name.database` of a whole server belong to it too.
    pub name: SourceName,
    /// What it is: `postgres`.
    pub kind: &'static str,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// How old its newest backup may be.
    pub rpo: Option<Duration>,
    /// How long a recovery may take.
    pub rto: Option<Duration>,
    /// What comes next, soonest first.
    pub upcoming: Vec<Upcoming>,
    /// The newest slot of a test restore that has passed, if there are test restores.
    pub proof_due: Option<DateTime<Utc>>,
    /// What is kept of it.
    pub rules: Rules,
}

/// A run to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upcoming {
    /// What will run.
    pub job: Job,
    /// When, without jitter.
    pub at: DateTime<Utc>,
    /// Which schedule says so.
    pub schedule: String,
}

/// What retention would do with a source's backups now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Why nothing is removed at all, if that is so.
    pub frozen: Option<String>,
    /// What becomes of each backup, newest first.
    pub decisions: Vec<Decision>,
}

/// What becomes of one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The backup.
    pub id: BackupId,
    /// Whether it is kept.
    pub keep: bool,
    /// Why.
    pub reasons: Vec<String>,
}

/// How bad something is. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// As promised.
    Ok,
    /// A promise may soon be broken, or cannot be judged.
    Warning,
    /// A promise is broken.
    Breach,
}

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable, for scripts.
    pub code: &'static str,
    /// How bad it is.
    pub health: Health,
    /// The same in a sentence.
    pub message: String,
}

/// The state of everything.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The moment it is about.
    pub at: DateTime<Utc>,
    /// When the repository was read.
    pub read_at: DateTime<Utc>,
    /// The store.
    pub store: String,
    /// The repository's id, if there is one yet.
    pub repository: Option<String>,
    /// The worst of all sources.
    pub health: Health,
    /// Each source: the worst first, then by name, those that nobody configured last.
    pub sources: Vec<SourceReport>,
}

/// The state of one source.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// Its name.
    pub source: SourceName,
    /// What it is, if that is known.
    pub kind: Option<&'static str>,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// Whether the configuration has it; one that it does not have is shown and not judged.
    pub configured: bool,
    /// The worst of its findings.
    pub health: Health,
    /// What somebody should know.
    pub findings: Vec<Finding>,
    /// Age of the newest backup's data.
    pub age_seconds: Option<f64>,
    /// What that age may be.
    pub rpo_target_seconds: Option<f64>,
    /// How long the last test restore took.
    pub restore_seconds: Option<f64>,
    /// What that may be.
    pub rto_target_seconds: Option<f64>,
    /// The newest backup.
    pub last_backup: Option<BackupSummary>,
    /// The newest test restore.
    pub last_proof: Option<ProofSummary>,
    /// The last runs that this process knows of.
    pub attempts: BTreeMap<&'static str, Attempt>,
    /// What runs now.
    pub running: Vec<Running>,
    /// What comes next.
    pub next: Vec<Upcoming>,
    /// Every backup that can be trusted, newest first.
    pub history: Vec<BackupSummary>,
    /// Those that cannot.
    pub untrusted: Vec<Untrusted>,
    /// Largest and fastest growing tables.
    pub tables: Vec<TableGrowth>,
    /// What retention would do.
    pub retention: Option<Preview>,
    /// The backups behind the history.
    #[serde(skip)]
    pub backups: Vec<Arc<Recorded>>,
}

/// A backup in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupSummary {
    /// Its id.
    pub id: BackupId,
    /// The moment of its data.
    pub data_at: DateTime<Utc>,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was complete.
    pub finished: DateTime<Utc>,
    /// How long that took.
    pub seconds: f64,
    /// Bytes in the store.
    pub stored_bytes: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// Tables with data.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Its newest proof.
    pub proven: Option<ProofSummary>,
    /// Whether it is pinned.
    pub kept: bool,
    /// What it holds much less of than the one before it, if nobody has released that.
    pub alarm: Option<Alarm>,
}

/// A test restore in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProofSummary {
    /// The backup.
    pub backup: BackupId,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// What was found.
    pub verdict: Verdict,
    /// Why it failed, as a stable code.
    pub reason: Option<String>,
    /// How long the restore took.
    pub restore_seconds: f64,
    /// How long the comparison took.
    pub proof_seconds: f64,
}

/// How many tables a report goes into.
const SHOWN_TABLES: usize = 12;

/// The state of everything at `now`.
pub fn report(snapshot: &Snapshot, expected: &[Expected], activity: &Activity, now: DateTime<Utc>) -> Report {
    let mut sources: Vec<SourceReport> = names(snapshot, expected)
        .into_iter()
        .map(|name| {
            let expectation = expected.iter().find(|expected| expected.covers(&name));
            source_report(name, snapshot, expectation, activity, now)
        })
        .collect();
    sources.sort_by(|one, two| {
        let rank = |source: &SourceReport| (!source.configured, std::cmp::Reverse(source.health));
        rank(one).cmp(&rank(two)).then_with(|| one.source.cmp(&two.source))
    });
    Report {
        at: now,
        read_at: snapshot.read_at,
        store: snapshot.location.clone(),
        repository: snapshot.repository.clone(),
        health: sources.iter().map(|source| source.health).max().unwrap_or(Health::Ok),
        sources,
    }
}

impl Expected {
    /// Whether a source of the repository is this one, or a database of this server.
    pub fn covers(&self, source: &SourceName) -> bool {
        let rest = source.as_str().strip_prefix(self.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Health {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Breach => "breach",
        }
    }
}

impl Report {
    /// A source by its name.
    pub fn source(&self, name: &str) -> Option<&SourceReport> {
        self.sources.iter().find(|source| source.source.as_str() == name)
    }
}

impl SourceReport {
    /// All evidence about its backups, newest first.
    pub fn evidence(&self) -> Vec<&Arc<Evidence>> {
        let mut evidence: Vec<_> = self.backups.iter().flat_map(|backup| &backup.proofs).collect();
        evidence.sort_by_key(|evidence| std::cmp::Reverse(evidence.finished));
        evidence
    }

    /// One of its backups, by its id.
    pub fn backup(&self, id: &str) -> Option<&Recorded> {
        self.backups.iter().map(|backup| &**backup).find(|backup| backup.id.as_str() == id)
    }

    /// Whether a finding with this code was made.
    pub fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }

    /// The next run of a job.
    pub fn next(&self, job: Job) -> Option<&Upcoming> {
        self.next.iter().find(|upcoming| upcoming.job == job)
    }
}

impl From<&Evidence> for ProofSummary {
    fn from(evidence: &Evidence) -> Self {
        Self {
            backup: evidence.backup.clone(),
            at: evidence.finished,
            verdict: evidence.verdict,
            reason: evidence.reason.clone(),
            restore_seconds: evidence.restore_seconds,
            proof_seconds: evidence.proof_seconds,
        }
    }
}

impl From<&Recorded> for BackupSummary {
    fn from(backup: &Recorded) -> Self {
        Self {
            id: backup.id.clone(),
            data_at: backup.data_at,
            started: backup.started,
            finished: backup.finished,
            seconds: backup.seconds(),
            stored_bytes: backup.stored_bytes,
            plain_bytes: backup.plain_bytes,
            tables: backup.n_tables,
            rows: backup.rows,
            proven: backup.proofs.last().map(|evidence| ProofSummary::from(&**evidence)),
            kept: backup.kept.is_some(),
            alarm: backup.open_alarm().cloned(),
        }
    }
}

/// Every source that has backups, and every configured one that has none: a server whose databases are sources of their
/// own stands for itself only as long as none of them has a backup.
fn names(snapshot: &Snapshot, expected: &[Expected]) -> BTreeSet<SourceName> {
    let mut names: BTreeSet<SourceName> = snapshot.sources.keys().cloned().collect();
    for expectation in expected {
        if !names.iter().any(|name| expectation.covers(name)) {
            names.insert(expectation.name.clone());
        }
    }
    names
}

fn source_report(
    source: SourceName,
    snapshot: &Snapshot,
    expected: Option<&Expected>,
    activity: &Activity,
    now: DateTime<Utc>,
) -> SourceReport {
    let listed = snapshot.sources.get(&source).map_or(&[][..], Vec::as_slice);
    let backups: Vec<Arc<Recorded>> = listed.iter().rev().filter_map(Listed::backup).cloned().collect();
    let untrusted = listed.iter().rev().filter_map(|listed| match listed {
        Listed::Untrusted(untrusted) => Some(Untrusted::clone(untrusted)),
        Listed::Backup(_) => None,
    });
    let mut report = SourceReport {
        kind: expected.map(|expected| expected.kind),
        environment: environment(expected, &backups),
        configured: expected.is_some(),
        health: Health::Ok,
        findings: Vec::new(),
        age_seconds: backups.first().map(|backup| (now - backup.data_at).as_seconds_f64()),
        rpo_target_seconds: expected.and_then(|expected| expected.rpo).map(|rpo| rpo.as_secs_f64()),
        restore_seconds: None,
        rto_target_seconds: expected.and_then(|expected| expected.rto).map(|rto| rto.as_secs_f64()),
        last_backup: backups.first().map(|backup| BackupSummary::from(&**backup)),
        last_proof: None,
        attempts: attempts(&source, activity),
        running: activity.running.get(&source).cloned().unwrap_or_default(),
        next: expected.map(|expected| expected.upcoming.clone()).unwrap_or_default(),
        history: backups.iter().map(|backup| BackupSummary::from(&**backup)).collect(),
        untrusted: untrusted.collect(),
        tables: growth::tables(&backups, SHOWN_TABLES),
        retention: expected.and_then(|expected| preview::preview(listed, &expected.rules, now)),
        backups,
        source,
    };
    let evidence = report.evidence();
    let last_proof = evidence.first().map(|evidence| ProofSummary::from(&***evidence));
    // A test that broke off before its restore measured nothing.
    let restored = evidence.iter().find(|evidence| evidence.restore_seconds > 0.0);
    (report.restore_seconds, report.last_proof) = (restored.map(|evidence| evidence.restore_seconds), last_proof);
    if let Some(expected) = expected {
        let newest_is_untrusted = listed.last().is_some_and(|listed| listed.backup().is_none());
        report.findings = findings(&report, expected, newest_is_untrusted, now);
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.health));
    report.health = report.findings.iter().map(|finding| finding.health).max().unwrap_or(Health::Ok);
    report
}

fn environment(expected: Option<&Expected>, backups: &[Arc<Recorded>]) -> Option<String> {
    let configured = expected.and_then(|expected| expected.environment.clone());
    configured.or_else(|| backups.first().and_then(|backup| backup.environment.clone()))
}

fn attempts(source: &SourceName, activity: &Activity) -> BTreeMap<&'static str, Attempt> {
    let attempt = |job: Job| Some((job.name(), activity.attempts.get(&(source.clone(), job))?.clone()));
    Job::ALL.into_iter().filter_map(attempt).collect()
}

/// A test restore that is due may wait for its jitter, its turn, and run itself for hours.
const PROOF_PATIENCE: TimeDelta = TimeDelta::hours(24);

fn findings(report: &SourceReport, expected: &Expected, newest_is_untrusted: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |code, health, message: String| found.push(Finding { code, health, message });
    if newest_is_untrusted {
        let reason = report.untrusted.first().map(|untrusted| untrusted.reason.as_str()).unwrap_or_default();
        say("newest-untrusted", Health::Breach, format!("the newest backup cannot be trusted: {reason}"));
    } else if let Some(untrusted) = report.untrusted.first() {
        let message = format!("{} cannot be trusted: {}", untrusted.id, untrusted.reason);
        say("untrusted", Health::Warning, message);
    }
    match (report.age_seconds, report.rpo_target_seconds) {
        (None, _) => say("never-backed-up", Health::Breach, "there is no backup that could be restored".to_owned()),
        (Some(age), Some(target)) if age > target => {
            let (age, target) = (words::seconds(age), words::seconds(target));
            say("rpo-missed", Health::Breach, format!("the newest backup is {age} old, promised were {target} (RPO)"));
        }
        (Some(age), _) if age < -60.0 => {
            let message = format!("the newest backup's data is {} in the future", words::seconds(age));
            say("clock-skew", Health::Warning, message);
        }
        _ => {}
    }
    if let (Some(took), Some(target)) = (report.restore_seconds, report.rto_target_seconds)
        && took > target
    {
        let (took, target) = (words::seconds(took), words::seconds(target));
        say("rto-missed", Health::Breach, format!("the last restore took {took}, promised were {target} (RTO)"));
    }
    found.extend(report.history.iter().filter_map(alarm_finding));
    found.extend([proof_finding(report, expected, now), attempt_finding(report)].into_iter().flatten());
    found
}

fn alarm_finding(backup: &BackupSummary) -> Option<Finding> {
    let alarm = backup.alarm.as_ref()?;
    let message = format!(
        "{} holds much less than {}: {}; nothing is pruned until `guard release {}`",
        backup.id,
        alarm.against,
        alarm.summary(),
        backup.id
    );
    Some(Finding { code: "data-loss", health: Health::Breach, message })
}

fn proof_finding(report: &SourceReport, expected: &Expected, now: DateTime<Utc>) -> Option<Finding> {
    let finding = |code, health, message| Some(Finding { code, health, message });
    let last = report.last_proof.as_ref();
    if let Some(failed) = last.filter(|proof| proof.verdict == Verdict::Failed) {
        // What merely missed a target came back whole, and the targets of today are judged by themselves.
        let reason = failed.reason.as_deref().unwrap_or("no reason is on record");
        if !matches!(reason, "rto-missed" | "rpo-missed") {
            let message = format!("the last test restore failed: {reason}");
            return finding("proof-failed", Health::Breach, message);
        }
    }
    let overdue = expected.proof_due.filter(|due| now - *due > PROOF_PATIENCE);
    match (overdue, last) {
        (Some(due), last) if last.is_none_or(|last| last.at < due) => {
            let message = format!("the test restore of {} has not taken place", words::minute(due));
            finding("proof-overdue", Health::Warning, message)
        }
        (_, None) if report.last_backup.is_some() => {
            let message = "no backup was ever restored and compared: guard restore --to scratch".to_owned();
            finding("never-proven", Health::Warning, message)
        }
        _ => None,
    }
}

fn attempt_finding(report: &SourceReport) -> Option<Finding> {
    let attempt = report.attempts.get(Job::Backup.name())?;
    let failure = attempt.failure.as_ref()?;
    // A backup by hand may have succeeded since.
    let since = report.last_backup.as_ref().is_some_and(|backup| backup.finished > attempt.ended);
    let message = format!("the last backup failed at {}: {failure}", words::minute(attempt.ended));
    (!since).then_some(Finding { code: "backup-failed", health: Health::Warning, message })
}

#[cfg(test)]
mod tests;
