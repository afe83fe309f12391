//! One run: take the slot, do the work while the lease lasts, write down how it went, tell.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::record::{purpose, slot_of};
use super::story::{self, Told};
use super::telling;
use super::workplace::Workplace;
use crate::catalog::RunNote;
use crate::lease::{Claim, Claimed, HeldLease, LeaseError, State, Subject};
use crate::schedule::{Due, JobId};
use crate::status::live::Lease;

/// What became of a run, for the daemon.
pub(super) enum Ended {
    /// The slot is over, by this run or by another's.
    Over(JobId),
    /// It is to be tried again, at this time if one is known.
    Later(JobId, Option<DateTime<Utc>>),
    /// There is nothing yet that it could work on.
    NothingYet(JobId),
}

/// A run under way: what the phases of it share.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) place: &'a Workplace,
    pub(super) due: &'a Due,
    pub(super) note: &'a RunNote,
    /// Cancelled when the slot's lease can no longer be relied on, and when the daemon abandons its runs.
    pub(super) token: &'a CancellationToken,
}

/// Runs a slot, unless somebody else does. Every line of the log that belongs to it carries its id.
pub(super) async fn carry_out(place: Arc<Workplace>, due: Due, abandon: CancellationToken) -> Ended {
    let job = due.job.clone();
    let subject = match slot_of(&job, due.slot.at) {
        Ok(slot) => Subject::Slot(slot),
        Err(error) => {
            tracing::error!(%error, %job, "this job cannot be run");
            return Ended::Later(job, None);
        }
    };
    let slot = match &subject {
        Subject::Slot(slot) => format!("{}/{slot}", slot.schedule),
        _ => String::new(),
    };
    let note = RunNote::new(Some(slot));
    let span = tracing::info_span!("run", id = note.id, job = %job, slot = %due.slot.at.format("%Y-%m-%dT%H:%M:%SZ"));
    let run = async {
        attempt(&place, &due, &note, subject, &abandon).await.unwrap_or_else(|error| {
            tracing::error!(%error, help = error.help(), "the slot's lease failed");
            Ended::Later(job, None)
        })
    };
    run.instrument(span).await
}

async fn attempt(
    place: &Workplace,
    due: &Due,
    note: &RunNote,
    subject: Subject,
    abandon: &CancellationToken,
) -> Result<Ended, LeaseError> {
    let job = due.job.clone();
    let before = place.leases.look(&subject).await?;
    let reason = format!("schedule {}", job.schedule);
    let claim = Claim { subject, purpose: purpose(job.kind), reason };
    let lease = match place.leases.claim(&claim, abandon).await? {
        Claimed::Won(lease) => lease,
        Claimed::Held(record) => return Ok(Ended::Later(job, Some(record.expires()))),
        Claimed::Finished(_) => return Ok(Ended::Over(job)),
    };
    match before {
        Some(before) if before.state == State::Held => {
            tracing::warn!(holder = %before.holder, acquired = %before.acquired, "taken over: it was begun and not ended");
        }
        Some(_) => tracing::info!("the run begins again: it was given back"),
        None => tracing::info!("the run begins"),
    }
    let token = lease.token().clone();
    let run = Run { place, due, note, token: &token };
    let name = lease.key().to_string();
    let held = Lease { held: true, holder: lease.record().holder.to_string(), until: lease.record().expires() };
    place.live.lease(&name, Some(held));
    let told = story::tell(run).await;
    place.live.lease(&name, None);
    Ok(conclude(run, lease, told).await)
}

/// Writes down how it went, and only then tells: what is told twice is worse than what is told late.
async fn conclude(run: Run<'_>, lease: HeldLease, told: Told) -> Ended {
    let job = run.due.job.clone();
    let (state, ended) = match &told {
        Told::Done { backup } => (State::Done { backup: backup.clone() }, Ended::Over(job)),
        Told::Failed(failure) => (State::Failed { error: failure.message.clone() }, Ended::Over(job)),
        Told::NothingYet => (State::Released, Ended::NothingYet(job)),
        Told::Stopped if lease.is_lost() => {
            tracing::error!("the lease was lost: the run was stopped, and another daemon may run it again");
            return Ended::Later(job, None);
        }
        Told::Stopped => (State::Released, Ended::Later(job, None)),
    };
    if let Err(error) = lease.finish(state).await {
        tracing::error!(%error, "how the run went could not be written down; it may be run again");
        return Ended::Later(run.due.job.clone(), None);
    }
    match &told {
        Told::Done { .. } => tracing::info!("the run is done"),
        Told::Failed(failure) => tracing::error!(error = failure.message, help = failure.help, "the run failed"),
        Told::NothingYet => tracing::debug!("there is nothing yet to work on"),
        Told::Stopped => tracing::warn!("the run was abandoned; it will be run again"),
    }
    telling::of_run(run, &told).await;
    ended
}
