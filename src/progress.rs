//! How far a run is, for whoever wants to show it: written by the stories, read by the rim.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared counters of one run.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    estimate: AtomicU64,
    state: Mutex<State>,
}

/// A moment of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// What is being done, such as `dumping`.
    pub phase: String,
    /// The table that is passing, if any.
    pub table: Option<String>,
    /// Plain bytes of this phase so far.
    pub bytes: u64,
    /// How many there may be; 0 if nobody knows.
    pub estimate: u64,
}

#[derive(Debug, Default)]
struct State {
    phase: String,
    table: Option<String>,
}

impl Progress {
    /// Begins a phase.
    pub fn begin(&self, phase: &str, estimate: u64) {
        self.bytes.store(0, Ordering::Relaxed);
        self.estimate.store(estimate, Ordering::Relaxed);
        let mut state = self.lock();
        phase.clone_into(&mut state.phase);
        state.table = None;
    }

    /// Counts bytes.
    pub fn add(&self, n_bytes: u64) {
        self.bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    /// Tells which table is passing; cheap when it is the same as before.
    pub fn table(&self, table: Option<&str>) {
        let mut state = self.lock();
        if state.table.as_deref() != table {
            state.table = table.map(str::to_owned);
        }
    }

    /// Where the run is now.
    pub fn now(&self) -> Moment {
        let state = self.lock();
        Moment {
            phase: state.phase.clone(),
            table: state.table.clone(),
            bytes: self.bytes.load(Ordering::Relaxed),
            estimate: self.estimate.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
