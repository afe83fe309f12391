//! The RDB decoder on what real servers write.

mod support;

use guard::source::redis::rdb::{RdbDecoder, RdbError, RdbOptions, RdbSummary};
use support::redis::TestRedis;

fn decode(rdb: &[u8]) -> Result<RdbSummary, RdbError> {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    for piece in rdb.chunks(256 << 10) {
        decoder.feed(piece)?;
    }
    decoder.finish()
}

#[test]
fn an_empty_server_has_an_empty_record() {
    let server = TestRedis::start();
    let rdb = server.save();
    let summary = decode(&rdb).unwrap();
    assert_eq!(summary.keyspace, Default::default());
    assert_eq!(summary.bytes, rdb.len() as u64);
    assert!(summary.facts.has_checksum);
    assert_eq!(summary.facts.server_version.as_deref(), Some("7.0.15"));
}
