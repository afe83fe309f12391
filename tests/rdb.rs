//! The RDB decoder on what real servers write: every type on both sides of every encoding's threshold.

#![allow(clippy::unwrap_used, reason = "a failure is the test's")]

mod support;

use std::collections::BTreeSet;

use guard::contents::keyspace::{KeyKind, Keyspace, KindContents, differences};
use guard::source::redis::rdb::{
    Entries, Entry, KeyEntry, RdbDecoder, RdbError, RdbOptions, RdbProblem, RdbSummary, RdbWriter, read_dump,
    restore_payload,
};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::redis::{RedisConnection, RedisVersion, Reply, TestRedis};

/// Settings under which a server packs nothing, and under which it packs everything.
const UNPACKED: &[&str] = &[
    "--hash-max-listpack-entries",
    "0",
    "--zset-max-listpack-entries",
    "0",
    "--set-max-intset-entries",
    "0",
    "--list-max-listpack-size",
    "1",
    "--stream-node-max-entries",
    "1",
    "--rdbcompression",
    "no",
];
const PACKED: &[&str] = &[
    "--hash-max-listpack-entries",
    "9999",
    "--hash-max-listpack-value",
    "9999",
    "--zset-max-listpack-entries",
    "9999",
    "--zset-max-listpack-value",
    "9999",
    "--set-max-intset-entries",
    "9999",
    "--list-max-listpack-size",
    "-5",
    "--list-compress-depth",
    "1",
];

fn decode_with(options: RdbOptions, rdb: &[u8], piece: usize) -> Result<RdbSummary, RdbError> {
    let mut decoder = RdbDecoder::new(options);
    for piece in rdb.chunks(piece) {
        let taken = decoder.feed(piece)?;
        assert_eq!(taken, piece.len(), "the RDB ended before its end");
    }
    decoder.finish()
}

fn decode(rdb: &[u8]) -> RdbSummary {
    decode_with(RdbOptions::default(), rdb, 256 << 10).unwrap()
}

fn keyspace(server: &TestRedis) -> Keyspace {
    decode(&server.save()).keyspace
}

fn entries(rdb: &[u8]) -> Vec<Entry> {
    Entries::new(rdb, RdbOptions::default()).collect::<Result<_, _>>().unwrap()
}

/// The numbers of the types in an RDB.
fn type_bytes(rdb: &[u8]) -> BTreeSet<u8> {
    let keys = entries(rdb).into_iter().filter_map(|entry| match entry {
        Entry::Key(entry) => Some(entry.payload.unwrap()[0]),
        Entry::Function(_) => None,
    });
    keys.collect()
}

fn command<A: AsRef<[u8]>>(arguments: impl IntoIterator<Item = A>) -> Vec<Vec<u8>> {
    arguments.into_iter().map(|argument| argument.as_ref().to_vec()).collect()
}

/// Values of every length class and every width of a number, in text and in bytes that are no text.
fn values() -> Vec<Vec<u8>> {
    let numbers = [0, 1, 12, 13, -1, 127, 128, -128, 4095, 4096, -4096, 32767, 32768, -32769, 8_388_607, 8_388_608];
    let wide = [i64::from(i32::MAX), i64::from(i32::MIN) - 1, i64::MAX, i64::MIN];
    let mut values: Vec<Vec<u8>> = numbers.into_iter().chain(wide).map(|n: i64| n.to_string().into_bytes()).collect();
    values.extend(["", "007", "-0", "1.5", "+1", "9223372036854775808", " 1"].map(|text| text.as_bytes().to_vec()));
    for length in [20, 21, 62, 63, 64, 65, 127, 128, 4095, 4096, 16383, 16384, 70_000] {
        values.push(vec![b'x'; length]);
        values.push((0..length).map(|idx| u8::try_from((idx * 7 + idx / 251) % 256).unwrap()).collect());
    }
    values
}

/// A keyspace with every type around every threshold; `backwards` adds everything in the other order.
fn fill(connection: &mut RedisConnection, backwards: bool) {
    let mut commands = Vec::new();
    let values = values();
    for (idx, value) in values.iter().enumerate() {
        let mut add = |name: &str, key: &str, arguments: &[&[u8]]| {
            commands.push(command([&[name.as_bytes(), key.as_bytes()], arguments].concat()));
        };
        let (number, score) = (idx.to_string(), format!("{}", (idx as f64 - 3.0) / 7.0));
        add("SET", &format!("string:{idx}"), &[value]);
        for which in ["all", if value.len() <= 64 { "short" } else { "long" }] {
            add("SADD", &format!("set:{which}"), &[value]);
            add("ZADD", &format!("zset:{which}"), &[score.as_bytes(), value]);
            add("HSET", &format!("hash:{which}"), &[value, number.as_bytes()]);
            add("HSET", &format!("hash-of:{which}"), &[number.as_bytes(), value]);
        }
    }
    for (limit, n_elements) in
        [128, 512].into_iter().flat_map(|limit| [(limit, limit - 1), (limit, limit), (limit, limit + 1)])
    {
        for idx in 0..n_elements {
            let (key, number) = (|kind: &str| format!("{kind}:{limit}:{n_elements}"), idx.to_string());
            let member = format!("member {idx}");
            commands.push(command(["SADD", &key("intset"), &(i64::from(idx) * 40_000 - 70_000).to_string()]));
            commands.push(command(["SADD", &key("set"), &member]));
            commands.push(command(["ZADD", &key("zset"), &number, &member]));
            commands.push(command(["HSET", &key("hash"), &member, &number]));
        }
    }
    for (idx, score) in
        ["inf", "-inf", "0", "-0", "1e300", "-1.7976931348623157e308", "0.1", "5e-324"].iter().enumerate()
    {
        commands.push(command(["ZADD", "zset:scores", score, &idx.to_string()]));
    }
    commands.push(command(["GEOADD", "geo", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania"]));
    commands.push(command(["PFADD", "hll", "a", "b", "c"]));
    commands.push(command(["SETBIT", "bits", "100000", "1"]));
    for idx in 0..300_i64 {
        let name = [&[0xff, 0, b'\n'], &idx.to_be_bytes()[..]].concat();
        commands.push(vec![b"SET".to_vec(), name, b"binary".to_vec()]);
        let at = (4_000_000_000_000 + idx * 1001).to_string();
        commands.push(command(["SET", &format!("expiring:{idx}"), "gone one day", "PXAT", &at]));
    }
    if backwards {
        commands.reverse();
    }
    // The order of a list and of a stream is part of it.
    for value in &values {
        commands.push(command([b"RPUSH", &b"list"[..], value]));
        commands.push(command([b"RPUSH", &b"list of one"[..], value]));
        commands.push(command([b"LTRIM", &b"list of one"[..], b"-1", b"-1"]));
    }
    for idx in 0..700 {
        commands.push(command(["RPUSH", "long list", &format!("item {idx}")]));
        let field = if idx % 50 == 0 { "other" } else { "field" };
        commands.push(command([
            "XADD",
            "stream",
            &format!("{}-{}", 1000 + idx / 3, idx),
            field,
            &idx.to_string(),
            "b",
            "x",
        ]));
    }
    commands.push(command(["XDEL", "stream", "1003-9", "1003-10", "1100-300"]));
    commands.push(command(["XGROUP", "CREATE", "stream", "group", "1010-30"]));
    commands.push(command(["XGROUP", "CREATE", "stream", "other group", "$"]));
    for database in 1..16 {
        commands.push(command(["SELECT", &database.to_string()]));
        commands.push(command(["SET", "key", &format!("of database {database}")]));
    }
    commands.push(command(["SELECT", "0"]));
    commands.push(command([
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=one\nredis.register_function('one', function() return 1 end)",
    ]));
    commands.push(command([
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=two\nredis.register_function('two', function() return 2 end)",
    ]));
    connection.pipeline(commands);
}

/// Something pending in a group: what only a stream's owner could tell.
fn deliver(connection: &mut RedisConnection) {
    connection.words("XGROUP CREATECONSUMER stream group idle");
    connection.words("XREADGROUP GROUP group first COUNT 5 STREAMS stream >");
    connection.words("XREADGROUP GROUP group second COUNT 3 STREAMS stream >");
    connection.words("XACK stream group 1010-31");
}

#[test]
fn an_empty_server_has_an_empty_record() {
    for version in RedisVersion::ALL {
        let server = version.start();
        let rdb = server.save();
        let summary = decode(&rdb);
        assert_eq!(summary.keyspace, Keyspace::default());
        assert_eq!(summary.bytes, rdb.len() as u64);
        assert!(summary.facts.has_checksum && summary.facts.created.is_some() && summary.facts.used_memory.is_some());
        let expected = if version == RedisVersion::V7 { "7.0." } else { "8.2." };
        assert!(summary.facts.server_version.as_deref().unwrap().starts_with(expected), "{:?}", summary.facts);
        assert_eq!(summary.facts.product, Some("redis"));
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
    // Redis 8 remembers which number a group has read to where 7 does not; everything else is equal between the two.
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
fn pieces_of_any_size_give_the_same_record() {
    let server = RedisVersion::V8.start();
    fill(&mut server.connect(), false);
    deliver(&mut server.connect());
    let rdb = server.save();
    let whole = decode(&rdb);
    for piece in [1, 2, 7, 4096, 65_537, rdb.len()] {
        assert_eq!(decode_with(RdbOptions::default(), &rdb, piece).unwrap(), whole, "pieces of {piece}");
    }
}

/// Everything small that a server can write, twice: few enough bytes to try each.
fn small_rdbs() -> Vec<Vec<u8>> {
    let small = |version: RedisVersion| {
        let server = version.start();
        let mut connection = server.connect();
        for line in [
            "SET s v",
            "SET n 1234567",
            "SET e v PXAT 4000000000000",
            "RPUSH l a 1 bb",
            "SADD i 1 2 70000",
            "SADD m a b",
            "ZADD z 1 a 2.5 b",
            "HSET h f 1 g v",
            "XADD x 1-1 f v",
            "XADD x 2-1 g w h 7",
            "XGROUP CREATE x grp 0",
            "XREADGROUP GROUP grp c COUNT 1 STREAMS x >",
            "CONFIG SET hash-max-listpack-entries 0",
            "CONFIG SET zset-max-listpack-entries 0",
            "HSET hh f v",
            "ZADD zz 1.5 a",
            "CONFIG SET set-max-intset-entries 0",
            "SADD mm 7",
            "SELECT 5",
            "SET other x",
        ] {
            connection.words(line);
        }
        connection.run(&["SET", "lzf", &"ab".repeat(40)]);
        connection.run(&["FUNCTION", "LOAD", "#!lua name=f\nredis.register_function('f', function() return 1 end)"]);
        if version == RedisVersion::V8 {
            connection.words("HPEXPIREAT hh 4000000000000 FIELDS 1 f");
            connection.words("CONFIG SET hash-max-listpack-entries 10");
            connection.words("HSET he f v g w");
            connection.words("HPEXPIREAT he 4000000000000 FIELDS 1 f");
        }
        server.save()
    };
    RedisVersion::ALL.map(small).to_vec()
}

#[test]
fn every_flipped_bit_and_every_truncation_is_found() {
    for rdb in small_rdbs() {
        decode(&rdb);
        for length in 0..rdb.len() {
            let error = decode_with(RdbOptions::default(), &rdb[..length], 64).unwrap_err();
            assert!(error.offset <= length as u64, "{error}");
        }
        for (position, bit) in (0..rdb.len()).flat_map(|position| (0..8).map(move |bit| (position, bit))) {
            let mut damaged = rdb.clone();
            damaged[position] ^= 1 << bit;
            let mut decoder = RdbDecoder::new(RdbOptions::default());
            let read = decoder.feed(&damaged).and_then(|taken| decoder.finish().map(|summary| (taken, summary)));
            assert!(
                !matches!(read, Ok((taken, _)) if taken == damaged.len()),
                "bit {bit} of byte {position} is not seen"
            );
        }
    }
}

/// Larger than what can be tried byte by byte: damage at places chosen by chance.
#[test]
fn damage_anywhere_in_a_larger_rdb_is_found() {
    let server = RedisVersion::V7.start();
    fill(&mut server.connect(), false);
    deliver(&mut server.connect());
    let rdb = server.save();
    assert!(rdb.len() > 100_000, "{} bytes", rdb.len());
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..60 {
        let (position, bit) = (random.random_range(0..rdb.len()), random.random_range(0..8));
        let mut damaged = rdb.clone();
        damaged[position] ^= 1 << bit;
        assert!(whole(&damaged).is_err(), "bit {bit} of byte {position} is not seen");
        let length = random.random_range(0..rdb.len());
        assert!(whole(&rdb[..length]).is_err(), "a cut after {length} bytes is not seen");
    }
}

/// The record, if every byte of these belongs to one good RDB.
fn whole(bytes: &[u8]) -> Result<RdbSummary, String> {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    let taken = decoder.feed(bytes).map_err(|error| error.to_string())?;
    let summary = decoder.finish().map_err(|error| error.to_string())?;
    if taken == bytes.len() { Ok(summary) } else { Err("bytes are left over".to_owned()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// The same as the fuzz target `rdb`, on fewer inputs: any bytes in pieces of any size are a record or an error, the same
    /// as in one piece, and never a panic.
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_answer(
        version in prop::sample::select(vec![&b"REDIS0012"[..], b"REDIS0010", b"VALKEY080", b""]),
        type_byte in prop_oneof![0..28_u8, 240..=255_u8],
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 2, 0x0f, 0x40, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xff])],
            0..200,
        ),
        piece in 1..64_usize,
    ) {
        let rdb = [version, &[type_byte, 1, b'k'], &bytes].concat();
        let decode = |piece: usize| {
            let mut decoder = RdbDecoder::new(RdbOptions::default());
            rdb.chunks(piece).try_for_each(|piece| decoder.feed(piece).map(drop))?;
            decoder.finish()
        };
        prop_assert_eq!(decode(piece), decode(rdb.len()));
        for entry in Entries::new(&rdb[..], RdbOptions::default()) {
            if entry.is_err() {
                break;
            }
        }
    }
}

/// Without the checksum anything may come: no panic, no endless loop, no allocation that the bytes do not justify.
#[test]
fn damage_without_a_checksum_ends_in_a_record_or_an_error() {
    let rdbs = small_rdbs().into_iter().map(|mut rdb| {
        let end = rdb.len() - 8;
        rdb[end..].fill(0);
        rdb
    });
    let mut random = StdRng::seed_from_u64(4);
    for rdb in rdbs {
        assert!(!decode(&rdb).facts.has_checksum);
        for _ in 0..30_000 {
            let mut damaged = rdb.clone();
            for _ in 0..random.random_range(1..4) {
                let position = random.random_range(9..damaged.len() - 8);
                match random.random_range(0..4) {
                    0 => damaged[position] = random.random(),
                    1 => damaged[position] = [0, 0x3f, 0x40, 0x80, 0x81, 0xc0, 0xc3, 0xff][random.random_range(0..8)],
                    2 => drop(damaged.drain(position..(position + random.random_range(1..9)).min(damaged.len() - 8))),
                    _ => damaged.splice(position..position, (0..8).map(|_| 0xff).collect::<Vec<u8>>()).for_each(drop),
                }
            }
            let mut decoder = RdbDecoder::new(RdbOptions::default());
            if decoder.feed(&damaged).is_ok() {
                let _ = decoder.finish();
            }
            for entry in Entries::new(&damaged[..], RdbOptions::default()) {
                if entry.is_err() {
                    break;
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused_and_the_end_is_told() {
    let rdb = small_rdbs().remove(0);
    let longer = [&rdb[..], b"0123456789"].concat();
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    assert_eq!(decoder.feed(&longer), Ok(rdb.len()));
    assert!(decoder.is_complete());
    assert_eq!(decoder.feed(b"more"), Ok(0));
    let error = Entries::new(&longer[..], RdbOptions::default()).find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), format!("byte {} of the RDB: bytes follow the end of the RDB", rdb.len()));
    let split = std::io::Read::chain(&rdb[..], &b"x"[..]);
    assert!(Entries::new(split, RdbOptions::default()).any(|entry| entry.is_err()));
}

#[test]
fn entries_restored_into_a_running_server_give_the_same_record() {
    for version in RedisVersion::ALL {
        let source = version.start();
        fill(&mut source.connect(), false);
        deliver(&mut source.connect());
        let rdb = source.save();
        let target = version.start();
        let mut connection = target.connect();
        let mut reader = Entries::new(&rdb[..], RdbOptions::default());
        let rdb_version = decode(&rdb).facts.rdb_version;
        while let Some(entry) = reader.next_entry().unwrap() {
            match entry {
                Entry::Function(code) => drop(connection.run(&[&b"FUNCTION"[..], b"LOAD", &code])),
                Entry::Key(KeyEntry { database, key, expires_at, payload, .. }) => {
                    connection.run(&["SELECT", &database.to_string()]);
                    let payload = restore_payload(payload.unwrap(), rdb_version);
                    let ttl = expires_at.unwrap_or(0).to_string();
                    connection.run(&[b"RESTORE", &key[..], ttl.as_bytes(), &payload, b"ABSTTL"]);
                }
            }
        }
        let summary = reader.finish().unwrap();
        assert_eq!(summary, decode(&rdb));
        assert_eq!(differences(&summary.keyspace, &keyspace(&target)), [], "{version:?}");
    }
}

#[test]
fn an_rdb_composed_of_dumps_loads_and_has_the_same_record() {
    let source = RedisVersion::V7.start();
    let mut connection = source.connect();
    fill(&mut connection, false);
    let summary = decode(&source.save());
    let mut writer = RdbWriter::new(Vec::new(), summary.facts.rdb_version, &[("redis-ver", "7.0.15")]).unwrap();
    for entry in entries(&source.save()) {
        match entry {
            Entry::Function(code) => writer.function(&code).unwrap(),
            Entry::Key(mut entry) => {
                connection.run(&["SELECT", &entry.database.to_string()]);
                let Reply::Bulk(Some(dump)) = connection.run(&[b"DUMP", &entry.key[..]]) else { panic!("no dump") };
                let dumped = read_dump(&dump).unwrap();
                assert_eq!(dumped.rdb_version, summary.facts.rdb_version);
                entry.payload = Some(dumped.payload.to_vec());
                writer.key(&entry).unwrap();
                let mut damaged = dump.clone();
                damaged[0] ^= 1;
                assert_eq!(read_dump(&damaged), None);
            }
        }
    }
    let rdb = writer.finish().unwrap();
    assert_eq!(decode(&rdb).keyspace, summary.keyspace);
    assert_eq!(keyspace(&RedisVersion::V7.start_from(&rdb, &[])), summary.keyspace);
}

#[test]
fn an_upgrade_keeps_the_record() {
    let old = RedisVersion::V7.start();
    fill(&mut old.connect(), false);
    deliver(&mut old.connect());
    let rdb = old.save();
    let new = RedisVersion::V8.start_from(&rdb, &[]);
    assert_eq!(differences(&decode(&rdb).keyspace, &keyspace(&new)), []);
}

#[test]
fn expiring_fields_are_counted_and_change_the_record() {
    let server = RedisVersion::V8.start();
    let mut connection = server.connect();
    for line in
        ["HSET packed f 1 g 2", "HPEXPIREAT packed 4000000000000 FIELDS 1 f", "CONFIG SET hash-max-listpack-entries 1"]
    {
        connection.words(line);
    }
    for line in [
        "HSET table f 1 g 2 h 3",
        "HPEXPIREAT table 4000000000000 FIELDS 1 f",
        "HPEXPIREAT table 4000000000777 FIELDS 1 h",
    ] {
        connection.words(line);
    }
    let rdb = server.save();
    assert_eq!(type_bytes(&rdb).into_iter().collect::<Vec<_>>(), [24, 25]);
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
    let packed = RedisVersion::V8.start_with(PACKED);
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
}

#[test]
fn passing_keys_are_told_apart_from_lost_ones() {
    let server = RedisVersion::V8.start();
    let mut connection = server.connect();
    for line in [
        "SET stays x",
        "SET soon x PXAT 4000000000000",
        "SET late x PXAT 5000000000000",
        "HSET h f v g w",
        "HPEXPIREAT h 4000000000000 FIELDS 1 f",
    ] {
        connection.words(line);
    }
    let record = |server: &TestRedis| {
        let options = RdbOptions { passing_until: Some(4_500_000_000_000), ..RdbOptions::default() };
        decode_with(options, &server.save(), 1 << 16).unwrap().keyspace
    };
    let before = record(&server);
    assert_eq!(before.databases[&0][&KeyKind::String].passing.keys, 1);
    connection.words("DEL soon");
    connection.words("HDEL h f");
    // The hash is no longer one that expires.
    assert_eq!(differences(&before, &record(&server)).len(), 1);
    connection.words("DEL h");
    assert_eq!(differences(&before, &record(&server)), []);
    connection.words("DEL late");
    assert_eq!(
        differences(&before, &record(&server))[0].to_string(),
        "0 expiring string keys of database 0, expected 1"
    );
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

#[test]
fn huge_keys_are_read() {
    let server = RedisVersion::V7.start();
    let mut connection = server.connect();
    let script = "for i = 1, 1000000, 1000 do local t = {} for j = i, i + 999 do t[#t+1] = j / 8 t[#t+1] = 'member ' .. j end \
                  redis.call('ZADD', KEYS[1], unpack(t)) end";
    connection.run(&["EVAL", script, "1", "zset"]);
    let script = "for i = 1, 200000 do redis.call('HSET', KEYS[1], 'field ' .. i, string.rep('v', 100) .. i) end";
    connection.run(&["EVAL", script, "1", "hash"]);
    connection.run(&[b"SET", &b"string"[..], &vec![7; 40 << 20]]);
    let random: Vec<u8> = (0..20 << 20)
        .map({
            let mut random = StdRng::seed_from_u64(1);
            move |_| random.random_range(0..16)
        })
        .collect();
    connection.run(&[b"SET", &b"compressed badly"[..], &random]);
    // Longer than what is looked at whole, compressible and not, between small ones: this server packs even those.
    connection.run(&[b"RPUSH", &b"list"[..], &random, b"small"]);
    connection.run(&[b"RPUSH", &b"list"[..], &vec![b'z'; 5 << 20], b"7"]);
    let rdb = server.save();
    let summary = decode(&rdb);
    let kind = |kind| summary.keyspace.databases[&0][&kind].persistent;
    assert_eq!(kind(KeyKind::Zset).elements, 1_000_000);
    assert_eq!(kind(KeyKind::Hash).elements, 200_000);
    assert_eq!(kind(KeyKind::String).bytes, (60 << 20) + 22);
    assert_eq!(kind(KeyKind::List).bytes, (25 << 20) + 10);
    // In nodes of its own, plain, and without compression the list is the same.
    connection.words("DEL zset hash string");
    let large = keyspace(&server);
    let unpacked = RedisVersion::V8.start_with(&["--rdbcompression", "no"]);
    connection = unpacked.connect();
    connection.run(&[b"SET", &b"compressed badly"[..], &random]);
    connection.run(&[b"RPUSH", &b"list"[..], &random, b"small", &vec![b'z'; 5 << 20], b"7"]);
    let rdb = unpacked.save();
    assert_eq!(decode(&rdb).keyspace, large);
    assert_eq!(decode_with(RdbOptions::default(), &rdb, 1021).unwrap().keyspace, large);
    let uncompressed = RedisVersion::V7.start_from(&server.save(), &["--rdbcompression", "no"]);
    assert_eq!(keyspace(&uncompressed), large);
}

/// Runs in a process of its own, whose memory is measured: a string, a compressed string, a packed list element of 256 MiB
/// each, and a hash of a million fields.
#[test]
fn huge_values_pass_through_little_memory() {
    const NAME: &str = "huge_values_pass_through_little_memory";
    const LIMIT_KIB: u64 = 64 << 10;
    if std::env::var_os("GUARD_TEST_MEASURED").is_none() {
        let mut measured = std::process::Command::new(std::env::current_exe().unwrap());
        let output = measured.args(["--exact", NAME, "--nocapture"]).env("GUARD_TEST_MEASURED", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    let mut feed = |piece: &[u8]| assert_eq!(decoder.feed(piece), Ok(piece.len()));
    let piece = vec![b'p'; 1 << 20];
    feed(b"REDIS0010\x00\x05plain\x80\x10\0\0\0");
    (0..256).for_each(|_| feed(&piece));
    // One literal, then references of 264 bytes each to the byte before.
    let references = b"\xe0\xff\x00".repeat(1 << 10);
    let (n_pieces, made) = (1024_u32, (264 << 10) * 1024_u32);
    let header =
        |compressed: u32, len: u32| [&b"\xc3\x80"[..], &compressed.to_be_bytes(), b"\x80", &len.to_be_bytes()].concat();
    feed(&[b"\x00\x03lzf", &header(n_pieces * (3 << 10) + 2, made + 1)[..], b"\x00z"].concat());
    (0..n_pieces).for_each(|_| feed(&references));
    // The same as the only element of a packed node: its size, its count, the element, its length backwards, the end.
    let element = made + 1;
    let length = u64::from(element) + 5;
    let seven_bits = |idx: u32| u8::try_from(length >> (7 * idx) & 0x7f).unwrap();
    let backwards = [4, 3, 2, 1, 0].map(|idx| seven_bits(idx) | if idx == 4 { 0 } else { 0x80 });
    let size = 6 + 5 + element + 5 + 1;
    let begin = [&size.to_le_bytes()[..], b"\x01\0\xf0", &element.to_le_bytes(), b"z"].concat();
    let literal = |bytes: &[u8]| [&[u8::try_from(bytes.len() - 1).unwrap()], bytes].concat();
    let (begin, end) = (literal(&begin), literal(&[&backwards[..], b"\xff"].concat()));
    let compressed = u32::try_from(begin.len() + end.len()).unwrap() + n_pieces * (3 << 10);
    feed(&[b"\x12\x04list\x01\x02", &header(compressed, size)[..], &begin].concat());
    (0..n_pieces).for_each(|_| feed(&references));
    feed(&end);
    feed(b"\x04\x04hash\x80\x00\x10\x00\x00");
    let fields = b"\x05field\x06value!".repeat(1 << 10);
    (0..0x0010_0000 >> 10).for_each(|_| feed(&fields));
    feed(b"\xff\0\0\0\0\0\0\0\0");
    let keyspace = decoder.finish().unwrap().keyspace;
    let contents = |kind| keyspace.databases[&0][&kind].persistent;
    assert_eq!(contents(KeyKind::String).bytes, (1 << 28) + 5 + u64::from(made) + 1 + 3);
    assert_eq!((contents(KeyKind::List).elements, contents(KeyKind::List).bytes), (1, u64::from(element) + 4));
    assert_eq!(contents(KeyKind::Hash).elements, 0x0010_0000);
    let peak = support::process::peak_kib(nix::unistd::Pid::this()).unwrap();
    assert!(peak < LIMIT_KIB, "{peak} KiB");
}

/// What servers of today do not write any more, or not yet: synthetic values, each equal to one of a real server.
#[test]
fn encodings_of_older_and_newer_servers_mean_the_same() {
    let value = |rdb_version, type_byte: u8, body: &[u8]| {
        let mut writer = RdbWriter::new(Vec::new(), rdb_version, &[]).unwrap();
        let payload = Some([&[type_byte], body].concat());
        let (database, key, kind) = (0, b"k".to_vec(), KeyKind::String);
        writer.key(&KeyEntry { database, key, kind, expires_at: None, idle: None, frequency: None, payload }).unwrap();
        decode(&writer.finish().unwrap()).keyspace
    };
    let blob = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let ziplist = |entries: &[u8], count: u8| {
        let size = u8::try_from(entries.len() + 11).unwrap();
        blob(&[&[size, 0, 0, 0, 0, 0, 0, 0, count, 0], entries, &[0xff]].concat())
    };
    let pair = ziplist(b"\x00\x01a\x03\xf2", 2);
    let list = value(11, 1, b"\x02\x01a\x011");
    assert_eq!(value(6, 10, &pair), list);
    assert_eq!(value(7, 14, &[&[1], &pair[..]].concat()), list);
    assert_eq!(value(10, 18, b"\x02\x01\x01a\x01\xc0\x01"), list);
    // A ziplist that is too large to be held.
    let long = vec![b'x'; 3 << 20];
    let length = |length: usize| u32::try_from(length).unwrap();
    let entries = [&b"\x00\x80"[..], &length(long.len()).to_be_bytes(), &long, b"\xfe\0\0\0\0\xf2\x02\x01a"].concat();
    let header = [&length(entries.len() + 11).to_le_bytes()[..], b"\0\0\0\0\x03\0"].concat();
    let ziplist_of_long =
        [&b"\x80"[..], &length(entries.len() + 11).to_be_bytes(), &header, &entries, b"\xff"].concat();
    let long_list = [&b"\x03\x80"[..], &length(long.len()).to_be_bytes(), &long, b"\x011\x01a"].concat();
    assert_eq!(value(6, 10, &ziplist_of_long), value(11, 1, &long_list));
    let hash = value(11, 4, b"\x01\x01a\x011");
    assert_eq!(value(5, 9, &blob(b"\x01\x01a\x01\x001\xff")), hash);
    assert_eq!(value(6, 13, &pair), hash);
    assert_eq!(value(80, 22, &[b"\x01\x01a\x011", &(-1_i64).to_le_bytes()[..]].concat()), hash);
    let zset = value(11, 5, &[b"\x01\x01a", &1_f64.to_le_bytes()[..]].concat());
    assert_eq!(value(6, 12, &pair), zset);
    assert_eq!(value(5, 3, b"\x01\x01a\x011"), zset);
    assert_ne!(value(5, 3, b"\x01\x01a\xfe"), zset);
    // A field that expires at 1000: relative to the earliest, absolute, packed, and as Valkey has it.
    let expiring = value(12, 24, &[&1000_u64.to_le_bytes()[..], b"\x01\x01\x01a\x011"].concat());
    assert_ne!(expiring, hash);
    assert_eq!(value(12, 22, b"\x01\x43\xe8\x01a\x011"), expiring);
    let triple = blob(b"\x0f\0\0\0\x03\0\x81a\x02\x01\x01\xc3\xe8\x02\xff".as_slice());
    assert_eq!(value(12, 23, &triple), expiring);
    assert_eq!(value(12, 25, &[&1000_u64.to_le_bytes()[..], &triple].concat()), expiring);
    assert_eq!(value(80, 22, &[b"\x01\x01a\x011", &1000_i64.to_le_bytes()[..]].concat()), expiring);
}

#[test]
fn streams_of_every_version_mean_the_same() {
    let server = RedisVersion::V8.start();
    let mut connection = server.connect();
    for line in [
        "XADD k 1-1 f v",
        "XADD k 2-1 f w",
        "XGROUP CREATE k g 1-1 ENTRIESREAD 1",
        "XGROUP CREATE k h 2-1 ENTRIESREAD 2",
    ] {
        connection.words(line);
    }
    let Reply::Bulk(Some(dump)) = connection.words("DUMP k") else { panic!("no dump") };
    let current = read_dump(&dump).unwrap().payload.to_vec();
    let as_type = |rdb_version, payload: Vec<u8>| {
        let mut writer = RdbWriter::new(Vec::new(), rdb_version, &[]).unwrap();
        let (key, kind, payload) = (b"k".to_vec(), KeyKind::Stream, Some(payload));
        writer
            .key(&KeyEntry { database: 0, key, kind, expires_at: None, idle: None, frequency: None, payload })
            .unwrap();
        decode(&writer.finish().unwrap()).keyspace
    };
    let expected = as_type(12, current.clone());
    assert_eq!(current[0], 21);
    let with_type = |type_byte: u8, payload: &[u8]| [&[type_byte], &payload[1..]].concat();
    // Without consumers versions 19 and 21 differ in nothing but the number.
    assert_eq!(as_type(10, with_type(19, &current)), expected);
    // Version 15 lacks the first and the largest deleted entry, the number of all entries, and how many a group has read.
    let tail: &[u8] = b"\x02\x02\x01\x01\x01\x00\x00\x02\x02\x01g\x01\x01\x01\x00\x00\x01h\x02\x01\x02\x00\x00";
    let old_tail = b"\x02\x02\x01\x02\x01g\x01\x01\x00\x00\x01h\x02\x01\x00\x00";
    let nodes = current.strip_suffix(tail).expect("the end of the stream is as described");
    assert_eq!(as_type(9, with_type(15, &[nodes, old_tail].concat())), expected);
    // Version 27 adds released entries to a group and what is remembered of messages that came twice.
    let released: &[u8] =
        b"\x02\x02\x01\x01\x01\x00\x00\x02\x02\x01g\x01\x01\x01\x00\x00\x00\x01h\x02\x01\x02\x00\x00\x00";
    let remembered = |iids: &[u8]| [nodes, released, b"\x3c\x3f", iids, b"\x07\x01"].concat();
    let newer = as_type(13, with_type(27, &remembered(b"\x00")));
    assert_eq!(as_type(13, with_type(27, &remembered(b"\x01\x01p\x01\x01i\x01\x01"))), newer);
    assert_eq!(newer.databases[&0][&KeyKind::Stream].persistent.elements, 2);
}

#[test]
fn what_is_unknown_or_broken_is_named_with_its_place() {
    let check = |bytes: &[u8], expected: &str| {
        let mut decoder = RdbDecoder::new(RdbOptions::default());
        let error = decoder.feed(bytes).map(drop).and_then(|()| decoder.finish().map(drop)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(b"", "byte 0 of the RDB: this is not an RDB: it does not begin with REDIS or VALKEY and a version");
    check(
        b"PGDMP\x01\x0f\x00\x04\x08",
        "byte 9 of the RDB: this is not an RDB: it does not begin with REDIS or VALKEY and a version",
    );
    check(
        b"REDIS0003",
        "byte 9 of the RDB: RDB version 3 is older than Redis 2.6: let a newer server load and save it",
    );
    check(
        b"REDIS0014\xfe\x02\x1c\x04a\"\n\xff...",
        "byte 17 of the RDB, key \"a\\\"\\n\\xff\" of database 2 (type 28): type 28 is not known (RDB version 14): a newer guard is needed",
    );
    check(b"REDIS0011\x00\x01k\x05ab", "byte 13 of the RDB, key \"k\" of database 0 (type 0): the RDB is cut off");
    check(
        b"REDIS0011\x00\x01k\xc7",
        "byte 12 of the RDB, key \"k\" of database 0 (type 0): string encoding 7 is not known",
    );
    check(b"REDIS0011\xf6", "byte 10 of the RDB: a function of type 246 cannot be read: only pre-releases wrote it");
    check(
        b"REDIS0011\xff\x01\x02\x03\x04\x05\x06\x07\x08",
        "byte 18 of the RDB: the bytes have the checksum 629738748d8a22c0, the RDB says 0807060504030201: it was damaged on its way",
    );
    let name = "n".repeat(100);
    let long = [&b"REDIS0011\x10\x40\x64"[..], name.as_bytes(), b"\x07"].concat();
    let shown = "n".repeat(60);
    check(&long, &format!("byte 113 of the RDB, key \"{shown}…\" of database 0 (type 16): the RDB is cut off"));
    let error =
        decode_with(RdbOptions::default(), b"REDIS0011\x10\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff", 3).unwrap_err();
    assert!(matches!(error.problem, RdbProblem::TooLarge { bytes: u64::MAX, .. }), "{error}");
}

#[test]
fn an_entry_above_the_limit_is_passed_over_and_told() {
    let server = RedisVersion::V7.start();
    let mut connection = server.connect();
    connection.run(&[b"SET", &b"large"[..], &vec![b'x'; 5000]]);
    connection.run(&[b"SET", &vec![b'k'; 5000][..], b"large name"]);
    connection.words("SET small x");
    connection.words("CONFIG SET rdbcompression no");
    let rdb = server.save();
    let options = RdbOptions { max_entry: 1000, ..RdbOptions::default() };
    let found: Vec<Entry> = Entries::new(&rdb[..], options).collect::<Result<_, _>>().unwrap();
    let mut has_payload: Vec<_> = found
        .iter()
        .map(|entry| match entry {
            Entry::Key(entry) => (entry.key.len(), entry.payload.is_some()),
            Entry::Function(_) => panic!("there is no function"),
        })
        .collect();
    has_payload.sort_unstable();
    assert_eq!(has_payload, [(5, false), (5, true), (1000, false)]);
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
