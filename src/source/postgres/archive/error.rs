//! What can be wrong with an archive, and where in it.

use thiserror::Error;

/// An archive that is not what `pg_dump` writes, or stops too early.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("dump archive at byte {offset}, in {place}: {problem}")]
pub struct ArchiveError {
    /// Bytes of the archive that had been read.
    pub offset: u64,
    /// The part of the archive, or the entry: `header`, `table of contents, entry 12 of 90`, `rows of public.orders`.
    pub place: String,
    /// What is wrong there.
    pub problem: ArchiveProblem,
}

/// What is wrong, with what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveProblem {
    /// Not an archive at all, such as a plain SQL dump.
    #[error("expected the mark PGDMP of PostgreSQL's custom format")]
    NotAnArchive,
    /// Written by a `pg_dump` that this parser has not met.
    #[error("expected format version 1.12 to 1.16, found {major}.{minor}")]
    Version {
        /// First number.
        major: u8,
        /// Second number.
        minor: u8,
    },
    /// A tar or directory archive.
    #[error("expected the custom format (1), found format {0}")]
    Format(u8),
    /// Written without `-Z0`.
    #[error("expected no compression (pg_dump -Z0), found {0}")]
    Compressed(String),
    /// A value out of its range.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What the format has here.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A table of contents that would not fit into memory.
    #[error("a text of {length} bytes is longer than any definition (limit {limit})")]
    TooLong {
        /// As stated in the archive.
        length: u64,
        /// The longest that is read.
        limit: usize,
    },
    /// A data block without an entry, or a second one for the same entry.
    #[error("a data block for entry {0}, which the table of contents does not list as having one")]
    UnlistedData(i64),
    /// Objects that the table of contents names are not in the data, or the reverse.
    #[error("the table of contents lists {listed} large objects, the data holds {found}")]
    LargeObjectCount {
        /// In the table of contents.
        listed: u64,
        /// In the data.
        found: u64,
    },
    /// The archive ended.
    #[error("the archive is cut off here; {n_blocks} further data blocks are missing")]
    Truncated {
        /// Blocks that were promised and not begun.
        n_blocks: usize,
    },
}

impl ArchiveProblem {
    pub(super) fn unexpected(expected: &'static str, found: impl std::fmt::Display) -> Self {
        Self::Unexpected { expected, found: found.to_string() }
    }
}
