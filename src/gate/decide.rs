//! The decision: a pure function of the facts, the policy and the time. What cannot be known keeps the gate closed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::facts::{Clocks, Facts, KnownBy, Repository};
use super::policy::Policy;
use super::reason::{Code, Reason};
use crate::lease::MAX_CLOCK_SKEW;
use crate::status::words;

mod migration;
mod repository;

/// The answer, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was checked, in order.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// How it came out.
    pub state: State,
    /// What was found, with figures.
    pub detail: String,
    /// Why it keeps the gate closed, if it does.
    pub reasons: Vec<Reason>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Pass,
    /// It keeps the gate closed.
    Closed,
    /// It was not asked, and the policy allows that.
    Skipped,
}

/// Decides. Nothing is read here but the arguments.
pub fn decide(facts: &Facts, policy: &Policy, now: DateTime<Utc>) -> Verdict {
    let migrations = &facts.migrations;
    let mut checks = vec![pending(facts)];
    if migrations.pending.is_empty() && migrations.findings.is_empty() {
        return Verdict { checks };
    }
    let is_known = migrations.known_by != KnownBy::Unknown;
    if is_known {
        checks.push(migration::lint(migrations, policy));
        checks.push(migration::approval(migrations, policy, now));
    }
    match &facts.repository {
        Err(reason) => checks.push(Check::closed("repository", vec![reason.clone()])),
        Ok(repository) => {
            checks.push(clock(repository));
            checks.push(repository::backup(repository, policy, now));
            checks.push(repository::proof(repository, policy, now));
            checks.push(repository::schema(facts, repository, policy));
            if is_known {
                checks.push(migration::rehearsal(migrations, &repository.rehearsals, policy, now));
            }
            checks.push(repository::at_work(facts, repository, now));
        }
    }
    checks
        .extend(facts.backup_failure.iter().map(|reason| Check::closed("pre-migration-backup", vec![reason.clone()])));
    let verdict = Verdict { checks };
    if is_known || !verdict.is_open() { verdict } else { Verdict { checks: vec![unknown()] } }
}

impl Verdict {
    /// Whether the migrations may run.
    pub fn is_open(&self) -> bool {
        self.reasons().next().is_none()
    }

    /// Why they may not, in the order of the checks.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.checks.iter().flat_map(|check| &check.reasons)
    }
}

impl Check {
    fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: State::Pass, detail: detail.into(), reasons: Vec::new() }
    }

    fn skipped(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: State::Skipped, detail: detail.into(), reasons: Vec::new() }
    }

    /// Closed for the first of these reasons; what there is besides is listed.
    fn closed(name: &'static str, reasons: Vec<Reason>) -> Self {
        let detail = match reasons.as_slice() {
            [] => return Self::pass(name, String::new()),
            [only] => only.message.clone(),
            [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
        };
        Self { name, state: State::Closed, detail, reasons }
    }

    /// Passes unless there are reasons.
    fn of(name: &'static str, reasons: Vec<Reason>, detail: impl Into<String>) -> Self {
        if reasons.is_empty() { Self::pass(name, detail) } else { Self::closed(name, reasons) }
    }
}

fn pending(facts: &Facts) -> Check {
    let migrations = &facts.migrations;
    let known_by = match &migrations.known_by {
        KnownBy::Database => "by the database's own tracking table".to_owned(),
        KnownBy::Backup(id) => format!("by the tracking table in backup {id}"),
        KnownBy::Since(reference) => format!("by what changed since {reference}"),
        KnownBy::Nothing => "nothing tells which have run, so all of them count".to_owned(),
        KnownBy::Unknown => {
            let detail = format!("which of {} migrations are pending cannot be found out", migrations.n_files);
            return Check::skipped("migrations", detail);
        }
    };
    let detail = match migrations.pending.len() {
        0 => format!("none of {} migrations is pending: {known_by}", migrations.n_files),
        n_pending => format!("{n_pending} of {} migrations pending: {known_by}", migrations.n_files),
    };
    Check::pass("migrations", detail)
}

/// What has run is not known, and nothing that would explain it is wrong: closed all the same.
fn unknown() -> Check {
    let message = "which migrations are pending cannot be found out";
    let help = "let the gate ask the database: --database URL (or `source`), or say --since GITREF";
    Check::closed("migrations", vec![Reason::new(Code::SchemaUnknown, message, help)])
}

/// Two clocks that do not agree make every age a guess. Where the store's cannot be read, this machine's is believed.
fn clock(repository: &Repository) -> Check {
    const NAME: &str = "clock";
    let Some(Clocks { host, store }) = repository.clocks else {
        return Check::skipped(NAME, "the store's clock cannot be read where nothing may be written");
    };
    let off = (host - store).abs();
    if off > MAX_CLOCK_SKEW {
        let message = format!("this machine's clock shows {host} and the store's {store}");
        let help = "set this machine's clock (NTP); every age is counted by it";
        return Check::closed(NAME, vec![Reason::new(Code::ClockSkew, message, help)]);
    }
    Check::pass(NAME, format!("this machine and the store agree within {}", in_words(off.max(TimeDelta::seconds(1)))))
}

/// The age of something, in words; `None` if it is dated later than the clocks may differ.
fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> Option<TimeDelta> {
    let age = now - at;
    (age >= -MAX_CLOCK_SKEW).then(|| age.max(TimeDelta::zero()))
}

fn older_than(age: TimeDelta, limit: std::time::Duration) -> bool {
    TimeDelta::from_std(limit).is_ok_and(|limit| age > limit)
}

fn in_words(age: TimeDelta) -> String {
    words::seconds(age.as_seconds_f64())
}

#[cfg(test)]
mod tests;
