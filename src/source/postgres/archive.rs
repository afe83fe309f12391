//! Reads PostgreSQL's custom dump format as it streams by (`pg_dump -Fc -Z0` to a pipe) and records what it holds.
//!
//! The bytes are looked at, never changed or kept. The format is a header, a table of contents, and one data block for
//! each entry that has data: a block type, the entry's number, and length-prefixed chunks up to an empty one
//! (`pg_backup_archiver.c`, `pg_backup_custom.c`; versions 1.12 to 1.16 are those of PostgreSQL 10 to 18). A stream that
//! cannot be read to its promised end is an error: a backup is good only if what it holds is known.

mod block;
mod canonical;
mod copy;
mod cursor;
mod entry;
mod error;
mod hash;
mod header;
mod place;
mod rows;
mod toc;

use std::collections::BTreeMap;

pub(super) use self::cursor::readable;
pub use self::error::{ArchiveError, ArchiveProblem};
pub use self::header::ArchiveHeader;
pub use self::place::DataPlace;

use self::block::{IntReader, LargeObjectBlock, Progress, TableBlock};
use self::copy::CopyTarget;
use self::cursor::{Cursor, Stop};
use self::entry::read_entry;
use self::header::read_header;
use self::place::DataPlaces;
use self::rows::RowDigest;
use self::toc::{Expected, Toc};
use crate::contents::Contents;

/// How to read an archive.
#[derive(Debug, Clone, Default)]
pub struct ArchiveOptions {
    /// Columns per table in the order in which an earlier record hashed them. A restore moves the columns of inheritance
    /// children; fields are hashed in this order if the table has the same columns in another one.
    pub column_order: BTreeMap<String, Vec<String>>,
}

impl ArchiveOptions {
    /// Options that make a record comparable with `contents`.
    pub fn comparable_with(contents: &Contents) -> Self {
        let tables = contents.tables.iter();
        Self { column_order: tables.map(|(name, table)| (name.clone(), table.columns.clone())).collect() }
    }
}

/// What a whole archive held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// The archive about itself.
    pub header: ArchiveHeader,
    /// The record.
    pub contents: Contents,
    /// Its table of contents.
    pub entries: Vec<ListedEntry>,
    /// Bytes after the last data block. A dump to a seekable file may leave a second table of contents; a pipe nothing.
    pub trailing_bytes: u64,
}

/// An entry of the table of contents, for picking some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// Its number within this archive, as `pg_restore --use-list` takes it.
    pub dump_id: i64,
    /// The archive's word for it, such as `TABLE`.
    pub kind: String,
    /// The schema it is in; empty for none.
    pub schema: String,
    /// The archive's tag for it.
    pub name: String,
    /// Numbers of the entries that it needs.
    pub dependencies: Vec<i64>,
}

/// Reads an archive that is pushed into it piece by piece.
#[derive(Debug)]
pub struct ArchiveReader {
    options: ArchiveOptions,
    header: ArchiveHeader,
    toc: Toc,
    entries: Vec<ListedEntry>,
    contents: Contents,
    stage: Stage,
    places: DataPlaces,
    /// Where the data block began that is being read.
    block_began: u64,
    /// Bytes of the archive before the next one to look at.
    offset: u64,
    /// Rows of the tables that are complete.
    n_rows: u64,
}

/// What comes next.
#[derive(Debug)]
enum Stage {
    /// The header (item 0) or an entry of the table of contents, which needs at least so many bytes.
    Toc { n_read: usize, needed: usize, buffer: Vec<u8> },
    /// A data block's type, then its entry's number.
    Block { kind: Option<u8>, ints: IntReader },
    /// The rows of a table.
    Table { block: Box<TableBlock>, ints: IntReader },
    /// Large objects.
    LargeObjects { block: Box<LargeObjectBlock>, ints: IntReader },
    /// Every promised block has been read; so many bytes have followed.
    Trailing { bytes: u64 },
}

impl ArchiveReader {
    /// A reader before the first byte.
    pub fn new(options: ArchiveOptions) -> Self {
        Self {
            options,
            header: ArchiveHeader::default(),
            toc: Toc::default(),
            entries: Vec::new(),
            contents: Contents::default(),
            stage: Stage::Toc { n_read: 0, needed: 0, buffer: Vec::new() },
            places: DataPlaces::default(),
            block_began: 0,
            offset: 0,
            n_rows: 0,
        }
    }

    /// The table whose rows are passing.
    pub fn current_table(&self) -> Option<&str> {
        match &self.stage {
            Stage::Table { block, .. } => Some(&block.target.table),
            _ => None,
        }
    }

    /// Rows of all tables so far.
    pub fn rows_so_far(&self) -> u64 {
        match &self.stage {
            Stage::Table { block, .. } => self.n_rows + block.rows.n_rows,
            _ => self.n_rows,
        }
    }

    /// What the table of contents could not say yet of the data blocks that have passed.
    pub fn data_places(&self) -> &[DataPlace] {
        self.places.known()
    }

    /// Takes the next bytes of the archive. After an error the reader is of no further use.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        if let Stage::Toc { .. } = self.stage {
            let data = self.feed_toc(bytes)?;
            return self.feed_data(&data);
        }
        self.feed_data(bytes)
    }

    /// The archive has ended: is everything here that it promised?
    pub fn finish(self) -> Result<ArchiveSummary, ArchiveError> {
        let Stage::Trailing { bytes } = self.stage else {
            return Err(self.error(ArchiveProblem::Truncated { n_blocks: self.toc.expected.len() }));
        };
        if let Err(problem) = self.toc.check_large_objects(&self.contents.large_objects) {
            return Err(self.error(problem));
        }
        let Self { header, entries, contents, .. } = self;
        Ok(ArchiveSummary { trailing_bytes: bytes, header, entries, contents })
    }

    /// Reads what is complete of the header and the table of contents; returns the bytes after them.
    fn feed_toc(&mut self, bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let Stage::Toc { n_read, needed, buffer } = &mut self.stage else { return Ok(bytes.to_vec()) };
        buffer.extend_from_slice(bytes);
        let (mut n_read, mut needed, mut buffer) = (*n_read, *needed, std::mem::take(buffer));
        let mut position = 0;
        while buffer.len() - position >= needed {
            match self.read_toc_item(&buffer[position..], n_read) {
                Ok(length) => {
                    self.offset += length as u64;
                    self.open_place(&buffer[position..], n_read);
                    position += length;
                    if n_read == self.header.n_entries {
                        self.stage = self.after_block();
                        return Ok(buffer.split_off(position));
                    }
                    (n_read, needed) = (n_read + 1, 1);
                }
                Err(Stop::Short(more)) => needed = more,
                Err(Stop::Bad(at, problem)) => {
                    self.offset += at as u64;
                    self.stage = Stage::Toc { n_read, needed, buffer };
                    return Err(self.error(problem));
                }
            }
        }
        buffer.drain(..position);
        self.stage = Stage::Toc { n_read, needed, buffer };
        Ok(Vec::new())
    }

    /// Reads the header (item 0) or an entry; returns its length.
    fn read_toc_item(&mut self, bytes: &[u8], n_read: usize) -> Result<usize, Stop> {
        let mut cursor = Cursor::new(bytes, self.header.int_size);
        if n_read == 0 {
            self.header = read_header(&mut cursor)?;
        } else {
            let entry = read_entry(&mut cursor, &self.header)?;
            self.toc.add(&entry, &mut self.contents).map_err(|problem| Stop::Bad(0, problem))?;
            self.entries.push(ListedEntry {
                dump_id: entry.dump_id,
                kind: readable(entry.kind),
                schema: readable(entry.schema),
                name: readable(entry.tag),
                dependencies: entry.dependencies,
            });
        }
        Ok(cursor.position())
    }

    /// Keeps in mind where the entry that has just been read will have to say where its data is.
    fn open_place(&mut self, entry: &[u8], n_read: usize) {
        if n_read > 0
            && let Ok(dump_id) = Cursor::new(entry, self.header.int_size).int()
            && self.toc.expected.contains_key(&dump_id)
        {
            self.places.open(dump_id, self.offset, self.header.offset_size);
        }
    }

    /// Nothing tells the end of the archive except that no promised block is missing.
    fn after_block(&self) -> Stage {
        if self.toc.expected.is_empty() {
            Stage::Trailing { bytes: 0 }
        } else {
            Stage::Block { kind: None, ints: IntReader::new(self.header.int_size) }
        }
    }

    fn feed_data(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() {
            let before = bytes.len();
            let done = self.feed_items(&mut bytes);
            self.offset += (before - bytes.len()) as u64;
            if let Err(problem) = done {
                return Err(self.error(problem));
            }
        }
        Ok(())
    }

    /// Takes items off the front of `bytes` until one is incomplete or a block ends.
    fn feed_items(&mut self, bytes: &mut &[u8]) -> Result<(), ArchiveProblem> {
        let progress = match &mut self.stage {
            Stage::Table { block, ints } => block.feed(bytes, ints)?,
            Stage::LargeObjects { block, ints } => block.feed(bytes, ints, &mut self.contents.large_objects)?,
            Stage::Block { kind: kind @ None, .. } => {
                self.block_began = self.offset;
                *kind = Some(bytes[0]);
                *bytes = &bytes[1..];
                Progress::Open
            }
            Stage::Block { kind: Some(kind), ints } => {
                let kind = *kind;
                if let Some(dump_id) = ints.take(bytes)? {
                    self.begin_block(kind, dump_id)?;
                }
                Progress::Open
            }
            // A second table of contents begins with its length, so with a sign byte of 0; a data block does not.
            Stage::Trailing { bytes: 0 } if bytes[0] != 0 => {
                return Err(ArchiveProblem::unexpected("the end of the archive", "further data"));
            }
            Stage::Trailing { bytes: trailing } => {
                *trailing += bytes.len() as u64;
                *bytes = &[];
                Progress::Open
            }
            Stage::Toc { .. } => unreachable!("feed_items is called after the table of contents"),
        };
        if progress == Progress::Ended {
            self.end_block();
        }
        Ok(())
    }

    /// Block types: `BLK_DATA` 1, `BLK_BLOBS` 3.
    fn begin_block(&mut self, kind: u8, dump_id: i64) -> Result<(), ArchiveProblem> {
        let ints = IntReader::new(self.header.int_size);
        self.places.found(dump_id, self.block_began, self.header.offset_size);
        self.stage = match (kind, self.toc.expected.remove(&dump_id)) {
            (_, None) => return Err(ArchiveProblem::UnlistedData(dump_id)),
            (1, Some(Expected::Rows(target))) => {
                let rows = RowDigest::new(self.field_order(&target));
                Stage::Table { block: Box::new(TableBlock::new(target, rows)), ints }
            }
            (3, Some(Expected::LargeObjects)) => Stage::LargeObjects { block: Box::new(LargeObjectBlock::new()), ints },
            (found, Some(_)) => {
                return Err(ArchiveProblem::unexpected("the block type that the entry promises", found));
            }
        };
        Ok(())
    }

    /// Adds the block's rows to its table: several partitions may be loaded through one root.
    fn end_block(&mut self) {
        let next = self.after_block();
        if let Stage::Table { block, .. } = std::mem::replace(&mut self.stage, next) {
            let TableBlock { target, rows, .. } = *block;
            self.n_rows += rows.n_rows;
            let columns = self.expected_columns(&target).map(<[String]>::to_vec);
            let table = self.contents.tables.entry(target.table).or_default();
            table.columns = columns.unwrap_or(target.columns);
            table.rows += rows.n_rows;
            table.bytes += rows.bytes;
            table.digest.add(rows.digest.0);
        }
    }

    /// Where each expected column is among the dumped ones, unless they already are in order.
    fn field_order(&self, target: &CopyTarget) -> Option<Vec<usize>> {
        let expected = self.expected_columns(target)?;
        let position = |column| target.columns.iter().position(|dumped| dumped == column);
        (expected != target.columns).then(|| expected.iter().filter_map(position).collect())
    }

    /// The order in which this table's columns were hashed before, here or in the record to compare with, if it has the
    /// same columns.
    fn expected_columns(&self, target: &CopyTarget) -> Option<&[String]> {
        let earlier = self.contents.tables.get(&target.table).map(|table| &table.columns);
        let expected = self.options.column_order.get(&target.table);
        let is_permutation = |columns: &&Vec<String>| {
            columns.len() == target.columns.len() && target.columns.iter().all(|column| columns.contains(column))
        };
        earlier.filter(is_permutation).or(expected.filter(is_permutation)).map(Vec::as_slice)
    }

    fn error(&self, problem: ArchiveProblem) -> ArchiveError {
        let place = match &self.stage {
            Stage::Toc { n_read: 0, .. } => "the header".to_owned(),
            Stage::Toc { n_read, .. } => {
                format!("the table of contents (entry {n_read} of {})", self.header.n_entries)
            }
            Stage::Block { .. } => "the beginning of a data block".to_owned(),
            Stage::Table { block, .. } => format!("the rows of {}", block.target.table),
            Stage::LargeObjects { .. } => "the large objects".to_owned(),
            Stage::Trailing { .. } => "the end".to_owned(),
        };
        ArchiveError { offset: self.offset, place, problem }
    }
}
