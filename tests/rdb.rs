//! The RDB decoder on what real servers write: every type on both sides of every encoding's threshold.

#![allow(clippy::unwrap_used, reason = "a failure is the test's")]

mod support;

// The paths are spelt out because this file is the root of a test binary.
#[path = "rdb/damage.rs"]
mod damage;
#[path = "rdb/encoding.rs"]
mod encoding;
#[path = "rdb/entry.rs"]
mod entry;
#[path = "rdb/filling.rs"]
mod filling;
#[path = "rdb/record.rs"]
mod record;
#[path = "rdb/size.rs"]
mod size;
#[path = "rdb/valkey.rs"]
mod valkey;

use std::collections::BTreeSet;

use guard::contents::keyspace::Keyspace;
use guard::source::redis::rdb::{Entries, Entry, RdbDecoder, RdbError, RdbOptions, RdbSummary};
use support::redis::TestRedis;

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

/// The record, if every byte of these belongs to one good RDB.
fn whole(bytes: &[u8]) -> Result<RdbSummary, String> {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    let taken = decoder.feed(bytes).map_err(|error| error.to_string())?;
    let summary = decoder.finish().map_err(|error| error.to_string())?;
    if taken == bytes.len() { Ok(summary) } else { Err("bytes are left over".to_owned()) }
}
