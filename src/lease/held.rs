//! A lease that is held: renewed by a task, given up in time if it cannot be, ended by its owner.
//!
//! A holder is sure of its lease for three quarters of the TTL, counted by its own monotonic clock from before the store's
//! clock was read. Then the token is cancelled, and the last quarter is there to stop the work. So a holder that was cut off
//! has stopped before another can take over, whatever either host's clock shows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::{LeaseError, Record, State};
use crate::store::{Key, Store, StoreError, Tag};

/// The pause after a renewal that failed for a passing reason, as a part of the TTL: there is time for several attempts.
const PAUSE_PART: u32 = 20;

/// A lease of ours. Dropped without being ended it is renewed no more and runs out by itself.
#[derive(Debug)]
pub struct HeldLease {
    key: Key,
    won: Record,
    token: CancellationToken,
    is_lost: Arc<AtomicBool>,
    asked: Arc<OnceLock<String>>,
    keeper: JoinHandle<Result<Renewal, LeaseError>>,
    stop: DropGuard,
}

/// What a renewal needs.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: Key,
    pub(super) record: Record,
    pub(super) tag: Tag,
    /// Whether the store's conditions can be relied on.
    pub(super) conditional: bool,
}

impl HeldLease {
    /// Keeps a lease that was asked for at `begun`. Needs a runtime.
    pub(super) fn start(renewal: Renewal, begun: Instant, token: CancellationToken) -> Self {
        let (key, won) = (renewal.key.clone(), renewal.record.clone());
        let is_lost = Arc::new(AtomicBool::new(false));
        let stop = CancellationToken::new();
        let asked = Arc::new(OnceLock::new());
        let (of_keeper, lost, end) = (token.clone(), Arc::clone(&is_lost), stop.clone());
        let why_asked = Arc::clone(&asked);
        let keeping = async move {
            let give_way = |why: &str| {
                if why_asked.set(why.to_owned()).is_ok() {
                    tracing::info!(why, "asked to give way; the work under the lease is stopped");
                    of_keeper.cancel();
                }
            };
            let kept = keep(renewal, begun, end, give_way).await;
            if let Err(error) = &kept {
                tracing::error!(%error, "the lease is lost; the work under it is stopped");
                lost.store(true, Ordering::SeqCst);
                of_keeper.cancel();
            }
            kept
        };
        let keeper = tokio::spawn(keeping.in_current_span());
        Self { key, won, token, is_lost, asked, keeper, stop: stop.drop_guard() }
    }

    /// Cancelled when the lease can no longer be relied on, or when whoever asked for it cancels. The work goes under it.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Whether it was the lease that was lost.
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::SeqCst)
    }

    /// Why somebody asked the work under it to give way, if somebody did. The lease is good until it is ended all the same.
    pub fn asked_to_yield(&self) -> Option<&str> {
        self.asked.get().map(String::as_str)
    }

    /// The record as it was won.
    pub fn record(&self) -> &Record {
        &self.won
    }

    /// Where the record lies.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Gives it back; a slot may then be run by somebody else. [`LeaseError::Lost`] if it was not ours any more.
    pub async fn release(self) -> Result<(), LeaseError> {
        self.end(State::Released).await
    }

    /// Ends a slot's lease with how it went. [`LeaseError::Lost`] if it was not ours any more: then another may run it.
    pub async fn finish(self, state: State) -> Result<(), LeaseError> {
        self.end(state).await
    }

    /// Leaves it behind for so long, without anybody to renew it: a window that outlives this process. The record's token
    /// ends it, see [`super::Leases::release_detached`].
    pub async fn detach(self, lasting: Duration) -> Result<Record, LeaseError> {
        let mut renewal = self.stopped().await?;
        renewal.record.ttl_ms = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
        // This process ends and the lease is to go on: whoever sees its death must not take it for the lease's.
        renewal.record.holder.started.clear();
        renewal.renew().await?;
        Ok(renewal.record)
    }

    async fn end(self, state: State) -> Result<(), LeaseError> {
        let mut renewal = self.stopped().await?;
        let now = renewal.store.clock().await?;
        renewal.record.end(state, now);
        renewal.write().await
    }

    /// Waits for a renewal that is under way, so that nothing of ours is written behind the end.
    async fn stopped(self) -> Result<Renewal, LeaseError> {
        let Self { key, keeper, stop, .. } = self;
        drop(stop);
        match keeper.await {
            Ok(kept) => kept,
            Err(error) => Err(LeaseError::Lost { key, now: format!("the task that renewed it failed: {error}") }),
        }
    }
}

/// Renews until it is told to stop or the lease is lost.
async fn keep(
    mut renewal: Renewal,
    begun: Instant,
    stop: CancellationToken,
    give_way: impl Fn(&str),
) -> Result<Renewal, LeaseError> {
    let ttl = Duration::from_millis(renewal.record.ttl_ms);
    let mut begun = begun;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(renewal),
            () = tokio::time::sleep_until(begun + ttl / 3) => {}
        }
        begun = renewal.renew_before(begun + ttl / 4 * 3, &stop).await?;
        if let Some(why) = &renewal.record.asked {
            give_way(why);
        }
    }
}

impl Renewal {
    /// Renews, again and again until `sure_until`; the answer is when the renewal that succeeded was begun.
    async fn renew_before(&mut self, sure_until: Instant, stop: &CancellationToken) -> Result<Instant, LeaseError> {
        let pause = Duration::from_millis(self.record.ttl_ms) / PAUSE_PART;
        loop {
            let begun = Instant::now();
            let error = match tokio::time::timeout_at(sure_until, self.renew()).await {
                Ok(Ok(())) => return Ok(begun),
                Ok(Err(error @ LeaseError::Lost { .. })) => return Err(error),
                Ok(Err(error)) => error,
                Err(_) => return Err(self.lost("it could not be renewed in time".to_owned())),
            };
            tracing::warn!(%error, key = %self.key, "the lease could not be renewed; trying again");
            tokio::select! {
                () = tokio::time::sleep(pause.min(sure_until.saturating_duration_since(Instant::now()))) => {}
                // Whoever ends the lease writes it once more and learns then what became of it.
                () = stop.cancelled() => return Ok(begun),
            }
            if Instant::now() >= sure_until {
                return Err(self.lost(format!("it could not be renewed in time: {error}")));
            }
        }
    }

    async fn renew(&mut self) -> Result<(), LeaseError> {
        self.record.renewed = self.store.clock().await?;
        self.write().await
    }

    /// Writes the record over its last version. A version of ours whose answer was lost is ours all the same.
    async fn write(&mut self) -> Result<(), LeaseError> {
        if !self.conditional {
            return self.overwrite().await;
        }
        for _ in 0..2 {
            match self.store.swap(&self.key, &self.tag, self.record.to_bytes()).await {
                Ok(tag) => {
                    self.tag = tag;
                    return Ok(());
                }
                Err(StoreError::Changed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let Some(found) = self.store.fetch(&self.key).await? else { break };
            let theirs = Record::parse(&self.key, &found.body)?;
            if theirs.token != self.record.token {
                return Err(self.lost(format!("{} holds it since {}", theirs.holder, theirs.acquired)));
            }
            self.tag = found.tag;
            self.record.asked = theirs.asked;
        }
        Err(self.lost("its record was removed or changed by hand".to_owned()))
    }

    async fn overwrite(&mut self) -> Result<(), LeaseError> {
        let Some(found) = self.store.fetch(&self.key).await? else {
            return Err(self.lost("its record was removed by hand".to_owned()));
        };
        let theirs = Record::parse(&self.key, &found.body)?;
        if theirs.token != self.record.token {
            return Err(self.lost(format!("{} holds it since {}", theirs.holder, theirs.acquired)));
        }
        self.record.asked = theirs.asked;
        Ok(self.store.replace(&self.key, self.record.to_bytes()).await?)
    }

    fn lost(&self, now: String) -> LeaseError {
        LeaseError::Lost { key: self.key.clone(), now }
    }
}
