//! What the repository must show: a fresh backup, a fresh proof, of this database and schema, and nobody at work.

use chrono::{DateTime, Utc};

use super::super::facts::{Backup, Database, Facts, Proof, Repository};
use super::super::policy::{Policy, ProofOf, SchemaRule};
use super::super::reason::{Code, Reason};
use super::{Check, age, in_words, older_than, span};
use crate::catalog::Verdict as Proven;
use crate::contents::{Contents, differences};
use crate::lease::Purpose;

pub(super) fn backup(repository: &Repository, policy: &Policy, now: DateTime<Utc>) -> Check {
    const NAME: &str = "backup";
    let source = &repository.source;
    let take = format!("take one: guard backup {source}, or let the gate do it with --backup");
    let closed = |code, message: String, help: &str| Check::closed(NAME, vec![Reason::new(code, message, help)]);
    let newest = match &repository.newest {
        None => {
            return closed(
                Code::NoBackup,
                format!("{source} has no complete backup in {}", repository.location),
                &take,
            );
        }
        Some(Err(reason)) => return Check::closed(NAME, vec![reason.clone()]),
        Some(Ok(newest)) => newest,
    };
    let (Some(age), Some(_)) = (age(newest.at, now), age(newest.finished, now)) else {
        let message = format!("backup {} is dated {}, which is yet to come", newest.id, newest.at.max(newest.finished));
        return closed(
            Code::BackupFromFuture,
            message,
            "set the clocks of this machine and of the backup host (NTP), then take a backup",
        );
    };
    if older_than(age, policy.backup_max_age) {
        let limit = span(policy.backup_max_age);
        let message = format!("backup {} is {} old, more than backup_max_age = {limit}", newest.id, in_words(age));
        return closed(Code::BackupTooOld, message, &take);
    }
    Check::pass(NAME, format!("{} is {} old", newest.id, in_words(age)))
}

pub(super) fn proof(repository: &Repository, policy: &Policy, now: DateTime<Utc>) -> Check {
    const NAME: &str = "proof";
    let newest = repository.newest.as_ref().and_then(|newest| newest.as_ref().ok());
    let (proof, what) = match policy.proof_of {
        ProofOf::Source => (repository.proof.as_ref(), format!("no backup of {}", repository.source)),
        ProofOf::Backup => {
            let what = newest.map_or("the newest backup".to_owned(), |newest| format!("backup {}", newest.id));
            (newest.and_then(|newest| newest.proof.as_ref()), what)
        }
    };
    let prove = format!("prove it: guard restore --to scratch --source {}", repository.source);
    let closed = |code, message: String, help: &str| Check::closed(NAME, vec![Reason::new(code, message, help)]);
    let Some(Proof { backup, at, verdict }) = proof else {
        let verb = if policy.proof_of == ProofOf::Source { "was ever" } else { "was never" };
        return closed(Code::NotProven, format!("{what} {verb} restored and compared"), &prove);
    };
    if *verdict == Proven::Failed {
        let message = format!("the newest test restore, of {backup} at {at}, failed");
        let help = format!("`guard list` has the backup, proofs/ beside it the report; mend the cause, then {prove}");
        return closed(Code::ProofFailed, message, &help);
    }
    let Some(age) = age(*at, now) else {
        let message = format!("the evidence about {backup} is dated {at}, which is yet to come");
        return closed(
            Code::ProofFromFuture,
            message,
            "set the clocks of this machine and of whoever proves (NTP), then prove again",
        );
    };
    if older_than(age, policy.proof_max_age) {
        let limit = span(policy.proof_max_age);
        let message = format!("{backup} was proven {} ago, more than proof_max_age = {limit}", in_words(age));
        return closed(Code::ProofExpired, message, &prove);
    }
    Check::pass(NAME, format!("{backup} was restored and compared {} ago", in_words(age)))
}

/// Is the backup of this database, and of the schema that the migrations are about to change?
pub(super) fn schema(facts: &Facts, repository: &Repository, policy: &Policy) -> Check {
    const NAME: &str = "schema";
    if policy.schema == SchemaRule::Off {
        return Check::skipped(NAME, "the policy does not ask");
    }
    let Some(Ok(newest)) = &repository.newest else {
        return Check::skipped(NAME, "there is no backup to compare with");
    };
    let ahead = &facts.migrations.ahead;
    if !ahead.is_empty() {
        let message = format!("the database has run {}, which this checkout does not have", ahead.join(", "));
        let help = "merge the branch that has them; if they were removed on purpose, set schema = \"off\" once";
        return Check::closed(NAME, vec![Reason::new(Code::CheckoutBehind, message, help)]);
    }
    match &facts.database {
        Some(Err(reason)) => Check::closed(NAME, vec![reason.clone()]),
        Some(Ok(database)) => compared(newest, database),
        None if is_known_by_tracking(facts, newest) => {
            let detail = format!("{} and this checkout agree on what has run", newest.id);
            Check::pass(NAME, detail)
        }
        None if policy.schema == SchemaRule::Required => {
            let message = format!("whether {} is of the schema that will be changed cannot be told", newest.id);
            let help = "let the gate ask the database: --database URL (or `source`)";
            Check::closed(NAME, vec![Reason::new(Code::SchemaUnknown, message, help)])
        }
        None => Check::skipped(NAME, "not known without --database: the backup names no migrations that have run"),
    }
}

/// Whether the manifest has a tracking table that speaks of these very migrations.
fn is_known_by_tracking(facts: &Facts, newest: &Backup) -> bool {
    let has_rows = newest.migrations.as_ref().is_some_and(|tables| tables.values().any(|rows| !rows.is_empty()));
    has_rows && !facts.migrations.has_untracked && facts.migrations.pending.len() < facts.migrations.n_files
}

fn compared(newest: &Backup, database: &Database) -> Check {
    const NAME: &str = "schema";
    let closed = |code, message: String, help: &str| Check::closed(NAME, vec![Reason::new(code, message, help)]);
    if let Some(of_backup) = &newest.database {
        let here = &database.identity;
        let both = of_backup.system_identifier.as_ref().zip(here.system_identifier.as_ref());
        if of_backup.name != here.name || both.is_some_and(|(one, other)| one != other) {
            let message = format!("backup {} is of another database than `{}`, which was asked", newest.id, here.name);
            return closed(Code::OtherDatabase, message, "name the source and the database of one environment");
        }
    }
    let contents = |schema: &[_]| Contents { schema: schema.to_vec(), ..Contents::default() };
    let found = differences(&contents(&newest.schema), &contents(&database.schema));
    match found.as_slice() {
        [] => Check::pass(NAME, format!("{} has the database's {} definitions", newest.id, database.schema.len())),
        [first, rest @ ..] => {
            let message = format!(
                "the schema has changed since backup {}: {first}{}",
                newest.id,
                if rest.is_empty() { String::new() } else { format!(", and {} more differences", rest.len()) }
            );
            closed(Code::OtherSchema, message, "take a backup of the schema as it is now: guard backup, or --backup")
        }
    }
}

/// Nobody may dump while a migration runs, and nobody else may migrate.
pub(super) fn at_work(facts: &Facts, repository: &Repository, now: DateTime<Utc>) -> Check {
    const NAME: &str = "window";
    match (&facts.window, &repository.at_work) {
        (Some(Err(reason)), _) => Check::closed(NAME, vec![reason.clone()]),
        (Some(Ok(_)), _) => Check::pass(NAME, "the migration window is open: no dump starts in it"),
        (None, Some(record)) => {
            let since = in_words((now - record.acquired).max(chrono::TimeDelta::zero()));
            let (code, what) = match record.purpose {
                Purpose::MigrationWindow => (Code::WindowTaken, "a migration window is open"),
                _ => (Code::BackupRunning, "a backup is running"),
            };
            let message =
                format!("{what} on {}: {} since {since} ({})", repository.source, record.holder, record.reason);
            let help = "wait for its end and try again, or let the gate wait: --window, or guard migrate";
            Check::closed(NAME, vec![Reason::new(code, message, help)])
        }
        (None, None) => Check::pass(NAME, "no dump is running; none is kept from starting without --window"),
    }
}
