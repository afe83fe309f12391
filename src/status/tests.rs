//! What is found and what is not, by the moment and by what was promised.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::history::{Listed, Recorded, Snapshot, TableFigures, Untrusted};
use super::live::{Job, Live};
use super::{Expected, Health, Report, report};
use crate::catalog::{BackupId, Compared, Evidence, SourceName, Verdict};
use crate::retention::Rules;

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn orders() -> SourceName {
    "orders".parse().unwrap()
}

fn recorded(at: DateTime<Utc>, tables: &[(&str, u64)]) -> Recorded {
    let figures = |(name, rows): &(&str, u64)| TableFigures { name: (*name).into(), rows: *rows, bytes: rows * 10 };
    Recorded {
        id: BackupId::new(at),
        started: at,
        finished: at + TimeDelta::minutes(1),
        data_at: at,
        stored_bytes: 10,
        plain_bytes: 100,
        rows: tables.iter().map(|(_, rows)| rows).sum(),
        subject: String::new(),
        environment: None,
        recipients: Vec::new(),
        guard: String::new(),
        tools: Vec::new(),
        manifest: String::new(),
        kept: None,
        alarm: None,
        released: None,
        proofs: Vec::new(),
        tables: tables.iter().map(figures).collect(),
        n_tables: tables.len() as u64,
    }
}

fn evidence(backup: &Recorded, at: DateTime<Utc>, restore_seconds: f64, reason: Option<&str>) -> Arc<Evidence> {
    Arc::new(Evidence {
        backup: backup.id.clone(),
        source: "orders".to_owned(),
        manifest: String::new(),
        environment: None,
        run: None,
        started_by: "a test".to_owned(),
        verdict: if reason.is_none() { Verdict::Proven } else { Verdict::Failed },
        reason: reason.map(ToOwned::to_owned),
        rungs: Vec::new(),
        differences: Vec::new(),
        started: at,
        finished: at,
        restore_seconds,
        proof_seconds: 1.0,
        rpo_seconds: 0.0,
        rpo_target_seconds: None,
        rto_target_seconds: None,
        guard: String::new(),
        scratch: None,
        compared: Compared::default(),
    })
}

fn expected() -> Expected {
    Expected {
        name: orders(),
        kind: "PostgreSQL",
        environment: None,
        rpo: Some(Duration::from_hours(26)),
        rto: Some(Duration::from_mins(15)),
        upcoming: Vec::new(),
        proof_due: None,
        rules: Rules::default(),
    }
}

fn snapshot(listed: Vec<Listed>) -> Snapshot {
    let sources = BTreeMap::from([(orders(), listed)]);
    Snapshot { sources, ..Snapshot::empty("file:///store".to_owned(), now()) }
}

fn reported(backups: Vec<Recorded>, expected: &Expected) -> Report {
    let listed = backups.into_iter().map(|backup| Listed::Backup(Arc::new(backup))).collect();
    report(&snapshot(listed), std::slice::from_ref(expected), &Live::default().look(), now())
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.sources[0].findings.iter().map(|finding| finding.code).collect()
}

/// A backup that is younger than its promise and proven within it.
fn good() -> Recorded {
    let mut backup = recorded(now() - TimeDelta::hours(25), &[("public.orders", 5)]);
    backup.proofs.push(evidence(&backup, now() - TimeDelta::hours(24), 60.0, None));
    backup
}

#[test]
fn a_source_that_keeps_its_promise_gives_no_finding() {
    let report = reported(vec![good()], &expected());
    assert_eq!((codes(&report), report.health), (vec![], Health::Ok));
    assert_eq!(report.sources[0].age_seconds, Some(25.0 * 3600.0));
    assert_eq!(report.sources[0].restore_seconds, Some(60.0));
}

#[test]
fn age_is_measured_from_the_data_and_missed_by_a_second() {
    let check = |age: TimeDelta, expected_codes: &[&str]| {
        let mut backup = good();
        backup.data_at = now() - age;
        // That the backup was finished just now does not make its data younger.
        backup.finished = now();
        assert_eq!(codes(&reported(vec![backup], &expected())), expected_codes, "{age}");
    };
    check(TimeDelta::hours(26), &[]);
    check(TimeDelta::hours(26) + TimeDelta::seconds(1), &["rpo-missed"]);
    check(-TimeDelta::minutes(2), &["clock-skew"]);
}

#[test]
fn restores_are_measured_against_the_target_of_today() {
    let check = |seconds: f64, reason: Option<&str>, expected_codes: &[&str]| {
        let mut backup = good();
        backup.proofs = vec![evidence(&backup, now(), seconds, reason)];
        assert_eq!(codes(&reported(vec![backup], &expected())), expected_codes, "{seconds} {reason:?}");
    };
    check(900.0, None, &[]);
    check(901.0, None, &["rto-missed"]);
    // Found late under another target: what came back was whole.
    check(800.0, Some("rto-missed"), &[]);
    check(800.0, Some("contents-differ"), &["proof-failed"]);
    check(0.0, Some("sha256-differs"), &["proof-failed"]);
}

#[test]
fn what_was_never_done_is_told() {
    assert_eq!(codes(&reported(vec![], &expected())), ["never-backed-up"]);
    let unproven = recorded(now() - TimeDelta::hours(1), &[]);
    let report = reported(vec![unproven], &expected());
    assert_eq!((codes(&report), report.health), (vec!["never-proven"], Health::Warning));
}

#[test]
fn a_test_restore_that_did_not_take_place_is_overdue_after_a_day() {
    let check = |due: TimeDelta, expected_codes: &[&str]| {
        let expected = Expected { proof_due: Some(now() - due), ..expected() };
        let mut backup = good();
        backup.proofs = vec![evidence(&backup, now() - TimeDelta::days(20), 60.0, None)];
        assert_eq!(codes(&reported(vec![backup], &expected)), expected_codes, "{due}");
    };
    check(TimeDelta::hours(23), &[]);
    check(TimeDelta::hours(25), &["proof-overdue"]);
    check(TimeDelta::days(21), &[]);
}

#[test]
fn a_newest_backup_that_cannot_be_trusted_is_worse_than_an_old_one() {
    let untrusted = |at: DateTime<Utc>| {
        let reason = "its own sha256 does not fit".to_owned();
        Listed::Untrusted(Arc::new(Untrusted { id: BackupId::new(at), reason }))
    };
    let good = || Listed::Backup(Arc::new(good()));
    let check = |listed: Vec<Listed>, code: &str, health: Health| {
        let report = report(&snapshot(listed), &[expected()], &Live::default().look(), now());
        assert_eq!((codes(&report), report.health), (vec![code], health));
    };
    check(vec![good(), untrusted(now())], "newest-untrusted", Health::Breach);
    check(vec![untrusted(now() - TimeDelta::days(9)), good()], "untrusted", Health::Warning);
}

#[test]
fn a_failed_run_is_told_until_a_backup_succeeds() {
    let live = Live::default();
    live.ended(&orders(), Job::Backup, now() - TimeDelta::hours(1), Err("no route".to_owned()));
    let check = |finished: TimeDelta, expected_codes: &[&str]| {
        let backup = Recorded { finished: now() - finished, ..good() };
        let listed = vec![Listed::Backup(Arc::new(backup))];
        let report = report(&snapshot(listed), &[expected()], &live.look(), now());
        assert_eq!(codes(&report), expected_codes, "{finished}");
    };
    check(TimeDelta::hours(2), &["backup-failed"]);
    check(TimeDelta::minutes(30), &[]);
}

#[test]
fn a_source_that_nobody_configured_is_shown_and_not_judged() {
    let old = recorded(now() - TimeDelta::days(500), &[]);
    let listed = vec![Listed::Backup(Arc::new(old))];
    let report = report(&snapshot(listed), &[], &Live::default().look(), now());
    assert_eq!((codes(&report), report.health, report.sources[0].configured), (vec![], Health::Ok, false));
}

#[test]
fn a_server_stands_for_its_databases_until_they_have_backups() {
    let server = Expected { name: "main".parse().unwrap(), ..expected() };
    let names = |snapshot: &Snapshot| -> Vec<String> {
        let report = report(snapshot, std::slice::from_ref(&server), &Live::default().look(), now());
        report.sources.iter().map(|source| format!("{} {}", source.source, source.configured)).collect()
    };
    let mut snapshot = Snapshot::empty(String::new(), now());
    assert_eq!(names(&snapshot), ["main true"]);
    for name in ["main.shop", "mainly"] {
        snapshot.sources.insert(name.parse().unwrap(), Vec::new());
    }
    assert_eq!(names(&snapshot), ["main.shop true", "mainly false"]);
}

#[test]
fn tables_are_compared_with_the_backup_before() {
    let at = |days| now() - TimeDelta::days(days);
    let before = recorded(at(2), &[("public.gone", 7), ("public.orders", 5), ("public.same", 1)]);
    let after = recorded(at(1), &[("public.new", 2), ("public.orders", 9), ("public.same", 1)]);
    let report = reported(vec![before, after], &expected());
    let tables = &report.sources[0].tables;
    let found: Vec<_> =
        tables.iter().map(|table| (&*table.name, table.rows, table.rows_change, table.vanished)).collect();
    let expected = [
        ("public.gone", 0, Some(-7), true),
        ("public.orders", 9, Some(4), false),
        ("public.new", 2, None, false),
        ("public.same", 1, Some(0), false),
    ];
    assert_eq!(found, expected);
    let series: Vec<_> = tables[1].series.iter().map(|point| point.rows).collect();
    assert_eq!(series, [5, 9]);
}
