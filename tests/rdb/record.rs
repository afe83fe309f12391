//! The record: the same however the data is laid down, another after every change that a client could see.

use std::collections::BTreeSet;

use guard::contents::keyspace::{KeyKind, Keyspace, KindContents, differences};
use guard::source::redis::rdb::RdbOptions;

use super::filling::{PACKED, UNPACKED, deliver, fill};
use super::support::redis::{RedisVersion, Reply, TestRedis};
use super::{decode, decode_with, keyspace, type_bytes};

#[test]
fn an_empty_server_has_an_empty_record() {
    for version in RedisVersion::ALL {
        let server = version.start();
        let rdb = server.save();
        let summary = decode(&rdb);
        assert_eq!(summary.keyspace, Keyspace::default());
        assert_eq!(summary.bytes, rdb.len() as u64);
        assert!(summary.facts.has_checksum && summary.facts.created.is_some() && summary.facts.used_memory.is_some());
        let (expected, rdb_version) = version.numbers();
        assert!(summary.facts.server_version.as_deref().unwrap().starts_with(expected), "{:?}", summary.facts);
        assert_eq!((summary.facts.product, summary.facts.rdb_version), (Some(version.product()), rdb_version));
    }
}

#[test]
fn every_encoding_of_the_same_data_gives_the_same_record() {
    let mut records = Vec::new();
    let mut seen = BTreeSet::new();
    for version in RedisVersion::ALL {
        for (settings, backwards) in [(&[][..], false), (UNPACKED, false), (PACKED, true)] {
            let server = version.start_with(settings);
            fill(&mut server.connect(), backwards);
            let rdb = server.save();
            seen.extend(type_bytes(&rdb));
            records.push(decode(&rdb).keyspace);
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 2, 4, 5, 11, 16, 17, 18, 19, 20, 21]);
    // Redis 8 remembers which number a group has read to where 7 does not; everything else is equal between all of them.
    for (idx, record) in records.iter().enumerate() {
        assert_eq!(differences(&records[0], record), [], "{idx}");
        assert_eq!(&records[0], record, "{idx}");
    }
}

#[test]
fn counts_are_those_that_clients_see() {
    let server = RedisVersion::V7.start();
    let mut connection = server.connect();
    for line in [
        "SET a 12345",
        "SET bc x PXAT 4000000000000",
        "RPUSH l one two 3",
        "SADD s 1 2 3 4",
        "SADD t a bb",
        "ZADD z 1 one 2.5 two",
        "HSET h f v g 77 PX 5",
        "XADD x 1-1 f v g 77",
        "XADD x 1-2 f w",
        "SELECT 3",
        "SET other database",
    ] {
        connection.words(line);
    }
    let summary = decode(&server.save());
    let counts = |database: u64, kind: KeyKind| {
        let KindContents { persistent, expiring, .. } = summary.keyspace.databases[&database][&kind];
        [persistent, expiring].map(|keys| (keys.keys, keys.elements, keys.bytes))
    };
    assert_eq!(counts(0, KeyKind::String), [(1, 1, 6), (1, 1, 3)]);
    assert_eq!(counts(0, KeyKind::List), [(1, 3, 8), (0, 0, 0)]);
    assert_eq!(counts(0, KeyKind::Set), [(2, 6, 9), (0, 0, 0)]);
    assert_eq!(counts(0, KeyKind::Zset), [(1, 2, 23), (0, 0, 0)]);
    assert_eq!(counts(0, KeyKind::Hash), [(1, 3, 9), (0, 0, 0)]);
    assert_eq!(counts(0, KeyKind::Stream), [(1, 2, 40), (0, 0, 0)]);
    assert_eq!(counts(3, KeyKind::String), [(1, 1, 13), (0, 0, 0)]);
    assert_eq!(summary.keyspace.databases[&0][&KeyKind::String].earliest_expiry, Some(4_000_000_000_000));
    assert_eq!((summary.keyspace.keys(), summary.keyspace.expiring_keys()), (9, 1));
}

#[test]
fn every_change_that_a_client_could_see_changes_the_record() {
    let server = RedisVersion::V7.start();
    let mut connection = server.connect();
    fill(&mut connection, false);
    deliver(&mut connection);
    let mut before = keyspace(&server);
    assert_eq!(keyspace(&server), before, "a record does not change by itself");
    for change in [
        "XACK stream group 1010-32",
        "XDEL stream 1200-602",
        "XADD stream 9000-1 field 1",
        "XSETID stream 9000-2",
        "XGROUP CREATE stream third 0",
        "XGROUP SETID stream third 1005-16",
        "XGROUP CREATECONSUMER stream third c",
        "XGROUP DESTROY stream third",
        "XCLAIM stream group idle 0 1011-33 JUSTID",
        "XTRIM stream MAXLEN 600",
        "PEXPIREAT expiring:7 4000000007008",
        "PERSIST expiring:8",
        "PEXPIREAT bits 4000000000000",
        "DEL expiring:9",
        "LSET list 3 x",
        "RPOPLPUSH list list",
        "LINSERT list BEFORE x y",
        "LREM list 1 y",
        "SADD intset:512:511 7",
        "SREM set:128:128 member\\x20",
        "SMOVE set:all set:other 007",
        "ZINCRBY zset:512:511 0.0000000001 a",
        "ZINCRBY zset:scores 1e-9 6",
        "HSET hash:short 007 other",
        "HDEL hash:short 007",
        "HINCRBY hash-of:short 1 1",
        "SETBIT bits 99999 1",
        "APPEND string:3 x",
        "SET string:1 01",
        "RENAME string:1 string:moved",
        "MOVE string:5 14",
        "SWAPDB 2 3",
        "PFADD hll d",
        "ZADD geo 1 Palermo",
        "FUNCTION DELETE one",
    ] {
        let reply = connection.run(&change.replace("\\x20", " 7").split(' ').collect::<Vec<_>>());
        let after = keyspace(&server);
        let is_noop = change.starts_with("SREM") && reply == Reply::Integer(0);
        assert!(is_noop || after != before, "{change} ({reply:?}) is not seen");
        assert_eq!(differences(&before, &after).is_empty(), after == before, "{change}");
        before = after;
    }
}

#[test]
fn what_a_reader_leaves_behind_does_not_change_the_record() {
    let server = RedisVersion::V7.start_with(&["--maxmemory-policy", "allkeys-lfu", "--maxmemory", "1gb"]);
    let mut connection = server.connect();
    fill(&mut connection, false);
    let before = keyspace(&server);
    for _ in 0..200 {
        connection.words("GET string:3");
    }
    connection.words("CONFIG SET maxmemory-policy allkeys-lru");
    assert_eq!(keyspace(&server), before);
}

#[test]
fn expiring_fields_are_counted_and_change_the_record() {
    // Redis packs them in types of their own, Valkey has one type for all.
    let redis = expiring_fields(RedisVersion::V8, &[24, 25]);
    assert_eq!(expiring_fields(RedisVersion::Valkey9, &[22]), redis);
}

fn expiring_fields(version: RedisVersion, types: &[u8]) -> Keyspace {
    let server = version.start();
    let mut connection = server.connect();
    for line in [
        "HSET packed f 1 g 2",
        "HPEXPIREAT packed 4000000000000 FIELDS 1 f",
        "CONFIG SET hash-max-listpack-entries 1",
        "HSET table f 1 g 2 h 3",
        "HPEXPIREAT table 4000000000000 FIELDS 1 f",
        "HPEXPIREAT table 4000000000777 FIELDS 1 h",
    ] {
        connection.words(line);
    }
    let rdb = server.save();
    assert_eq!(type_bytes(&rdb).into_iter().collect::<Vec<_>>(), types);
    let before = decode(&rdb).keyspace;
    let hashes = before.databases[&0][&KeyKind::Hash];
    assert_eq!((hashes.persistent.keys, hashes.expiring.keys, hashes.expiring.elements), (0, 2, 5));
    assert_eq!((hashes.earliest_expiry, hashes.latest_expiry), (Some(4_000_000_000_000), Some(4_000_000_000_777)));
    for change in [
        "HPEXPIREAT table 4000000000778 FIELDS 1 h",
        "HPEXPIREAT packed 4000000000001 FIELDS 1 f",
        "HPERSIST packed FIELDS 1 f",
    ] {
        let earlier = keyspace(&server);
        connection.words(change);
        assert_ne!(keyspace(&server), earlier, "{change}");
    }
    let packed = version.start_with(PACKED);
    connection = packed.connect();
    for line in [
        "HSET table h 3 g 2 f 1",
        "HPEXPIREAT table 4000000000777 FIELDS 1 h",
        "HPEXPIREAT table 4000000000000 FIELDS 1 f",
        "HSET packed g 2 f 1",
        "HPEXPIREAT packed 4000000000000 FIELDS 1 f",
    ] {
        connection.words(line);
    }
    assert_eq!(keyspace(&packed), before);
    before
}

#[test]
fn passing_keys_are_told_apart_from_lost_ones() {
    for version in [RedisVersion::V8, RedisVersion::Valkey9] {
        passing_keys_are_told_apart_by(version);
    }
}

fn passing_keys_are_told_apart_by(version: RedisVersion) {
    let server = version.start();
    let mut connection = server.connect();
    for line in [
        "SET stays x",
        "SET soon x PXAT 4000000000000",
        "SET late x PXAT 5000000000000",
        "HSET part f v g w",
        "HPEXPIREAT part 4000000000000 FIELDS 1 f",
        "HSET later f v g w",
        "HPEXPIREAT later 4000000000000 FIELDS 1 f",
        "HPEXPIREAT later 5000000000000 FIELDS 1 g",
        "HSET whole f v",
        "HPEXPIREAT whole 4000000000000 FIELDS 1 f",
    ] {
        connection.words(line);
    }
    let record = |server: &TestRedis| {
        let options = RdbOptions { passing_until: Some(4_500_000_000_000), ..RdbOptions::default() };
        decode_with(options, &server.save(), 1 << 16).unwrap().keyspace
    };
    let before = record(&server);
    assert_eq!(before.databases[&0][&KeyKind::String].passing.keys, 1);
    let hashes = before.databases[&0][&KeyKind::Hash];
    assert_eq!(
        [hashes.passing, hashes.expiring, hashes.persistent].map(|keys| (keys.keys, keys.elements)),
        [(1, 0), (1, 1), (1, 1)]
    );
    for gone in ["DEL soon", "HDEL part f", "HDEL later f", "DEL whole"] {
        connection.words(gone);
        assert_eq!(differences(&before, &record(&server)), [], "{gone}");
    }
    for (lost, expected) in [
        ("HDEL later g", "0 expiring hash keys of database 0, expected 1"),
        ("HDEL part g", "0 persistent hash keys of database 0, expected 1"),
    ] {
        connection.words(lost);
        let found: Vec<String> = differences(&before, &record(&server)).iter().map(ToString::to_string).collect();
        assert!(found.contains(&expected.to_owned()), "{lost}: {found:?}");
    }
    connection.words("DEL late");
    let found: Vec<String> = differences(&before, &record(&server)).iter().map(ToString::to_string).collect();
    assert!(found.contains(&"0 expiring string keys of database 0, expected 1".to_owned()), "{found:?}");
}

#[test]
fn values_of_modules_are_passed_over_and_named() {
    let module = RedisVersion::V8.program().with_file_name("falkordb.so");
    let server = RedisVersion::V8.start_with(&["--loadmodule", module.to_str().unwrap()]);
    let mut connection = server.connect();
    connection.run(&[
        "GRAPH.QUERY",
        "social",
        "CREATE (:Person {name: 'Ann', age: 33.5})-[:KNOWS]->(:Person {name: 'Bob'})",
    ]);
    connection.words("SET after x");
    let summary = decode(&server.save());
    let graphs = &summary.keyspace.databases[&0][&KeyKind::Module];
    assert!(graphs.persistent.keys >= 1);
    assert!(summary.keyspace.modules["graphdata"].keys >= 1, "{:?}", summary.keyspace.modules);
    assert_eq!(summary.keyspace.databases[&0][&KeyKind::String].persistent.keys, 1);
}

/// Manifests keep digests: what they were computed from may never change.
#[test]
fn the_digest_of_a_record_stays_what_it_is() {
    let rdb: &[u8] = b"REDIS0011\xfe\x02\xf5\x04code\x00\x01a\x01v\xfc\x00\x10\xa5\xd4\xe8\x00\x00\x00\x00\x01b\xc0\x07\
        \x01\x01l\x02\x01x\x01y\x02\x01s\x02\x01x\x01y\x05\x01z\x01\x01x\x00\x00\x00\x00\x00\x00\xf8?\x04\x01h\x01\x01x\x01y\
        \x15\x01t\x00\x00\x01\x00\x01\x00\x00\x00\x01\x01\x01g\x01\x00\x01\x00\x00\xff\0\0\0\0\0\0\0\0";
    let record = serde_json::to_value(decode(rdb).keyspace).unwrap();
    let digest = |path: &str| record.pointer(path).unwrap().as_str().unwrap().to_owned();
    let kinds = ["string", "list", "set", "zset", "hash", "stream"];
    let found: Vec<String> =
        kinds.iter().map(|kind| digest(&format!("/databases/2/{kind}/persistent/digest"))).collect();
    let kept = [
        "940544bb1da5d515d13f2bf7e23d3ffe",
        "dbfdfceee1473bad8067c917326c482e",
        "2c19d2ce54812ec9309722a96725c3f7",
        "0702f8b4821c8d9ce9e51611d70fddbf",
        "3cbf8ddc7b1730dac0905ad4e35e15b2",
        "26d995327ff99a257ce8646ab3a2b69f",
    ];
    assert_eq!(found, kept);
    assert_eq!(digest("/databases/2/string/expiring/digest"), "fb13edabb1688d939cfe1be1dc0f42a0");
    assert_eq!(digest("/functions/digest"), "4fd0293633b70fabd83d4be5fd0b6a6a");
}
