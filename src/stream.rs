//! How one stream of a backup is laid into objects, and read back.
//!
//! ```text
//!            seal                                                          open
//! child's stdout                                                 sink (file, pg_restore, content record)
//!      │ plain bytes ──► tap (content record), SHA-256                  ▲ SHA-256 ◄── plain bytes
//!      ▼                                                                │
//!    zstd  (level, threads, long window)                              zstd
//!      ▼                                                                │
//!    age   (only with recipients)                                     age   (with the identity)
//!      ▼                                                                │
//!    SHA-256 per object, parts of one fixed size                      SHA-256 per object, exact length
//!      ▼                                                                │
//!    store, a few parts in flight; objects `x`, `x.001`, …            store
//! ```
//!
//! Memory is parts in flight × part size plus zstd's window, whatever the stream's length. Back-pressure runs from the
//! store to the child: a full channel stops the sealing thread, which stops reading the pipe. The objects of a stream
//! concatenated are one age file of one zstd frame, so `cat | age -d | zstd -d` reads them without guard.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

mod compress;
mod encrypt;
mod hash;
mod open;
mod parts;
mod seal;

pub use encrypt::{Identities, KeyTextError, Recipients};
pub use hash::{Hashed, Sha256Digest};
pub use open::{OpenError, StoredStream, open, read_stored};
pub use parts::{ObjectNames, PART_SIZE, SealedObject, Uploads};
pub use seal::{SealError, Sealed, SealedStream, Tap, TapError, seal};

/// How the plain bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compression {
    /// zstd's level, 1–19.
    pub level: i32,
    /// Worker threads beside the one that reads; `None` takes one per core, at most four.
    pub threads: Option<NonZeroU32>,
    /// log2 of the match window for long-distance matching, 20–27; `None` leaves it to the level. 27 costs 128 MiB.
    pub long_window: Option<u32>,
}

impl Default for Compression {
    fn default() -> Self {
        Self { level: 3, threads: None, long_window: None }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zstd:{}", self.level)
    }
}
