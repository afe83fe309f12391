//! The archive's first bytes: format, sizes, and who dumped what (`pg_backup_archiver.c`: `ReadHead`).

use super::cursor::{Cursor, Stop, readable};
use super::error::ArchiveProblem;

/// What the archive says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveHeader {
    /// The format's version: 14 for 1.14.
    pub format_minor: u8,
    /// The dumped database's name.
    pub database: String,
    /// The server's version as it said it.
    pub server_version: String,
    /// The version of `pg_dump`.
    pub dump_version: String,
    /// When the dump began, in `pg_dump`'s local time: year, month, day, hour, minute, second.
    pub created: [i64; 6],
    /// Bytes of an integer's magnitude.
    pub(super) int_size: usize,
    /// Bytes of a file offset.
    pub(super) offset_size: usize,
    /// Entries in the table of contents.
    pub(super) n_entries: usize,
}

/// Reads the header and the number of entries that follow it.
pub(super) fn read_header(cursor: &mut Cursor<'_>) -> Result<ArchiveHeader, Stop> {
    if cursor.take(5)? != b"PGDMP" {
        return Err(Stop::Bad(0, ArchiveProblem::NotAnArchive));
    }
    let version = cursor.take(3)?;
    let (major, minor) = (version[0], version[1]);
    if major != 1 || !(12..=16).contains(&minor) {
        return Err(cursor.bad(ArchiveProblem::Version { major, minor }));
    }
    let int_size = size_byte(cursor)?;
    let offset_size = size_byte(cursor)?;
    cursor.with_int_size(int_size);
    let format = cursor.byte()?;
    if format != 1 {
        return Err(cursor.bad(ArchiveProblem::Format(format)));
    }
    refuse_compression(cursor, minor)?;
    let created = read_created(cursor)?;
    let database = readable(cursor.text_or_empty()?);
    let server_version = readable(cursor.text_or_empty()?);
    let dump_version = readable(cursor.text_or_empty()?);
    let n_entries = cursor.int()?;
    let n_entries = usize::try_from(n_entries)
        .map_err(|_| cursor.bad(ArchiveProblem::unexpected("a number of entries", n_entries)))?;
    Ok(ArchiveHeader {
        format_minor: minor,
        database,
        server_version,
        dump_version,
        created,
        int_size,
        offset_size,
        n_entries,
    })
}

/// `pg_dump` writes the sizes of its `int` and `off_t`: 4 and 8 on every platform there is.
fn size_byte(cursor: &mut Cursor<'_>) -> Result<usize, Stop> {
    match cursor.byte()? {
        size @ (4 | 8) => Ok(usize::from(size)),
        other => Err(cursor.bad(ArchiveProblem::unexpected("an integer size of 4 or 8", other))),
    }
}

/// Since 1.15 the header names an algorithm; before, a level, with -1 for zlib's default.
fn refuse_compression(cursor: &mut Cursor<'_>, minor: u8) -> Result<(), Stop> {
    if minor >= 15 {
        let name = match cursor.byte()? {
            0 => return Ok(()),
            1 => "gzip".to_owned(),
            2 => "lz4".to_owned(),
            3 => "zstd".to_owned(),
            other => format!("algorithm {other}"),
        };
        return Err(cursor.bad(ArchiveProblem::Compressed(name)));
    }
    match cursor.int()? {
        0 => Ok(()),
        level => Err(cursor.bad(ArchiveProblem::Compressed(format!("zlib level {level}")))),
    }
}

/// A C `struct tm`: seconds first, years since 1900, months from 0; the daylight flag is of no use.
fn read_created(cursor: &mut Cursor<'_>) -> Result<[i64; 6], Stop> {
    let mut fields = [0; 7];
    for field in &mut fields {
        *field = cursor.int()?;
    }
    let [second, minute, hour, day, month, year, _daylight] = fields;
    Ok([year + 1900, month + 1, day, hour, minute, second])
}
