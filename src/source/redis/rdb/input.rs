//! The bytes of an RDB as they come, in pieces of any size, to a reader that is written as if they were all there.
//!
//! The reader is an `async fn` that waits for bytes; whoever has bytes puts them into the [`Pipe`] and polls the reader once.
//! So one straight reader serves the stream that passes by as well as a file, without a thread.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crc_fast::{CrcAlgorithm, Digest as Crc};

use super::error::RdbProblem;

/// A buffer that once had to be large does not stay so.
const USUAL_CAPACITY: usize = 4 << 20;

/// The way of the bytes from who has them to the reader.
#[derive(Debug, Default)]
pub(super) struct Pipe(Mutex<Flow>);

#[derive(Debug, Default)]
struct Flow {
    next: Vec<u8>,
    has_ended: bool,
}

/// The reader's end.
pub(super) struct Input {
    pipe: Arc<Pipe>,
    chunk: Vec<u8>,
    /// What of the chunk has been read.
    position: usize,
    /// Bytes before the chunk.
    before: u64,
    crc: Crc,
    kept: Option<Kept>,
    /// Whether what has just been read was more than may be kept.
    pub(super) kept_too_much: bool,
    /// What short compressed strings are inflated into.
    pub(super) inflated: Vec<u8>,
}

/// What has been read since somebody began to keep it.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
}

impl Pipe {
    /// More bytes.
    pub(super) fn put(&self, bytes: &[u8]) {
        self.flow().next.extend_from_slice(bytes);
    }

    /// No more bytes.
    pub(super) fn end(&self) {
        self.flow().has_ended = true;
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Input {
    pub(super) fn new(pipe: Arc<Pipe>) -> Self {
        let crc = Crc::new(CrcAlgorithm::Crc64Redis);
        Self {
            pipe,
            chunk: Vec::new(),
            position: 0,
            before: 0,
            crc,
            kept: None,
            kept_too_much: false,
            inflated: Vec::new(),
        }
    }

    /// Bytes that have been read.
    pub(super) fn offset(&self) -> u64 {
        self.before + self.position as u64
    }

    /// The bytes that are there.
    pub(super) fn available(&self) -> &[u8] {
        &self.chunk[self.position..]
    }

    /// Waits until so many bytes are there.
    pub(super) async fn ensure(&mut self, n_bytes: usize) -> Result<(), RdbProblem> {
        while self.available().len() < n_bytes {
            self.refill().await?;
        }
        Ok(())
    }

    /// Leaves bytes behind that are there.
    pub(super) fn advance(&mut self, n_bytes: usize) {
        let read = &self.chunk[self.position..self.position + n_bytes];
        if let Some(kept) = &mut self.kept {
            if kept.bytes.len() + read.len() <= kept.limit {
                kept.bytes.extend_from_slice(read);
            } else {
                self.kept = None;
                self.kept_too_much = true;
            }
        }
        self.position += n_bytes;
    }

    /// Leaves bytes behind and returns them.
    pub(super) fn take(&mut self, n_bytes: usize) -> &[u8] {
        self.advance(n_bytes);
        &self.chunk[self.position - n_bytes..self.position]
    }

    /// Reads so many bytes.
    pub(super) async fn array<const N: usize>(&mut self) -> Result<[u8; N], RdbProblem> {
        self.ensure(N).await?;
        let mut array = [0; N];
        array.copy_from_slice(self.take(N));
        Ok(array)
    }

    /// The checksum of everything that has been read.
    pub(super) fn checksum(&self) -> u64 {
        let mut crc = self.crc;
        crc.update(&self.chunk[..self.position]);
        crc.finalize()
    }

    /// Keeps what is read from here on, unless it is more than `limit`.
    pub(super) fn keep(&mut self, bytes: Vec<u8>, limit: usize) {
        self.kept_too_much = false;
        self.kept = Some(Kept { bytes, limit });
    }

    /// What was read since; nothing if it was too much.
    pub(super) fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take().map(|kept| kept.bytes)
    }

    async fn refill(&mut self) -> Result<(), RdbProblem> {
        self.crc.update(&self.chunk[..self.position]);
        self.before += self.position as u64;
        self.chunk.drain(..self.position);
        self.position = 0;
        poll_fn(|_| {
            let mut flow = self.pipe.flow();
            if flow.next.is_empty() {
                return if flow.has_ended { Poll::Ready(Err(RdbProblem::Truncated)) } else { Poll::Pending };
            }
            if self.chunk.is_empty() {
                std::mem::swap(&mut self.chunk, &mut flow.next);
            } else {
                self.chunk.extend_from_slice(&flow.next);
            }
            flow.next.clear();
            flow.next.shrink_to(USUAL_CAPACITY);
            Poll::Ready(Ok(()))
        })
        .await
    }
}
