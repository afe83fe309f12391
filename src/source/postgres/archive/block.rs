//! Data blocks: length-prefixed chunks of one table's rows, or of large objects one after the other.

use super::copy::CopyTarget;
use super::cursor::decode_int;
use super::error::ArchiveProblem;
use super::hash::StreamHash;
use super::rows::RowDigest;
use crate::contents::LargeObjects;

/// Whether a block goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It needs further bytes.
    Open,
    /// Its last byte has been taken.
    Ended,
}

/// Reads integers that the buffers' borders may cut.
#[derive(Debug, Default)]
pub(super) struct IntReader {
    int_size: usize,
    partial: Vec<u8>,
}

impl IntReader {
    /// For integers with magnitudes of `int_size` bytes.
    pub(super) fn new(int_size: usize) -> Self {
        Self { int_size, partial: Vec::with_capacity(1 + int_size) }
    }

    /// Takes an integer off the front, or as much of it as there is.
    #[inline]
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<i64>, ArchiveProblem> {
        let size = 1 + self.int_size;
        if self.partial.is_empty() && bytes.len() >= size {
            let (int, rest) = bytes.split_at(size);
            *bytes = rest;
            return decode_int(int).map(Some);
        }
        let missing = (size - self.partial.len()).min(bytes.len());
        self.partial.extend_from_slice(&bytes[..missing]);
        *bytes = &bytes[missing..];
        if self.partial.len() < size {
            return Ok(None);
        }
        let int = decode_int(&self.partial);
        self.partial.clear();
        int.map(Some)
    }
}

/// The rows of a table.
#[derive(Debug)]
pub(super) struct TableBlock {
    pub(super) target: CopyTarget,
    pub(super) rows: RowDigest,
    left: u64,
}

impl TableBlock {
    /// A block before its first chunk.
    pub(super) fn new(target: CopyTarget, rows: RowDigest) -> Self {
        Self { target, rows, left: 0 }
    }

    /// Takes bytes until there are none or the block ends. Since version 17 `pg_dump` writes a chunk per row, so
    /// this loop runs once a row.
    pub(super) fn feed(&mut self, bytes: &mut &[u8], ints: &mut IntReader) -> Result<Progress, ArchiveProblem> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let data = take_chunk(bytes, &mut self.left);
                self.rows.feed(data)?;
            } else if let Some(length) = ints.take(bytes)? {
                if length == 0 {
                    self.rows.finish()?;
                    return Ok(Progress::Ended);
                }
                self.left = chunk_length(length)?;
            }
        }
        Ok(Progress::Open)
    }
}

/// Large objects.
#[derive(Debug)]
pub(super) struct LargeObjectBlock {
    hash: StreamHash,
    within_object: bool,
    left: u64,
}

impl LargeObjectBlock {
    /// A block before its first object.
    pub(super) fn new() -> Self {
        Self { hash: StreamHash::new(), within_object: false, left: 0 }
    }

    /// Takes bytes until there are none or the block ends, which number 0 in place of an object's shows.
    pub(super) fn feed(
        &mut self,
        bytes: &mut &[u8],
        ints: &mut IntReader,
        objects: &mut LargeObjects,
    ) -> Result<Progress, ArchiveProblem> {
        while !bytes.is_empty() {
            if self.left > 0 {
                self.hash.feed(take_chunk(bytes, &mut self.left));
                continue;
            }
            match (ints.take(bytes)?, self.within_object) {
                (None, _) => {}
                (Some(0), true) => {
                    self.end_object(objects);
                }
                (Some(length), true) => self.left = chunk_length(length)?,
                (Some(0), false) => return Ok(Progress::Ended),
                (Some(oid), false) => {
                    self.begin_object(oid)?;
                }
            }
        }
        Ok(Progress::Open)
    }

    /// `pg_dump` writes the unsigned number as a signed integer.
    fn begin_object(&mut self, oid: i64) -> Result<(), ArchiveProblem> {
        let number = i32::try_from(oid).map_err(|_| ArchiveProblem::unexpected("the number of a large object", oid))?;
        self.hash.reset();
        self.hash.feed(&number.to_le_bytes());
        self.within_object = true;
        Ok(())
    }

    fn end_object(&mut self, objects: &mut LargeObjects) {
        objects.count += 1;
        objects.bytes += self.hash.length() - size_of::<i32>() as u64;
        objects.digest.add(self.hash.digest());
        self.within_object = false;
    }
}

fn chunk_length(length: i64) -> Result<u64, ArchiveProblem> {
    u64::try_from(length).map_err(|_| ArchiveProblem::unexpected("a chunk's length", length))
}

/// Splits off what is there of the chunk.
#[inline]
fn take_chunk<'a>(bytes: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    let (data, rest) = bytes.split_at(length);
    *left -= length as u64;
    *bytes = rest;
    data
}
