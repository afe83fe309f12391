//! A dump and the locks of its database: who is made to wait for whom, how long, and what is done about it.
//!
//! A dump is held where a test wants it by stopping `pg_dump` (SIGSTOP) once it has locked its tables: guard and the server
//! go on, the locks stay.

mod support;

use std::process::Output;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::guard::Guard;
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON, wait_for};
use support::session::OpenSession;

const TABLES: &str =
    "CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 1000) g; CREATE TABLE zones (id int)";

fn server(version: Version) -> TestPostgres {
    let server = TestPostgres::start(version);
    server.create_database("shop", "");
    server.psql("shop", TABLES);
    server
}

/// A user whose dumps have these settings about locks.
fn user(server: &TestPostgres, settings: &str) -> Guard {
    Guard::configured(&format!("[source.shop]\nurl = \"{}\"\n{settings}", server.url("shop")))
        .with_programs_of(server.version())
}

/// Starts a backup and stops its dump once it has locked every table.
fn hold_dump(server: &TestPostgres, user: &Guard) -> (Running, Pid) {
    // The dump locks its tables in the order of their creation and waits for the last.
    let locker = OpenSession::locking(server, "shop", "zones");
    let mut guard = Running::start(user.command(&["backup", "--json"]));
    wait_for("the dump's wait for the last table", SOON, || dump_waits(server).then_some(()));
    let dump = guard.wait_for("pg_dump", SOON);
    kill(dump, Signal::SIGSTOP).expect("it runs");
    drop(locker);
    wait_for("the dump's lock on the last table", SOON, || (!dump_waits(server)).then_some(()));
    (guard, dump)
}

fn dump_waits(server: &TestPostgres) -> bool {
    let waits =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard 2%' AND wait_event_type = 'Lock'";
    server.psql("postgres", waits) != "0"
}

fn no_session_is_left(server: &TestPostgres) {
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard%'";
    wait_for("the end of guard's sessions", SOON, || (server.psql("postgres", left) == "0").then_some(()));
}

/// Has a session alter a table that a held dump has locked, and sees that it can go on before long.
fn alter_behind_dump(server: &TestPostgres) -> (String, OpenSession<'_>) {
    let mut migration = OpenSession::open(server, "shop", "test migration");
    migration.send("ALTER TABLE orders ADD COLUMN note text;");
    // It waits for a moment only: whoever looks late sees that it has.
    let is_through = "state = 'idle' AND query LIKE 'ALTER%'";
    migration.wait_until(&format!("(wait_event_type = 'Lock' OR {is_through})"));
    let pid = migration.pid();
    migration.wait_until(is_through);
    (pid, migration)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_dump_that_blocks_a_migration_gives_way_and_is_taken_again() {
    for version in Version::ALL {
        let server = server(version);
        let user = user(&server, "max_block = \"300ms\"\nretries = 1\nretry_delay = \"100ms\"");
        let (guard, _) = hold_dump(&server, &user);
        let (pid, _migration) = alter_behind_dump(&server);
        let output = guard.end_within(SOON);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stderr(&output);
        let expected = format!(
            "shop: the dump made another session (pid {pid}, AccessExclusiveLock on public.orders) wait longer than \
             max_block = 300ms; it was cancelled so that the database keeps working; trying again in 100ms"
        );
        assert!(said.contains(&expected), "{said}");
        assert_eq!(user.listed().len(), 1);
        no_session_is_left(&server);
    }
}

#[test]
fn a_dump_that_gave_way_for_the_last_time_is_a_failure_with_nothing_to_see() {
    let server = server(Version::V15);
    let user = user(&server, "max_block = \"300ms\"\nretries = 0");
    let (guard, _) = hold_dump(&server, &user);
    let offspring = guard.offspring();
    let (_, _migration) = alter_behind_dump(&server);
    user.checked(&guard.end_within(SOON)).error(2, "blocked-others");
    offspring.is_gone_soon();
    no_session_is_left(&server);
    assert_eq!(user.listed(), [""; 0]);
}

#[test]
fn a_dump_that_cannot_lock_a_table_in_time_gives_up() {
    let server = server(Version::V15);
    let user = user(&server, "lock_wait_timeout = \"300ms\"");
    let _locker = OpenSession::locking(&server, "shop", "orders");
    let error = user.json(&["backup"]).error(2, "source-failed");
    let message = support::guard::text(&error["message"]);
    assert!(message.contains("pg_dump failed") && message.contains("timeout"), "{message}");
    no_session_is_left(&server);
    assert_eq!(user.listed(), [""; 0]);
}

#[test]
fn a_waiter_that_queues_behind_a_waiting_dump_is_not_counted_against_it() {
    let server = server(Version::V15);
    let user = user(&server, "max_block = \"100ms\"\nlock_wait_timeout = \"5m\"");
    let locker = OpenSession::locking(&server, "shop", "orders");
    let mut guard = Running::start(user.command(&["backup", "--json"]));
    wait_for("the dump's wait", SOON, || dump_waits(&server).then_some(()));
    let mut migration = OpenSession::open(&server, "shop", "test migration");
    migration.send("ALTER TABLE orders ADD COLUMN note text;");
    migration.wait_until("wait_event_type = 'Lock'");
    // Ten times the bound: the dump is ahead of the migration, but it is the first session that both wait for.
    stays_so(Duration::from_secs(1), || guard.is_running() && dump_waits(&server));
    // With the first session gone it would wait for the dump indeed.
    drop(migration);
    drop(locker);
    let output = guard.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn an_index_that_is_built_concurrently_waits_for_the_dump_and_cancels_nothing() {
    let server = server(Version::V15);
    let user = user(&server, "max_block = \"100ms\"");
    let (mut guard, dump) = hold_dump(&server, &user);
    let mut migration = OpenSession::open(&server, "shop", "test migration");
    migration.send("CREATE INDEX CONCURRENTLY orders_id ON orders (id);");
    migration.wait_until("wait_event_type = 'Lock'");
    stays_so(Duration::from_secs(1), || guard.is_running());
    kill(dump, Signal::SIGCONT).expect("it is only stopped");
    let output = guard.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    migration.wait_until("state = 'idle'");
}

/// Looks again and again whether something goes on being so.
#[track_caller]
fn stays_so(span: Duration, mut look: impl FnMut() -> bool) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        assert!(look(), "it was so for less than {span:?}");
    }
}
