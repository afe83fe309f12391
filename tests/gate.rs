//! The gate on real servers: what opens it, everything that keeps it closed, and that it fails closed.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{Catalog, RunNote, Selector};
use guard::gate::facts::{Facts, KnownBy, Migrations, PendingFile, look};
use guard::gate::{Code, Policy, decide};
use guard::lease::{Holder, Leases};
use guard::rehearse::record::{
    FileRef, MigrationReport, Outcome, Place, Rehearsal, RehearsalVerdict, fingerprint, keep,
};
use guard::store::FsStore;
use hyper::Method;
use hyper::http::request::Parts;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use support::deployment::{DESTRUCTIVE, HARMLESS, POLICY, codes, deployer, gate, migrated, proven, write};
use support::guard::{Guard, text};
use support::mount::Mount;
use support::past::{Past, Taken};
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON};
use support::proxy::{Proxy, Spoil};
use support::s3_process::{self, S3Process};
use support::session::OpenSession;

/// Not a test: the S3 server is this program, started again for this function.
#[test]
fn s3_server() {
    s3_process::serve();
}

fn server() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    migrated(&server);
    server
}

/// A deployment with a proven backup and one harmless migration to run.
fn ready(server: &TestPostgres, policy: &str) -> (Guard, String) {
    let guard = deployer(server, policy);
    write(&guard, "20261101000000_zones.sql", HARMLESS);
    let id = proven(&guard);
    (guard, id)
}

fn records(guard: &Guard, id: &str) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(guard.folder("shop", id).join("gates")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

#[track_caller]
fn closed_for(guard: &Guard, args: &[&str], expected: &[&str]) -> Value {
    let answer = gate(guard, args).no();
    assert_eq!(answer["verdict"], "closed");
    assert_eq!(codes(&answer), expected, "{answer:#}");
    answer
}

#[test]
fn a_fresh_proven_backup_opens_the_gate_and_the_decision_is_on_record_beside_it() {
    let server = server();
    let (guard, id) = ready(&server, POLICY);
    let answer = gate(&guard, &[]).yes();
    assert_eq!((&answer["verdict"], &answer["backup"]), (&"open".into(), &id.as_str().into()), "{answer:#}");
    // Without the database the manifest tells what has run.
    assert_eq!(answer["known_by"], "backup");
    assert_eq!(answer["migrations"].as_array().unwrap().len(), 1);
    assert_eq!(text(&answer["migrations"][0]["file"]), "migrations/20261101000000_zones.sql");
    let mut on_record = answer.clone();
    assert_eq!(on_record.as_object_mut().unwrap().remove("on_record"), Some(true.into()));
    assert_eq!(records(&guard, &id), [on_record]);
    // The database says the same, and no record is left where none is wanted.
    let answer = gate(&guard, &["--database", "source", "--no-record"]).yes();
    assert_eq!(answer["known_by"], "database");
    assert_eq!(records(&guard, &id).len(), 1);
    // A record is no part of the backup: it goes on being proven and whole.
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");
    guard.json(&["restore", "--to", "scratch"]).yes();
}

#[test]
fn where_nothing_is_pending_the_gate_is_open() {
    let server = server();
    let guard = deployer(&server, POLICY);
    guard.backup();
    let answer = gate(&guard, &[]).yes();
    assert_eq!(answer["migrations"], Value::Array(Vec::new()), "{answer:#}");
}

fn is_put(head: &Parts) -> bool {
    head.method == Method::PUT || head.method == Method::POST || head.method == Method::DELETE
}

#[test]
fn a_bucket_that_may_only_be_read_and_no_database_are_enough() {
    let server = server();
    let s3 = S3Process::start();
    let (guard, _) = {
        let guard = s3.keeps(deployer(&server, POLICY));
        write(&guard, "20261101000000_zones.sql", HARMLESS);
        let id = proven(&guard);
        (guard, id)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let proxy = runtime.block_on(Proxy::start(s3.addr()));
    proxy.spoil(is_put, usize::MAX >> 1, Spoil::Status(403));
    // The pipeline has the bucket and the files, and no way to the database.
    let policy = guard.dir().join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    fs::remove_file(guard.dir().join("guard.toml")).unwrap();
    let guard = guard.without("SHOP_URL").with("GUARD_STORE_ENDPOINT", &format!("http://{}", proxy.addr));
    let outcome = gate(&guard, &["--policy", "policy.toml"]);
    let answer = outcome.yes();
    assert_eq!((&answer["known_by"], &answer["on_record"]), (&"backup".into(), &false.into()), "{outcome}");
    // What must be written cannot be: a window that was asked for keeps it closed.
    let answer = gate(&guard, &["--policy", "policy.toml", "--window", "1m"]).no();
    assert_eq!(codes(&answer), ["window-not-opened"], "{answer:#}");
}

#[test]
fn a_directory_that_may_only_be_read_is_enough() {
    let server = server();
    let mut mount = Mount::new("64m");
    let guard = deployer(&server, POLICY).with("GUARD_STORE_URL", &mount.path().display().to_string());
    write(&guard, "20261101000000_zones.sql", HARMLESS);
    proven(&guard);
    mount.make_read_only();
    let outcome = gate(&guard, &[]);
    let answer = outcome.yes();
    assert_eq!(answer["checks"][3]["name"], "clock", "{answer:#}");
    assert_eq!(answer["checks"][3]["state"], "skipped", "{answer:#}");
    assert_eq!(answer["on_record"], false, "{answer:#}");
    let outcome = guard.run(&["gate", "migrations", "--env", "prod"]);
    assert!(outcome.stderr.contains("this decision is not on record"), "{outcome}");
}

#[test]
fn no_bucket_and_no_backup_close_the_gate() {
    let server = server();
    let guard = deployer(&server, POLICY);
    write(&guard, "20261101000000_zones.sql", HARMLESS);
    let answer = closed_for(&guard, &[], &["no-repository"]);
    assert!(text(&answer["reasons"][0]["help"]).contains("check the store's url"), "{answer:#}");
    let unreachable = deployer(&server, POLICY)
        .with("GUARD_STORE_URL", "s3://backups/prod")
        .with("GUARD_STORE_ENDPOINT", "http://127.0.0.1:9")
        .with("GUARD_STORE_REGION", "us-east-1")
        .with("GUARD_STORE_ACCESS_KEY", "key")
        .with("GUARD_STORE_SECRET_KEY", "secret");
    write(&unreachable, "20261101000000_zones.sql", HARMLESS);
    closed_for(&unreachable, &[], &["store-unreachable"]);
    let other = deployer(&server, POLICY).with("GUARD_STORE_URL", &guard.store().display().to_string());
    write(&other, "20261101000000_zones.sql", HARMLESS);
    guard.backup();
    closed_for(&other, &["--source", "stock"], &["no-backup", "not-proven"]);
    closed_for(&other, &[], &["not-proven"]);
}

#[test]
fn a_manifest_that_was_edited_or_belongs_elsewhere_closes_the_gate() {
    let server = server();
    let (guard, id) = ready(&server, POLICY);
    let manifest = guard.folder("shop", &id).join("manifest.json");
    let sound = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, sound.replacen("\"rows\": 1000", "\"rows\": 1001", 1)).unwrap();
    let answer = closed_for(&guard, &[], &["backup-untrusted", "not-proven"]);
    assert!(text(&answer["reasons"][0]["message"]).contains("edited or damaged"), "{answer:#}");
    // Another repository's backup in this one's place.
    let other = deployer(&server, POLICY);
    let foreign = other.backup();
    fs::remove_dir_all(guard.folder("shop", &id)).unwrap();
    copy_folder(&other.folder("shop", &foreign), &guard.folder("shop", &foreign));
    let answer = closed_for(&guard, &[], &["backup-untrusted", "not-proven"]);
    assert!(text(&answer["reasons"][0]["message"]).contains("of repository"), "{answer:#}");
    // An older sound one does not stand in for the newest.
    let older = deployer(&server, POLICY);
    write(&older, "20261101000000_zones.sql", HARMLESS);
    proven(&older);
    let newest = older.backup();
    let manifest = older.folder("shop", &newest).join("manifest.json");
    let sound = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, sound.replacen("1000", "1001", 1)).unwrap();
    closed_for(&older, &[], &["backup-untrusted"]);
}

fn copy_folder(from: &Path, to: &Path) {
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    support::postgres::run(copy, b"");
}

#[test]
fn old_backups_and_old_proofs_close_the_gate() {
    let server = server();
    let policy = |settings: &str| format!("{POLICY}{settings}\n");
    let (guard, _) = ready(&server, &policy("backup_max_age = \"1ms\""));
    closed_for(&guard, &[], &["backup-too-old"]);
    let with = |settings: &str| fs::write(guard.dir().join("policy.toml"), policy(settings)).unwrap();
    with("proof_max_age = \"1ms\"");
    closed_for(&guard, &["--policy", "policy.toml"], &["proof-expired"]);
    // The next backup is not the one that was proven.
    guard.backup();
    with("proof_of = \"backup\"");
    closed_for(&guard, &["--policy", "policy.toml"], &["not-proven"]);
    with("");
    gate(&guard, &["--policy", "policy.toml"]).yes();
    // --backup cures an old backup; it cannot cure a proof.
    let answer = gate(&guard, &["--backup"]).no();
    assert_eq!(codes(&answer), ["backup-too-old"], "a millisecond has passed since: {answer:#}");
    with("backup_max_age = \"1m\"\nbackup = true");
    let before = guard.listed().len();
    gate(&guard, &["--policy", "policy.toml"]).yes();
    assert_eq!(guard.listed().len(), before + 1, "the policy asks for a backup before the migrations");
}

#[test]
fn a_failed_test_restore_closes_the_gate() {
    let server = server();
    let (guard, id) = ready(&server, POLICY);
    let dump = guard.folder("shop", &id).join("dump.pgdump.zst");
    let mut bytes = fs::read(&dump).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&dump, bytes).unwrap();
    guard.json(&["restore", "--to", "scratch"]).no();
    closed_for(&guard, &[], &["proof-failed"]);
}

/// The facts of a repository whose store and host have these clocks, and what follows from them now.
async fn decided(past: &Past, host: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Code> {
    let leases = Leases::new(Arc::clone(&past.store), Holder::of_this_process(), Arc::new(move || host));
    let repository = look(&past.catalog, &leases, &"shop".parse().unwrap(), || host).await;
    let pending = vec![PendingFile { file: "m/1.sql".into(), sha256: "1".to_owned() }];
    let migrations = Migrations { known_by: KnownBy::Nothing, pending, n_files: 1, ..Migrations::default() };
    let facts = Facts { migrations, repository, database: None, window: None, backup_failure: None };
    decide(&facts, &Policy::default(), now).reasons().map(|reason| reason.code).collect()
}

#[tokio::test]
async fn clocks_that_do_not_agree_close_the_gate_and_so_does_a_backup_from_the_future() {
    let now = Utc::now();
    let past = Past::begin(now - TimeDelta::days(2)).await;
    let taken = |at| Taken { source: "shop", at, seconds: 5, stored: 4, tables: Vec::new() };
    let manifest = past.take(&taken(now - TimeDelta::hours(2))).await;
    past.prove(&manifest, now - TimeDelta::hours(1), 3.0, false).await;
    assert_eq!(decided(&past, now, now).await, []);
    for off in [TimeDelta::minutes(2), TimeDelta::minutes(-2), TimeDelta::days(400)] {
        assert_eq!(decided(&past, now + off, now + off).await, [Code::ClockSkew], "{off}");
    }
    past.take(&taken(now + TimeDelta::hours(1))).await;
    assert_eq!(decided(&past, now, now).await, [Code::BackupFromFuture]);
}

#[test]
fn a_backup_of_another_schema_or_database_closes_the_gate_until_a_new_one_is_taken() {
    let server = server();
    let (guard, _) = ready(&server, POLICY);
    let from_database = ["--database", "source"];
    gate(&guard, &from_database).yes();
    server.psql("shop", "ALTER TABLE orders ADD COLUMN hotfix text");
    let answer = closed_for(&guard, &from_database, &["other-schema"]);
    assert!(text(&answer["reasons"][0]["message"]).contains("orders"), "{answer:#}");
    // Rows are not the schema.
    gate(&guard, &["--database", "source", "--backup"]).yes();
    server.psql("shop", "DELETE FROM orders");
    gate(&guard, &from_database).yes();
    server.create_database("stock", "");
    let stock = server.url("stock");
    closed_for(&guard, &["--database", &stock], &["other-database"]);
    let nowhere = server.url("nowhere");
    let answer = gate(&guard, &["--database", &nowhere]).no();
    assert!(codes(&answer).contains(&"database-unreachable".to_owned()), "{answer:#}");
}

#[test]
fn a_checkout_that_is_older_than_the_database_closes_the_gate() {
    let server = server();
    server.psql("shop", "INSERT INTO schema_migrations VALUES ('20260901000000')");
    let (guard, _) = ready(&server, POLICY);
    let answer = closed_for(&guard, &[], &["checkout-behind"]);
    assert!(text(&answer["reasons"][0]["message"]).contains("20260901000000"), "{answer:#}");
    write(&guard, "20260901000000_between.sql", HARMLESS);
    gate(&guard, &[]).yes();
    // What was squashed away before is no sign of that.
    server.psql("shop", "INSERT INTO schema_migrations VALUES ('20250101000000')");
    gate(&guard, &["--database", "source"]).yes();
}

#[test]
fn without_a_history_everything_counts_and_the_policy_may_ask_for_one() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", "CREATE TABLE orders (id bigint PRIMARY KEY)");
    let (guard, _) = ready(&server, &format!("{POLICY}fail_on = \"never\"\nschema = \"required\"\n"));
    closed_for(&guard, &[], &["schema-unknown"]);
    gate(&guard, &["--database", "source"]).yes();
}

#[test]
fn a_destructive_migration_needs_a_signature_that_lasts() {
    let server = server();
    let guard = deployer(&server, &format!("{POLICY}approvers = [\"ann\", \"ben\"]\n"));
    proven(&guard);
    write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    let answer = closed_for(&guard, &[], &["not-approved"]);
    assert!(text(&answer["reasons"][0]["message"]).contains("20261101000000_note.sql:3"), "{answer:#}");
    let signed = |reason: &str| {
        let comment = format!("-- guard:ignore drop-column -- {reason}\nALTER TABLE");
        write(&guard, "20261101000000_note.sql", &DESTRUCTIVE.replacen("ALTER TABLE", &comment, 1));
    };
    let in_days = |n_days| (Utc::now() + TimeDelta::days(n_days)).format("%F").to_string();
    for (reason, code) in [
        ("nobody reads it".to_owned(), "not-approved"),
        ("owner=ann".to_owned(), "approval-incomplete"),
        (format!("owner=ann expires={}", in_days(-1)), "approval-expired"),
        (format!("owner=ann expires={}", in_days(900)), "approval-too-long"),
        (format!("owner=eve expires={}", in_days(9)), "approver-unknown"),
    ] {
        signed(&reason);
        closed_for(&guard, &[], &[code]);
    }
    signed(&format!("nobody reads it, owner=ann expires={}", in_days(9)));
    let answer = gate(&guard, &[]).yes();
    assert_eq!(answer["approvals"][0]["approval"]["owner"], "ann", "{answer:#}");
    // A baseline is for what has run; it signs for nothing.
    write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    guard.run(&["lint", "migrations", "--write-baseline", "--owner", "ann"]);
    closed_for(&guard, &[], &["not-approved"]);
}

#[test]
fn what_was_not_rehearsed_as_it_stands_is_not_let_through() {
    let server = server();
    let guard = deployer(&server, "[gate.prod]\napproval_for = []\nfail_on = \"never\"\n");
    proven(&guard);
    let file = write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    closed_for(&guard, &[], &["not-rehearsed"]);
    let rehearse = |verdict| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(put_on_record(&guard, &fs::read_to_string(&file).unwrap(), verdict));
    };
    rehearse(RehearsalVerdict::Passed);
    gate(&guard, &[]).yes();
    rehearse(RehearsalVerdict::Failed);
    closed_for(&guard, &[], &["rehearsal-failed"]);
    write(&guard, "20261101000000_note.sql", &DESTRUCTIVE.replace("2s", "3s"));
    closed_for(&guard, &[], &["not-rehearsed"]);
}

async fn put_on_record(guard: &Guard, text: &str, verdict: RehearsalVerdict) {
    let catalog = Catalog::open(Arc::new(FsStore::open(&guard.store()).unwrap())).await.unwrap();
    let backups = catalog.backups(&"shop".parse().unwrap()).await.unwrap();
    let backup = Selector::Latest(0).pick("shop", backups).unwrap();
    let version = Some("20261101000000".to_owned());
    let path = "migrations/20261101000000_note.sql".to_owned();
    let file = FileRef { path, version, fingerprint: fingerprint(text) };
    let migration = MigrationReport::of(vec![file], Outcome::Ran);
    let record = Rehearsal {
        backup: backup.manifest.id.clone(),
        source: "shop".to_owned(),
        manifest: backup.manifest.digest().to_owned(),
        data_at: backup.manifest.consistent.at,
        started_by: "a test".to_owned(),
        run: RunNote::new(None),
        started: Utc::now(),
        finished: Utc::now(),
        guard: String::new(),
        layout: "dbmate".to_owned(),
        verdict,
        problems: Vec::new(),
        migrations: vec![migration],
        not_reached: Vec::new(),
        covered_findings: Vec::new(),
        place: Place::default(),
    };
    keep(&catalog, &backup.keys, &record).await.unwrap();
}

#[test]
fn a_running_dump_closes_the_gate_that_may_not_wait() {
    let server = server();
    let (guard, _) = ready(&server, POLICY);
    let locker = OpenSession::locking(&server, "shop", "orders");
    let mut running = Running::start(guard.command(&["backup", "--json"]));
    let dump = running.wait_for("pg_dump", SOON);
    kill(dump, Signal::SIGSTOP).unwrap();
    drop(locker);
    closed_for(&guard, &[], &["backup-running"]);
    // Nobody waits for ever for what does not end.
    fs::write(guard.dir().join("policy.toml"), format!("{POLICY}max_wait = \"300ms\"\n")).unwrap();
    closed_for(&guard, &["--policy", "policy.toml", "--window", "1m"], &["window-not-opened"]);
    kill(dump, Signal::SIGCONT).unwrap();
    let answer = gate(&guard, &["--window", "1m"]).yes();
    assert!(!text(&answer["window"]["token"]).is_empty(), "{answer:#}");
    running.end_within(SOON);
}

#[test]
fn a_policy_that_is_not_there_or_not_understood_is_no_verdict() {
    let server = server();
    let (guard, _) = ready(&server, POLICY);
    let error = guard.json(&["gate", "migrations", "--env", "staging"]).error(2, "usage");
    assert!(text(&error["help"]).contains("prod"), "{error}");
    fs::write(guard.dir().join("policy.toml"), "[gate.prod]\nbackup_max_age = \"0s\"\nfail-on = \"error\"\n").unwrap();
    let error = gate(&guard, &["--policy", "policy.toml"]).error(2, "config");
    let message = text(&error["message"]);
    assert!(message.contains("policy.toml:2") && message.contains("fail-on"), "{message}");
    gate(&guard, &["--layout", "cobol"]);
    guard.json(&["gate", "nowhere", "--env", "prod"]).error(2, "lint-failed");
}

#[test]
fn every_form_of_the_answer_says_the_same() {
    let server = server();
    let guard = deployer(&server, POLICY);
    proven(&guard);
    write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    let write_to = ["--write", "markdown=gate.md", "--write", "junit=gate.xml", "--write", "json=gate.json"];
    let outcome = guard.run(&[&["gate", "migrations", "--env", "prod"][..], &write_to].concat());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stdout.starts_with("gate for prod (shop): CLOSED for 1 reason\n"), "{outcome}");
    let read = |name: &str| fs::read_to_string(guard.dir().join(name)).unwrap();
    let (markdown, junit) = (read("gate.md"), read("gate.xml"));
    assert!(markdown.starts_with("### ⛔ guard gate for prod (shop): CLOSED for 1 reason\n"), "{markdown}");
    assert!(junit.contains("failures=\"1\"") && junit.contains("<failure type=\"not-approved\""), "{junit}");
    let json: Value = serde_json::from_str(&read("gate.json")).unwrap();
    assert_eq!(codes(&json), ["not-approved"]);
    for text in [&outcome.stdout, &markdown, &junit] {
        assert!(text.contains("not-approved") && text.contains("guard:ignore"), "{text}");
    }
}

const GENERATED: &str = "<!-- Generated by tests/gate.rs; do not edit below this line. -->\n";

/// `UPDATE_EXPECTED=1` writes the page anew.
#[test]
fn the_guide_lists_every_reason_and_shows_what_really_happens() {
    let server = server();
    let guard = deployer(&server, "[gate.prod]\n");
    proven(&guard);
    let name = "20261101000000_drop_note.sql";
    write(&guard, name, DESTRUCTIVE);
    let mut text = String::from("\n## Every reason\n\n| code | what it means |\n|---|---|\n");
    for (_, code, about) in Code::ALL {
        text.push_str(&format!("| `{code}` | {} |\n", about.trim()));
    }
    text.push_str("\n## A destructive migration, stopped\n\n```console\n");
    let mut session = vec![format!("$ cat migrations/{name}\n{DESTRUCTIVE}")];
    let ask = || {
        let outcome = guard.run(&["gate", "migrations", "--env", "prod"]);
        format!("$ guard gate migrations --env prod\n{}$ echo $?\n{}\n", outcome.stdout, outcome.code.unwrap())
    };
    session.push(ask());
    let signed = "-- guard:ignore drop-column -- nobody reads it since release 41, owner=ann expires=";
    let expires = (Utc::now() + TimeDelta::days(40)).format("%F").to_string();
    let sql = DESTRUCTIVE.replacen("ALTER TABLE", &format!("{signed}{expires}\nALTER TABLE"), 1);
    write(&guard, name, &sql);
    session.push(format!("$ sed -n 3,4p migrations/{name}      # somebody signs for it\n{}\n", lines(&sql, 2..4)));
    session.push(ask());
    // A lock that lasts says here that somebody else has the processors.
    let rehearsed = guard.run(&["rehearse", "migrations", "--max-block", "1h"]);
    assert_eq!(rehearsed.code, Some(0), "{rehearsed}");
    session.push("$ guard rehearse migrations      # and it is tried on a restored copy\n…\n$ echo $?\n0\n".to_owned());
    session.push(ask());
    text.push_str(&timeless(&session.join("\n"), &expires));
    text.push_str("```\n");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/gate.md");
    let written = fs::read_to_string(&path).unwrap();
    let (by_hand, _) = written.split_once(GENERATED).expect("the page has its mark");
    let expected = format!("{by_hand}{GENERATED}{text}");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == expected,
        "docs/guide/gate.md shows other things than happen: {text}"
    );
}

fn lines(text: &str, range: std::ops::Range<usize>) -> String {
    text.lines().skip(range.start).take(range.len()).collect::<Vec<_>>().join("\n")
}

/// Ids and ages differ from run to run.
fn timeless(text: &str, expires: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| ",;:.".contains(c));
        if bare.len() == 23 && bare.as_bytes()[8] == b'T' && bare.as_bytes()[16] == b'-' {
            word.replace(bare, "20261121T020000Z-k3m9xq")
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let mut text = text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n";
    text = text.replace(expires, "2026-12-31");
    for (unit, rest) in [(" s", " old"), (" s", " ago"), (" min", " old"), (" min", " ago")] {
        while let Some(at) = text.find(&format!("{unit}{rest}")) {
            let before = |at: usize| text[..at].rfind(' ').map_or(0, |space| space + 1);
            let number = before(at);
            // On a machine with much to do it is `1 min 5 s`.
            let begin = text[..number].strip_suffix(" min ").map_or(number, |head| before(head.len()));
            text.replace_range(begin..at + unit.len(), "2 h");
        }
    }
    text
}
