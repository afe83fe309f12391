//! When things are to happen: cron text to slots, slots and what the bucket says of them to runs. Pure, but for the trigger.
//!
//! A *slot* is one moment of a timetable ([`slot`]); a *job* is what is done with one source at the slots of one schedule.
//! [`decide()`] answers, from the jobs, what the bucket records of their slots and the time: what is to be started now, and
//! when to look again. It remembers nothing, so a fresh daemon on a fresh host goes on where the last one stopped.
//! [`trigger`] alone knows the crate that wakes the daemon.

use std::fmt;

use chrono::TimeDelta;

pub mod decide;
pub mod pause;
pub mod slot;
pub mod trigger;

pub use decide::{Decision, Due, Recorded, Seen, SlotState, decide};
pub use pause::{Pause, PauseError};
pub use slot::{Slot, Timetable};

/// What a job does. In the order in which waiting jobs are started: fresh backups first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Take a backup, and prune afterwards.
    Backup,
    /// Sweep what was left behind.
    Prune,
    /// Read every stored byte.
    Verify,
    /// Restore to scratch and compare.
    TestRestore,
}

/// A job's name: which schedule has what done with which source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// The schedule's name.
    pub schedule: String,
    /// The source's name in the configuration.
    pub source: String,
    /// What is done.
    pub kind: Kind,
}

/// What never has two runs at once: the source itself, which a backup dumps, and its backups, which are read and removed. A
/// proof of hours does not keep the next backup waiting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The source of this name.
    Source(String),
    /// Its backups.
    Backups(String),
}

/// One thing that is done with one source again and again.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// When.
    pub timetable: Timetable,
    /// How late a missed slot is still worth running.
    pub catch_up: TimeDelta,
    /// When nothing may begin.
    pub pauses: Vec<Pause>,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Backup, Self::Prune, Self::Verify, Self::TestRestore];

    /// Its name in keys, logs and notifications.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Prune => "prune",
            Self::Verify => "verify",
            Self::TestRestore => "test-restore",
        }
    }
}

impl JobId {
    /// What it must have for itself.
    pub fn lane(&self) -> Lane {
        match self.kind {
            Kind::Backup => Lane::Source(self.source.clone()),
            Kind::Prune | Kind::Verify | Kind::TestRestore => Lane::Backups(self.source.clone()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.schedule, self.source, self.kind)
    }
}
