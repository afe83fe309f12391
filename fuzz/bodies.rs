//! What the fuzz target does with an input; the tests run it too, over inputs made by chance and over all that it once failed on.

use guard::source::redis::rdb::{Entries, RdbDecoder, RdbError, RdbOptions, RdbSummary};

/// Nearly nothing gets beyond the header by itself. An input may have one of its own, as the files of real servers have.
const HEADERS: [&[u8]; 4] = [b"", b"REDIS0012", b"REDIS0013", b"VALKEY080"];

/// Any bytes in pieces of any size: a record or an error, the same as in one piece, and never a panic. The first byte is the
/// size of the pieces, the second which header goes before the rest.
pub fn rdb(input: &[u8]) {
    let [piece, header, bytes @ ..] = input else { return };
    let rdb = [HEADERS[usize::from(*header) % HEADERS.len()], bytes].concat();
    let whole = decode(&rdb, rdb.len().max(1));
    assert_eq!(decode(&rdb, usize::from(*piece) + 1), whole);
    let mut entries = Entries::new(&rdb[..], RdbOptions::default());
    while let Ok(Some(_)) = entries.next_entry() {}
}

fn decode(rdb: &[u8], piece: usize) -> Result<RdbSummary, RdbError> {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    for piece in rdb.chunks(piece) {
        decoder.feed(piece)?;
    }
    decoder.finish()
}
