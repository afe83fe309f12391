//! Encodings that servers of today do not write any more, or not yet, and what no guard knows.

use guard::contents::keyspace::KeyKind;
use guard::source::redis::rdb::{KeyEntry, RdbDecoder, RdbOptions, RdbProblem, RdbWriter, read_dump};

use super::support::redis::{RedisVersion, Reply};
use super::{decode, decode_with};

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
    // What is newer is read as far as its types have known numbers; in Valkey some of Redis have none.
    let newer = decode(b"VALKEY081\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0").facts;
    assert_eq!((newer.product, newer.rdb_version), (Some("valkey"), 81));
    check(
        b"VALKEY081\x17\x01k\x01v",
        "byte 12 of the RDB, key \"k\" of database 0 (type 23): type 23 is not known (RDB version 81): a newer guard is needed",
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
