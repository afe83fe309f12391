//! Counts and hashes the rows of one table's COPY text as it passes, whatever the buffers' borders.

use memchr::memchr;
use xxhash_rust::xxh3::xxh3_128;

use super::error::ArchiveProblem;
use super::hash::StreamHash;
use crate::contents::Digest;

/// A row's beginning up to this size waits for its end in memory; a longer row is hashed as it comes.
const LONGEST_CARRY: usize = 64 << 10;

/// What `pg_dump` writes after a table's last row: the end mark's line and two empty ones (`dumpTableData_copy`).
const END: &[u8] = b"\\.\n\n\n";

/// The rows of one data block.
#[derive(Debug, Default)]
pub(super) struct RowDigest {
    pub(super) n_rows: u64,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
    /// Positions, in the row, of the fields in the order in which they are to be hashed.
    order: Option<Vec<usize>>,
    /// The beginning of a row that its buffer cut.
    carry: Vec<u8>,
    /// The hash so far of a row that is longer than the carry.
    long: Option<StreamHash>,
    /// How much of [`END`] has been seen.
    ended: usize,
    /// Reused for re-ordered rows.
    reordered: Vec<u8>,
}

impl RowDigest {
    /// Counts rows whose fields are hashed in the order `order`, or as they are.
    pub(super) fn new(order: Option<Vec<usize>>) -> Self {
        Self { order, ..Self::default() }
    }

    /// Takes the next bytes.
    #[inline]
    pub(super) fn feed(&mut self, mut data: &[u8]) -> Result<(), ArchiveProblem> {
        if self.ended > 0 {
            return self.feed_end(data);
        }
        if !self.carry.is_empty() || self.long.is_some() {
            data = self.finish_cut_row(data)?;
        }
        while let Some(length) = memchr(b'\n', data) {
            if self.ended > 0 {
                return self.feed_end(data);
            }
            self.whole_row(&data[..length])?;
            data = &data[length + 1..];
        }
        if self.ended > 0 {
            return self.feed_end(data);
        }
        self.cut_row(data);
        Ok(())
    }

    /// The block is over: was the end mark there?
    pub(super) fn finish(&self) -> Result<(), ArchiveProblem> {
        if self.ended == END.len() {
            return Ok(());
        }
        let found = if self.ended == 0 { "the end of the data block" } else { "a shortened end mark" };
        Err(ArchiveProblem::unexpected("the end mark \\. after the last row", found))
    }

    #[inline]
    fn whole_row(&mut self, row: &[u8]) -> Result<(), ArchiveProblem> {
        // In COPY text a backslash of the data is doubled, so this line can be nothing else.
        if row == &END[..2] {
            self.ended = 3;
            return Ok(());
        }
        let hash = if self.order.is_some() { self.hash_reordered(row)? } else { xxh3_128(row) };
        self.count(hash, row.len() as u64);
        Ok(())
    }

    #[inline]
    fn count(&mut self, hash: u128, length: u64) {
        self.n_rows += 1;
        self.bytes += length + 1;
        self.digest.add(hash);
    }

    /// Completes the row that the last buffer cut; returns what follows it.
    fn finish_cut_row<'a>(&mut self, data: &'a [u8]) -> Result<&'a [u8], ArchiveProblem> {
        let Some(length) = memchr(b'\n', data) else {
            self.cut_row(data);
            return Ok(&[]);
        };
        if let Some(mut hash) = self.long.take() {
            hash.feed(&data[..length]);
            self.count(hash.digest(), hash.length());
        } else {
            let mut row = std::mem::take(&mut self.carry);
            row.extend_from_slice(&data[..length]);
            self.whole_row(&row)?;
            row.clear();
            self.carry = row;
        }
        Ok(&data[length + 1..])
    }

    /// Keeps the part of a row whose end is not here yet.
    fn cut_row(&mut self, part: &[u8]) {
        if let Some(hash) = &mut self.long {
            hash.feed(part);
            return;
        }
        // Re-ordering needs the whole row: the one case in which a row's size is memory.
        if self.order.is_some() || self.carry.len() + part.len() <= LONGEST_CARRY {
            self.carry.extend_from_slice(part);
            return;
        }
        let mut hash = StreamHash::new();
        hash.feed(&self.carry);
        hash.feed(part);
        self.long = Some(hash);
        self.carry.clear();
    }

    fn feed_end(&mut self, data: &[u8]) -> Result<(), ArchiveProblem> {
        if !END[self.ended..].starts_with(data) {
            return Err(ArchiveProblem::unexpected("two empty lines after the end mark \\.", "other bytes"));
        }
        self.ended += data.len();
        Ok(())
    }

    fn hash_reordered(&mut self, row: &[u8]) -> Result<u128, ArchiveProblem> {
        let order = self.order.as_deref().unwrap_or_default();
        // A tab of the data is written as `\t`, so each tab is a border.
        let fields: Vec<&[u8]> = row.split(|byte| *byte == b'\t').collect();
        if fields.len() != order.len() {
            return Err(ArchiveProblem::unexpected(
                "a row with one field per column",
                format!("{} fields", fields.len()),
            ));
        }
        self.reordered.clear();
        for position in order {
            self.reordered.extend_from_slice(fields[*position]);
            self.reordered.push(b'\t');
        }
        self.reordered.pop();
        Ok(xxh3_128(&self.reordered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(order: Option<Vec<usize>>, parts: &[&[u8]]) -> (u64, u64, Digest) {
        let mut rows = RowDigest::new(order);
        for part in parts {
            rows.feed(part).unwrap();
        }
        rows.finish().unwrap();
        (rows.n_rows, rows.bytes, rows.digest)
    }

    #[test]
    fn the_borders_of_the_buffers_do_not_matter() {
        let long = [vec![b'x'; 3 * LONGEST_CARRY], b"\n1\t2\n\n\\\\.\n\\.\n\n\n".to_vec()].concat();
        let whole = digest(None, &[&long]);
        assert_eq!(whole.0, 4);
        assert_eq!(whole.1, long.len() as u64 - 5);
        for size in [1, 2, 3, 7, LONGEST_CARRY - 1, LONGEST_CARRY, LONGEST_CARRY + 1] {
            assert_eq!(digest(None, &long.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
    }

    #[test]
    fn a_long_row_is_not_held_in_memory() {
        let mut rows = RowDigest::default();
        for _ in 0..10_000 {
            rows.feed(&[b'x'; 1000]).unwrap();
        }
        assert!(rows.carry.capacity() <= 2 * LONGEST_CARRY);
        rows.feed(b"\n\\.\n\n\n").unwrap();
        assert_eq!((rows.finish(), rows.n_rows, rows.bytes), (Ok(()), 1, 10_000_001));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter_but_their_number_does() {
        assert_eq!(digest(None, &[b"a\nb\n\\.\n\n\n"]), digest(None, &[b"b\na\n\\.\n\n\n"]));
        assert_ne!(digest(None, &[b"a\n\\.\n\n\n"]).2, digest(None, &[b"a\na\n\\.\n\n\n"]).2);
    }

    #[test]
    fn fields_are_hashed_in_the_expected_order() {
        let turned = digest(Some(vec![2, 0, 1]), &[b"2\t", b"3\t1\n\\.\n\n\n"]);
        assert_eq!(turned, digest(None, &[b"1\t2\t3\n\\.\n\n\n"]));
        assert!(RowDigest::new(Some(vec![1, 0])).feed(b"1\n").is_err());
    }

    #[test]
    fn rows_must_end_with_the_end_mark_and_two_empty_lines() {
        for text in ["", "a", "a\n", "a\n\\.", "a\n\\.\n", "a\n\\.\n\n"] {
            let mut rows = RowDigest::default();
            rows.feed(text.as_bytes()).unwrap();
            assert!(rows.finish().is_err(), "{text:?}");
        }
        for text in ["\\.\nb\n", "\\.\n\n\nb", "\\.\n\nb\n"] {
            assert!(RowDigest::default().feed(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
