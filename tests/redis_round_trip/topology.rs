//! Replicas, sentinels and clusters as sources, and clusters as targets.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::support::guard::{Guard, text};
use super::support::keyspace::{fill, info, start_on_port, url};
use super::support::port::free_port;
use super::support::process::{SOON, wait_for};
use super::support::redis::{RedisVersion, Reply, TestRedis};
use super::{guard_of, prove_newest, said};

#[test]
fn a_replica_is_a_source_and_a_master_that_is_gone_makes_it_none() {
    RedisVersion::EACH_PRODUCT.into_iter().for_each(replica_without_master);
}

fn replica_without_master(version: RedisVersion) {
    let (master, port) = start_on_port(version, &[]);
    fill(&master);
    let replica = version.start_with(&["--replicaof", "127.0.0.1", &port.to_string()]);
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
    sentinels(RedisVersion::V7);
}

#[test]
fn sentinels_of_valkey_say_where_the_master_or_a_replica_is() {
    sentinels(RedisVersion::Valkey9);
}

fn sentinels(version: RedisVersion) {
    let (master, port) = start_on_port(version, &[]);
    fill(&master);
    let (replica, replica_port) = start_on_port(version, &["--replicaof", "127.0.0.1", &port.to_string()]);
    wait_for("the replica", SOON, || (info(&mut replica.connect(), "master_link_status") == "up").then_some(()));
    let sentinel_port = free_port();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sentinel.conf");
    fs::write(&file, format!("sentinel monitor cache 127.0.0.1 {port} 1\n")).unwrap();
    let (file, sentinel_port) = (file.display().to_string(), sentinel_port.to_string());
    let sentinel = TestRedis::start_from_file(version, &file, &["--port", &sentinel_port, "--sentinel"]);
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
    wait_for("the sentinel to see the replica", Duration::from_mins(2), || {
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
fn start_cluster(version: RedisVersion, n_masters: usize, settings: &[&str]) -> Vec<(TestRedis, u16)> {
    let settings = [&["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"][..], settings].concat();
    let nodes: Vec<(TestRedis, u16)> = (0..n_masters).map(|_| start_on_port(version, &settings)).collect();
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
    cluster(RedisVersion::V7);
}

#[test]
fn each_master_of_a_cluster_of_valkey_is_a_stream_of_one_backup() {
    cluster(RedisVersion::Valkey9);
}

fn cluster(version: RedisVersion) {
    let nodes = start_cluster(version, 3, &[]);
    fill_cluster(&nodes, 60);
    let library = "#!lua name=lib\nredis.register_function('one', function() return 1 end)";
    for (node, _) in &nodes {
        drop(node.connect().run(&["FUNCTION", "LOAD", library]));
    }
    let guard = guard_of(&nodes[1].0).with("REDIS_URL", &format!("redis://127.0.0.1:{}", nodes[1].1));
    guard.backup();
    let manifest = guard.json(&["show"]).yes();
    let streams: Vec<_> = manifest["streams"].as_array().unwrap().iter().map(|stream| text(&stream["name"])).collect();
    assert_eq!(streams, ["dump-1", "dump-2", "dump-3"]);
    assert_eq!(manifest["facts"]["shards"][2]["slots"][0], "10922-16383", "{manifest:#}");
    prove_newest(&guard);
    // Into one server, and into a cluster that is cut in another way.
    let alone = version.start();
    let other = start_cluster(version, 2, &[]);
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

/// Valkey 9 has several databases in a cluster, if it is told so.
#[test]
fn a_cluster_of_several_databases_comes_back_into_one_that_has_them() {
    let settings = ["--cluster-databases", "4"];
    let nodes = start_cluster(RedisVersion::Valkey9, 1, &settings);
    let mut here = nodes[0].0.connect();
    here.words("SET zero x");
    here.words("SELECT 3");
    here.words("SET three x");
    let guard = guard_of(&nodes[0].0);
    guard.backup();
    prove_newest(&guard);
    let one_database = start_cluster(RedisVersion::Valkey9, 1, &[]);
    let error = guard.json(&["restore", "--to", &url(&one_database[0].0)]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("has no database 3"), "{error}");
    assert_eq!(one_database[0].0.connect().words("DBSIZE"), Reply::Integer(0));
    let target = start_cluster(RedisVersion::Valkey9, 1, &settings);
    let answer = guard.json(&["restore", "--to", &url(&target[0].0)]).yes();
    assert_eq!((&answer["keys"], &answer["compared"]), (&2.into(), &true.into()), "{answer}");
}

/// Valkey 9 moves slots as a whole, and `CLUSTER NODES` says nothing of it until they are there: by then the keys that had
/// come so far would be in the backup twice.
#[test]
fn slots_that_are_on_their_way_as_a_whole_end_the_backup() {
    let nodes = start_cluster(RedisVersion::Valkey9, 2, &[]);
    fill_cluster(&nodes, 60);
    let mut exporting = nodes[1].0.connect();
    // A fifth of a second a key: the move lasts as long as it is looked at.
    exporting.words("CONFIG SET rdb-key-save-delay 200000");
    let Reply::Bulk(Some(id)) = nodes[0].0.connect().words("CLUSTER MYID") else { panic!("an id is a text") };
    exporting.words(&format!("CLUSTER MIGRATESLOTS SLOTSRANGE 8192 16000 NODE {}", String::from_utf8_lossy(&id)));
    wait_for("the move to begin", SOON, || {
        let jobs = exporting.words("CLUSTER GETSLOTMIGRATIONS");
        contains_text(&jobs, b"snapshotting").then_some(())
    });
    // The child that sends the slots keeps the delay.
    exporting.words("CONFIG SET rdb-key-save-delay 0");
    let toml = "[source.cache]\nkind = \"redis\"\nretries = 0\n";
    let guard = Guard::configured(&format!("{toml}url = \"redis://127.0.0.1:{}\"\n", nodes[0].1));
    let error = guard.json(&["backup"]).error(2, "cluster-moving");
    assert!(text(&error["message"]).contains("moving slots"), "{error}");
    assert_eq!(guard.listed(), Vec::<String>::new());
}

/// Whether this text stands anywhere in an answer.
fn contains_text(reply: &Reply, text: &[u8]) -> bool {
    match reply {
        Reply::Bulk(Some(bytes)) => bytes == text,
        Reply::Array(replies) => replies.iter().any(|reply| contains_text(reply, text)),
        _ => false,
    }
}
