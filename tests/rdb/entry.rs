//! Entries: what is read key by key goes into running servers and into new files, and is the same there.

use guard::contents::keyspace::differences;
use guard::source::redis::rdb::{Entries, Entry, KeyEntry, RdbOptions, RdbWriter, read_dump, restore_payload};

use super::filling::{deliver, fill};
use super::support::redis::{RedisVersion, Reply};
use super::{decode, entries, keyspace};

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
