//! Who may work on what: leases in the store, taken by conditional puts, timed by the store's clock alone.
//!
//! A [`Subject`] is what is leased: a slot of a schedule, a source, the backups of a source, the post of the only daemon.
//! [`Leases::claim`] creates the subject's record or takes over one whose holder has stopped renewing it; of any number of
//! claimants one wins. The winner's [`HeldLease`] is renewed by a task until it is ended, and its token is cancelled while
//! the lease is still good if it can no longer be renewed: whoever works under the token has stopped before another begins.
//!
//! - Nothing here is ever deleted: a free lease is a record that says so, and a slot's record keeps how it went, so that no
//!   slot runs twice and a fresh daemon on a fresh host goes on where the last one stopped.
//! - `renewed` is the store's time read just before the write, and a lease is over once the store's clock shows `renewed`
//!   plus its TTL. The host's clock takes no part, but one that is off by more than a minute is an error.
//! - How far the store's conditional puts can be relied on is found by [`probe`]; where they cannot, see [`Exclusion`].

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use rand::distr::{Alphanumeric, SampleString};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::{Fetched, Key, KeyError, Store, StoreError, Tag};

mod exclusion;
mod held;
mod holder;
mod probe;
mod record;
mod subject;

pub use exclusion::Exclusion;
pub use held::HeldLease;
pub use holder::Holder;
pub use probe::{ConditionalPuts, probe};
pub use record::{Record, State};
pub use subject::{Purpose, Slot, Subject};

/// How long a lease lasts without a renewal.
pub const DEFAULT_TTL: Duration = Duration::from_secs(60);

/// How far a host's clock may be from the store's.
pub const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// How often a claim that met another's write looks again.
const MAX_ATTEMPTS: usize = 8;

/// What tells the host's time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The leases of one repository, as one process sees them.
#[derive(Clone)]
pub struct Leases {
    store: Arc<dyn Store>,
    holder: Holder,
    ttl: Duration,
    clock: Clock,
    /// What is known of the store, once it was asked for.
    exclusion: Arc<Mutex<Option<Exclusion>>>,
}

/// What is wanted, what for, and why: the reason is shown to whoever has to wait.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What is leased.
    pub subject: Subject,
    /// What for.
    pub purpose: Purpose,
    /// Why, for people: `schedule daily`, `guard backup by hand`.
    pub reason: String,
}

/// What became of a claim.
#[derive(Debug)]
pub enum Claimed {
    /// It is ours.
    Won(HeldLease),
    /// Somebody else has it.
    Held(Record),
    /// The slot has been run to its end.
    Finished(Record),
}

/// Why a lease could not be claimed or kept.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name cannot be a key's.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The two clocks differ by too much for either to be believed.
    #[error("this host's clock shows {host} and that of {location} shows {store}: they must agree within a minute")]
    Clock {
        /// The store.
        location: String,
        /// The host's time.
        host: DateTime<Utc>,
        /// The store's time.
        store: DateTime<Utc>,
    },
    /// The record was not written by a guard of this format.
    #[error("{key} is no lease that can be read: {reason}")]
    Untrusted {
        /// Which record.
        key: Key,
        /// Why.
        reason: String,
    },
    /// The record changes faster than it can be read.
    #[error("{key} was changed by others at each of {MAX_ATTEMPTS} attempts to claim it")]
    Contended {
        /// Which record.
        key: Key,
    },
    /// It is no longer ours.
    #[error("{key} was lost: {now}")]
    Lost {
        /// Which record.
        key: Key,
        /// What is known of it now.
        now: String,
    },
}

impl LeaseError {
    /// What to do about it, where the message does not say so itself.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.help(),
            Self::Clock { .. } => Some("set this machine's clock (NTP); leases and retention rest on it"),
            Self::Untrusted { .. } => {
                Some("use the newest guard everywhere; if nothing runs, the object may be deleted")
            }
            Self::Contended { .. } => Some("another guard works on the same; try again"),
            Self::Lost { .. } => {
                Some("the store was out of reach for longer than a lease lasts; nothing was committed since")
            }
            Self::Key(_) => None,
        }
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").field("store", &self.store).field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Leases {
    /// The leases in a store, held by this process.
    pub fn new(store: Arc<dyn Store>, holder: Holder, clock: Clock) -> Self {
        Self { store, holder, ttl: DEFAULT_TTL, clock, exclusion: Arc::default() }
    }

    /// The same with leases that last so long without a renewal.
    #[must_use]
    pub fn lasting(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The store's time, once it is sure that the host's clock agrees with it.
    pub async fn now(&self) -> Result<DateTime<Utc>, LeaseError> {
        let before = (self.clock)();
        let store = self.store.clock().await?;
        let after = (self.clock)();
        // The answer may have taken long; the store read its clock somewhere in between.
        let host = store.clamp(before.min(after), after);
        if (host - store).abs() > MAX_CLOCK_SKEW {
            return Err(LeaseError::Clock { location: self.store.location(), host, store });
        }
        Ok(store)
    }

    /// Claims a lease. The token of what is won is a child of `cancel`.
    pub async fn claim(&self, claim: &Claim, cancel: &CancellationToken) -> Result<Claimed, LeaseError> {
        let key = claim.subject.key()?;
        let conditional = self.exclusion().await? == Exclusion::Store;
        for _ in 0..MAX_ATTEMPTS {
            let begun = Instant::now();
            let now = self.now().await?;
            let found = self.store.fetch(&key).await?;
            if let Some(found) = &found {
                let record = Record::parse(&key, &found.body)?;
                if record.is_final() {
                    return Ok(Claimed::Finished(record));
                }
                if record.is_held(now) && !record.holder.is_known_dead(&self.holder) {
                    return Ok(Claimed::Held(record));
                }
            }
            let record = self.record(claim, now);
            let over = found.map(|found| found.tag);
            let written = if conditional {
                self.write(&key, over, &record).await?
            } else {
                self.overwrite(&key, &record).await?
            };
            if let Some(tag) = written {
                tracing::debug!(%key, reason = record.reason, "the lease is ours");
                let renewal = held::Renewal { store: Arc::clone(&self.store), key, record, tag, conditional };
                return Ok(Claimed::Won(HeldLease::start(renewal, begun, cancel.child_token())));
            }
        }
        Err(LeaseError::Contended { key })
    }

    /// What the record of a subject says, if there is one.
    pub async fn look(&self, subject: &Subject) -> Result<Option<Record>, LeaseError> {
        let key = subject.key()?;
        let found = self.store.fetch(&key).await?;
        found.map(|found| Record::parse(&key, &found.body)).transpose()
    }

    /// The slots of a schedule that somebody has ever claimed, by time. Names alone; [`Self::look`] tells how each went.
    pub async fn slots(&self, schedule: &str) -> Result<Vec<Slot>, LeaseError> {
        let listed = self.store.list(&Slot::folder(schedule)?).await?;
        let mut slots: Vec<Slot> = listed.iter().filter_map(|object| Slot::of_key(&object.key)).collect();
        slots.sort_by(|one, two| (one.at, &one.source).cmp(&(two.at, &two.source)));
        Ok(slots)
    }

    /// Ends a lease that was left behind by [`HeldLease::detach`], by the token that its record has. Not held any more is a
    /// success.
    pub async fn release_detached(&self, subject: &Subject, token: &str) -> Result<(), LeaseError> {
        let key = subject.key()?;
        let Some(Fetched { body, tag }) = self.store.fetch(&key).await? else { return Ok(()) };
        let mut record = Record::parse(&key, &body)?;
        if record.token == token && record.state == State::Held {
            record.end(State::Released, self.now().await?);
            match self.store.swap(&key, &tag, record.to_bytes()).await {
                Err(StoreError::Changed { .. }) | Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks whoever holds a lease under this token to give way. It learns of it when it renews next, which it does three times
    /// within the lease's TTL. Not held any more is a success.
    pub async fn ask_to_yield(&self, subject: &Subject, token: &str, why: &str) -> Result<(), LeaseError> {
        let key = subject.key()?;
        let conditional = self.exclusion().await? == Exclusion::Store;
        for _ in 0..MAX_ATTEMPTS {
            let Some(Fetched { body, tag }) = self.store.fetch(&key).await? else { return Ok(()) };
            let mut record = Record::parse(&key, &body)?;
            if record.token != token || record.state != State::Held {
                return Ok(());
            }
            record.asked = Some(why.to_owned());
            if !conditional {
                return Ok(self.store.replace(&key, record.to_bytes()).await?);
            }
            // The holder may have renewed it in between.
            match self.store.swap(&key, &tag, record.to_bytes()).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Changed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(LeaseError::Contended { key })
    }

    fn record(&self, claim: &Claim, now: DateTime<Utc>) -> Record {
        let ttl_ms = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let token = Alphanumeric.sample_string(&mut rand::rng(), 20);
        let Claim { purpose, reason, .. } = claim.clone();
        let holder = self.holder.clone();
        Record {
            format: 1,
            purpose,
            reason,
            holder,
            token,
            acquired: now,
            renewed: now,
            ttl_ms,
            state: State::Held,
            ended: None,
            asked: None,
        }
    }

    /// Where conditions mean nothing, the last of those who write at once wins, and what lies there afterwards tells them.
    /// That is a help, no exclusion: see [`Exclusion`].
    async fn overwrite(&self, key: &Key, record: &Record) -> Result<Option<Tag>, LeaseError> {
        let body = record.to_bytes();
        self.store.replace(key, body.clone()).await?;
        Ok(self.store.fetch(key).await?.filter(|found| found.body == body).map(|found| found.tag))
    }

    /// Writes the record where nothing or that version is; `None` if another was faster.
    async fn write(&self, key: &Key, over: Option<Tag>, record: &Record) -> Result<Option<Tag>, LeaseError> {
        let body: Bytes = record.to_bytes();
        if let Some(tag) = over {
            return match self.store.swap(key, &tag, body).await {
                Ok(tag) => Ok(Some(tag)),
                Err(StoreError::Changed { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
        match self.store.create(key, body.clone()).await {
            Ok(()) => Ok(self.store.fetch(key).await?.filter(|found| found.body == body).map(|found| found.tag)),
            Err(StoreError::Exists { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
