//! What Valkey wrote: files kept from real servers mean what Redis has after the same commands, and what is Valkey's alone.

use std::fs;
use std::path::{Path, PathBuf};

use guard::contents::keyspace::differences;
use guard::source::redis::rdb::RdbOptions;

use super::support::redis::{RedisConnection, RedisVersion};
use super::{decode, decode_with, keyspace, type_bytes};

/// Every type of value that a server of today writes, on both sides of the thresholds, twice the same by the same commands.
fn put_in(connection: &mut RedisConnection, expires_fields: bool) {
    for line in [
        "CONFIG SET maxmemory-policy allkeys-lfu",
        "SET plain value",
        "SET number 1234567",
        "SET expiring gone PXAT 4000000000000",
        "SETBIT bits 1000 1",
        "PFADD hll a b c",
        "GEOADD places 13.361389 38.115556 Palermo",
        "RPUSH list a 1 bb -70000",
        "SADD integers 1 2 70000",
        "SADD words a b",
        "ZADD scores 1 a 2.5 b -inf c",
        "HSET packed f 1 g v",
        "XADD stream 1-1 f v",
        "XADD stream 2-1 g w h 7",
        "XADD stream 2-2 f w",
        "XDEL stream 2-1",
        "XGROUP CREATE stream readers 1-1",
        "CONFIG SET hash-max-listpack-entries 2",
        "CONFIG SET zset-max-listpack-entries 2",
        "CONFIG SET list-max-listpack-size 2",
        "HSET table f 1 g v h w",
        "ZADD skiplist 1.5 a 2 b 3 c",
        "RPUSH nodes a b c d e",
    ] {
        connection.words(line);
    }
    if expires_fields {
        connection.words("HPEXPIREAT packed 4000000000000 FIELDS 1 f");
        connection.words("HPEXPIREAT table 4000000000777 FIELDS 2 g h");
    }
    for member in 0..150 {
        connection.words(&format!("SADD hashtable member-{member}"));
    }
    connection.run(&["SET", "compressed", &"ab".repeat(40)]);
    connection.run(&[&b"SET"[..], b"\xff\0\r\nbinary", &[0, 255, 13, 10]]);
    connection.run(&["FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('one', function() return 1 end)"]);
    for database in 1..16 {
        connection.words(&format!("SELECT {database}"));
        connection.words(&format!("SET key database-{database}"));
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/redis").join(name)
}

/// `UPDATE_EXPECTED=1` has the servers write them anew.
#[test]
fn files_that_valkey_wrote_mean_what_was_put_in() {
    let check = |writer: RedisVersion, name: &str, twin: RedisVersion, types: &[u8]| {
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            let server = writer.start();
            put_in(&mut server.connect(), writer.expires_fields());
            fs::write(fixture(name), server.save()).unwrap();
        }
        let rdb = fs::read(fixture(name)).unwrap();
        let summary = decode(&rdb);
        let (version, rdb_version) = writer.numbers();
        assert_eq!((summary.facts.product, summary.facts.rdb_version), (Some("valkey"), rdb_version));
        assert!(summary.facts.server_version.as_deref().unwrap().starts_with(version), "{:?}", summary.facts);
        assert!(summary.facts.has_checksum);
        assert_eq!(type_bytes(&rdb).into_iter().collect::<Vec<_>>(), types, "{name}");
        assert_eq!(decode_with(RdbOptions::default(), &rdb, 1).unwrap(), summary);
        let redis = twin.start();
        put_in(&mut redis.connect(), writer.expires_fields());
        let expected = keyspace(&redis);
        assert_eq!(differences(&expected, &summary.keyspace), [], "{name}");
        assert_eq!(summary.keyspace, expected, "{name}");
    };
    check(RedisVersion::Valkey8, "valkey-8.1.8.rdb", RedisVersion::V7, &[0, 2, 4, 5, 11, 16, 17, 18, 20, 21]);
    check(RedisVersion::Valkey9, "valkey-9.1.2.rdb", RedisVersion::V8, &[0, 2, 5, 11, 17, 18, 20, 21, 22]);
}

/// A snapshot of a master that is taking slots over has keys of them that another master still serves.
#[test]
fn slots_on_their_way_are_told() {
    let rdb = |opcode: &[u8]| [&b"VALKEY080"[..], opcode, b"\xfe\x00\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0"].concat();
    let importing = decode(&rdb(&[&b"\xf3\x28"[..], &[b'a'; 40], b"\x01\x00\x5f\x40"].concat()));
    assert!(importing.facts.has_slots_on_their_way);
    let quiet = decode(&rdb(b""));
    assert!(!quiet.facts.has_slots_on_their_way);
    assert_eq!(importing.keyspace, quiet.keyspace);
}
