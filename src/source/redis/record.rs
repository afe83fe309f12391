//! The content record of a snapshot. On its way out the one who reads it from the server records it, because only the
//! record knows where it ends; on its way back it is a tap like any other.

use std::sync::{Arc, Mutex, PoisonError};

use super::rdb::{RdbDecoder, RdbError, RdbOptions, RdbProblem, RdbSummary};
use crate::progress::Progress;

/// Records one RDB.
#[derive(Debug)]
pub struct Recorder {
    decoder: RdbDecoder,
    progress: Arc<Progress>,
}

/// Where the record of a snapshot will be once its last byte was read.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<Mutex<Option<RdbSummary>>>);

/// The record of a stream, from wherever it comes.
#[derive(Debug)]
pub enum StreamRecord {
    /// From the bytes that pass here.
    Passing(Box<Recorder>),
    /// From the one who reads them from the server.
    Elsewhere(Slot),
}

impl Recorder {
    /// Records an RDB whose progress somebody watches.
    pub fn new(options: RdbOptions, progress: &Arc<Progress>) -> Self {
        Self { decoder: RdbDecoder::new(options), progress: Arc::clone(progress) }
    }

    /// Sees the next bytes; returns how many of them belong to the RDB. Fewer than all do only where it ends.
    pub fn see(&mut self, bytes: &[u8]) -> Result<usize, RdbError> {
        if self.is_finished() {
            return Ok(0);
        }
        let taken = self.decoder.feed(bytes)?;
        self.progress.add(taken as u64);
        Ok(taken)
    }

    /// Whether the last byte was seen.
    pub fn is_finished(&self) -> bool {
        self.decoder.is_complete()
    }

    /// The record, if the RDB was whole.
    pub fn finish(self) -> Result<RdbSummary, RdbError> {
        self.decoder.finish()
    }
}

impl Slot {
    /// Puts the record there.
    pub fn put(&self, summary: RdbSummary) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary);
    }

    /// The record, if it is there.
    pub fn look(&self) -> Option<RdbSummary> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StreamRecord {
    /// Sees the next bytes, all of which must belong to the RDB.
    pub fn see(&mut self, bytes: &[u8]) -> Result<(), RdbError> {
        let Self::Passing(recorder) = self else { return Ok(()) };
        if recorder.see(bytes)? < bytes.len() {
            return Err(problem(RdbProblem::TrailingBytes));
        }
        Ok(())
    }

    /// The record, if the RDB was whole.
    pub fn finish(self) -> Result<RdbSummary, RdbError> {
        match self {
            Self::Passing(recorder) => recorder.finish(),
            Self::Elsewhere(slot) => slot.look().ok_or_else(|| problem(RdbProblem::Truncated)),
        }
    }
}

fn problem(problem: RdbProblem) -> RdbError {
    RdbError { offset: 0, key: None, problem }
}
