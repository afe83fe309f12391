//! What a running guard does and has done since it started: told by whoever runs the jobs, shown by page and metrics.
//!
//! Nothing depends on it: after a restart all that counts is read from the repository again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::catalog::SourceName;
use crate::progress::{Moment, Progress};

/// What can be run for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// A backup.
    Backup,
    /// A test restore.
    TestRestore,
    /// Reading every stored byte.
    Verify,
    /// Retention and leftovers.
    Prune,
}

/// How one run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Running {
    /// What is run.
    pub job: Job,
    /// Since when.
    pub started: DateTime<Utc>,
    /// What is being done, such as `dumping`.
    pub phase: String,
    /// The table that is passing, if any.
    pub table: Option<String>,
    /// Plain bytes of this phase so far.
    pub bytes: u64,
    /// How many there may be; 0 if nobody knows.
    pub estimate: u64,
}

/// A lease that this process holds or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// Whether this process holds it.
    pub held: bool,
    /// Who holds it.
    pub holder: String,
    /// Until when, unless it is renewed.
    pub until: DateTime<Utc>,
}

/// Counts since the process started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs by source and job: those that succeeded, those that failed.
    pub runs: BTreeMap<(SourceName, Job), (u64, u64)>,
    /// Backups that retention removed.
    pub deleted_backups: BTreeMap<SourceName, u64>,
    /// Unfinished uploads that were aborted as leftovers.
    pub aborted_uploads: u64,
    /// Objects of unfinished backups that were removed as leftovers.
    pub swept_objects: u64,
}

/// A look at everything live.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// What runs now.
    pub running: BTreeMap<SourceName, Vec<Running>>,
    /// The last run of each job.
    pub attempts: BTreeMap<(SourceName, Job), Attempt>,
    /// Leases by their name.
    pub leases: BTreeMap<String, Lease>,
    /// Counts since the start.
    pub counts: Counts,
}

/// The live state of one process, shared by the jobs and the server.
#[derive(Debug, Default)]
pub struct Live(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: BTreeMap<(SourceName, Job), (DateTime<Utc>, Arc<Progress>)>,
    activity: Activity,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 4] = [Self::Backup, Self::TestRestore, Self::Verify, Self::Prune];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::TestRestore => "test-restore",
            Self::Verify => "verify",
            Self::Prune => "prune",
        }
    }
}

impl Live {
    /// A run begins; `progress` is what it reports to.
    pub fn began(&self, source: &SourceName, job: Job, at: DateTime<Utc>, progress: Arc<Progress>) {
        self.lock().running.insert((source.clone(), job), (at, progress));
    }

    /// A run has ended, well or with this failure.
    pub fn ended(&self, source: &SourceName, job: Job, at: DateTime<Utc>, outcome: Result<(), String>) {
        let mut state = self.lock();
        let key = (source.clone(), job);
        let started = state.running.remove(&key).map_or(at, |(started, _)| started);
        let counts = state.activity.counts.runs.entry(key.clone()).or_default();
        let count = if outcome.is_ok() { &mut counts.0 } else { &mut counts.1 };
        *count += 1;
        state.activity.attempts.insert(key, Attempt { started, ended: at, failure: outcome.err() });
    }

    /// Says what was counted, such as backups that retention removed.
    pub fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.lock().activity.counts);
    }

    /// A lease's state, or none once it is given back.
    pub fn lease(&self, name: &str, lease: Option<Lease>) {
        let leases = &mut self.lock().activity.leases;
        match lease {
            Some(lease) => drop(leases.insert(name.to_owned(), lease)),
            None => drop(leases.remove(name)),
        }
    }

    /// Everything as it is now.
    pub fn look(&self) -> Activity {
        let state = self.lock();
        let mut activity = state.activity.clone();
        for ((source, job), (started, progress)) in &state.running {
            let Moment { phase, table, bytes, estimate } = progress.now();
            let running = Running { job: *job, started: *started, phase, table, bytes, estimate };
            activity.running.entry(source.clone()).or_default().push(running);
        }
        activity
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
