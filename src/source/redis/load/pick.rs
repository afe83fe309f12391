//! What of a backup's files is meant for a target, entry by entry, and the record that it will have there.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_128;

use super::{LoadError, LoadOptions, MAX_ENTRY};
use crate::contents::keyspace::{Functions, Keyspace};
use crate::source::redis::pattern::matches;
use crate::source::redis::rdb::{Entries, Entry, EntryError, KeyEntry, RdbDecoder, RdbOptions, RdbWriter};

impl LoadOptions {
    /// Leaves out of the record of a target what this restore has not brought there.
    pub fn leave_out_the_rest(&self, found: &mut Keyspace) {
        if let Some(database) = self.database {
            found.databases.retain(|number, _| *number == u64::from(database));
        }
        if !self.patterns.is_empty() {
            found.functions = Functions::default();
        }
    }
}

/// Where a key goes.
pub(super) fn target_database(key: &KeyEntry, options: &LoadOptions) -> u32 {
    options.database.unwrap_or_else(|| u32::try_from(key.database).unwrap_or(u32::MAX))
}

/// The entries of all files that are meant, each with the RDB version of its file. An error is the last. Every master of a
/// cluster has every function library: one that was seen is not meant again.
pub(super) fn picked<'a>(
    files: &'a [PathBuf],
    options: &'a LoadOptions,
) -> impl Iterator<Item = Result<(Entry, u32), LoadError>> + 'a {
    let entries = files.iter().flat_map(FileEntries::open);
    let mut libraries = HashSet::new();
    entries.filter(move |entry| match entry {
        Ok((Entry::Key(key), _)) => {
            options.patterns.is_empty() || options.patterns.iter().any(|pattern| matches(pattern.as_bytes(), &key.key))
        }
        Ok((Entry::Function(code), _)) => options.patterns.is_empty() && libraries.insert(xxh3_128(code)),
        Err(_) => true,
    })
}

/// The record that a server must have that was empty before these were loaded into it.
pub fn expected_after(files: &[PathBuf], options: &LoadOptions, rdb: RdbOptions) -> Result<Keyspace, LoadError> {
    // The masters of a cluster may be of two versions: the newest format knows the types of the others.
    let versions = files.iter().map(|path| Ok(open(path)?.1)).collect::<Result<Vec<u32>, LoadError>>()?;
    let Some(newest) = versions.into_iter().max() else { return Ok(Keyspace::default()) };
    let mut recorder = RdbDecoder::new(rdb);
    let mut writer = RdbWriter::new(Vec::new(), newest, &[]).map_err(EntryError::from)?;
    for entry in picked(files, options) {
        match entry?.0 {
            Entry::Function(code) => writer.function(&code).map_err(EntryError::from)?,
            Entry::Key(key) => {
                let database = target_database(&key, options).into();
                writer.key(&KeyEntry { database, ..key }).map_err(EntryError::from)?;
            }
        }
        recorder.feed(&writer.take()).map_err(EntryError::from)?;
    }
    let end = writer.finish().map_err(EntryError::from)?;
    recorder.feed(&end).map_err(EntryError::from)?;
    Ok(recorder.finish().map_err(EntryError::from)?.keyspace)
}

/// The entries of one file.
struct FileEntries {
    entries: Result<Entries<File>, Option<LoadError>>,
    rdb_version: u32,
}

impl FileEntries {
    fn open(path: &PathBuf) -> Self {
        match open(path) {
            Ok((file, rdb_version)) => {
                let options = RdbOptions { max_entry: MAX_ENTRY, ..RdbOptions::default() };
                Self { entries: Ok(Entries::new(file, options)), rdb_version }
            }
            Err(error) => Self { entries: Err(Some(error)), rdb_version: 0 },
        }
    }
}

impl Iterator for FileEntries {
    type Item = Result<(Entry, u32), LoadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.entries {
            Ok(entries) => {
                let next = entries.next()?;
                Some(next.map(|entry| (entry, self.rdb_version)).map_err(LoadError::from))
            }
            Err(error) => error.take().map(Err),
        }
    }
}

/// A file at its beginning, and the version of its format.
fn open(path: &PathBuf) -> Result<(File, u32), LoadError> {
    let open = || {
        let mut file = File::open(path)?;
        let version = header_version(&mut file)?;
        Ok((file, version))
    };
    open().map_err(|reason| LoadError::File { path: path.clone(), reason })
}

/// The four digits of `REDIS0010`, or the three of `VALKEY080`.
fn header_version(file: &mut File) -> std::io::Result<u32> {
    let mut header = [0; 9];
    file.read_exact(&mut header)?;
    file.rewind()?;
    let digits = header.strip_prefix(b"REDIS").or_else(|| header.strip_prefix(b"VALKEY")).unwrap_or_default();
    let version = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    version.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "not an RDB"))
}
