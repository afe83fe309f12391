//! What the bucket records of slots, job by job.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::workplace::Workplace;
use crate::lease::{Holder, LeaseError, Purpose, Record, Slot, State, Subject};
use crate::schedule::{JobId, Kind, Recorded, SlotState};

/// The newest slot of each job, and a memory of those that have ended: they never change.
#[derive(Debug)]
pub(super) struct Records {
    ended: BTreeMap<JobId, DateTime<Utc>>,
    /// This process, which sees the death of others on its machine.
    observer: Holder,
}

impl Records {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self { ended: BTreeMap::new(), observer: Holder::of_this_process() }
    }

    /// Reads them: one listing a schedule, and one object for each job that somebody is at work on.
    pub(super) async fn read(&mut self, place: &Workplace) -> Result<BTreeMap<JobId, Recorded>, LeaseError> {
        let mut newest: BTreeMap<JobId, Slot> = BTreeMap::new();
        for schedule in place.jobs.iter().map(|job| job.id.schedule.as_str()).collect::<BTreeSet<_>>() {
            for slot in place.leases.slots(schedule).await? {
                // They come by time, so the last one stays.
                newest.extend(job_of(&slot).map(|job| (job, slot)));
            }
        }
        let mut recorded = BTreeMap::new();
        for (job, slot) in newest {
            let at = slot.at;
            let state = if self.ended.get(&job) == Some(&at) {
                SlotState::Ended
            } else {
                place.leases.look(&Subject::Slot(slot)).await?.map_or(SlotState::Ended, |record| self.state_of(&record))
            };
            if state == SlotState::Ended {
                self.ended.insert(job.clone(), at);
            }
            recorded.insert(job, Recorded { at, state });
        }
        Ok(recorded)
    }
}

impl Records {
    fn state_of(&self, record: &Record) -> SlotState {
        match record.state {
            State::Held if record.holder.is_known_dead(&self.observer) => SlotState::Held { until: OVER },
            State::Held => SlotState::Held { until: record.expires() },
            // Given back before its end: whoever looks next takes it.
            State::Released => SlotState::Held { until: OVER },
            State::Done { .. } | State::Failed { .. } | State::Skipped { .. } => SlotState::Ended,
        }
    }
}

/// Of a lease that nobody holds any more.
const OVER: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

/// The slot of the job's own that came before this one, and how it went, if that is known.
pub(super) async fn before(
    place: &Workplace,
    job: &JobId,
    at: DateTime<Utc>,
) -> Result<Option<(DateTime<Utc>, Record)>, LeaseError> {
    let slots = place.leases.slots(&job.schedule).await?;
    let earlier = slots.into_iter().rev().find(|slot| slot.at < at && job_of(slot).as_ref() == Some(job));
    let Some(earlier) = earlier else { return Ok(None) };
    let at = earlier.at;
    Ok(place.leases.look(&Subject::Slot(earlier)).await?.map(|record| (at, record)))
}

/// The lease's name of a job's slot.
pub(super) fn slot_of(job: &JobId, at: DateTime<Utc>) -> Result<Slot, LeaseError> {
    let source = job.source.parse()?;
    Ok(Slot { schedule: job.schedule.clone(), at, purpose: purpose(job.kind), source })
}

/// What a lease calls a kind of job.
pub(super) fn purpose(kind: Kind) -> Purpose {
    match kind {
        Kind::Backup => Purpose::Backup,
        Kind::Prune => Purpose::Prune,
        Kind::Verify => Purpose::Verify,
        Kind::TestRestore => Purpose::Proof,
    }
}

fn job_of(slot: &Slot) -> Option<JobId> {
    let kind = Kind::ALL.into_iter().find(|kind| purpose(*kind) == slot.purpose)?;
    Some(JobId { schedule: slot.schedule.clone(), source: slot.source.to_string(), kind })
}
