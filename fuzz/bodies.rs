//! What the fuzz target does with an input; the tests run it too, over inputs made by chance and over all that it once failed on.

use guard::source::redis::rdb::{Entries, KeyPlace, RdbDecoder, RdbError, RdbOptions, RdbProblem, RdbSummary};

/// Nearly nothing gets beyond the header by itself. An input may have one of its own, as the files of real servers have.
const HEADERS: [&[u8]; 4] = [b"", b"REDIS0012", b"REDIS0013", b"VALKEY080"];

/// Any bytes in pieces of any size: a record or an error, the same as in one piece, and never a panic. The first byte is the
/// size of the pieces, the second which header goes before the rest.
pub fn rdb(input: &[u8]) {
    let [piece, header, bytes @ ..] = input else { return };
    let rdb = [HEADERS[usize::from(*header) % HEADERS.len()], bytes].concat();
    let whole = decode(&rdb, rdb.len().max(1));
    let in_pieces = decode(&rdb, usize::from(*piece) + 1);
    assert!(in_pieces == whole || both_spoilt(&in_pieces, &whole), "{in_pieces:?} in pieces, {whole:?} at once");
    let mut entries = Entries::new(&rdb[..], RdbOptions::default());
    while let Ok(Some(_)) = entries.next_entry() {}
}

/// Of a compressed string that is wrong in several ways, or wrong and cut off, the first that is seen is told, and more is seen
/// of a string that is there at once.
fn both_spoilt(one: &Decoded, other: &Decoded) -> bool {
    let of_compression =
        |it: &Decoded| matches!(it, Err((_, RdbProblem::Malformed(what))) if what.starts_with("a compressed string"));
    let is_cut = |it: &Decoded| matches!(it, Err((_, RdbProblem::Truncated)));
    let spoilt = |it: &Decoded| of_compression(it) || is_cut(it);
    spoilt(one) && spoilt(other) && (of_compression(one) || of_compression(other))
}

type Decoded = Result<RdbSummary, (Option<KeyPlace>, RdbProblem)>;

/// How far into a compressed string its damage is noticed depends on how much of it was there: the place is left out.
fn decode(rdb: &[u8], piece: usize) -> Decoded {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    let fed: Result<(), RdbError> = rdb.chunks(piece).try_for_each(|piece| decoder.feed(piece).map(drop));
    fed.and_then(|()| decoder.finish()).map_err(|error| (error.key, error.problem))
}
