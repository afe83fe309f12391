//! `guard run` as a process: what it does by itself, how it stops, what it tells, and how it lives with others.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "daemon/site.rs"]
mod site;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use guard::store::{S3Store, Store as _};
use nix::sys::signal::Signal;
use serde_json::Value;
use site::{DAILY, DUE, Daemon, Site};
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};
use support::process::{Running, wait_for};
use support::receiver::HttpReceiver;
use support::s3_process::S3Process;
use support::s3s::S3s;
use support::session::OpenSession;

/// A server with two small databases.
fn server() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    for database in ["orders", "cache"] {
        server.create_database(database, "");
        server.psql(database, "CREATE TABLE t AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, 500) i");
    }
    server
}

fn source(server: &TestPostgres, name: &str) -> String {
    format!("[source.{name}]\nurl = \"{}\"\nretries = 0\n", server.url(name))
}

/// What the daemon's server answers.
fn get(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// The ids of the run in a line's spans.
fn run_id(line: &Value) -> Option<String> {
    let spans = line["spans"].as_array()?;
    spans.iter().find(|span| span["name"] == "run").map(|span| text(&span["id"]))
}

#[test]
fn it_backs_up_proves_verifies_and_prunes_once_and_goes_on_where_it_stopped() {
    let server = server();
    let schedule = format!(
        "{}[test-restore]\ncron = \"{due}\"\n[verify]\ncron = \"{due}\"\n[prune]\ncron = \"{due}\"\n",
        *DAILY,
        due = *DUE
    );
    let site = Site::new(Guard::default(), &source(&server, "orders"), &schedule);
    let daemon = site.start();
    daemon.wait("four slots that are done", || (site.slots_in("done").len() == 4).then_some(()));
    let lines = daemon.stop(&[]);

    let manifests = site.manifests("orders");
    assert_eq!(manifests.len(), 1);
    let (id, run) = (text(&manifests[0]["id"]), &manifests[0]["run"]);
    let backup_slot = site.slots().into_iter().find(|(name, _)| name.contains("-backup-")).unwrap();
    assert_eq!(backup_slot.1["backup"], id.as_str());
    assert_eq!(format!("{}.json", text(&run["slot"])), format!("plan/{}", backup_slot.0));
    // Whatever was logged about the backup carries the id that the manifest has.
    let about: Vec<&Value> =
        lines.iter().filter(|line| line["backup"] == id.as_str() && line["target"] == "guard::backup").collect();
    assert!(about.len() >= 2, "{lines:#?}");
    assert!(about.iter().all(|line| run_id(line) == Some(text(&run["id"]))), "{about:#?}");
    // Nothing that works for a run speaks without its id.
    let works =
        ["guard::backup", "guard::prove", "guard::prune", "guard::source", "guard::stream", "guard::daemon::story"];
    let of_runs = lines.iter().filter(|line| {
        let target = text(&line["target"]);
        works.iter().any(|work| target.starts_with(work)) && !text(&line["message"]).starts_with("removed what a run")
    });
    let nameless: Vec<&Value> = of_runs.filter(|line| run_id(line).is_none()).collect();
    assert!(nameless.is_empty(), "{nameless:#?}");
    let proofs = fs::read_dir(site.guard.folder("orders", &id).join("proofs")).unwrap();
    let evidence: Vec<Value> =
        proofs.map(|entry| serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap()).collect();
    assert_eq!(evidence.len(), 1);
    assert_eq!(evidence[0]["verdict"], "proven");
    assert!(text(&evidence[0]["run"]["slot"]).contains("-proof-orders"), "{}", evidence[0]);

    // Another daemon, on another day's host for all it knows, finds nothing left to do.
    let daemon = site.start();
    daemon.wait_for_line("looked");
    let lines = daemon.stop(&[]);
    assert!(lines.iter().all(|line| line["message"] != "the run begins"), "{lines:#?}");
    assert_eq!(site.manifests("orders").len(), 1);
}

#[test]
fn sigterm_abandons_what_takes_too_long_and_the_next_daemon_runs_the_same_slot() {
    let server = server();
    let toml = format!("[run]\nstop_patience = \"1s\"\n{}", source(&server, "orders"));
    let site = Site::new(Guard::default(), &toml, &DAILY);
    let locker = OpenSession::locking(&server, "orders", "t");
    let mut daemon = site.start();
    daemon.wait_for_program("pg_dump");
    daemon.stop(&["runs are abandoned: the time to stop is over", "the run was abandoned; it will be run again"]);
    let released = site.slots_in("released");
    assert_eq!(released.len(), 1, "{:?}", site.slots());
    assert_eq!(site.manifests("orders").len(), 0);

    drop(locker);
    let daemon = site.start();
    daemon.wait("the slot to be done", || (site.slots_in("done") == released).then_some(()));
    daemon.stop(&["taken over: it was begun and not ended"]);
    assert_eq!(site.manifests("orders").len(), 1);
}

#[test]
fn sigterm_lets_a_run_finish_that_is_nearly_done() {
    let server = server();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    let locker = OpenSession::locking(&server, "orders", "t");
    let mut daemon = site.start();
    daemon.wait_for_program("pg_dump");
    daemon.signal(Signal::SIGTERM);
    daemon.wait_for_line("stopping");
    drop(locker);
    daemon.stop(&[]);
    assert_eq!(site.slots_in("done").len(), 1);
    assert_eq!(site.manifests("orders").len(), 1);
}

#[test]
fn sighup_takes_a_new_configuration_and_keeps_the_old_one_if_the_new_is_wrong() {
    let server = server();
    let hook = HttpReceiver::start();
    let ops = format!("[notify.ops]\nwebhook = \"{}\"\n", hook.url("/"));
    let site = Site::new(Guard::default(), &format!("{}{ops}", source(&server, "orders")), &DAILY);
    let daemon = site.start();
    daemon.wait("a backup", || (site.slots_in("done").len() == 1).then_some(()));

    site.schedule("sources = [\"*\"]\ntimezone = \"Europe/Nowhere\"\nbackup = \"0 0 * * *\"\n");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_line("the new configuration is wrong; the old one stays");
    let told = daemon.wait("a notice", || hook.notices().pop());
    assert!(text(&told["summary"]).contains("the old one stays"), "{told}");

    // The old one is still at work, and a right one is taken.
    site.schedule(&DAILY.replace(&*DUE, "*/2 * * * * *"));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_line("the configuration was read again");
    daemon.wait("another backup", || (site.slots_in("done").len() >= 2).then_some(()));
    daemon.stop(&["the new configuration is wrong; the old one stays"]);
}

#[test]
fn a_failure_is_told_once_and_so_is_the_recovery() {
    let mut server = server();
    let http = HttpReceiver::start();
    let toml = format!(
        "{}[notify.ops]\nwebhook = \"{}\"\nwebhook_key = \"k3y\"\non = [\"failure\", \"recovery\"]\n[notify.check]\nping = \"{}\"\n",
        source(&server, "orders"),
        http.url("/hook"),
        http.url("/ping")
    );
    let site = Site::new(Guard::default(), &toml, &DAILY.replace(&*DUE, "*/2 * * * * *"));
    let stopped = server.pid();
    nix::sys::signal::kill(stopped, Signal::SIGQUIT).unwrap();
    let daemon = site.start();
    daemon.wait("three failures", || (site.slots_in("failed").len() >= 3).then_some(()));
    server.restart();
    daemon.wait("two successes", || (site.slots_in("done").len() >= 2).then_some(()));
    daemon.wait("the recovery's notice", || http.notices().into_iter().find(|notice| notice["event"] == "recovery"));
    daemon.stop(&["the run failed"]);

    let notices = http.notices();
    let of = |event: &str| notices.iter().filter(|notice| notice["event"] == event).count();
    assert_eq!((of("failure"), of("recovery")), (1, 1), "{notices:#?}");
    let failure = &notices[0];
    assert_eq!((&failure["source"], &failure["job"]), (&"orders".into(), &"backup".into()), "{failure}");
    let paths: Vec<String> = http.received().into_iter().filter(|it| it.method == "GET").map(|it| it.path).collect();
    for path in ["/ping/start", "/ping/fail", "/ping"] {
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
}

#[test]
fn a_broken_promise_is_told_once_by_two_daemons_and_the_heart_goes_on() {
    let server = server();
    let http = HttpReceiver::start();
    let toml = |url: &str| {
        format!(
            "[source.orders]\nurl = \"{url}\"\nretries = 0\n[notify.ops]\nwebhook = \"{}\"\non = [\"rpo\"]\n\
             heartbeat = \"{}\"\nheartbeat_every = \"1s\"\n",
            http.url("/hook"),
            http.url("/alive")
        )
    };
    let schedule = format!("{}[target]\nrpo = \"1s\"\n", *DAILY);
    // Nobody listens there: no backup ever succeeds.
    let nobody = toml("postgres://postgres@127.0.0.1:1/orders");
    let one = Site::new(Guard::default(), &nobody, &schedule);
    let two = Site::new(
        Guard::default().with("GUARD_STORE_URL", &one.guard.store().display().to_string()),
        &nobody,
        &schedule,
    );
    drop(server);
    let daemons: Vec<Daemon> = vec![one.start(), two.start()];
    daemons[0].wait("the notice", || http.notices().pop());
    // Both go on looking at the promise, and no second notice comes.
    for daemon in &daemons {
        let looked = daemon.said("looked").len();
        daemon.signal(Signal::SIGHUP);
        daemon.wait("two more looks", || (daemon.said("looked").len() > looked + 1).then_some(()));
    }
    daemons[0].wait("a heartbeat", || http.received().into_iter().find(|received| received.path == "/alive"));
    for daemon in daemons {
        daemon.signal(Signal::SIGTERM);
    }
    let notices = http.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0]["event"], "rpo");
    assert!(text(&notices[0]["summary"]).contains("promised are 1s"), "{}", notices[0]);
}

#[test]
fn a_backup_by_hand_and_a_scheduled_one_never_meet() {
    let server = server();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    let locker = OpenSession::locking(&server, "orders", "t");
    let mut daemon = site.start();
    daemon.wait_for_program("pg_dump");
    let refused = site.guard.command(&["backup", "--json"]).output().unwrap();
    let refused = site.guard.checked(&refused);
    let error = refused.error(2, "busy");
    assert!(text(&error["message"]).contains("schedule plan"), "{error}");
    drop(locker);
    daemon.wait("the scheduled one", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);
    site.guard.backup();

    // The other way round the schedule waits for the hand.
    let other = Site::new(Guard::default(), &source(&server, "cache"), &DAILY);
    let locker = OpenSession::locking(&server, "cache", "t");
    let mut by_hand = Running::start(other.guard.command(&["backup"]));
    by_hand.wait_for("pg_dump", site::LONG);
    let daemon = other.start();
    daemon.wait_for_line("waiting: somebody is at work on it");
    drop(locker);
    assert_eq!(by_hand.end_within(site::LONG).status.code(), Some(0));
    daemon.wait("the scheduled one", || (other.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);
    assert_eq!(other.manifests("cache").len(), 2);
}

/// A migration that lasts until it is told to end, in its window, beside a schedule whose slot is due.
fn migrating(site: &Site, args: &[&str]) -> Running {
    let script = "touch begun; while ! test -e go-on; do sleep 0.05; done";
    let command = [&["migrate", "--no-backup"], args, &["--", "sh", "-c", script]].concat();
    let running = Running::start(site.guard.command(&command));
    wait_for("the migration", site::LONG, || site.guard.dir().join("begun").exists().then_some(()));
    running
}

fn window(site: &Site) -> PathBuf {
    site.guard.store().join("leases/@source/orders.json")
}

fn record(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// All of it at once: somebody may be reading it.
fn put(path: &Path, record: &Value) {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(record).unwrap()).unwrap();
    fs::rename(beside, path).unwrap();
}

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

/// The source of this site, with leases of nine seconds and a migration that a dump gives way to.
fn site_with_windows(server: &TestPostgres) -> Site {
    let toml =
        format!("[run]\nlease_ttl = \"9s\"\n[gate.prod]\nrunning_backup = \"cancel\"\n{}", source(server, "orders"));
    let site = Site::new(Guard::default(), &toml, &DAILY);
    site.guard.backup();
    site
}

fn n_sessions(server: &TestPostgres) -> String {
    server.psql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^guard (2|snapshot)'")
}

#[test]
fn a_slot_that_falls_into_a_migration_window_waits_for_its_end_and_says_so() {
    let server = server();
    let site = site_with_windows(&server);
    let migration = migrating(&site, &[]);
    let daemon = site.start();
    let address = text(&daemon.wait_for_line("the status page, metrics and probes are served")["address"]);
    let waiting = daemon.wait_for_line("waiting: somebody is at work on it");
    assert_eq!((&waiting["purpose"], &waiting["reason"]), (&"migration-window".into(), &"guard migrate -- sh".into()));
    let metrics = get(&address, "/metrics");
    assert!(metrics.contains("guard_lease_held{lease=\"leases/@source/orders.json\"} 0"), "{metrics}");
    // It waits for longer than a lease lasts by itself, for the window is renewed.
    daemon.wait("the window to be older than a lease", || {
        let window = record(&window(&site));
        (time(&window["renewed"]) - time(&window["acquired"]) > TimeDelta::seconds(10)).then_some(())
    });
    assert!(!daemon.is_running_program("pg_dump"));
    assert_eq!((n_sessions(&server).as_str(), site.manifests("orders").len()), ("0", 1));
    assert_eq!(site.slots_in("held").len(), 1, "{:?}", site.slots());

    let closing = Utc::now();
    fs::write(site.guard.dir().join("go-on"), "").unwrap();
    assert_eq!(migration.end_within(site::LONG).status.code(), Some(0));
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    let metrics = get(&address, "/metrics");
    assert!(!metrics.contains("leases/@source/orders.json"), "{metrics}");
    daemon.stop(&[]);
    let begun: Vec<DateTime<Utc>> =
        site.manifests("orders").iter().map(|manifest| time(&manifest["started"])).collect();
    assert_eq!(
        begun.iter().filter(|begun| **begun > closing).count(),
        1,
        "{begun:?}, and the window closed at {closing}"
    );
}

#[test]
fn the_window_of_a_killed_migration_ends_with_its_lease_and_the_slot_is_run() {
    let server = server();
    // On this machine the holder's death is seen.
    let site = site_with_windows(&server);
    let migration = migrating(&site, &[]);
    let daemon = site.start();
    daemon.wait_for_line("waiting: somebody is at work on it");
    migration.signal(Signal::SIGKILL);
    migration.end_within(site::LONG);
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);

    // On another one it is not: the window lasts as long as its lease.
    let site = site_with_windows(&server);
    let migration = migrating(&site, &[]);
    migration.signal(Signal::SIGKILL);
    migration.end_within(site::LONG);
    let path = window(&site);
    let mut left = record(&path);
    assert_eq!(left["state"], "held", "nobody was left to close it");
    left["holder"]["machine"] = "another boot of another machine".into();
    left["ttl_ms"] = 3_600_000.into();
    put(&path, &left);
    let daemon = site.start();
    daemon.wait_for_line("waiting: somebody is at work on it");
    assert_eq!((n_sessions(&server).as_str(), site.manifests("orders").len()), ("0", 1));
    let end = Utc::now() + TimeDelta::seconds(1);
    left["ttl_ms"] = (end - time(&left["renewed"])).num_milliseconds().into();
    put(&path, &left);
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);
    let begun: Vec<DateTime<Utc>> =
        site.manifests("orders").iter().map(|manifest| time(&manifest["started"])).collect();
    assert_eq!(begun.iter().filter(|begun| **begun > end - TimeDelta::milliseconds(2)).count(), 1, "{begun:?}, {end}");
}

#[test]
fn a_scheduled_dump_gives_way_to_a_migration_and_is_taken_behind_it() {
    let server = server();
    let site = site_with_windows(&server);
    let locker = OpenSession::locking(&server, "orders", "t");
    let mut daemon = site.start();
    daemon.wait_for_program("pg_dump");
    let migration = migrating(&site, &["--env", "prod"]);
    let tried = daemon.wait_for_line("the backup is tried again");
    assert!(text(&tried["error"]).contains("gave way to a migration (guard migrate -- sh)"), "{tried}");
    daemon.wait_for_line("waiting: somebody is at work on it");
    daemon.wait("the end of the dump's sessions", || (n_sessions(&server) == "0").then_some(()));
    assert!(!daemon.is_running_program("pg_dump"));
    assert_eq!(site.manifests("orders").len(), 1);
    drop(locker);
    fs::write(site.guard.dir().join("go-on"), "").unwrap();
    assert_eq!(migration.end_within(site::LONG).status.code(), Some(0));
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&["the backup is tried again"]);
    assert_eq!(site.manifests("orders").len(), 2);
}

#[test]
fn page_probes_and_metrics_are_served_and_show_the_run() {
    let server = server();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    let daemon = site.start();
    let address = text(&daemon.wait_for_line("the status page, metrics and probes are served")["address"]);
    daemon.wait("a backup", || (site.slots_in("done").len() == 1).then_some(()));
    let get = |path: &str| get(&address, path);
    assert!(get("/healthz").starts_with("HTTP/1.1 200"));
    daemon.wait("readiness", || get("/readyz").starts_with("HTTP/1.1 200").then_some(()));
    daemon.wait("the backup on the page", || {
        let id = text(&site.manifests("orders")[0]["id"]);
        get("/status.json").contains(&id).then_some(())
    });
    assert!(get("/metrics").contains("orders"));
    assert!(get("/").contains("orders"));
    daemon.stop(&[]);
}

#[test]
fn a_daemon_that_cannot_begin_says_why() {
    let server = server();
    Guard::of(&server, "orders").json(&["run"]).error(2, "usage");
    let nothing = Guard::default();
    nothing.json(&["run"]).error(2, "usage");
    let site = Site::new(
        Guard::default(),
        &format!("{}[notify.ops]\nwebhook = {{ env = \"MISSING\" }}\n", source(&server, "orders")),
        &DAILY,
    );
    site.guard.json(&["run"]).error(2, "secret");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    site.guard.configure(&format!(
        "[http]\nlisten = \"{}\"\n{}",
        taken.local_addr().unwrap(),
        source(&server, "orders")
    ));
    site.guard.json(&["run"]).error(2, "http");
}

#[test]
fn what_killed_runs_left_here_and_in_the_store_is_swept() {
    let server = server();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    let here = site.guard.dir().join("tmp");
    let left = ["guard-scratch-dead1", "guard-spool-dead2", "guard-redis-dead3"].map(|name| here.join(name));
    for dir in &left {
        fs::create_dir_all(dir.join("data")).unwrap();
    }
    // An object of a backup that never was.
    let folder = site.guard.folder("orders", "20260101T000000Z-abc123");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("RESTORE.md"), "half").unwrap();
    let daemon = site.start();
    daemon.wait("the directories to go", || left.iter().all(|dir| !dir.exists()).then_some(()));
    assert_eq!(daemon.wait_for_line("leftovers were removed")["objects"], 1);
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);
    assert!(!folder.join("RESTORE.md").exists());
}

/// Not a test of its own: see [`S3Process`].
#[test]
fn s3_server() {
    support::s3_process::serve();
}

#[test]
fn uploads_that_never_ended_are_aborted_and_counted() {
    let server = server();
    let s3 = S3Process::start();
    let site = Site::new(s3.keeps(Guard::default()), &source(&server, "orders"), &DAILY);
    let mut settings = S3s::settings_at(s3.addr());
    settings.prefix = Some("prod".parse().unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = S3Store::open(settings).await.unwrap();
        let key = "orders/20260101T000000Z-abc123/dump.pgdump.zst".parse().unwrap();
        let upload = store.begin(&key, 5 << 20).await.unwrap();
        for part_idx in 0..2 {
            upload.put_part(part_idx, vec![0; 5 << 20].into()).await.unwrap();
        }
        std::mem::forget(upload);
    });
    assert_eq!(s3.unfinished().len(), 1);
    s3.age_unfinished(std::time::Duration::from_hours(48));
    let daemon = site.start();
    let address = text(&daemon.wait_for_line("the status page, metrics and probes are served")["address"]);
    assert_eq!(daemon.wait_for_line("leftovers were removed")["uploads"], 1);
    assert_eq!(s3.unfinished(), [""; 0]);
    daemon.wait("the counter", || get(&address, "/metrics").contains("guard_aborted_uploads_total 1").then_some(()));
    daemon.stop(&["this store cannot tell several daemons apart; this must be the only one"]);
}

#[test]
fn several_databases_of_one_server_are_one_slot() {
    let server = server();
    let toml = format!(
        "[source.shop]\nurl = \"{}\"\ndatabases = [\"orders\", \"cache\"]\nretries = 0\n",
        server.url("orders")
    );
    let site = Site::new(Guard::default(), &toml, &DAILY);
    let daemon = site.start();
    daemon.wait("the slot to be done", || (site.slots_in("done").len() == 1).then_some(()));
    daemon.stop(&[]);
    let slot = |source: &str| site.manifests(source)[0]["run"].clone();
    assert_eq!(slot("shop.orders"), slot("shop.cache"));
    assert_eq!((site.manifests("shop.orders").len(), site.manifests("shop.cache").len()), (1, 1));
}

#[test]
fn a_killed_daemon_s_slot_is_taken_over_and_not_run_twice() {
    let server = server();
    let site = Site::new(Guard::default(), &source(&server, "orders"), &DAILY);
    let locker = OpenSession::locking(&server, "orders", "t");
    let mut daemon = site.start();
    daemon.wait_for_program("pg_dump");
    let held = site.slots_in("held");
    daemon.kill();
    drop(locker);
    let daemon = site.start();
    daemon.wait("the slot to be done", || (site.slots_in("done") == held).then_some(()));
    daemon.stop(&["taken over: it was begun and not ended"]);
    assert_eq!(site.manifests("orders").len(), 1);

    // Killed between the manifest and the record: what the record would say is in the manifest.
    let record = site.guard.store().join("leases/plan").join(&held[0]);
    let mut ended: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    ended["state"] = "held".into();
    ended["holder"]["machine"] = "".into();
    ended["ttl_ms"] = 0.into();
    fs::write(&record, serde_json::to_vec(&ended).unwrap()).unwrap();
    let daemon = site.start();
    daemon.wait_for_line("this slot has its backup already");
    daemon.wait("the slot to be done", || (site.slots_in("done") == held).then_some(()));
    daemon.stop(&["taken over: it was begun and not ended"]);
    assert_eq!(site.manifests("orders").len(), 1);
}
