//! The entries of an RDB one by one, each as a running server takes it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crc_fast::{CrcAlgorithm, checksum};

use super::error::RdbError;
use super::{RdbDecoder, RdbOptions, RdbSummary};
use crate::contents::keyspace::KeyKind;

/// So much is read at a time: small entries that follow each other are few enough to be held.
const PIECE: usize = 64 << 10;

/// Something that can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A key.
    Key(KeyEntry),
    /// The code of a function library, for `FUNCTION LOAD`.
    Function(Vec<u8>),
}

/// A key and what `RESTORE` needs for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its database.
    pub database: u64,
    /// Its name.
    pub key: Vec<u8>,
    /// What its value is.
    pub kind: KeyKind,
    /// When it expires, in milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// Seconds since it was last used, if the server kept that.
    pub idle: Option<u64>,
    /// How often it is used, if the server kept that.
    pub frequency: Option<u8>,
    /// Type and value as they stand in the RDB; `None` if key or value are larger than the options allow.
    pub payload: Option<Vec<u8>>,
}

/// What `RESTORE` takes: the payload, the RDB version that it was written in and a checksum of both. The version must be
/// the one that the RDB says: a server refuses what is newer than itself.
pub fn restore_payload(mut payload: Vec<u8>, rdb_version: u32) -> Vec<u8> {
    let version = u16::try_from(rdb_version).expect("the header has room for four digits");
    payload.extend_from_slice(&version.to_le_bytes());
    let crc = checksum(CrcAlgorithm::Crc64Redis, &payload);
    payload.extend_from_slice(&crc.to_le_bytes());
    payload
}

/// Reads an RDB entry by entry and records it on the way. Memory: the entries of one piece, or one large entry.
#[derive(Debug)]
pub struct Entries<R> {
    source: R,
    decoder: RdbDecoder,
    outbox: Outbox,
    piece: Vec<u8>,
    failed: Option<RdbError>,
    has_ended: bool,
}

/// Why there is no next entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The bytes could not be read.
    #[error("reading the RDB failed: {0}")]
    Read(#[from] io::Error),
    /// They are not a whole RDB.
    #[error(transparent)]
    Rdb(#[from] RdbError),
}

/// Entries that were read and not yet fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox(Arc<Mutex<VecDeque<Entry>>>);

impl Outbox {
    pub(super) fn put(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(entry);
    }

    fn fetch(&self) -> Option<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl<R: Read> Entries<R> {
    /// The entries of an RDB that is read from here.
    pub fn new(source: R, options: RdbOptions) -> Self {
        let outbox = Outbox::default();
        let decoder = RdbDecoder::with_outbox(options, Some(outbox.clone()));
        Self { source, decoder, outbox, piece: vec![0; PIECE], failed: None, has_ended: false }
    }

    /// The next entry; `None` after the last, once the whole RDB is known to be good.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, EntryError> {
        loop {
            if let Some(entry) = self.outbox.fetch() {
                return Ok(Some(entry));
            }
            if let Some(error) = self.failed.take() {
                self.has_ended = true;
                return Err(error.into());
            }
            if self.has_ended {
                return Ok(None);
            }
            let n_read = match self.source.read(&mut self.piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            self.has_ended = n_read == 0;
            let bytes = &self.piece[..n_read];
            let read = if self.has_ended { self.decoder.end() } else { self.decoder.feed_all(bytes) };
            // What was complete before the fault comes first.
            self.failed = read.err();
        }
    }

    /// The record of everything that was read; only after the last entry.
    pub fn finish(self) -> Result<RdbSummary, RdbError> {
        self.decoder.finish()
    }
}

impl<R: Read> Iterator for Entries<R> {
    type Item = Result<Entry, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().transpose()
    }
}
