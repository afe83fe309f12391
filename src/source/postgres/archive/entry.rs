//! One entry of the table of contents (`pg_backup_archiver.c`: `ReadToc`).

use super::cursor::{Cursor, Stop, readable};
use super::error::ArchiveProblem;
use super::header::ArchiveHeader;

/// An entry, borrowed from the buffer. Absent texts are empty.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Its number within this archive; data blocks refer to it.
    pub(super) dump_id: i64,
    /// Whether a data block belongs to it.
    pub(super) has_data: bool,
    pub(super) tag: &'a [u8],
    pub(super) kind: &'a [u8],
    pub(super) definition: &'a [u8],
    pub(super) copy_statement: &'a [u8],
    pub(super) schema: &'a [u8],
    pub(super) access_method: &'a [u8],
    pub(super) owner: &'a [u8],
    /// Numbers of the entries that must be restored before it.
    pub(super) dependencies: Vec<i64>,
}

/// Reads one entry.
pub(super) fn read_entry<'a>(cursor: &mut Cursor<'a>, header: &ArchiveHeader) -> Result<Entry<'a>, Stop> {
    let dump_id = cursor.int()?;
    let has_data = cursor.int()? != 0;
    let _table_oid = cursor.text()?;
    let _oid = cursor.text()?;
    let tag = cursor.text_or_empty()?;
    let kind = cursor.text_or_empty()?;
    if kind.is_empty() {
        return Err(cursor.bad(ArchiveProblem::unexpected("an entry's kind", "nothing")));
    }
    let _section = cursor.int()?;
    let definition = cursor.text_or_empty()?;
    let _drop_statement = cursor.text()?;
    let copy_statement = cursor.text_or_empty()?;
    let schema = cursor.text_or_empty()?;
    let _tablespace = cursor.text()?;
    let access_method = if header.format_minor >= 14 { cursor.text_or_empty()? } else { &[] };
    if header.format_minor >= 16 {
        let _relation_kind = cursor.int()?;
    }
    let owner = cursor.text_or_empty()?;
    let _with_oids = cursor.text()?;
    let dependencies = read_dependencies(cursor)?;
    read_offset(cursor, header)?;
    Ok(Entry { dump_id, has_data, tag, kind, definition, copy_statement, schema, access_method, owner, dependencies })
}

/// Decimal texts, ended by an absent one.
fn read_dependencies(cursor: &mut Cursor<'_>) -> Result<Vec<i64>, Stop> {
    let mut dependencies = Vec::new();
    while let Some(text) = cursor.text()? {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let unexpected = || cursor.bad(ArchiveProblem::unexpected("an entry's number", readable(text)));
        dependencies.push(number.ok_or_else(unexpected)?);
    }
    Ok(dependencies)
}

/// Where the data is. A piped archive cannot know yet, so the state alone is checked (`K_OFFSET_*`).
fn read_offset(cursor: &mut Cursor<'_>, header: &ArchiveHeader) -> Result<(), Stop> {
    let state = cursor.byte()?;
    if !(1..=3).contains(&state) {
        return Err(cursor.bad(ArchiveProblem::unexpected("an offset state of 1 to 3", state)));
    }
    cursor.take(header.offset_size)?;
    Ok(())
}
