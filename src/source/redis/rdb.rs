//! Reads a Redis or Valkey snapshot (RDB) as it streams by and records what it holds.
//!
//! The bytes are looked at, never changed or kept: a string of any size passes through its hash, and only packed values,
//! which servers keep small, are held whole. A stream that cannot be read to its promised end, or whose checksum is not
//! that of its bytes, is an error. The format is that of `rdb.c`: versions 5 to 13 of Redis and 80 of Valkey; in a newer
//! one everything is read that has a known number. Which server reads which of them is in `format.rs`.

mod compose;
mod entry;
mod error;
mod input;
mod lzf;
mod module;
mod node;
mod packed;
mod stream;
mod text;
mod value;
mod walk;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

pub use self::compose::{Dumped, RdbWriter, read_dump};
pub use self::entry::{Entries, Entry, EntryError, KeyEntry, restore_payload};
pub use self::error::{KeyPlace, RdbError, RdbProblem};
pub use self::text::small_string;

use self::entry::Outbox;
use self::input::{Input, Pipe};
use crate::contents::keyspace::Keyspace;
use crate::stream::{Tap, TapError};

/// How to read an RDB.
#[derive(Debug, Clone, Copy)]
pub struct RdbOptions {
    /// Keys that expire up to this moment (milliseconds since 1970) are counted as passing, and so are hashes that have no
    /// other fields left; single fields that do are left out. They may be gone from one of two snapshots that are otherwise
    /// equal.
    pub passing_until: Option<i64>,
    /// The largest key or value that is handed out as an entry.
    pub max_entry: usize,
}

/// What a whole RDB held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdbSummary {
    /// Its bytes.
    pub bytes: u64,
    /// The RDB about itself.
    pub facts: RdbFacts,
    /// The record.
    pub keyspace: Keyspace,
}

/// What an RDB says about itself and the server that wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RdbFacts {
    /// The version of the format.
    pub rdb_version: u32,
    /// `redis` or `valkey`, as far as it says.
    pub product: Option<&'static str>,
    /// The server's version.
    pub server_version: Option<String>,
    /// When it was written, in seconds since 1970.
    pub created: Option<i64>,
    /// The memory that the server used.
    pub used_memory: Option<u64>,
    /// The replication history that it belongs to.
    pub replication_id: Option<String>,
    /// The position in that history.
    pub replication_offset: Option<i64>,
    /// Whether its checksum was there, and so was compared.
    pub has_checksum: bool,
    /// Whether modules attached data to keys, which is in no record.
    pub has_key_metadata: bool,
    /// Whether keys are in it that another master still serves: their slots were on their way.
    pub has_slots_on_their_way: bool,
}

/// Reads an RDB that is pushed into it piece by piece.
pub struct RdbDecoder {
    pipe: Arc<Pipe>,
    fed: u64,
    reading: Reading,
}

/// How far reading has come.
enum Reading {
    Underway(Pin<Box<dyn Future<Output = Result<RdbSummary, RdbError>> + Send>>),
    Complete(Box<RdbSummary>),
    Failed(RdbError),
}

impl RdbDecoder {
    /// A decoder before the first byte.
    pub fn new(options: RdbOptions) -> Self {
        Self::with_outbox(options, None)
    }

    fn with_outbox(options: RdbOptions, outbox: Option<Outbox>) -> Self {
        let pipe = Arc::new(Pipe::default());
        let reading = Reading::Underway(Box::pin(walk::walk(Input::new(Arc::clone(&pipe)), options, outbox)));
        Self { pipe, fed: 0, reading }
    }

    /// Takes the next bytes; returns how many of them belong to the RDB. Fewer than were given means that it ended there.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, RdbError> {
        if self.is_complete() || bytes.is_empty() {
            return Ok(0);
        }
        self.pipe.put(bytes);
        self.fed += bytes.len() as u64;
        self.read_on()?;
        match &self.reading {
            Reading::Complete(summary) => {
                let n_after = usize::try_from(self.fed - summary.bytes).expect("they are among the given bytes");
                Ok(bytes.len() - n_after)
            }
            _ => Ok(bytes.len()),
        }
    }

    /// Whether the last byte of the RDB has been taken and everything was good.
    pub fn is_complete(&self) -> bool {
        matches!(self.reading, Reading::Complete(_))
    }

    /// The RDB has ended: is everything here that it promised?
    pub fn finish(mut self) -> Result<RdbSummary, RdbError> {
        self.end()?;
        match self.reading {
            Reading::Complete(summary) => Ok(*summary),
            Reading::Failed(error) => Err(error),
            Reading::Underway(_) => unreachable!("after the last byte the reader has nothing to wait for"),
        }
    }

    /// No more bytes will come.
    fn end(&mut self) -> Result<(), RdbError> {
        self.pipe.end();
        self.read_on()
    }

    /// Takes the next bytes, all of which must belong to the RDB.
    fn feed_all(&mut self, bytes: &[u8]) -> Result<(), RdbError> {
        let taken = self.feed(bytes)?;
        if taken < bytes.len() {
            let Reading::Complete(summary) = &self.reading else { unreachable!("only the end leaves bytes over") };
            return Err(RdbError { offset: summary.bytes, key: None, problem: RdbProblem::TrailingBytes });
        }
        Ok(())
    }

    fn read_on(&mut self) -> Result<(), RdbError> {
        if let Reading::Underway(reading) = &mut self.reading {
            // Nothing wakes it: it is polled whenever there are bytes.
            match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => {}
                Poll::Ready(Ok(summary)) => self.reading = Reading::Complete(Box::new(summary)),
                Poll::Ready(Err(error)) => self.reading = Reading::Failed(error),
            }
        }
        match &self.reading {
            Reading::Failed(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

impl Tap for RdbDecoder {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        Ok(self.feed_all(plain)?)
    }
}

impl fmt::Debug for RdbDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RdbDecoder")
            .field("fed", &self.fed)
            .field("is_complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}

impl Default for RdbOptions {
    /// No passing keys; entries up to 1 GiB, twice what a server's protocol takes by default.
    fn default() -> Self {
        Self { passing_until: None, max_entry: 1 << 30 }
    }
}

impl RdbFacts {
    /// Takes a fact in; unknown ones are none of ours.
    fn see(&mut self, name: &str, value: &str) {
        match name {
            "redis-ver" => (self.product, self.server_version) = (Some("redis"), Some(value.to_owned())),
            "valkey-ver" => (self.product, self.server_version) = (Some("valkey"), Some(value.to_owned())),
            "ctime" => self.created = value.parse().ok(),
            "used-mem" => self.used_memory = value.parse().ok(),
            "repl-id" => self.replication_id = Some(value.to_owned()),
            "repl-offset" => self.replication_offset = value.parse().ok(),
            _ => {}
        }
    }
}
