//! Any bytes in pieces of any size: a record or an error, the same as in one piece, and never a panic.
#![no_main]

use guard::source::redis::rdb::{Entries, RdbDecoder, RdbError, RdbOptions, RdbSummary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (piece, has_header, bytes) = input;
    // Nearly nothing gets beyond the header by itself.
    let rdb = if has_header { [b"REDIS0012", bytes].concat() } else { bytes.to_vec() };
    let whole = decode(&rdb, rdb.len().max(1));
    assert_eq!(decode(&rdb, usize::from(piece) + 1), whole);
    let mut entries = Entries::new(&rdb[..], RdbOptions::default());
    while let Ok(Some(_)) = entries.next_entry() {}
});

fn decode(rdb: &[u8], piece: usize) -> Result<RdbSummary, RdbError> {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    for piece in rdb.chunks(piece) {
        decoder.feed(piece)?;
    }
    decoder.finish()
}
