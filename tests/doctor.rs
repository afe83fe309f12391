//! `guard doctor` on real servers: what works is said, what does not is found, and each line that is not well has a way out.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;

use serde_json::Value;
use support::ceph::Ceph;
use support::guard::{Guard, Outcome, text};
use support::postgres::{TestPostgres, Version};
use support::process::Running;
use support::redis::TestRedis;
use support::s3s::S3s;
use support::session::OpenSession;

fn shop() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", "CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 100) i");
    server
}

fn schedule(guard: &Guard, text: &str) {
    fs::create_dir_all(guard.dir().join("schedules")).unwrap();
    fs::write(guard.dir().join("schedules/plan.toml"), text).unwrap();
}

const DAILY: &str =
    "sources = [\"*\"]\ntimezone = \"Europe/Kyiv\"\nbackup = \"0 2 * * *\"\n[test-restore]\ncron = \"0 4 1 * *\"\n";

/// The status of a line and its message; each line that is not well says what to do.
#[track_caller]
fn line(answer: &Value, area: &str, name: &str) -> (String, String) {
    let checks = answer["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["area"] == area && check["name"] == name);
    let check = found.unwrap_or_else(|| panic!("no {area}/{name} in {answer:#}"));
    let (status, message) = (text(&check["status"]), text(&check["message"]));
    assert!(status != "warn" || check["help"].is_string(), "{check}");
    (status, message)
}

#[track_caller]
fn check(answer: &Value, area: &str, name: &str, status: &str, message: &str) {
    let (found, said) = line(answer, area, name);
    assert!(found == status && said.contains(message), "{area}/{name} is {found}: {said}");
}

fn answer(outcome: &Outcome) -> Value {
    match outcome.code {
        Some(0) => outcome.yes(),
        _ => outcome.no(),
    }
}

/// Whatever was tried out, nothing of it stays.
fn assert_tidy(guard: &Guard) {
    let left = fs::read_dir(guard.store().join("leases/@probe")).into_iter().flatten().flatten();
    // A directory's own lock file is no object.
    let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != "~lock").collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

#[test]
fn a_healthy_setup_is_told_line_by_line_and_nothing_stays_behind() {
    let (server, cache) = (shop(), TestRedis::start());
    let guard = Guard::configured(&format!(
        "[source.shop]\nurl = \"{}\"\n[source.cache]\nkind = \"redis\"\nurl = \"unix://{}\"\n\
         [notify.ops]\nwebhook = \"http://127.0.0.1:9/\"\nheartbeat = \"http://127.0.0.1:9/\"\n",
        server.url("shop"),
        cache.socket().display()
    ));
    let guard = guard.encrypted().with_identity();
    schedule(&guard, &format!("{DAILY}[target]\nrpo = \"26h\"\n"));
    let before = guard.json(&["doctor"]).yes();
    check(&before, "store", "repository", "ok", "no repository yet");
    guard.json(&["backup"]).yes();
    let answer = guard.json(&["doctor"]).yes();
    assert_eq!(answer["verdict"], "ok", "{answer:#}");
    for (area, name, message) in [
        ("config", "readable", "2 sources, 1 schedule"),
        ("encryption", "identity", "opens what is encrypted here"),
        ("store", "clock", "agree"),
        ("store", "write", "writes and reads"),
        ("store", "parts", "gives ranges"),
        ("store", "unfinished-uploads", "removes them"),
        ("store", "delete", "deletes"),
        ("store", "conditional-puts", "one wins"),
        ("store", "repository", "backups of 2 sources"),
        ("store", "leases", "nobody is at work"),
        ("store", "leftovers", "nothing was left behind"),
        ("source", "reachable", "redis 7.0"),
        ("source", "client-tools", "pg_dump 15"),
        ("source", "privileges", "may replicate"),
        ("scratch", "room", "are free in"),
        ("scratch", "server", "PostgreSQL 15 has its server programs here"),
        ("schedule", "covered", "the next backup is due at"),
        ("schedule", "rpo", "26 h are promised"),
        ("notify", "configured", "ops are told"),
        ("http", "access", "for this host"),
    ] {
        check(&answer, area, name, "ok", message);
    }
    assert_tidy(&guard);
    let told = guard.run(&["doctor"]);
    assert!(told.stdout.ends_with("0 warnings, 0 failures\n"), "{told}");
}

#[test]
fn a_role_that_may_not_read_everything_is_told_what_it_lacks() {
    let server = shop();
    server.psql(
        "shop",
        "CREATE ROLE reader LOGIN; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public; CREATE TABLE secret (id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON secret TO reader; SELECT lo_from_bytea(4242, 'x')",
    );
    let guard = Guard::default().with("DATABASE_URL", &server.url("shop").replace("postgres@", "reader@"));
    let told = guard.json(&["doctor"]).no();
    check(&told, "source", "privileges", "fail", "may not read 1 table: public.orders");
    check(&told, "source", "row-security", "fail", "public.secret");
    check(&told, "source", "large-objects", "fail", "1 large objects");
    check(&told, "source", "identity", "warn", "may not read the cluster's identity");
    // What it says to do cures it: then the backup works.
    server.psql(
        "shop",
        "GRANT pg_read_all_data TO reader; ALTER ROLE reader BYPASSRLS; GRANT SELECT ON LARGE OBJECT 4242 TO reader",
    );
    server.psql("shop", "GRANT EXECUTE ON FUNCTION pg_control_system() TO reader");
    let told = guard.json(&["doctor"]).yes();
    check(&told, "source", "privileges", "ok", "may read everything");
    guard.backup();
}

#[test]
fn what_cannot_be_reached_or_used_fails_with_a_way_out() {
    let server = shop();
    let guard = Guard::configured(&format!(
        "[source.gone]\nurl = \"postgres://u:hunter2@127.0.0.1:1/x\"\n[source.shop]\nurl = \"{}\"\nclient_dir = \"/nowhere\"\n\
         [source.cache]\nkind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\n[scratch]\ndir = \"/nowhere\"\n[notify.ops]\n\
         webhook = {{ env = \"MISSING\" }}\n[http]\nlisten = \"0.0.0.0:0\"\n",
        server.url("shop")
    ))
    .with_secret("hunter2");
    let told = guard.json(&["doctor"]).no();
    check(&told, "source", "reachable", "fail", "127.0.0.1:1");
    check(&told, "source", "client-tools", "fail", "/nowhere");
    check(&told, "scratch", "directory", "fail", "/nowhere");
    check(&told, "notify", "configured", "fail", "MISSING");
    check(&told, "http", "access", "warn", "0.0.0.0");
    check(&told, "encryption", "encrypted", "warn", "not encrypted");
    check(&told, "schedule", "covered", "warn", "by hand alone");
    let failed = told["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "fail");
    assert!(failed.clone().count() >= 5);
    assert!(failed.clone().any(|check| check["subject"] == "gone" && check["help"].is_string()), "{told:#}");
    assert!(guard.run(&["doctor"]).stdout.contains("       → "));

    let s3 = guard.with("GUARD_STORE_URL", "s3://nowhere").with("GUARD_STORE_ENDPOINT", "http://127.0.0.1:1");
    let s3 = s3.with("GUARD_STORE_ACCESS_KEY", "a").with("GUARD_STORE_SECRET_KEY", "b");
    let told = s3.json(&["doctor"]).no();
    check(&told, "store", "reachable", "fail", "Connection refused");
    s3.configure("[sourc.shop]\n");
    let told = s3.json(&["doctor"]).no();
    check(&told, "config", "readable", "fail", "guard.toml:1");
}

#[test]
fn promises_that_the_schedule_breaks_and_proofs_without_a_key_are_found() {
    let server = shop();
    let guard = Guard::of(&server, "shop").encrypted();
    guard.configure("");
    schedule(&guard, &format!("{DAILY}[target]\nrpo = \"24h\"\n"));
    let told = guard.json(&["doctor"]).no();
    // The night in which the clocks go back has 25 hours.
    check(&told, "schedule", "rpo", "warn", "up to 25 h lie between two backups");
    check(&told, "encryption", "identity", "fail", "no key");
    let other = guard.new_identity("other.txt");
    assert!(other.starts_with("age1"));
    let file = guard.dir().join("other.txt").display().to_string();
    let guard = guard.with("GUARD_ENCRYPTION_IDENTITY_FILE", &file);
    check(&guard.json(&["doctor"]).no(), "encryption", "identity", "fail", "opens nothing");
}

#[test]
fn whoever_is_at_work_is_named_and_leftovers_are_counted() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    guard.backup();
    let left = guard.folder("shop", "20200101T000000Z-abc123");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("dump.pgdump.zst"), "half").unwrap();
    let locker = OpenSession::locking(&server, "shop", "orders");
    let mut running = Running::start(guard.command(&["backup"]));
    running.wait_for("pg_dump", support::process::SOON);
    // The other guard's temporary files are its own.
    let output = guard.command(&["doctor", "--json"]).output().unwrap();
    let told = answer(&guard.checked(&output));
    check(&told, "store", "leases", "ok", "source shop is taken by process");
    check(&told, "store", "leftovers", "warn", "1 objects");
    drop(locker);
    assert_eq!(running.end_within(support::process::SOON).status.code(), Some(0));
}

#[test]
fn a_user_who_may_not_replicate_is_told_the_right_that_is_missing() {
    let server = TestRedis::start();
    server.connect().words("ACL SETUSER reader on >pw ~* +@read +info +acl|whoami +acl|dryrun");
    let guard = Guard::configured(&format!(
        "[source.cache]\nkind = \"redis\"\nurl = \"unix://{}\"\nusername = \"reader\"\npassword = \"pw\"\n",
        server.socket().display()
    ));
    let told = guard.json(&["doctor"]).no();
    check(&told, "source", "privileges", "fail", "replconf");
    // A backup says SYNC, and PSYNC is another right.
    server.connect().words("ACL SETUSER reader +psync +replconf");
    check(&guard.json(&["doctor"]).no(), "source", "privileges", "fail", "sync");
    server.connect().words("ACL SETUSER reader -psync +sync");
    check(&guard.json(&["doctor"]).yes(), "source", "privileges", "ok", "may replicate");
    guard.backup();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quirks_of_a_small_server_are_named() {
    let server = S3s::start().await;
    let settings = server.settings();
    let credentials = settings.credentials.unwrap();
    let guard = Guard::default()
        .with("GUARD_STORE_URL", "s3://backups/prod")
        .with("GUARD_STORE_ENDPOINT", &settings.endpoint.unwrap())
        .with("GUARD_STORE_REGION", "us-east-1")
        .with("GUARD_STORE_ACCESS_KEY", &credentials.access_key_id)
        .with("GUARD_STORE_SECRET_KEY", &credentials.secret_access_key)
        .with_secret(&credentials.secret_access_key);
    let told = tokio::task::block_in_place(|| guard.json(&["doctor"]).yes());
    check(&told, "store", "write", "ok", "writes and reads");
    check(&told, "store", "parts", "ok", "gives ranges");
    check(&told, "store", "conditional-puts", "warn", "quirk: conditional puts mean nothing here");
    check(&told, "store", "unfinished-uploads", "warn", "quirk: it does not tell of uploads that never ended");
    // A wrong secret is told as such.
    let wrong = guard.with("GUARD_STORE_SECRET_KEY", "wrong");
    let told = tokio::task::block_in_place(|| wrong.json(&["doctor"]).no());
    assert!(
        told["checks"].as_array().unwrap().iter().any(|check| check["status"] == "fail" && check["area"] == "store")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ceph_passes_and_a_versioned_bucket_is_named() {
    let server = Ceph::start();
    server.make_bucket("plain").await;
    server.make_locked_bucket("locked").await;
    tokio::task::block_in_place(|| {
        let told = server.keeps(Guard::default(), "plain").json(&["doctor"]).yes();
        for name in ["write", "list", "parts", "unfinished-uploads", "delete", "conditional-puts", "clock"] {
            check(&told, "store", name, "ok", "");
        }
        let told = server.keeps(Guard::default(), "locked").json(&["doctor"]).yes();
        check(&told, "store", "versions", "warn", "keeps older versions");
    });
    let left = server.n_objects("plain").await;
    assert_eq!(left, 0, "the probe tidies up");
}
