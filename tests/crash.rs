//! `kill -9` at random moments, and signals: whatever is killed when, nothing half-written is visible, nothing is leaked,
//! and the next run works.

#![allow(clippy::print_stdout, reason = "the seed and every round, to repeat them")]

mod support;

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::bulk;
use support::guard::Guard;
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON, ending, wait_for};
use support::s3_process::{self, S3Process};
use support::session::OpenSession;

/// Not a test: the S3 server that the tests kill is this program, started again for this function.
#[test]
fn s3_server() {
    s3_process::serve();
}

/// What is killed, and during what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Guard,
    GuardWhileRestoring,
    PgDump,
    S3Server,
    Postmaster(Signal),
}

const VICTIMS: [Victim; 6] = [
    Victim::Guard,
    Victim::PgDump,
    Victim::S3Server,
    Victim::Postmaster(Signal::SIGKILL),
    Victim::GuardWhileRestoring,
    Victim::Postmaster(Signal::SIGQUIT),
];

/// A database, and two users of guard who keep their backups in a directory and in a bucket.
struct World {
    server: TestPostgres,
    s3: S3Process,
    local: Guard,
    remote: Guard,
}

const LONG: Duration = Duration::from_mins(3);

impl World {
    fn new(mib: usize) -> Self {
        let server = TestPostgres::start(Version::V15);
        server.create_database("shop", "");
        bulk::fill(&server, "shop", "orders", mib);
        server.psql("shop", "SELECT lo_from_bytea(0, 'kept beside the tables')");
        let s3 = S3Process::start();
        let local = Guard::of(&server, "shop");
        let remote = s3.keeps(Guard::of(&server, "shop"));
        Self { server, s3, local, remote }
    }

    fn user(&self, victim: Victim, round: usize) -> &Guard {
        if victim == Victim::S3Server || round % 2 == 1 { &self.remote } else { &self.local }
    }

    /// Sessions on the server that guard or its children opened.
    fn sessions(&self) -> String {
        self.server.psql(
            "postgres",
            "SELECT string_agg(application_name, ', ') FROM pg_stat_activity WHERE application_name LIKE 'guard%'",
        )
    }

    #[track_caller]
    fn no_session_is_left(&self) {
        wait_for("the end of guard's server sessions", SOON, || self.sessions().is_empty().then_some(()));
    }
}

/// How often, from `GUARD_CRASH_ROUNDS`: the long run has 50 and more.
fn rounds() -> usize {
    std::env::var("GUARD_CRASH_ROUNDS").map_or(8, |text| text.parse().expect("GUARD_CRASH_ROUNDS is a number"))
}

fn seed() -> u64 {
    let set = std::env::var("GUARD_CRASH_SEED").map(|text| text.parse().expect("GUARD_CRASH_SEED is a number"));
    set.unwrap_or_else(|_| rand::random())
}

#[test]
fn whatever_is_killed_when_nothing_half_done_is_seen_and_the_next_run_is_clean() {
    let seed = seed();
    println!("GUARD_CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new(8);
    let (took, restore_took) = (duration(|| drop(world.local.backup())), duration(|| prove(&world.local)));
    world.remote.backup();
    for round in 0..rounds() {
        let victim = VICTIMS[round % VICTIMS.len()];
        let whole = if victim == Victim::GuardWhileRestoring { restore_took } else { took };
        let moment = whole.mul_f64(random.random());
        let before = world.user(victim, round).listed();
        let how = strike(&mut world, victim, round, moment);
        println!("round {round}: {victim:?} after {moment:?}: {how}");
        let user = world.user(victim, round);
        if victim == Victim::GuardWhileRestoring {
            // Only another restore sweeps what a killed one left.
            prove(user);
        }
        check_listed(user, victim, &how, &before);
        world.no_session_is_left();
        user.backup();
        prove(user);
        check_swept(&world, user);
    }
}

fn duration(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// Starts guard, kills the victim at the moment or as soon after as it exists, waits for guard's end, and brings back the
/// servers that were killed.
fn strike(world: &mut World, victim: Victim, round: usize, moment: Duration) -> String {
    let user = world.user(victim, round);
    let args: &[&str] = if victim == Victim::GuardWhileRestoring {
        &["restore", "--to", "scratch", "--json"]
    } else {
        &["backup", "--json"]
    };
    let begun = Instant::now();
    let mut guard = Running::start(user.command(args));
    while begun.elapsed() < moment && guard.is_running() {
        std::thread::sleep(Duration::from_millis(1));
    }
    match victim {
        Victim::Guard | Victim::GuardWhileRestoring => guard.signal(Signal::SIGKILL),
        Victim::PgDump => {
            while guard.is_running() {
                if let Some(pid) = guard.find("pg_dump") {
                    let _ = kill(pid, Signal::SIGKILL);
                    break;
                }
            }
        }
        Victim::S3Server => world.s3.kill(),
        Victim::Postmaster(signal) => drop(kill(world.server.pid(), signal)),
    }
    if victim == Victim::S3Server {
        // It stays away for a while that guard's retries ride out, or not.
        let back = Instant::now() + Duration::from_millis(300);
        while Instant::now() < back && guard.is_running() {
            std::thread::sleep(Duration::from_millis(1));
        }
        world.s3.restart();
    }
    let offspring = guard.offspring();
    let output = guard.end_within(LONG);
    offspring.is_gone_soon();
    if let Victim::Postmaster(_) = victim {
        world.server.restart();
    }
    ending(&output)
}

/// Only whole backups are listed, and a run that failed added none.
fn check_listed(user: &Guard, victim: Victim, how: &str, before: &[String]) {
    let after = user.listed();
    assert!(after.starts_with(before), "{before:?} was listed before, {after:?} after");
    let n_new = after.len() - before.len();
    match (victim, how) {
        (Victim::GuardWhileRestoring, "exit 0" | "signal 9") | (Victim::PgDump | Victim::Postmaster(_), "exit 2") => {
            assert_eq!(n_new, 0);
        }
        (_, "exit 0") => assert_eq!(n_new, 1),
        // The manifest may have been written just before; then the backup is whole.
        (Victim::Guard, "signal 9") | (Victim::S3Server, "exit 2") => assert!(n_new <= 1),
        (_, how) => panic!("{how} is no way to end"),
    }
    assert_eq!(user.json(&["verify"]).yes()["verdict"], "ok");
}

/// The newest backup restores, exactly. `Guard` itself asserts that no temporary file is left, not even the killed run's.
fn prove(user: &Guard) {
    let evidence = user.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(evidence["verdict"], "proven", "{evidence:#}");
}

/// After a prune the store holds complete backups and nothing else.
fn check_swept(world: &World, user: &Guard) {
    user.json(&["prune", "--confirm", "--leftovers-older-than", "0s"]).yes();
    let left = user.json(&["prune", "--leftovers-older-than", "0s"]).yes();
    assert_eq!(left["leftovers"], serde_json::json!({ "objects": [], "uploads": [] }));
    if std::ptr::eq(user, &raw const world.remote) {
        assert_eq!(world.s3.unfinished(), [""; 0]);
    }
}

/// What of a store belongs to backups: everything but the mark of the repository and the leases.
fn stored(user: &Guard) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![user.store()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.extend((!path.ends_with("leases")).then_some(path));
            } else if !path.ends_with("guard.json") {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Signals guard and sees that it says so, with nothing of it left a moment later.
fn interrupt(guard: Running, signal: Signal, user: &Guard) {
    let offspring = guard.offspring();
    guard.signal(signal);
    // If it was made to stand still.
    guard.signal(Signal::SIGCONT);
    let output = guard.end_within(SOON);
    user.checked(&output).error(130, "interrupted");
    offspring.is_gone_soon();
}

#[test]
fn an_interrupted_backup_is_taken_back_even_while_its_dump_waits_for_a_lock() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", "CREATE TABLE orders (id int)");
    let user = Guard::of(&server, "shop");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let locker = OpenSession::locking(&server, "shop", "orders");
        let guard = Running::start(user.command(&["backup", "--json"]));
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard 2%' AND wait_event_type = 'Lock'";
        wait_for("the dump's wait", SOON, || (server.psql("postgres", waiting) == "1").then_some(()));
        interrupt(guard, signal, &user);
        // A server process that waits for a lock does not notice by itself that its client is gone.
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard%'";
        wait_for("the end of guard's sessions", SOON, || (server.psql("postgres", left) == "0").then_some(()));
        drop(locker);
        assert_eq!(stored(&user), [""; 0]);
        assert_eq!(user.listed(), [""; 0]);
    }
    user.backup();
}

#[test]
fn an_interrupted_upload_is_given_up() {
    let world = World::new(40);
    let user = &world.remote;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut guard = Running::start(user.command(&["backup", "--json"]));
        guard.stop_when("the begin of an upload", LONG, |_| (!world.s3.unfinished().is_empty()).then_some(()));
        interrupt(guard, signal, user);
        assert_eq!(world.s3.unfinished(), [""; 0]);
        assert_eq!(user.listed(), [""; 0]);
        world.no_session_is_left();
    }
}

#[test]
fn an_interrupted_restore_leaves_neither_servers_nor_files_nor_a_verdict() {
    let world = World::new(12);
    let user = &world.local;
    user.backup();
    let stages = ["initdb", "postgres", "pg_restore", "pg_dump"];
    for (stage, signal) in stages.into_iter().zip([Signal::SIGINT, Signal::SIGTERM].into_iter().cycle()) {
        let mut guard = Running::start(user.command(&["restore", "--to", "scratch", "--json"]));
        guard.stop_at(stage, LONG);
        interrupt(guard, signal, user);
        // This asserts as well that the temporary directory is empty.
        let listed = user.json(&["list"]).yes();
        assert_eq!(listed["backups"][0]["proven"], serde_json::Value::Null, "interrupted at {stage}");
    }
    prove(user);
}

#[test]
fn an_interrupted_restore_drops_its_database_on_a_named_server() {
    let world = World::new(12);
    let scratch = TestPostgres::start_foreign(Version::V15, &[]);
    let user = Guard::of(&world.server, "shop").with("GUARD_SCRATCH_URL", &scratch.url("postgres"));
    user.backup();
    let mut guard = Running::start(user.command(&["restore", "--to", "scratch", "--json"]));
    guard.stop_at("pg_restore", LONG);
    interrupt(guard, Signal::SIGTERM, &user);
    assert_eq!(scratch.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'guard%'"), "");
    prove(&user);
}
