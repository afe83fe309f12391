//! The server over real sockets: who may ask, what is answered, what it costs the store, and how it ends.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{Manifest, SourceName};
use guard::cli::watch::Configured;
use guard::config::{self, Request};
use guard::http::{Limits, Reached, metrics};
use guard::progress::Progress;
use guard::retention::Rules;
use guard::status::live::{Job, Lease};
use guard::status::{Expected, Upcoming};
use guard::store::{Fault, Faulty, Operation, Store};
use support::board::{Served, World, settings};
use support::exposition;
use support::past::{Past, Taken};
use support::postgres::{TestPostgres, Version};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// How long may take what takes no time.
const PATIENCE: Duration = Duration::from_mins(1);

fn taken(source: &str, at: DateTime<Utc>) -> Taken<'_> {
    let tables = vec![("public.orders".to_owned(), 41, 4100), ("public.users".to_owned(), 7, 700)];
    Taken { source, at, seconds: 65, stored: 1234, tables }
}

fn expected(source: &str, now: DateTime<Utc>) -> Expected {
    let next = |job, hours| Upcoming { job, at: now + TimeDelta::hours(hours), schedule: "daily".to_owned() };
    Expected {
        name: source.parse().unwrap(),
        kind: "PostgreSQL",
        environment: None,
        rpo: Some(Duration::from_hours(26)),
        rto: Some(Duration::from_mins(15)),
        upcoming: vec![next(Job::Backup, 1), next(Job::TestRestore, 2)],
        proof_due: None,
        rules: Rules::default(),
    }
}

fn reached(source: &str, failure: Option<&str>) -> Reached {
    Reached { source: source.to_owned(), failure: failure.map(ToOwned::to_owned) }
}

/// One source with two backups, of which the older is proven.
async fn one_source(now: DateTime<Utc>) -> (Past, Manifest) {
    let past = Past::begin(now - TimeDelta::days(30)).await;
    let older = past.take(&taken("orders", now - TimeDelta::hours(27))).await;
    past.prove(&older, now - TimeDelta::hours(20), 61.5, false).await;
    let newest = past.take(&taken("orders", now - TimeDelta::hours(3))).await;
    (past, newest)
}

fn world(now: DateTime<Utc>) -> Arc<World> {
    Arc::new(World { expected: vec![expected("orders", now)], reached: Mutex::new(vec![reached("orders", None)]) })
}

#[tokio::test]
async fn every_metric_appears_in_a_scrape_with_the_manifests_figures() {
    let now = Utc::now();
    let (past, newest) = one_source(now).await;
    let world = World { expected: vec![expected("orders", now), expected("users", now)], ..World::default() };
    *world.reached.lock().unwrap() = vec![reached("orders", None), reached("users", Some("refused"))];
    let served = Served::start(settings(&past.store, Arc::new(world))).await;
    let (orders, live) = ("orders".parse::<SourceName>().unwrap(), &served.live);
    live.began(&orders, Job::Verify, now, Arc::new(Progress::default()));
    live.ended(&orders, Job::Backup, now, Ok(()));
    live.ended(&orders, Job::TestRestore, now, Err("no server programs".to_owned()));
    live.count(|counts| {
        counts.deleted_backups.insert(orders.clone(), 3);
        (counts.aborted_uploads, counts.swept_objects) = (2, 5);
    });
    let holder = "host \"a\"\\b".to_owned();
    live.lease("daily \"odd\"\\\nname", Some(Lease { held: true, holder, until: now }));

    let answer = served.get("/metrics").await;
    assert_eq!((answer.code, answer.headers["content-type"].as_str()), (200, metrics::CONTENT_TYPE));
    let scraped = exposition::parse(&answer.body);
    let registered: BTreeSet<&str> = metrics::METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(scraped.keys().map(String::as_str).collect::<BTreeSet<_>>(), registered);

    let value = |name: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        let sample = scraped[name].samples.get(&labels);
        sample.unwrap_or_else(|| panic!("{name} {labels:?}: {:?}", scraped[name])).to_string()
    };
    let orders = [("source", "orders")];
    assert_eq!(value("guard_backup_stored_bytes", &orders), newest.stored_bytes().to_string());
    assert_eq!(value("guard_backup_plain_bytes", &orders), newest.plain_bytes().to_string());
    assert_eq!(value("guard_backup_rows", &orders), "48");
    assert_eq!(value("guard_backup_tables", &orders), "2");
    let finished = newest.finished.timestamp_millis();
    let expected = format!("{}.{:03}", finished / 1000, finished % 1000);
    assert_eq!(
        value("guard_last_success_timestamp_seconds", &orders),
        expected.trim_end_matches('0').trim_end_matches('.')
    );
    assert_eq!(value("guard_backup_duration_seconds", &orders), "65");
    assert_eq!(value("guard_restore_duration_seconds", &orders), "61.5");
    assert_eq!(value("guard_backups", &orders), "2");
    assert_eq!(value("guard_backups_stored_bytes", &orders), "2468");
    let age: f64 = value("guard_data_age_seconds", &orders).parse().unwrap();
    assert!((3.0 * 3600.0..3.0 * 3600.0 + 120.0).contains(&age), "{age}");
    assert_eq!(value("guard_rpo_breached", &orders), "0");
    assert_eq!(value("guard_rpo_breached", &[("source", "users")]), "1");
    assert_eq!(value("guard_source_up", &[("source", "users")]), "0");
    assert_eq!(value("guard_ready", &[("status", "degraded")]), "1");
    assert_eq!(value("guard_lease_held", &[("lease", "daily \"odd\"\\\nname")]), "1");
    let failed = [("source", "orders"), ("job", "test-restore"), ("outcome", "failure")];
    assert_eq!(value("guard_runs_total", &failed), "1");
}

/// `UPDATE_EXPECTED=1` writes the page anew.
#[test]
fn every_metric_is_documented() {
    const BEGIN: &str = "<!-- Generated from src/http/metrics.rs; do not edit below this line. -->\n\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/metrics.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let (by_hand, _) = written.split_once(BEGIN).expect("the page has its mark");
    let expected = format!("{by_hand}{BEGIN}{}", metrics::reference());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(written == expected, "docs/guide/metrics.md is not what the registry says: make docs");
    }
}

#[tokio::test]
async fn a_storm_of_requests_does_not_reach_the_store() {
    let now = Utc::now();
    let (past, newest) = one_source(now).await;
    let store = Faulty::new(Arc::clone(&past.store));
    let calls = || {
        let counted = [Operation::Read, Operation::List, Operation::ListFolders, Operation::Stat, Operation::Clock];
        counted.map(|operation| store.calls(operation))
    };
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let served = Served::start(settings(&shared, world(now))).await;
    let before = calls();
    let paths = ["/", "/metrics", "/readyz", "/healthz", "/source/orders", "/evidence", "/status.json"];
    for path in paths.into_iter().cycle().take(70) {
        assert_eq!(served.get(path).await.code, 200, "{path}");
    }
    assert_eq!(served.get(&format!("/source/orders/{}", newest.id)).await.code, 200);
    assert_eq!(calls(), before);

    // Looking again at a repository that has not changed lists it and reads no document.
    served.look_again().await;
    let [reads, lists, folders, stats, clocks] = calls();
    assert_eq!(
        [reads, lists, folders, stats, clocks],
        [before[0], before[1] + 1, before[2] + 1, before[3], before[4] + 1]
    );
    // What is new is read, and nothing else.
    let added = past.take(&taken("orders", now)).await;
    served.look_again().await;
    assert_eq!(served.board.report().source("orders").unwrap().last_backup.as_ref().unwrap().id, added.id);
    assert_eq!(store.calls(Operation::Read) - reads, 2, "its manifest, and the pin that it does not have");
}

#[tokio::test]
async fn backups_that_are_gone_pinned_or_proven_since_are_seen_as_such() {
    let now = Utc::now();
    let (past, newest) = one_source(now).await;
    let served = Served::start(settings(&past.store, world(now))).await;
    let orders: SourceName = "orders".parse().unwrap();
    let keys = |manifest: &Manifest| guard::catalog::BackupKeys::new(&orders, &manifest.id).unwrap();
    past.prove(&newest, now, 70.0, true).await;
    let pin = guard::catalog::Pin { at: now, reason: Some("before the migration".to_owned()) };
    past.catalog.keep(&keys(&newest), &pin).await.unwrap();
    served.look_again().await;
    let report = served.board.report();
    let source = report.source("orders").unwrap();
    assert!(source.history[0].kept && source.has("proof-failed"), "{source:#?}");
    past.store.delete(&keys(&newest).manifest()).await.unwrap();
    served.look_again().await;
    let report = served.board.report();
    let source = report.source("orders").unwrap();
    assert_eq!(source.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["rpo-missed"]);
}

#[tokio::test]
async fn without_the_token_nothing_is_told_but_whether_it_lives() {
    let now = Utc::now();
    let (past, newest) = one_source(now).await;
    let world = World { expected: vec![expected("orders", now)], ..World::default() };
    *world.reached.lock().unwrap() = vec![reached("orders", Some("cannot reach db.internal")), reached("users", None)];
    let served = Served::start_with_token(settings(&past.store, Arc::new(world)), "s3cret").await;
    let backup = format!("/source/orders/{}", newest.id);
    for path in ["/", "/metrics", "/status.json", "/evidence", "/source/orders", &backup, "/nothing", "/source/x"] {
        for headers in [&[][..], &[("authorization", "Bearer s3cre")], &[("authorization", "Basic OnMzY3JlVA==")]] {
            let answer = served.ask("GET", path, headers).await;
            assert_eq!(answer.code, 401, "{path}");
            assert!(
                !answer.body.contains("orders") && answer.headers["www-authenticate"].starts_with("Basic"),
                "{path}"
            );
        }
        let allowed = served.ask("GET", path, &[("authorization", "Bearer s3cret")]).await;
        assert_ne!(allowed.code, 401, "{path}");
    }
    assert_eq!(served.get("/healthz").await.json()["status"], "alive");
    let ready = served.get("/readyz").await;
    assert_eq!(
        (ready.code, &ready.json()["status"], ready.json()["reasons"].to_string()),
        (200, &"degraded".into(), "[]".to_owned())
    );
    let told = served.ask("GET", "/readyz", &[("authorization", "Bearer s3cret")]).await.json();
    assert_eq!(told["reasons"][0]["message"], "cannot reach db.internal");
}

#[tokio::test]
async fn every_answer_has_strict_headers_and_no_method_changes_anything() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let served = Served::start(settings(&past.store, world(now))).await;
    for (method, path, code) in [
        ("GET", "/", 200),
        ("GET", "/source/orders", 200),
        ("GET", "/source/..%2f..%2fetc", 404),
        ("GET", "/source/orders/20200101T000000Z-abcdef", 404),
        ("GET", "/metrics", 200),
        ("GET", "/nothing", 404),
        ("HEAD", "/", 200),
        ("POST", "/", 405),
        ("DELETE", "/source/orders", 405),
        ("GET", "/?refresh=not-a-number", 400),
    ] {
        let answer = served.ask(method, path, &[]).await;
        assert_eq!(answer.code, code, "{method} {path}");
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.headers[name], value, "{method} {path}");
        }
    }
}

/// DNS rebinding: a foreign page points its name at loopback and has the browser ask.
#[tokio::test]
async fn a_foreign_name_for_loopback_is_refused() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let served = Served::start(settings(&past.store, world(now))).await;
    assert_eq!(served.ask("GET", "/", &[("host", "evil.example")]).await.code, 421);
    assert_eq!(served.ask("GET", "/", &[("host", "localhost:1")]).await.code, 200);
    let tokened = Served::start_with_token(settings(&past.store, world(now)), "s3cret").await;
    let named = [("host", "guard.example"), ("authorization", "Bearer s3cret")];
    assert_eq!(tokened.ask("GET", "/", &named).await.code, 200);
}

#[tokio::test]
async fn a_client_that_says_nothing_holds_no_place_for_long() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let mut settings = settings(&past.store, world(now));
    settings.limits = Limits { connections: 2, head: Duration::from_millis(200), ..Limits::default() };
    let served = Served::start(settings).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(served.addr).await.unwrap());
    }
    // All places are taken; this one is answered once they are given up.
    let answered = tokio::time::timeout(PATIENCE, served.get("/healthz")).await;
    assert_eq!(answered.expect("in time").code, 200);
    let closed = silent[0].read(&mut [0; 512]).await;
    assert!(matches!(closed, Ok(0)) || closed.is_ok_and(|n| n > 0), "it was not left open");
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let served = Served::start(settings(&past.store, world(now))).await;
    let answer = served.ask("GET", "/", &[("x-long", &"x".repeat(40_000))]).await;
    assert_eq!(answer.code, 431);
    assert_eq!(served.get("/healthz").await.code, 200);
}

#[tokio::test]
async fn the_server_ends_soon_after_it_is_told_to() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let mut served = Served::start(settings(&past.store, world(now))).await;
    let _idle = TcpStream::connect(served.addr).await.unwrap();
    served.cancel.cancel();
    refused(served.addr).await;
    let ended = tokio::time::timeout(PATIENCE, &mut served.server).await;
    ended.expect("in time").unwrap().unwrap();
}

/// Waits until nobody listens there. A program that another test of this process is just starting holds a copy of every
/// socket until its `exec`, so that the first connection may still be taken.
async fn refused(addr: SocketAddr) {
    let tried = async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.expect("the port is given up");
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_what_was_known_stays() {
    let now = Utc::now();
    let (past, _) = one_source(now).await;
    let store = Faulty::new(Arc::clone(&past.store));
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let served = Served::start(settings(&shared, world(now))).await;
    assert_eq!(served.get("/readyz").await.json()["status"], "ready");
    store.fail(Operation::Clock, store.calls(Operation::Clock), Fault::Permanent);
    store.fail(Operation::ListFolders, store.calls(Operation::ListFolders), Fault::Denied);
    served.look_again().await;
    let ready = served.get("/readyz").await;
    let codes: Vec<_> = ready.json()["reasons"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!((ready.code, codes), (503, vec!["store-unreachable".into(), "repository-unreadable".into()]));
    assert_eq!(served.get("/healthz").await.code, 200, "the process lives all the same");
    let page = served.get("/").await.body;
    assert!(page.contains("guard cannot take backups now") && page.contains("orders"), "{page}");
    served.look_again().await;
    assert_eq!(served.get("/readyz").await.json()["status"], "ready");
}

#[tokio::test]
async fn an_empty_store_is_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(guard::store::FsStore::open(&dir.path().join("new")).unwrap());
    let served = Served::start(settings(&store, Arc::new(World::default()))).await;
    assert_eq!(served.get("/readyz").await.json()["status"], "ready");
    assert!(served.get("/").await.body.contains("Nothing is backed up yet"));
    let orders = World { expected: vec![expected("orders", Utc::now())], ..World::default() };
    let served = Served::start(settings(&store, Arc::new(orders))).await;
    assert!(served.get("/").await.body.contains("never-backed-up"));
}

/// The configuration of a user, a server that is stopped while guard watches, and a password that is never shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_gone_is_told_without_its_password() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("orders", "");
    let dir = tempfile::tempdir().unwrap();
    let url = server.url("orders").replace("postgres@", "postgres:hunter2@");
    let toml = format!(
        "[store]\nurl = \"{}\"\n[source.orders]\nurl = {{ env = \"ORDERS\" }}\n[source.gone]\nurl = {{ env = \"GONE\" }}",
        dir.path().join("store").display()
    );
    std::fs::write(dir.path().join("guard.toml"), toml).unwrap();
    let request = Request {
        file: None,
        current_dir: dir.path().to_owned(),
        system_file: dir.path().join("none.toml"),
        environment: [("ORDERS", url.as_str()), ("GONE", "postgres://u:hunter2@127.0.0.1:1/x")].into_iter().collect(),
        flags: Vec::new(),
    };
    let config = config::load(&request).unwrap().config;
    let past = Past::begin(Utc::now()).await;
    let served = Served::start(settings(&past.store, Arc::new(Configured(config)))).await;
    let ready = served.get("/readyz").await;
    let reasons = ready.json()["reasons"].clone();
    assert_eq!((ready.code, reasons[0]["subject"].as_str(), reasons.as_array().unwrap().len()), (200, Some("gone"), 1));
    drop(server);
    served.look_again().await;
    let ready = served.get("/readyz").await;
    assert_eq!((ready.code, ready.json()["status"].as_str()), (503, Some("down")));
    for path in ["/", "/readyz", "/status.json", "/metrics"] {
        assert!(!served.get(path).await.body.contains("hunter2"), "{path}");
    }
}
