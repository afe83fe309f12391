//! Redis through the real binary: what was backed up comes back exactly, wherever it is restored to and however it was read.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

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
use support::keyspace::{fill, fill_with_many, free_port, info, start_on_port, url};
use support::process::{SOON, wait_for};
use support::redis::RedisVersion::V8;
use support::redis::{RedisConnection, Reply, TestRedis};

fn guard_of(server: &TestRedis) -> Guard {
    Guard::default().with("REDIS_URL", &url(server))
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
    let start = || TestRedis::start_with(&["--enable-debug-command", "yes"]);
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
}

/// The newer server knows more encodings, and expiries of single fields.
#[test]
fn a_newer_server_takes_an_older_backup_and_an_older_one_refuses_a_newer() {
    let (old, new) = (TestRedis::start(), V8.start());
    fill(&old);
    fill(&new);
    new.connect().words("HPEXPIRE hash:small 100000000 FIELDS 1 field-0");
    let guard = guard_of(&old);
    guard.backup();
    let upgraded = V8.start();
    let answer = guard.json(&["restore", "--to", &url(&upgraded)]).yes();
    assert_eq!(answer["compared"], true, "{answer}");

    let programs = V8.program().parent().unwrap().display().to_string();
    let guard = guard_of(&new).with("GUARD_SCRATCH_BIN_DIR", &programs);
    guard.backup();
    prove_newest(&guard);
    let target = TestRedis::start();
    let error = guard.json(&["restore", "--to", &url(&target)]).error(2, "target-too-old");
    assert!(text(&error["message"]).contains("reads up to version 10"), "{error}");
    assert_eq!(target.connect().words("DBSIZE"), Reply::Integer(0));
    // No server that could load it is no verdict about the backup.
    let guard = guard.without("GUARD_SCRATCH_BIN_DIR");
    let error = guard.json(&["restore", "--to", "scratch"]).error(2, "scratch-failed");
    assert!(text(&error["message"]).contains("cannot load this snapshot"), "{error}");
    assert!(text(&error["help"]).contains("scratch.bin_dir"), "{error}");
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
    source.connect().words("SET short x PX 4000");
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
        let evidence = proof_after(&guard, damage);
        assert_eq!(evidence.reason.as_deref(), Some("contents-differ"), "{damage}: {evidence:?}");
    }
}

/// The evidence of a proof whose copy was damaged.
fn proof_after(guard: &Guard, damage: &str) -> Evidence {
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
            client: &ClientSearch::default(),
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
    for diskless in ["yes", "no"] {
        let server = TestRedis::start_with(&["--repl-diskless-sync", diskless]);
        fill(&server);
        let proxy = RecordingProxy::start(server.socket());
        let guard = Guard::default().with("REDIS_URL", &format!("unix://{}", proxy.socket().display()));
        guard.backup();
        let out = guard.dir().join("out");
        guard.json(&["restore", "--to", &out.display().to_string()]).yes();
        let rdb = fs::read(out.join("dump.rdb")).unwrap();
        let sent = proxy.sent();
        let at = memchr::memmem::find(&sent, &rdb).unwrap_or_else(|| panic!("diskless {diskless}: other bytes"));
        let header = sent[..at].rsplit(|byte| *byte == b'\n').nth(1).unwrap();
        let expected: &[u8] = if diskless == "yes" { b"$EOF:" } else { b"$" };
        assert!(header.starts_with(expected), "{}", header.escape_ascii());
        assert_eq!(header.starts_with(b"$EOF:"), diskless == "yes");
        let mut check = Command::new("redis-check-rdb");
        check.arg(out.join("dump.rdb"));
        assert!(said(check).contains("RDB looks OK"));
    }
}

/// Passes bytes between a client and a server, and keeps what the server sends.
struct RecordingProxy {
    dir: tempfile::TempDir,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl RecordingProxy {
    fn start(server: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("proxy.sock")).unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = UnixStream::connect(&server).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(from, to, |_| ()));
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
            memchr::memmem::find(&sent, b"REDIS0").map(|_| sent)
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
    let server = TestRedis::start_with(&["--rename-command", "SYNC", ""]);
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
    prove_newest(&guard);
    // Nothing changed meanwhile, so it is what a snapshot would have been.
    let snapshot = TestRedis::start_from(&server.save());
    let other = guard_of(&snapshot);
    other.backup();
    let expected = other.json(&["show"]).yes();
    assert_eq!(manifest["contents"]["keyspace"], expected["contents"]["keyspace"]);
    let out = guard.dir().join("out");
    guard.json(&["restore", "--to", &out.display().to_string()]).yes();
    let mut check = Command::new("redis-check-rdb");
    check.arg(out.join("dump.rdb"));
    assert!(said(check).contains("RDB looks OK"));
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
fn a_replica_is_a_source_and_a_master_that_is_gone_makes_it_none() {
    let (master, port) = start_on_port(&[]);
    fill(&master);
    let replica = TestRedis::start_with(&["--replicaof", "127.0.0.1", &port.to_string()]);
    wait_for("the replica", SOON, || (info(&mut replica.connect(), "master_link_status") == "up").then_some(()));
    let guard = guard_of(&replica);
    guard.backup();
    let shard = &guard.json(&["show"]).yes()["facts"]["shards"][0];
    assert_eq!(shard["role"], "slave");
    assert_eq!(shard["replication_id"], info(&mut master.connect(), "master_replid").as_str());
    prove_newest(&guard);
    let error = guard.json(&["restore", "--to", &format!("redis://127.0.0.1:{port}")]).error(2, "target-is-source");
    assert!(text(&error["message"]).contains(&port.to_string()), "{error}");
    drop(master);
    wait_for("the link's end", SOON, || (info(&mut replica.connect(), "master_link_status") == "down").then_some(()));
    let error = guard.json(&["backup"]).error(2, "source-failed");
    assert!(text(&error["message"]).contains("link to its master is down"), "{error}");
}

#[test]
fn sentinels_say_where_the_master_or_a_replica_is() {
    let (master, port) = start_on_port(&[]);
    fill(&master);
    let (replica, replica_port) = start_on_port(&["--replicaof", "127.0.0.1", &port.to_string()]);
    wait_for("the replica", SOON, || (info(&mut replica.connect(), "master_link_status") == "up").then_some(()));
    let sentinel_port = free_port();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sentinel.conf");
    fs::write(&file, format!("sentinel monitor cache 127.0.0.1 {port} 1\n")).unwrap();
    let (file, sentinel_port) = (file.display().to_string(), sentinel_port.to_string());
    let sentinel = TestRedis::start_from_file(&file, &["--port", &sentinel_port, "--sentinel"]);
    let config = |extra: &str| {
        format!(
            "[source.cache]\nkind = \"redis\"\nurl = \"redis://127.0.0.1:1,127.0.0.1:{sentinel_port}\"\n\
             sentinel = \"cache\"\n{extra}"
        )
    };
    let guard = Guard::configured(&config(""));
    guard.backup();
    let address = |guard: &Guard| text(&guard.json(&["show"]).yes()["facts"]["shards"][0]["address"]);
    assert_eq!(address(&guard), format!("127.0.0.1:{port}"));
    wait_for("the sentinel to see the replica", Duration::from_secs(40), || {
        let Reply::Array(replicas) = sentinel.connect().words("SENTINEL REPLICAS cache") else { return None };
        let shown = format!("{replicas:?}");
        let Reply::Array(fields) = replicas.first()? else { return None };
        let text = |at: usize| match fields.get(at) {
            Some(Reply::Bulk(Some(bytes))) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let status = (0..fields.len()).find(|at| text(*at) == "master-link-status").map(|at| text(at + 1));
        assert!(!shown.is_empty());
        (status.as_deref() == Some("ok")).then_some(())
    });
    guard.configure(&config("prefer_replica = true\n"));
    guard.backup();
    assert_eq!(address(&guard), format!("127.0.0.1:{replica_port}"));
    guard.configure(&config("").replace("sentinel = \"cache\"", "sentinel = \"other\""));
    let error = guard.json(&["backup"]).error(2, "source-failed");
    assert!(text(&error["message"]).contains("watches no master called `other`"), "{error}");
}

/// A cluster of so many masters that share the slots.
fn start_cluster(n_masters: usize) -> Vec<(TestRedis, u16)> {
    let settings = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"];
    let nodes: Vec<(TestRedis, u16)> = (0..n_masters).map(|_| start_on_port_below(&settings)).collect();
    let share = 16384 / n_masters;
    for (node_idx, (node, _)) in nodes.iter().enumerate() {
        let last = if node_idx + 1 == n_masters { 16383 } else { (node_idx + 1) * share - 1 };
        node.connect().words(&format!("CLUSTER ADDSLOTSRANGE {} {last}", node_idx * share));
        node.connect().words(&format!("CLUSTER SET-CONFIG-EPOCH {}", node_idx + 1));
    }
    for (node, _) in &nodes {
        for (_, port) in &nodes {
            node.connect().words(&format!("CLUSTER MEET 127.0.0.1 {port}"));
        }
    }
    for (node, _) in &nodes {
        wait_for("the cluster", SOON, || {
            let Reply::Bulk(Some(nodes)) = node.connect().words("CLUSTER INFO") else { return None };
            let text = String::from_utf8_lossy(&nodes).into_owned();
            let whole = text.contains("cluster_state:ok") && text.contains(&format!("cluster_known_nodes:{n_masters}"));
            whole.then_some(())
        });
    }
    nodes
}

/// The bus needs a port 10000 above.
fn start_on_port_below(settings: &[&str]) -> (TestRedis, u16) {
    let port = (0..1000)
        .map(|_| free_port())
        .find(|port| *port < 55_000 - 10_000)
        .unwrap_or_else(|| 20_000 + free_port() % 20_000);
    let text = port.to_string();
    let settings: Vec<&str> = ["--port", &text].into_iter().chain(settings.iter().copied()).collect();
    (TestRedis::start_with(&settings), port)
}

fn fill_cluster(nodes: &[(TestRedis, u16)], n_keys: usize) {
    let port = nodes[0].1.to_string();
    for key_idx in 0..n_keys {
        let mut cli = Command::new("redis-cli");
        cli.args(["-c", "-p", &port, "SET", &format!("key:{key_idx}"), &format!("value {key_idx}")]);
        assert!(said(cli).contains("OK"));
    }
}

#[test]
fn each_master_of_a_cluster_is_a_stream_of_one_backup() {
    let nodes = start_cluster(3);
    fill_cluster(&nodes, 60);
    let library = "#!lua name=lib\nredis.register_function('one', function() return 1 end)";
    for (node, _) in &nodes {
        drop(node.connect().run(&["FUNCTION", "LOAD", library]));
    }
    let guard = Guard::default().with("REDIS_URL", &format!("redis://127.0.0.1:{}", nodes[1].1));
    guard.backup();
    let manifest = guard.json(&["show"]).yes();
    let streams: Vec<_> = manifest["streams"].as_array().unwrap().iter().map(|stream| text(&stream["name"])).collect();
    assert_eq!(streams, ["dump-1", "dump-2", "dump-3"]);
    assert_eq!(manifest["facts"]["shards"][2]["slots"][0], "10922-16383", "{manifest:#}");
    prove_newest(&guard);
    // Into one server, and into a cluster that is cut in another way.
    let alone = TestRedis::start();
    let other = start_cluster(2);
    for target in [url(&alone), format!("redis://127.0.0.1:{}", other[0].1)] {
        let answer = guard.json(&["restore", "--to", &target]).yes();
        let found = (&answer["keys"], &answer["functions"], &answer["compared"]);
        assert_eq!(found, (&60.into(), &1.into(), &true.into()), "{target}");
    }
    let here = guard.json(&["restore", "--to", &format!("redis://127.0.0.1:{}", nodes[2].1)]);
    here.error(2, "target-is-source");

    // Slots on their way hide keys from both sides.
    let Reply::Bulk(Some(id)) = nodes[1].0.connect().words("CLUSTER MYID") else { panic!("an id is a text") };
    nodes[0].0.connect().words(&format!("CLUSTER SETSLOT 0 MIGRATING {}", String::from_utf8_lossy(&id)));
    let toml = "[source.cache]\nkind = \"redis\"\nretries = 0\n";
    let impatient = Guard::configured(&format!("{toml}url = \"redis://127.0.0.1:{}\"\n", nodes[0].1));
    let error = impatient.json(&["backup"]).error(2, "cluster-moving");
    assert!(text(&error["message"]).contains("moving slots"), "{error}");
}

#[test]
fn restore_md_is_followed_to_the_letter_without_guard() {
    for prepare in [|guard| guard, Guard::encrypted] {
        let source = TestRedis::start();
        fill(&source);
        let guard = prepare(guard_of(&source));
        let id = guard.backup();
        let folder = guard.folder("redis", &id);
        if guard.identity_file().exists() {
            fs::copy(guard.identity_file(), folder.join("key.txt")).unwrap();
        }
        let restored = follow(&folder);
        let copy = Guard::default().with("REDIS_URL", &format!("redis://127.0.0.1:{restored}"));
        copy.backup();
        let keyspace = |guard: &Guard| guard.json(&["show"]).yes()["contents"]["keyspace"].clone();
        let (expected, found) = (keyspace(&guard), keyspace(&copy));
        support::postgres::run(shutdown(restored), b"");
        assert_eq!(found, expected);
    }
}

/// Runs every shell block of the note in a shell that knows only the programs that the note names; returns the server's port.
fn follow(folder: &Path) -> u16 {
    let note = fs::read_to_string(folder.join("RESTORE.md")).unwrap();
    let blocks: Vec<&str> = note.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3, "{note}");
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    for program in ["sh", "cat", "sha256sum", "zstd", "age", "redis-server", "redis-check-rdb"] {
        let found = ["/usr/bin", "/bin"].iter().map(|dir| Path::new(dir).join(program)).find(|path| path.exists());
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
