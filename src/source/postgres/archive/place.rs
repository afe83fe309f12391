//! Where an archive's data blocks begin, told to its own table of contents.
//!
//! A piped archive leaves these places open. Then every worker of `pg_restore --jobs` looks for its tables by reading from
//! block to block; with them it seeks, and the largest tables come first (`pg_backup_custom.c`: `_PrintTocData`,
//! `_PrepParallelRestore`). An archive completed in this way is byte for byte what `pg_dump --file` writes.

use std::collections::BTreeMap;

/// The state of an offset that is known (`K_OFFSET_POS_SET`).
const KNOWN: u8 = 2;

/// What one entry of the table of contents has to say of its data, and where it has to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPlace {
    /// The position of `text` in the archive.
    pub at: u64,
    /// The state and the offset, as the archive writes them.
    pub text: Vec<u8>,
}

/// The entries' open places and the blocks found so far.
#[derive(Debug, Default)]
pub(super) struct DataPlaces {
    open: BTreeMap<i64, u64>,
    found: Vec<DataPlace>,
}

impl DataPlaces {
    /// An entry with data ends at `end`; its place is its last field.
    pub(super) fn open(&mut self, dump_id: i64, end: u64, offset_size: usize) {
        self.open.insert(dump_id, end - 1 - offset_size as u64);
    }

    /// The entry's data block begins at `begin`.
    pub(super) fn found(&mut self, dump_id: i64, begin: u64, offset_size: usize) {
        let Some(at) = self.open.remove(&dump_id) else { return };
        let mut text = vec![KNOWN];
        text.extend_from_slice(&begin.to_le_bytes()[..offset_size]);
        // An offset that does not fit stays open, which is slow and right.
        if offset_size == size_of::<u64>() || begin >> (8 * offset_size) == 0 {
            self.found.push(DataPlace { at, text });
        }
    }

    /// What is known so far.
    pub(super) fn known(&self) -> &[DataPlace] {
        &self.found
    }
}
