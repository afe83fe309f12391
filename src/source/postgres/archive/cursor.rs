//! The archive's primitives, read from a buffer that may not hold all of an item yet (`pg_backup_archiver.c`: `ReadInt`,
//! `ReadStr`, `ReadOffset`).

use super::error::ArchiveProblem;

/// No definition in a dump comes near this; a damaged length does.
const LONGEST_TEXT: usize = 64 << 20;

/// Why an item could not be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The buffer must hold at least so many bytes before another attempt can succeed.
    Short(usize),
    /// No further byte will help. Position in the buffer, and the problem.
    Bad(usize, ArchiveProblem),
}

/// Reads items one after the other.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    int_size: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the buffer's first byte; `int_size` is the archive's, from its header.
    pub(super) fn new(bytes: &'a [u8], int_size: usize) -> Self {
        Self { bytes, position: 0, int_size }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// From the header, for the rest of it.
    pub(super) fn with_int_size(&mut self, int_size: usize) {
        self.int_size = int_size;
    }

    /// The last item read was wrong.
    pub(super) fn bad(&self, problem: ArchiveProblem) -> Stop {
        Stop::Bad(self.position, problem)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.position + length;
        let taken = self.bytes.get(self.position..end).ok_or(Stop::Short(end))?;
        self.position = end;
        Ok(taken)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.take(1)?[0])
    }

    /// A sign byte and a magnitude.
    pub(super) fn int(&mut self) -> Result<i64, Stop> {
        let at = self.position;
        let bytes = self.take(1 + self.int_size)?;
        decode_int(bytes).map_err(|problem| Stop::Bad(at, problem))
    }

    /// A length and bytes; a negative length is the absent text.
    pub(super) fn text(&mut self) -> Result<Option<&'a [u8]>, Stop> {
        let at = self.position;
        let length = self.int()?;
        let Ok(length) = u64::try_from(length) else { return Ok(None) };
        match usize::try_from(length) {
            Ok(fits) if fits <= LONGEST_TEXT => self.take(fits).map(Some),
            _ => Err(Stop::Bad(at, ArchiveProblem::TooLong { length, limit: LONGEST_TEXT })),
        }
    }

    /// A text that may be absent, which is the same to us as empty.
    pub(super) fn text_or_empty(&mut self) -> Result<&'a [u8], Stop> {
        Ok(self.text()?.unwrap_or_default())
    }
}

/// Decodes a sign byte followed by a little-endian magnitude.
pub(super) fn decode_int(bytes: &[u8]) -> Result<i64, ArchiveProblem> {
    let magnitude = bytes[1..].iter().rev().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let magnitude = i64::try_from(magnitude).map_err(|_| ArchiveProblem::unexpected("a number", magnitude))?;
    match bytes[0] {
        0 => Ok(magnitude),
        1 => Ok(-magnitude),
        other => Err(ArchiveProblem::unexpected("a sign byte of 0 or 1", other)),
    }
}

/// Text for people and for keys: UTF-8 as it is; other bytes (a LATIN1 or `SQL_ASCII` database) as `\xE9`.
pub(in crate::source::postgres) fn readable(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    text
}
