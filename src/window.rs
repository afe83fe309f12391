//! The migration window: the source's own lease, held while migrations run. A dump holds the same lease, so there is one clock
//! for both: no dump starts in a window, and no window opens while a dump holds its locks.
//!
//! A dump's `ACCESS SHARE` makes an `ALTER TABLE` queue, and every reader queues behind that. So whoever opens a window waits
//! for the end of a running dump, or asks it to give way; it hears that when it renews its lease, within a third of the TTL.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::catalog::SourceName;
use crate::lease::{Claim, Claimed, Exclusion, HeldLease, LeaseError, Leases, Purpose, Record, State, Subject};

/// What to do about a dump that runs when a window is to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunningBackup {
    /// Wait for its end.
    Wait,
    /// Ask it to give way, and wait for that.
    Cancel,
    /// Do not open.
    Refuse,
}

/// Which window is wanted, and how.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Of which source.
    pub source: SourceName,
    /// Why, for people.
    pub reason: String,
    /// What to do about a running dump.
    pub running: RunningBackup,
    /// How long to wait for its end.
    pub max_wait: Duration,
}

/// An open window. Dropped without being closed it closes by itself when its lease has run out.
#[derive(Debug)]
pub struct Window {
    lease: HeldLease,
}

/// Why no window is open.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The lease failed.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Somebody else has the source.
    #[error("{source_name} is taken by {} since {} ({}: {}){}", record.holder, record.acquired.format("%F %T UTC"),
        record.purpose, record.reason, waited_words(*waited))]
    Busy {
        /// Which source.
        source_name: SourceName,
        /// By whom.
        record: Box<Record>,
        /// How long was waited.
        waited: Duration,
    },
    /// The store cannot keep two apart.
    #[error("a migration window needs a store whose conditional puts can be relied on, and here {reason}")]
    Unreliable {
        /// What is wrong with them.
        reason: String,
    },
    /// It was told to stop.
    #[error("interrupted while waiting for the migration window")]
    Interrupted,
}

impl WindowError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Lease(error) => error.help().map(str::to_owned),
            Self::Busy { record, .. } => Some(format!(
                "try again after its end (if it has died: at {}), raise max_wait, or set running_backup = \"cancel\"",
                record.expires().format("%F %T UTC")
            )),
            Self::Unreliable { .. } => {
                Some("use a store with conditional puts, or stop the backups of this source meanwhile".to_owned())
            }
            Self::Interrupted => None,
        }
    }
}

/// How often somebody who waits looks again.
const POLL: Duration = Duration::from_millis(250);

/// How long a dump that gave way stands back before it wants the source again: longer than whoever waits looks away.
pub const STAND_BACK: Duration = Duration::from_secs(2);

/// Opens a window, once nobody else has the source. `waiting` is told once whom it waits for.
pub async fn open(
    leases: &Leases,
    opening: &Opening,
    cancel: &CancellationToken,
    waiting: impl Fn(&Record),
) -> Result<Window, WindowError> {
    if let Exclusion::Source { reason } = leases.exclusion().await? {
        return Err(WindowError::Unreliable { reason });
    }
    let subject = Subject::Source(opening.source.clone());
    let claim = Claim { subject, purpose: Purpose::MigrationWindow, reason: opening.reason.clone() };
    let begun = Instant::now();
    let mut told = None;
    loop {
        let record = match leases.claim(&claim, cancel).await? {
            Claimed::Won(lease) => return Ok(Window { lease }),
            Claimed::Held(record) | Claimed::Finished(record) => record,
        };
        let waited = begun.elapsed();
        if opening.running == RunningBackup::Refuse || waited >= opening.max_wait {
            let (source_name, record) = (opening.source.clone(), Box::new(record));
            return Err(WindowError::Busy { source_name, record, waited });
        }
        if told.as_ref() != Some(&record.token) {
            waiting(&record);
            if opening.running == RunningBackup::Cancel && record.purpose == Purpose::Backup {
                leases.ask_to_yield(&claim.subject, &record.token, &opening.reason).await?;
            }
            told = Some(record.token);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL.min(opening.max_wait.saturating_sub(waited))) => {}
            () = cancel.cancelled() => return Err(WindowError::Interrupted),
        }
    }
}

/// Closes a window that was left open by [`Window::leave_open`]; `false` if no window is open under this token.
pub async fn close_left(leases: &Leases, source: &SourceName, token: &str) -> Result<bool, LeaseError> {
    let subject = Subject::Source(source.clone());
    let found = leases.look(&subject).await?;
    let is_it = |record: &Record| record.token == token && record.state == State::Held;
    if !found.as_ref().is_some_and(is_it) {
        return Ok(false);
    }
    leases.release_detached(&subject, token).await?;
    Ok(true)
}

impl Window {
    /// Cancelled when the window can no longer be relied on, or when whoever opened it cancels.
    pub fn token(&self) -> &CancellationToken {
        self.lease.token()
    }

    /// Whether it was lost: a dump may run by now.
    pub fn is_lost(&self) -> bool {
        self.lease.is_lost()
    }

    /// The record of it.
    pub fn record(&self) -> &Record {
        self.lease.record()
    }

    /// Closes it.
    pub async fn close(self) -> Result<(), LeaseError> {
        self.lease.release().await
    }

    /// Leaves it open for so long, beyond the end of this process.
    pub async fn leave_open(self, lasting: Duration) -> Result<Record, LeaseError> {
        self.lease.detach(lasting).await
    }
}

fn waited_words(waited: Duration) -> String {
    match waited.as_secs() {
        0 => String::new(),
        seconds => format!(", after waiting {seconds} s"),
    }
}
