//! Redis through the real binary: what was backed up comes back exactly, wherever it is restored to and however it was read.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

// The paths are spelt out because this file is the root of a test binary.
#[path = "redis_round_trip/format.rs"]
mod format;
#[path = "redis_round_trip/topology.rs"]
mod topology;

use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use guard::catalog::{Catalog, Evidence, RunNote};
use guard::progress::Progress;
use guard::prove::{ProofOrder, Targets, prove};
use guard::restore::RestoreOrder;
use guard::source::postgres::client::ClientSearch;
use guard::source::postgres::cluster::ClusterSettings;
use guard::source::postgres::scratch::ScratchPlace;
use guard::store::FsStore;
use guard::stream::Identities;
use serde_json::Value;
use support::guard::{Guard, text};
use support::keyspace::{fill, fill_with_many, url};
use support::port::free_port;
use support::process::{SOON, wait_for};
use support::redis::{RedisConnection, RedisVersion, Reply, TestRedis};

/// A user of this server, with the server's own programs for the scratch.
fn guard_of(server: &TestRedis) -> Guard {
    let programs = server.version().bin_dir().display().to_string();
    Guard::default().with("REDIS_URL", &url(server)).with("GUARD_SCRATCH_BIN_DIR", &programs)
}

/// What a program prints that ends well.
fn said(command: Command) -> String {
    String::from_utf8_lossy(&support::postgres::run(command, b"")).into_owned()
}

#[track_caller]
fn prove_newest(guard: &Guard) -> Value {
    let evidence = guard.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(evidence["verdict"], "proven", "{evidence:#}");
    evidence
}

#[test]
fn a_keyspace_is_proven_and_comes_back_into_an_empty_server() {
    RedisVersion::ALL.into_iter().for_each(round_trip);
}

fn round_trip(version: RedisVersion) {
    let start = || version.start_with(&["--enable-debug-command", "yes"]);
    let (source, target) = (start(), start());
    fill(&source);
    let guard = guard_of(&source).encrypted().with_identity();
    guard.backup();
    let evidence = prove_newest(&guard);
    let rungs: Vec<_> = evidence["rungs"].as_array().unwrap().iter().map(|rung| text(&rung["name"])).collect();
    assert_eq!(rungs, ["stored-bytes", "table-of-contents", "restore", "contents", "structure", "freshness"]);
    let listed = guard.json(&["list"]).yes();
    assert_eq!(listed["backups"][0]["databases"], 16, "{listed}");
    assert_eq!(listed["backups"][0]["guarantee"], "point-in-time", "{listed}");
    let facts = guard.json(&["show"]).yes()["facts"].clone();
    let (number, rdb_version) = version.numbers();
    assert_eq!((&facts["server"], &facts["rdb_version"]), (&version.product().into(), &rdb_version.into()), "{facts}");
    assert!(text(&facts["server_version"]).starts_with(number), "{facts}");
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");

    let answer = guard.json(&["restore", "--to", &url(&target)]).yes();
    assert_eq!(answer["compared"], true, "{answer}");
    assert_eq!(answer["keys"], listed["backups"][0]["keys"]);
    let mut there = target.connect();
    let mut here = source.connect();
    for key in ["session:1", "session:2"] {
        assert_eq!(there.words(&format!("PEXPIRETIME {key}")), here.words(&format!("PEXPIRETIME {key}")), "{key}");
    }
    assert_eq!(there.words("FCALL one 0"), Reply::Integer(1));
    assert_eq!(there.words("XPENDING stream:small readers"), here.words("XPENDING stream:small readers"));
    assert_eq!(there.words("DEBUG DIGEST-VALUE hash:big zset:big"), here.words("DEBUG DIGEST-VALUE hash:big zset:big"));
    if version.expires_fields() {
        let asked = "HPEXPIRETIME hash:big FIELDS 3 field-0 field-1 field-600";
        assert_eq!(there.words(asked), here.words(asked));
    }
}

#[test]
fn an_empty_server_is_backed_up_and_proven() {
    let server = TestRedis::start();
    let guard = guard_of(&server);
    guard.backup();
    let evidence = prove_newest(&guard);
    assert_eq!(evidence["compared"]["keys"], 0);
    let target = TestRedis::start();
    guard.json(&["restore", "--to", &url(&target)]).yes();
}

/// What a restore could destroy is asked for, and what is in the way is named.
#[test]
fn a_target_that_is_not_empty_or_is_the_source_is_refused() {
    let (source, target) = (TestRedis::start(), TestRedis::start());
    fill(&source);
    let guard = guard_of(&source);
    guard.backup();
    let error = guard.json(&["restore", "--to", &url(&source)]).error(2, "target-is-source");
    assert!(text(&error["help"]).contains("--over-source"), "{error}");
    target.connect().words("SET mine 1");
    let error = guard.json(&["restore", "--to", &url(&target)]).error(2, "target-not-empty");
    assert!(text(&error["message"]).contains("1 keys in database 0"), "{error}");
    assert_eq!(target.connect().words("DBSIZE"), Reply::Integer(1));
    guard.json(&["restore", "--to", &url(&target), "--clean"]).error(2, "usage");

    let mut there = target.connect();
    there.words("SET plain changed");
    let answer = guard.json(&["restore", "--to", &url(&target), "--clean", "--yes"]).yes();
    assert_eq!(answer["compared"], false, "{answer}");
    assert_eq!(there.words("GET mine"), Reply::Bulk(Some(b"1".to_vec())));
    assert_eq!(there.words("GET plain"), Reply::Bulk(Some(b"value".to_vec())));
    // Back into the source itself, once that was said.
    source.connect().words("DEL plain");
    guard.json(&["restore", "--to", &url(&source), "--clean", "--over-source", "--yes"]).yes();
    assert_eq!(source.connect().words("GET plain"), Reply::Bulk(Some(b"value".to_vec())));
    // A database is no server.
    let error = guard.json(&["restore", "--to", "postgres://db/shop"]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("the backup is of Redis"), "{error}");
}

/// The target was empty when it was asked, and somebody was quicker than the first key: whether that comes by `SET`, as small
/// strings do, or by `RESTORE`.
#[test]
fn a_key_that_appears_meanwhile_is_not_replaced() {
    let by_set = ("SET plain value", b"SET\r\n$5\r\nplain".as_slice());
    let by_restore = ("RPUSH plain value", b"RESTORE\r\n$5\r\nplain".as_slice());
    let each = |version| [by_set, by_restore].map(|way| (version, way));
    for (version, (made_by, brought_by)) in RedisVersion::EACH_PRODUCT.into_iter().flat_map(each) {
        let (source, target) = (version.start(), version.start());
        source.connect().words(made_by);
        let guard = guard_of(&source);
        guard.backup();
        let socket = target.socket();
        let proxy = RecordingProxy::watching(
            target.socket(),
            Arc::new(move |sent| {
                if memchr::memmem::find(sent, brought_by).is_some() {
                    RedisConnection::open(&socket).unwrap().words("SET plain mine");
                }
            }),
        );
        let through = format!("unix://{}", proxy.socket().display());
        let error = guard.json(&["restore", "--to", &through]).error(2, "restore-failed");
        assert!(text(&error["message"]).contains("refused key \"plain\": BUSYKEY"), "{error}");
        assert!(text(&error["help"]).contains("--clean"), "{error}");
        assert_eq!(target.connect().words("GET plain"), Reply::Bulk(Some(b"mine".to_vec())));
        // Once it was said, it is.
        guard.json(&["restore", "--to", &through, "--clean", "--yes"]).yes();
        assert_eq!(target.connect().words("DUMP plain"), source.connect().words("DUMP plain"));
    }
}

#[test]
fn some_keys_come_back_into_another_database() {
    let (source, target) = (TestRedis::start(), TestRedis::start());
    fill(&source);
    let guard = guard_of(&source);
    guard.backup();
    target.connect().words("SET mine 1");
    let picked = ["restore", "--to", &url(&target), "--key", "hash:*", "--key", "session:[1]", "--database", "7"];
    let answer = guard.json(&picked).yes();
    assert_eq!((&answer["keys"], &answer["functions"], &answer["compared"]), (&3.into(), &0.into(), &true.into()));
    let mut there = target.connect();
    assert_eq!(there.words("GET mine"), Reply::Bulk(Some(b"1".to_vec())));
    assert_eq!(there.words("FUNCTION LIST"), Reply::Array(Vec::new()));
    there.words("SELECT 7");
    assert_eq!(there.words("DBSIZE"), Reply::Integer(3));
    assert_eq!(there.words("HLEN hash:big"), Reply::Integer(700));
    // The same once more is in its own way, and says which key.
    let error = guard.json(&picked).error(2, "target-not-empty");
    assert!(text(&error["message"]).contains("the key \""), "{error}");
    let error = guard.json(&["restore", "--to", &url(&target), "--database", "16"]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("has no database 16"), "{error}");
}

/// A key whose time came after the backup is not missed in a server, and is still there in a scratch.
#[test]
fn what_has_expired_in_between_is_told_apart_from_what_is_lost() {
    let (source, target) = (TestRedis::start(), TestRedis::start());
    fill(&source);
    // Long enough for a slow machine to have taken the backup before.
    source.connect().words("SET short x PX 12000");
    let guard = guard_of(&source);
    guard.backup();
    wait_for("the key's end", SOON, || {
        let gone = source.connect().words("EXISTS short") == Reply::Integer(0);
        gone.then_some(())
    });
    prove_newest(&guard);
    let answer = guard.json(&["restore", "--to", &url(&target)]).yes();
    assert_eq!((&answer["compared"], &answer["expired"]), (&true.into(), &1.into()), "{answer}");
    for damage in
        ["DEL session:1", "PEXPIREAT session:1 99999999999999", "XACK stream:small readers 2-1", "FUNCTION FLUSH"]
    {
        let evidence = proof_after(&guard, RedisVersion::V7, damage);
        assert_eq!(evidence.reason.as_deref(), Some("contents-differ"), "{damage}: {evidence:?}");
    }
}

/// The same for single fields of a hash, and for a hash that has none left.
#[test]
fn fields_that_have_expired_in_between_are_told_apart_from_lost_ones() {
    for version in [RedisVersion::V8, RedisVersion::Valkey9] {
        let (source, target) = (version.start(), version.start());
        fill(&source);
        let mut here = source.connect();
        here.words("HSET part f v g w");
        here.words("HSET whole f v");
        here.words("HPEXPIRE part 12000 FIELDS 1 f");
        here.words("HPEXPIRE whole 12000 FIELDS 1 f");
        let guard = guard_of(&source);
        guard.backup();
        wait_for("the fields' end", SOON, || {
            let left = (here.words("HLEN whole"), here.words("HLEN part"));
            (left == (Reply::Integer(0), Reply::Integer(1))).then_some(())
        });
        prove_newest(&guard);
        let answer = guard.json(&["restore", "--to", &url(&target)]).yes();
        // What is left of the one is compared, and nothing is left of the other.
        assert_eq!((&answer["compared"], &answer["expired"]), (&true.into(), &1.into()), "{version:?}: {answer}");
        for damage in ["HDEL hash:small field-0", "HPERSIST hash:small FIELDS 1 field-0"] {
            let evidence = proof_after(&guard, version, damage);
            assert_eq!(evidence.reason.as_deref(), Some("contents-differ"), "{version:?}, {damage}: {evidence:?}");
        }
    }
}

/// The evidence of a proof whose copy was damaged.
fn proof_after(guard: &Guard, version: RedisVersion, damage: &str) -> Evidence {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let catalog = Catalog::open(Arc::new(FsStore::open(&guard.store()).unwrap())).await.unwrap();
        let id = guard.listed().pop().unwrap();
        let backup = catalog.load(&"redis".parse().unwrap(), &id.parse().unwrap()).await.unwrap().unwrap();
        let restore = RestoreOrder {
            catalog: &catalog,
            backup: &backup,
            identities: &Identities::default(),
            temp_dir: None,
            client: &ClientSearch { dir: Some(version.bin_dir()) },
            jobs: NonZeroU32::MIN,
        };
        let settings = ClusterSettings { dir: None, user: "postgres".to_owned() };
        let place = ScratchPlace::Cluster(settings, ClientSearch::default());
        let (targets, damage) = (Targets::default(), Some(damage));
        let run = &RunNote::new(None);
        let order =
            ProofOrder { restore, place: &place, targets, started_by: "a test", run, damage, clock: chrono::Utc::now };
        let (evidence, scratch) = prove(&order, &Arc::new(Progress::default())).await.unwrap();
        scratch.stop().await;
        evidence
    })
}

#[test]
fn the_stored_rdb_is_byte_equal_to_what_the_server_sent_in_both_framings() {
    for (version, diskless) in RedisVersion::WITH_CHECKER.into_iter().flat_map(|it| [(it, "yes"), (it, "no")]) {
        let server = version.start_with(&["--repl-diskless-sync", diskless]);
        fill(&server);
        let proxy = RecordingProxy::start(server.socket());
        let guard = Guard::default().with("REDIS_URL", &format!("unix://{}", proxy.socket().display()));
        guard.backup();
        let out = guard.dir().join("out");
        guard.json(&["restore", "--to", &out.display().to_string()]).yes();
        let rdb = fs::read(out.join("dump.rdb")).unwrap();
        let sent = proxy.sent();
        let at = memchr::memmem::find(&sent, &rdb).unwrap_or_else(|| panic!("{version:?}, {diskless}: other bytes"));
        let header = sent[..at].rsplit(|byte| *byte == b'\n').nth(1).unwrap();
        let expected: &[u8] = if diskless == "yes" { b"$EOF:" } else { b"$" };
        assert!(header.starts_with(expected), "{}", header.escape_ascii());
        assert_eq!(header.starts_with(b"$EOF:"), diskless == "yes");
        assert!(version.check_file(&out.join("dump.rdb")).contains("RDB looks OK"), "{version:?}");
    }
}

/// Passes bytes between a client and a server, and keeps what the server sends.
struct RecordingProxy {
    dir: tempfile::TempDir,
    sent: Arc<Mutex<Vec<u8>>>,
}

/// Sees bytes before they are passed on.
type Watcher = dyn Fn(&[u8]) + Send + Sync;

impl RecordingProxy {
    fn start(server: PathBuf) -> Self {
        Self::watching(server, Arc::new(|_| ()))
    }

    /// One that shows what clients send before it passes it on.
    fn watching(server: PathBuf, see: Arc<Watcher>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("proxy.sock")).unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = UnixStream::connect(&server).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let see = Arc::clone(&see);
                thread::spawn(move || pass(from, to, |bytes| see(bytes)));
                let recorded = Arc::clone(&recorded);
                // One connection after the other: what is sent is kept apart only if it does not overlap.
                thread::spawn(move || {
                    let mut own = Vec::new();
                    pass(server, client, |bytes| own.extend_from_slice(bytes));
                    recorded.lock().unwrap().extend(own);
                });
            }
        });
        Self { dir, sent }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("proxy.sock")
    }

    fn sent(&self) -> Vec<u8> {
        wait_for("the snapshot", SOON, || {
            let sent = self.sent.lock().unwrap().clone();
            let has_begun = |header: &[u8]| memchr::memmem::find(&sent, header).is_some();
            (has_begun(b"REDIS0") || has_begun(b"VALKEY0")).then_some(sent)
        })
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, mut see: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n_read) => {
                see(&buffer[..n_read]);
                if to.write_all(&buffer[..n_read]).is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

#[test]
fn a_server_that_forbids_sync_is_read_key_by_key_and_says_so() {
    RedisVersion::WITH_CHECKER.into_iter().for_each(scanned);
}

fn scanned(version: RedisVersion) {
    let server = version.start_with(&["--rename-command", "SYNC", ""]);
    fill(&server);
    fill_with_many(&server, 2000, 10);
    let guard = guard_of(&server);
    let backup = guard.run(&["backup"]);
    assert_eq!(backup.code, Some(0), "{backup}");
    assert!(backup.stdout.contains("not of one moment"), "{backup}");
    assert!(guard.run(&["list"]).stdout.contains("(not a point in time)"));
    assert!(guard.run(&["show"]).stdout.contains("not of one moment"));
    let manifest = guard.json(&["show"]).yes();
    assert_eq!(manifest["facts"]["guarantee"], "not-a-point-in-time", "{manifest:#}");
    assert_eq!(manifest["facts"]["shards"][0]["method"], "scan");
    assert_eq!(manifest["facts"]["rdb_version"], version.numbers().1);
    prove_newest(&guard);
    // Nothing changed meanwhile, so it is what a snapshot would have been.
    let snapshot = version.start_from(&server.save(), &[]);
    let other = guard_of(&snapshot);
    other.backup();
    let expected = other.json(&["show"]).yes();
    assert_eq!(manifest["contents"]["keyspace"], expected["contents"]["keyspace"]);
    let out = guard.dir().join("out");
    guard.json(&["restore", "--to", &out.display().to_string()]).yes();
    assert!(version.check_file(&out.join("dump.rdb")).contains("RDB looks OK"), "{version:?}");
}

#[test]
fn keys_that_come_and_go_while_they_are_read_do_no_harm() {
    let server = TestRedis::start_with(&["--rename-command", "SYNC", ""]);
    fill_with_many(&server, 20_000, 10);
    let socket = server.socket();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = thread::spawn(move || {
        let mut to = RedisConnection::open(&socket).unwrap();
        let mut i = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            to.words(&format!("DEL key:{}", i % 10_000));
            to.words(&format!("SET new:{i} x PX 1"));
            to.words(&format!("PEXPIRE key:{} 100000", 10_000 + i % 10_000));
            i += 1;
        }
    });
    let guard = guard_of(&server);
    guard.backup();
    stop.send(()).unwrap();
    writer.join().unwrap();
    prove_newest(&guard);
    let keyspace = &guard.json(&["show"]).yes()["contents"]["keyspace"];
    // What was there from beginning to end is in it: the second half of the keys was never deleted.
    let strings = &keyspace["databases"]["0"]["string"];
    let keys = strings["persistent"]["keys"].as_u64().unwrap() + strings["expiring"]["keys"].as_u64().unwrap();
    assert!(keys >= 10_000, "{keyspace}");
}

#[test]
fn restore_md_is_followed_to_the_letter_without_guard() {
    let prepares = [|guard| guard, Guard::encrypted];
    for (version, prepare) in
        RedisVersion::WITH_CHECKER.into_iter().flat_map(|it| prepares.map(|prepare| (it, prepare)))
    {
        let source = version.start();
        fill(&source);
        let guard = prepare(guard_of(&source));
        let id = guard.backup();
        let folder = guard.folder("redis", &id);
        if guard.identity_file().exists() {
            fs::copy(guard.identity_file(), folder.join("key.txt")).unwrap();
        }
        let restored = follow(&folder, version);
        let copy = Guard::default().with("REDIS_URL", &format!("redis://127.0.0.1:{restored}"));
        copy.backup();
        let keyspace = |guard: &Guard| guard.json(&["show"]).yes()["contents"]["keyspace"].clone();
        let (expected, found) = (keyspace(&guard), keyspace(&copy));
        support::postgres::run(shutdown(restored), b"");
        assert_eq!(found, expected);
    }
}

/// Runs every shell block of the note in a shell that knows only the programs that the note names; returns the server's port.
fn follow(folder: &Path, version: RedisVersion) -> u16 {
    let note = fs::read_to_string(folder.join("RESTORE.md")).unwrap();
    let blocks: Vec<&str> = note.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3, "{note}");
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let servers = ["server", "check-rdb"].map(|program| format!("{}-{program}", version.product()));
    for program in ["sh", "cat", "sha256sum", "zstd", "age"].into_iter().chain(servers.iter().map(String::as_str)) {
        let dirs = [PathBuf::from("/usr/bin"), PathBuf::from("/bin"), version.bin_dir()];
        let found = dirs.iter().map(|dir| dir.join(program)).find(|path| path.exists());
        symlink(found.unwrap_or_else(|| panic!("this test needs {program}: run scripts/setup")), bin.join(program))
            .unwrap();
    }
    // The test's own: a port that is free, and a server that does not hold the shell up.
    let port = free_port();
    let script = blocks.concat().replace("--port 6379", &format!("--port {port} --daemonize yes"));
    let mut shell = Command::new(bin.join("sh"));
    shell.args(["-eu", "-c", &script]).current_dir(folder).env_clear().env("PATH", &bin);
    support::postgres::run(shell, b"");
    wait_for("the server", SOON, || {
        let mut cli = Command::new("redis-cli");
        let answer = cli.args(["-p", &port.to_string(), "PING"]).output().unwrap();
        answer.stdout.starts_with(b"PONG").then_some(())
    });
    port
}

fn shutdown(port: u16) -> Command {
    let mut cli = Command::new("redis-cli");
    cli.args(["-p", &port.to_string(), "SHUTDOWN", "NOSAVE"]);
    cli
}
