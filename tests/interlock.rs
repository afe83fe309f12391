//! One clock for dumps and migrations: the migration window, what runs in it, and every way in which it ends.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::deployment::{DESTRUCTIVE, HARMLESS, POLICY, deployer, gate, migrated, proven, write};
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON, wait_for};
use support::session::OpenSession;

fn server() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    migrated(&server);
    server
}

/// A program that runs SQL in the database, as a framework would.
fn psql(server: &TestPostgres, guard: &Guard, sql: &str) -> String {
    let name = format!("migrate-{}.sh", sql.len());
    let psql = server.version().bin_dir().join("psql");
    let host = server.socket_dir().display();
    let text = format!(
        "exec {} -XqAt -v ON_ERROR_STOP=1 -h {host} -p {} -U postgres -d shop -c {sql:?}\n",
        psql.display(),
        server.port()
    );
    fs::write(guard.dir().join(&name), text).unwrap();
    name
}

/// Runs this SQL under `guard migrate`.
fn migrate<'a>(args: &[&'a str], program: &[&'a str]) -> Vec<&'a str> {
    [&["migrate"], args, &["--"], program].concat()
}

fn migrate_json(guard: &Guard, args: &[&str], program: &[&str]) -> support::guard::Outcome {
    guard.run(&migrate(&[&["--json"], args].concat(), program))
}

fn lease_file(guard: &Guard) -> PathBuf {
    guard.store().join("leases/@source/shop.json")
}

fn lease(guard: &Guard) -> Value {
    serde_json::from_slice(&fs::read(lease_file(guard)).unwrap()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(server: &TestPostgres) -> String {
    server.psql("shop", "SELECT count(*) || ' ' || coalesce(sum(hashtext(o::text)), 0) FROM orders o")
}

#[test]
fn a_migration_runs_in_a_window_behind_a_backup_and_the_window_is_closed_afterwards() {
    let server = server();
    let guard = deployer(&server, POLICY);
    let script = psql(&server, &guard, "ALTER TABLE orders ADD COLUMN city text");
    let answer = migrate_json(&guard, &[], &["sh", &script]).yes();
    assert_eq!((answer["command"]["exit"].as_u64(), answer["window_lost"].as_bool()), (Some(0), Some(false)));
    assert_eq!(guard.listed(), [text(&answer["backup"])]);
    let manifest = guard.json(&["show"]).yes();
    assert!(!manifest["contents"]["tables"]["public.orders"]["columns"].to_string().contains("city"), "{manifest}");
    assert_eq!(lease(&guard)["state"], "released");
    // Without a backup of its own it needs one that is there.
    migrate_json(&guard, &["--no-backup"], &["true"]).yes();
    assert_eq!(guard.listed().len(), 1);
    let fresh = deployer(&server, POLICY);
    migrate_json(&guard, &[], &["true"]).yes();
    migrate_json(&fresh, &["--no-backup"], &["true"]).error(2, "no-repository");
}

#[test]
fn the_commands_own_output_and_exit_code_are_passed_on() {
    let server = server();
    let guard = deployer(&server, POLICY);
    let outcome = guard.run(&migrate(&[], &["sh", "-c", "echo from the framework; exit 7"]));
    assert_eq!(outcome.code, Some(7), "{outcome}");
    assert!(outcome.stdout.contains("\nfrom the framework\n"), "{outcome}");
    // One document on standard output, and the command's words elsewhere.
    let outcome = migrate_json(&guard, &["--no-backup"], &["sh", "-c", "echo from the framework; exit 7"]);
    assert_eq!(outcome.code, Some(7), "{outcome}");
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(answer["command"]["exit"], 7);
    assert!(outcome.stderr.contains("from the framework"), "{outcome}");
    let outcome = migrate_json(&guard, &["--no-backup"], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(outcome.code, Some(128 + 9), "{outcome}");
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&answer["command"]["exit"], &answer["command"]["signal"]), (&Value::Null, &9.into()));
    let outcome = migrate_json(&guard, &["--no-backup"], &["/no/such/program"]);
    assert!(matches!(outcome.code, Some(2 | 126 | 127)), "{outcome}");
    assert_eq!(lease(&guard)["state"], "released");
}

/// What a person would paste: the last line of the story.
fn restore_line(stdout: &str) -> String {
    stdout.lines().rev().find(|line| line.starts_with("  guard restore")).expect("a command").trim().to_owned()
}

#[test]
fn when_the_command_fails_the_command_that_is_printed_puts_the_database_back_word_for_word() {
    let server = server();
    let guard = deployer(&server, POLICY).with_secret("hunter2");
    server.psql(
        "shop",
        "CREATE TYPE mood AS ENUM ('good'); CREATE VIEW latest AS SELECT max(id) FROM orders;
         CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
         CREATE SCHEMA app; CREATE TABLE app.owners (id serial PRIMARY KEY, mood mood)",
    );
    let before = rows(&server);
    // A migration that stops in its middle: data lost, and new things that hang on what was there.
    let sql = "ALTER TABLE orders DROP COLUMN note CASCADE; CREATE TABLE invoices (order_id bigint REFERENCES orders); \
               CREATE VIEW all_orders AS SELECT * FROM orders; CREATE TABLE moods (mood mood DEFAULT 'good'); \
               CREATE FUNCTION thrice(mood) RETURNS int LANGUAGE sql AS 'SELECT 3'; DELETE FROM orders WHERE id > 500; \
               COMMIT; DROP TABLE nothing";
    let script = psql(&server, &guard, &format!("BEGIN; {sql}"));
    let outcome = guard.run(&migrate(&[], &["sh", &script]));
    assert_eq!(outcome.code, Some(1), "psql -c ends with 1: {outcome}");
    assert_ne!(rows(&server), before);
    assert_eq!(lease(&guard)["state"], "released");
    let line = restore_line(&outcome.stdout);
    let restored = pasted(&guard, &line);
    assert!(restored.status.success(), "{line}: {}", stderr(&restored));
    assert_eq!(rows(&server), before);
    let left = "SELECT count(*) FROM pg_class WHERE relname IN ('invoices', 'all_orders', 'moods')";
    assert_eq!(server.psql("shop", left), "0", "what came after the backup is gone too");
    assert_eq!(server.psql("shop", "SELECT twice(2), (SELECT max FROM latest)"), "4|1000");
}

/// Runs a line as somebody would who pastes it into a shell, with this guard in the path.
fn pasted(guard: &Guard, line: &str) -> Output {
    let as_guard = guard.command(&["sh"]);
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_guard"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), path_of(&as_guard));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).current_dir(guard.dir()).env_clear();
    shell.envs(as_guard.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
    shell.output().unwrap()
}

fn path_of(command: &Command) -> String {
    let set = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value);
    set.unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_a_migration_takes_away_is_stored_apart_before_it_and_the_command_that_is_printed_lays_it_beside() {
    let server = server();
    let guard = deployer(&server, POLICY).with_secret("hunter2");
    guard.backup();
    write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    let notes = |database: &str| server.psql(database, "SELECT count(note), min(note), max(note) FROM orders");
    let before = notes("shop");
    guard.json(&["rehearse", "migrations"]).no();
    let answer = migrate_json(&guard, &["--no-backup", "--export", "migrations"], &["true"]).yes();
    assert_eq!(answer["export"]["losing"]["tables"], serde_json::json!(["public.orders"]), "{answer:#}");
    assert_eq!(answer["export"]["losing"]["losses"], serde_json::json!(["values of public.orders.note"]));
    assert_eq!(guard.listed().len(), 2, "the backup, and no other than the export");

    // It fails behind the loss, and what was lost is there.
    let sql = "BEGIN; ALTER TABLE orders DROP COLUMN note; COMMIT; DROP TABLE nothing";
    let script = psql(&server, &guard, sql);
    let outcome = guard.run(&migrate(&["--export", "migrations"], &["sh", &script]));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stdout.contains("exported public.orders as shop-undo "), "{outcome}");
    assert_eq!(outcome.stdout.matches("\n  guard restore ").count(), 2, "{outcome}");
    let line = restore_line(&outcome.stdout);
    let restored = pasted(&guard, &line);
    assert!(restored.status.success(), "{line}: {}", stderr(&restored));
    let beside = line.split_once("--beside ").unwrap().1.split(' ').next().unwrap();
    assert_eq!(notes(beside), before);
    assert_eq!(server.psql(beside, "SELECT count(*) FROM schema_migrations"), "0", "nothing else is in it");
    let column = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'note'";
    assert_eq!(server.psql("shop", column), "0", "the source is as the migration left it");

    // It defines every table and holds the rows of one: over the source it would empty the others.
    let over = ["restore", "--source", "shop-undo", "--over-source", "--clean", "--yes", "--to"];
    guard.json(&[&over[..], &["source"]].concat()).error(2, "usage");
    guard.json(&[&over[..], &[&*server.url("shop")]].concat()).error(2, "only-a-part");
    assert_eq!(server.psql("shop", "SELECT count(*) FROM orders"), "1000");
}

#[test]
fn what_cannot_be_stored_apart_keeps_the_command_from_running() {
    let server = server();
    let guard = deployer(&server, POLICY);
    guard.backup();
    let with_export = ["--no-backup", "--export", "migrations"];
    // Nothing that is pending takes anything away.
    write(&guard, "20261101000000_zones.sql", HARMLESS);
    assert_eq!(migrate_json(&guard, &with_export, &["true"]).yes()["export"], Value::Null);
    // What was never tried may cost anything.
    write(&guard, "20261102000000_note.sql", DESTRUCTIVE);
    let error = migrate_json(&guard, &with_export, &["touch", "it-ran"]).error(2, "not-rehearsed");
    assert!(text(&error["message"]).contains("migrations/20261102000000_note.sql"), "{error}");
    guard.json(&["rehearse", "migrations"]).no();
    write(&guard, "20261102000000_note.sql", &DESTRUCTIVE.replace("2s", "3s"));
    migrate_json(&guard, &with_export, &["touch", "it-ran"]).error(2, "not-rehearsed");
    // A rehearsal of another schema does not know this one's tables.
    write(&guard, "20261102000000_note.sql", DESTRUCTIVE);
    server.psql("shop", "ALTER TABLE orders RENAME TO sales");
    let error = migrate_json(&guard, &with_export, &["touch", "it-ran"]).error(2, "other-schema");
    assert!(text(&error["message"]).contains("public.orders"), "{error}");
    assert!(!guard.dir().join("it-ran").exists());
    assert_eq!(lease(&guard)["state"], "released");
    server.psql("shop", "ALTER TABLE sales RENAME TO orders");
    migrate_json(&guard, &with_export, &["touch", "it-ran"]).yes();
    assert!(guard.dir().join("it-ran").exists());
}

#[test]
fn a_closed_gate_keeps_the_command_from_running() {
    let server = server();
    let guard = deployer(&server, POLICY);
    proven(&guard);
    write(&guard, "20261101000000_note.sql", DESTRUCTIVE);
    let args = ["--gate", "migrations", "--env", "prod"];
    let outcome = guard.run(&migrate(&args, &["touch", "it-ran"]));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stdout.contains("not-approved"), "{outcome}");
    assert!(!guard.dir().join("it-ran").exists());
    write(&guard, "20261101000000_note.sql", HARMLESS);
    let answer = migrate_json(&guard, &args, &["touch", "it-ran"]).yes();
    assert_eq!(answer["gate"]["verdict"], "open", "{answer:#}");
    assert!(guard.dir().join("it-ran").exists());
    assert_eq!(answer["gate"]["backup"], answer["backup"], "the gate decided by the backup that was taken for it");
}

#[test]
fn no_dump_starts_in_a_window_that_a_gate_left_open_until_it_is_closed() {
    let server = server();
    let guard = deployer(&server, POLICY);
    write(&guard, "20261101000000_zones.sql", HARMLESS);
    proven(&guard);
    let answer = gate(&guard, &["--window", "10m"]).yes();
    // The gate's process has ended; its window goes on, though everybody here can see that it died.
    let mut backup = Running::start(guard.command(&["backup", "--json"]));
    let n_before = guard.listed().len();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(backup.is_running(), "the backup waits");
    assert_eq!(guard.listed().len(), n_before);
    let closed = gate_closes(&guard, "no-such-token");
    assert_eq!(closed.no()["closed"], false);
    gate_closes(&guard, &text(&answer["window"]["token"])).yes();
    let output = backup.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(guard.listed().len(), n_before + 1);
}

fn gate_closes(guard: &Guard, token: &str) -> support::guard::Outcome {
    guard.json(&["gate", "--close", token, "--env", "prod"])
}

/// Starts a backup and stops its dump once it has locked every table.
fn hold_dump(server: &TestPostgres, guard: &Guard) -> (Running, Pid) {
    let locker = OpenSession::locking(server, "shop", "stock");
    let mut running = Running::start(guard.command(&["backup", "--json"]));
    wait_for("the dump's wait for the last table", SOON, || dump_waits(server).then_some(()));
    let dump = running.wait_for("pg_dump", SOON);
    kill(dump, Signal::SIGSTOP).unwrap();
    drop(locker);
    wait_for("the dump's lock on the last table", SOON, || (!dump_waits(server)).then_some(()));
    (running, dump)
}

fn dump_waits(server: &TestPostgres) -> bool {
    let waits =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard 2%' AND wait_event_type = 'Lock'";
    server.psql("postgres", waits) != "0"
}

/// Whether a reader gets its answer within so long.
fn reads_within(server: &TestPostgres, limit: &str) -> bool {
    let mut psql = server.command("psql");
    let read = format!("SET statement_timeout = '{limit}'; SELECT count(*) FROM orders");
    psql.args(["-XqAt", "-d", "shop", "-c", &read]);
    psql.output().unwrap().status.success()
}

/// freehire#1284, databasus#434: the dump's ACCESS SHARE makes an ALTER queue, and every reader queues behind that.
#[test]
fn the_outage_of_a_migration_behind_a_dump_is_there_without_guard_and_absent_with_it() {
    let server = server();
    // Without: any pg_dump, and a framework that knows nothing of it.
    let mut dump = server.command("pg_dump");
    dump.args(["-Fc", "-f", "/dev/null", "shop"]).env("PGAPPNAME", "guard 2-test");
    let locker = OpenSession::locking(&server, "shop", "stock");
    let dump = Running::start(dump);
    wait_for("the dump's wait for the last table", SOON, || dump_waits(&server).then_some(()));
    dump.signal(Signal::SIGSTOP);
    drop(locker);
    wait_for("its last lock", SOON, || (!dump_waits(&server)).then_some(()));
    let mut migration = OpenSession::open(&server, "shop", "test migration");
    migration.send("ALTER TABLE orders ADD COLUMN outage text;");
    migration.wait_until("wait_event_type = 'Lock'");
    assert!(!reads_within(&server, "2s"), "the outage: nobody can read");
    dump.signal(Signal::SIGCONT);
    dump.signal(Signal::SIGKILL);
    dump.end_within(SOON);
    migration.wait_until("state = 'idle'");
    drop(migration);
    assert!(reads_within(&server, "20s"));

    // With: the same dump, the same migration, and the dump is asked to give way before the migration begins.
    let policy = "[gate.prod]\nrunning_backup = \"cancel\"\nmax_wait = \"60s\"\n";
    let guard = deployer(&server, policy);
    let (backup, _) = hold_dump(&server, &guard);
    // Behind the dump, which stands still, it would wait longer than any reader does.
    let script = psql(&server, &guard, "SET lock_timeout = '90s'; ALTER TABLE orders ADD COLUMN no_outage text");
    let mut migrating = Running::start(guard.command(&migrate(&["--env", "prod"], &["sh", &script])));
    let mut n_reads = 0;
    while migrating.is_running() {
        assert!(reads_within(&server, "20s"), "a reader waited");
        n_reads += 1;
    }
    let output = migrating.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(n_reads > 0, "nobody read meanwhile");
    // The dump that gave way is taken again behind the migration.
    let output = backup.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("gave way to a migration"), "{}", stderr(&output));
    assert_eq!(guard.listed().len(), 2, "the one before the migration, and the one that was to be taken");
}

#[test]
fn a_migration_that_may_wait_waits_for_the_end_of_the_dump() {
    let server = server();
    let guard = deployer(&server, "[gate.prod]\nmax_wait = \"500ms\"\n[gate.patient]\n");
    let (backup, dump) = hold_dump(&server, &guard);
    let error = migrate_json(&guard, &["--env", "prod"], &["touch", "it-ran"]).error(2, "busy");
    assert!(text(&error["message"]).contains("backup: guard backup by hand"), "{error}");
    assert!(!guard.dir().join("it-ran").exists());
    let mut migrating = Running::start(guard.command(&migrate(&["--env", "patient"], &["touch", "it-ran"])));
    assert!(migrating.is_running());
    kill(dump, Signal::SIGCONT).unwrap();
    assert_eq!(backup.end_within(SOON).status.code(), Some(0));
    assert_eq!(migrating.end_within(SOON).status.code(), Some(0));
    assert!(guard.dir().join("it-ran").exists());
}

/// Each of them may wait for the other, and neither for longer than this: a dump of this database takes a fraction of a second.
const BOUND: Duration = Duration::from_mins(1);

#[test]
fn a_dump_and_a_migration_raced_a_hundred_times_never_block_each_other_longer_than_the_bound() {
    let server = server();
    let guard = deployer(&server, "[gate.prod]\nrunning_backup = \"cancel\"\n[gate.patient]\n");
    guard.backup();
    let mut longest = Duration::ZERO;
    for round in 0..100_u32 {
        let column =
            format!("SET lock_timeout = '10s'; ALTER TABLE orders ADD COLUMN IF NOT EXISTS c{:02} int", round % 100);
        let script = psql(&server, &guard, &column);
        let environment = if round % 2 == 0 { "prod" } else { "patient" };
        let args = migrate(&["--env", environment, "--no-backup", "--quiet"], &["sh", &script]);
        let begun = Instant::now();
        let start = |args: &[&str]| Running::start(guard.command(args));
        // Who comes first, and by how much, differs from round to round.
        let head_start = Duration::from_millis(u64::from(round * 7 % 40));
        let (dump, migration) = if round % 3 == 0 {
            let migration = start(&args);
            std::thread::sleep(head_start);
            (start(&["backup", "--quiet"]), migration)
        } else {
            let dump = start(&["backup", "--quiet"]);
            std::thread::sleep(head_start);
            (dump, start(&args))
        };
        // A lock that the dump holds for longer than ten seconds would fail the migration.
        let output = migration.end_within(BOUND);
        assert_eq!(output.status.code(), Some(0), "round {round}: {}", stderr(&output));
        let output = dump.end_within(BOUND);
        assert_eq!(output.status.code(), Some(0), "round {round}: {}", stderr(&output));
        longest = longest.max(begun.elapsed());
    }
    assert!(longest < BOUND, "{longest:?}");
    assert_eq!(guard.listed().len(), 101);
}

#[test]
fn a_guard_that_is_killed_takes_its_command_along_and_the_next_run_goes_on() {
    let server = server();
    let guard = deployer(&server, POLICY);
    guard.backup();
    let mut migrating = Running::start(guard.command(&migrate(&["--no-backup"], &["sleep", "600"])));
    migrating.wait_for("sleep", SOON);
    let offspring = migrating.offspring();
    migrating.signal(Signal::SIGKILL);
    migrating.end_within(SOON);
    offspring.is_gone_soon();
    assert_eq!(lease(&guard)["state"], "held", "nobody was left to close it");
    // From the same machine everybody sees that its holder is dead.
    guard.backup();
    // From another one nobody does: the window closes when its lease has run out.
    let mut migrating = Running::start(guard.command(&migrate(&["--no-backup"], &["sleep", "600"])));
    migrating.wait_for("sleep", SOON);
    migrating.signal(Signal::SIGKILL);
    migrating.end_within(SOON);
    let mut record = lease(&guard);
    record["holder"]["machine"] = "another boot of another machine".into();
    fs::write(lease_file(&guard), serde_json::to_vec(&record).unwrap()).unwrap();
    let begun = Instant::now();
    let outcome = guard.run(&["backup"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.stderr.contains("waiting for the end of a migration window"), "{outcome}");
    assert!(begun.elapsed() < SOON, "it waited {:?} for a lease of twelve seconds", begun.elapsed());
}

#[test]
fn whoever_stops_guard_stops_the_command_in_order() {
    let server = server();
    let guard = deployer(&server, POLICY);
    guard.backup();
    let trap = "trap 'echo rolled back; exit 3' TERM; echo started; while :; do sleep 0.1; done";
    let mut migrating = Running::start(guard.command(&migrate(&["--no-backup"], &["sh", "-c", trap])));
    migrating.wait_for("sleep", SOON);
    migrating.signal(Signal::SIGTERM);
    let output = migrating.end_within(SOON);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{stdout}");
    assert!(stdout.contains("rolled back") && stdout.contains("guard restore"), "{stdout}");
    assert_eq!(lease(&guard)["state"], "released");
}

#[test]
fn a_window_that_was_lost_is_told_and_does_not_end_the_migration() {
    let server = server();
    let guard = deployer(&server, POLICY);
    guard.backup();
    let program = ["sh", "-c", "touch begun; while ! test -e go-on; do sleep 0.05; done"];
    let log = guard.dir().join("log");
    let mut command = guard.command(&migrate(&["--no-backup", "--json"], &program));
    command.stderr(fs::File::create(&log).unwrap());
    let mut migrating = Running::start(command);
    wait_for("the command", SOON, || guard.dir().join("begun").exists().then_some(()));
    // It is found out at the next renewal; one that is under way may write over what was stolen a moment ago.
    wait_for("the loss to be told", SOON, || {
        steal(&guard);
        fs::read_to_string(&log).unwrap().contains("the lease is lost").then_some(())
    });
    assert!(migrating.is_running());
    fs::write(guard.dir().join("go-on"), "").unwrap();
    let output = migrating.end_within(SOON);
    assert_eq!(output.status.code(), Some(0), "{}", fs::read_to_string(&log).unwrap());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["window_lost"], true, "{answer:#}");
}

/// Has the lease be somebody else's. All of the record at once: its holder may be reading it.
fn steal(guard: &Guard) {
    let mut record = lease(guard);
    record["token"] = "somebody else's".into();
    let beside = guard.dir().join("stolen");
    fs::write(&beside, serde_json::to_vec(&record).unwrap()).unwrap();
    fs::rename(beside, lease_file(guard)).unwrap();
}
