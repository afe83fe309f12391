//! The hash of something that is too large to be held: a long row, a large object.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// XXH3-128 of a stream; equal to that of the same bytes in one piece.
pub(super) struct StreamHash {
    state: Box<Xxh3>,
    length: u64,
}

impl StreamHash {
    /// The hash of nothing yet.
    pub(super) fn new() -> Self {
        Self { state: Box::new(Xxh3::new()), length: 0 }
    }

    /// Forgets everything; cheaper than a new one.
    pub(super) fn reset(&mut self) {
        self.state.reset();
        self.length = 0;
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, data: &[u8]) {
        self.state.update(data);
        self.length += data.len() as u64;
    }

    /// How many bytes were taken.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The hash of them all.
    pub(super) fn digest(&self) -> u128 {
        self.state.digest128()
    }
}

impl fmt::Debug for StreamHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamHash").field("length", &self.length).finish_non_exhaustive()
    }
}
