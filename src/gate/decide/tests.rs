//! Every reason to stay closed, and what must not be one.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use migrations_lint::report::{Class, Finding, Severity};
use migrations_lint::source_text::{Position, Span};
use migrations_lint::suppress::Suppressed;

use super::{State, decide};
use crate::catalog::{BackupId, BackupKeys, Verdict as Proven};
use crate::contents::{Digest, SchemaEntry};
use crate::gate::facts::{
    Backup, Clocks, Database, Facts, Identity, KnownBy, Migrations, PendingFile, Proof, Repository,
};
use crate::gate::{Code, Policy, ProofOf, Reason, Rehearsal, SchemaRule};
use crate::lease::{Holder, Purpose, Record, State as LeaseState};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap()
}

fn hours(n_hours: i64) -> TimeDelta {
    TimeDelta::hours(n_hours)
}

fn id() -> BackupId {
    "20261121T100000Z-abc123".parse().unwrap()
}

fn schema(digest: u128) -> Vec<SchemaEntry> {
    let digest = Digest(digest);
    let text = |text: &str| text.to_owned();
    let (kind, schema, name, owner) = (text("TABLE"), text("public"), text("orders"), text("app"));
    vec![SchemaEntry { kind, schema, name, owner, digest, canonical: digest }]
}

fn proof(age: TimeDelta, verdict: Proven) -> Option<Proof> {
    Some(Proof { backup: id(), at: now() - age, verdict })
}

/// One harmless migration, a backup two hours old that was proven an hour ago, and nobody at work: open.
fn facts() -> Facts {
    let source = "shop".parse().unwrap();
    let newest = Backup {
        keys: BackupKeys::new(&source, &id()).unwrap(),
        id: id(),
        at: now() - hours(2),
        finished: now() - hours(2),
        database: Some(identity("1")),
        major: Some(15),
        selection: Vec::new(),
        migrations: None,
        schema: schema(1),
        proof: proof(hours(1), Proven::Proven),
    };
    let repository = Repository {
        location: "file:///store".to_owned(),
        source,
        clocks: Some(Clocks { host: now(), store: now() }),
        proof: newest.proof.clone(),
        newest: Some(Ok(newest)),
        at_work: None,
        rehearsals: Vec::new(),
    };
    let pending = vec![PendingFile { file: "m/2_drop.sql".into(), sha256: "2".to_owned() }];
    let migrations = Migrations { known_by: KnownBy::Nothing, pending, n_files: 2, ..Migrations::default() };
    Facts { migrations, repository: Ok(repository), database: None, window: None, backup_failure: None }
}

fn identity(system: &str) -> Identity {
    Identity { name: "shop".to_owned(), system_identifier: Some(system.to_owned()) }
}

fn database(system: &str, digest: u128) -> Option<Result<Database, Reason>> {
    Some(Ok(Database { identity: identity(system), schema: schema(digest) }))
}

fn finding(class: Class, severity: Severity) -> Finding {
    let place = Position { line: 3, column: 1 };
    Finding {
        rule: "drop-column",
        class,
        severity,
        file: "m/2_drop.sql".into(),
        span: Span::default(),
        start: place,
        end: place,
        statement: String::new(),
        message: "column orders.note is dropped".to_owned(),
        why: String::new(),
        help: String::new(),
        fix: Vec::new(),
        fingerprint: "f".to_owned(),
    }
}

fn signed(facts: &mut Facts, reason: &str) {
    let finding = finding(Class::Destructive, Severity::Error);
    facts.migrations.suppressed = vec![Suppressed { finding, reasons: vec![reason.to_owned()] }];
}

fn repository(facts: &mut Facts) -> &mut Repository {
    facts.repository.as_mut().unwrap()
}

fn newest(facts: &mut Facts) -> &mut Backup {
    repository(facts).newest.as_mut().unwrap().as_mut().unwrap()
}

fn rehearsed(age: TimeDelta, passed: bool, file: &str) -> Rehearsal {
    Rehearsal { backup: id(), at: now() - age, passed, files: vec![file.to_owned()] }
}

fn at_work(purpose: Purpose) -> Record {
    Record {
        format: 1,
        purpose,
        reason: "schedule daily".to_owned(),
        holder: Holder::of_this_process(),
        token: "t".to_owned(),
        acquired: now() - TimeDelta::minutes(4),
        renewed: now(),
        ttl_ms: 60_000,
        state: LeaseState::Held,
        ended: None,
        asked: None,
    }
}

fn untold(code: Code) -> Reason {
    Reason::new(code, "it is so", "mend it")
}

type Change = fn(&mut Facts, &mut Policy);

/// What makes the one thing wrong that the code is about. Rehearsals are asked for where they are the matter.
const CASES: &[(Code, Change)] = &[
    (Code::Finding, |facts, _| facts.migrations.findings.push(finding(Class::NonIdempotent, Severity::Error))),
    (Code::NotApproved, |facts, _| facts.migrations.findings.push(finding(Class::Destructive, Severity::Warning))),
    (Code::NotApproved, |facts, _| signed(facts, "nobody reads it")),
    // What another linter's comment leaves out has no owner.
    (Code::NotApproved, |facts, _| signed(facts, "")),
    (Code::ApprovalIncomplete, |facts, _| signed(facts, "unread owner=ann")),
    (Code::ApprovalIncomplete, |facts, _| signed(facts, "unread expires=2026-12-31")),
    (Code::ApprovalIncomplete, |facts, _| signed(facts, "unread owner=ann expires=soon")),
    (Code::ApprovalExpired, |facts, _| signed(facts, "unread owner=ann expires=2026-11-21")),
    (Code::ApprovalTooLong, |facts, _| signed(facts, "unread owner=ann expires=2031-01-01")),
    (Code::ApproverUnknown, |facts, policy| {
        policy.approvers = vec!["ben".to_owned()];
        signed(facts, "unread owner=ann expires=2026-12-31");
    }),
    (Code::StoreUnreachable, |facts, _| facts.repository = Err(untold(Code::StoreUnreachable))),
    (Code::NoRepository, |facts, _| facts.repository = Err(untold(Code::NoRepository))),
    (Code::SourceUnknown, |facts, _| facts.repository = Err(untold(Code::SourceUnknown))),
    (Code::ClockSkew, |facts, _| facts.repository = Err(untold(Code::ClockSkew))),
    (Code::ClockSkew, |facts, _| {
        repository(facts).clocks = Some(Clocks { host: now(), store: now() + TimeDelta::minutes(3) })
    }),
    (Code::NoBackup, |facts, _| repository(facts).newest = None),
    (Code::BackupUntrusted, |facts, _| repository(facts).newest = Some(Err(untold(Code::BackupUntrusted)))),
    (Code::BackupFromFuture, |facts, _| newest(facts).at = now() + hours(1)),
    (Code::BackupFromFuture, |facts, _| newest(facts).finished = now() + hours(1)),
    (Code::BackupTooOld, |facts, _| newest(facts).at = now() - hours(27)),
    (Code::NotProven, |facts, _| repository(facts).proof = None),
    (Code::NotProven, |facts, policy| {
        policy.proof_of = ProofOf::Backup;
        newest(facts).proof = None;
    }),
    (Code::ProofFailed, |facts, _| repository(facts).proof = proof(hours(1), Proven::Failed)),
    (Code::ProofFromFuture, |facts, _| repository(facts).proof = proof(hours(-1), Proven::Proven)),
    (Code::ProofExpired, |facts, _| repository(facts).proof = proof(hours(24 * 36), Proven::Proven)),
    (Code::OtherDatabase, |facts, _| facts.database = database("2", 1)),
    (Code::OtherSchema, |facts, _| facts.database = database("1", 2)),
    (Code::CheckoutBehind, |facts, _| facts.migrations.ahead = vec!["3".to_owned()]),
    (Code::SchemaUnknown, |_, policy| policy.schema = SchemaRule::Required),
    (Code::DatabaseUnreachable, |facts, _| facts.database = Some(Err(untold(Code::DatabaseUnreachable)))),
    (Code::BackupRunning, |facts, _| repository(facts).at_work = Some(at_work(Purpose::Backup))),
    (Code::WindowTaken, |facts, _| repository(facts).at_work = Some(at_work(Purpose::MigrationWindow))),
    (Code::WindowNotOpened, |facts, _| facts.window = Some(Err(untold(Code::WindowNotOpened)))),
    (Code::NotRehearsed, |facts, _| facts.migrations.findings.push(finding(Class::Lock, Severity::Warning))),
    // The file was edited since.
    (Code::NotRehearsed, |facts, _| {
        facts.migrations.findings.push(finding(Class::Lock, Severity::Warning));
        repository(facts).rehearsals.push(rehearsed(hours(1), true, "1"));
    }),
    (Code::RehearsalFailed, |facts, _| {
        facts.migrations.findings.push(finding(Class::Lock, Severity::Warning));
        repository(facts).rehearsals.extend([rehearsed(hours(2), true, "2"), rehearsed(hours(1), false, "2")]);
    }),
    (Code::RehearsalTooOld, |facts, _| {
        facts.migrations.findings.push(finding(Class::Lock, Severity::Warning));
        repository(facts).rehearsals.push(rehearsed(hours(24 * 8), true, "2"));
    }),
    (Code::BackupFailed, |facts, _| facts.backup_failure = Some(untold(Code::BackupFailed))),
];

#[test]
fn every_reason_to_refuse_closes_the_gate_by_itself_and_names_the_way_out() {
    for (idx, (code, change)) in CASES.iter().enumerate() {
        let (mut facts, mut policy) = (facts(), Policy::default());
        if !matches!(code, Code::NotRehearsed | Code::RehearsalFailed | Code::RehearsalTooOld) {
            policy.rehearsal_for.clear();
        }
        change(&mut facts, &mut policy);
        let verdict = decide(&facts, &policy, now());
        let codes: Vec<Code> = verdict.reasons().map(|reason| reason.code).collect();
        assert_eq!(codes, [*code], "case {idx}: {verdict:#?}");
        assert!(verdict.reasons().all(|reason| !reason.message.is_empty() && !reason.help.is_empty()), "{verdict:#?}");
        assert!(!verdict.is_open());
    }
    let tested: BTreeSet<Code> = CASES.iter().map(|(code, _)| *code).collect();
    let all: BTreeSet<Code> = Code::ALL.iter().map(|(code, ..)| *code).collect();
    assert_eq!(tested, all, "every reason has a case");
}

#[test]
fn what_is_in_order_opens_the_gate() {
    let cases: &[Change] = &[
        |_, _| {},
        |facts, _| facts.database = database("1", 1),
        // A role that may not read the cluster's identity cannot tell it from another.
        |facts, _| {
            newest(facts).database = Some(Identity { system_identifier: None, ..identity("1") });
            facts.database = database("2", 1);
        },
        |facts, policy| {
            policy.schema = SchemaRule::Off;
            facts.database = database("2", 2);
        },
        |facts, _| newest(facts).at = now() - hours(26),
        // Within what two clocks may differ.
        |facts, _| newest(facts).finished = now() + TimeDelta::seconds(59),
        |facts, _| repository(facts).proof = proof(hours(24 * 35), Proven::Proven),
        |facts, policy| {
            policy.fail_on = None;
            facts.migrations.findings.push(finding(Class::NonIdempotent, Severity::Error));
        },
        |facts, _| facts.migrations.findings.push(finding(Class::NonIdempotent, Severity::Warning)),
        |facts, _| {
            signed(facts, "unread owner=ann expires=2026-11-22");
            repository(facts).rehearsals.push(rehearsed(hours(24 * 7), true, "2"));
        },
        // A store that may only be read shows no clock of its own.
        |facts, _| repository(facts).clocks = None,
        // This very gate holds the window.
        |facts, _| {
            facts.window = Some(Ok(now() + TimeDelta::minutes(1)));
            repository(facts).at_work = Some(at_work(Purpose::MigrationWindow));
        },
    ];
    for (idx, change) in cases.iter().enumerate() {
        let (mut facts, mut policy) = (facts(), Policy::default());
        change(&mut facts, &mut policy);
        let verdict = decide(&facts, &policy, now());
        assert!(verdict.is_open(), "case {idx}: {verdict:#?}");
    }
}

#[test]
fn where_nothing_is_pending_nothing_else_is_asked() {
    let mut facts = facts();
    facts.migrations.pending.clear();
    facts.repository = Err(untold(Code::NoRepository));
    let verdict = decide(&facts, &Policy::default(), now());
    assert!(verdict.is_open(), "{verdict:#?}");
    assert_eq!(verdict.checks.len(), 1);
}

#[test]
fn what_has_run_is_never_guessed() {
    let mut facts = facts();
    facts.migrations.known_by = KnownBy::Unknown;
    facts.migrations.findings.push(finding(Class::Destructive, Severity::Error));
    let codes = |facts: &Facts| -> Vec<Code> {
        decide(facts, &Policy::default(), now()).reasons().map(|reason| reason.code).collect()
    };
    assert_eq!(codes(&facts), [Code::SchemaUnknown]);
    // The cause is told, and not what follows from it for migrations that may have run long ago.
    repository(&mut facts).newest = Some(Err(untold(Code::BackupUntrusted)));
    assert_eq!(codes(&facts), [Code::BackupUntrusted]);
}

#[test]
fn an_approval_does_not_stand_in_for_a_rehearsal() {
    let mut facts = facts();
    signed(&mut facts, "unread owner=ann expires=2026-12-31");
    let verdict = decide(&facts, &Policy::default(), now());
    assert_eq!(verdict.reasons().map(|reason| reason.code).collect::<Vec<_>>(), [Code::NotRehearsed]);
}

#[test]
fn the_shortest_age_is_counted_to_the_second() {
    let policy = Policy { backup_max_age: Duration::from_secs(7200), ..Policy::default() };
    let mut facts = facts();
    assert!(decide(&facts, &policy, now()).is_open());
    newest(&mut facts).at -= TimeDelta::seconds(1);
    let verdict = decide(&facts, &policy, now());
    assert_eq!(verdict.checks.iter().find(|check| check.name == "backup").unwrap().state, State::Closed);
}
