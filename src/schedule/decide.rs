//! What to start now, and when to look again: a pure function of the jobs, the bucket's records and the time.
//!
//! Of the slots that are due only the newest counts, if it is not older than the job's `catch_up`: what was missed is done
//! once. A slot with a record has been taken by somebody. If its holder vanished before the end, whoever looks next takes
//! it over; a slot that has ended is never run again.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use super::pause::paused_until;
use super::{Job, JobId, Lane, Slot};

/// What is known of the world when a decision is made.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Of each job, the newest slot that has a record in the bucket.
    pub newest: BTreeMap<JobId, Recorded>,
    /// What this daemon is running.
    pub running: BTreeSet<JobId>,
    /// Lanes that could not be entered, and when to try again.
    pub busy: BTreeMap<Lane, DateTime<Utc>>,
}

/// A slot that somebody has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The slot's identity.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub state: SlotState,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It was run to an end, good or bad.
    Ended,
    /// It is being run. Its holder is taken for dead at this time, unless it renews its lease.
    Held {
        /// The end of its lease.
        until: DateTime<Utc>,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to start now, in this order.
    pub start: Vec<Due>,
    /// When to look again, whatever happens. None if nothing is ever due.
    pub wake: Option<DateTime<Utc>>,
}

/// A slot to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose.
    pub job: JobId,
    /// Which.
    pub slot: Slot,
}

/// A run that begins this much late was not missed: waking up, asking the bucket and waiting for a source take time.
const PUNCTUAL: TimeDelta = TimeDelta::minutes(1);

/// Decides for one daemon that may run `parallel` jobs at once.
pub fn decide(jobs: &[Job], seen: &Seen, parallel: NonZeroU32, now: DateTime<Utc>) -> Decision {
    let mut due = Vec::new();
    let mut wakes = Vec::new();
    for job in jobs {
        wakes.extend(job.timetable.next_due(now).map(|slot| slot.due));
        match look_at(job, seen, now) {
            Verdict::Nothing => {}
            Verdict::LookAgain(at) => wakes.push(at),
            Verdict::Start(slot) => due.push(Due { job: job.id.clone(), slot }),
        }
    }
    due.sort_by(|one, two| (one.job.kind, one.slot.due, &one.job).cmp(&(two.job.kind, two.slot.due, &two.job)));
    let mut lanes: BTreeSet<Lane> = seen.running.iter().map(JobId::lane).collect();
    let free = (parallel.get() as usize).saturating_sub(seen.running.len());
    due.retain(|due| lanes.insert(due.job.lane()));
    due.truncate(free);
    // What waits for a run of this daemon is decided again when that run ends.
    Decision { start: due, wake: wakes.into_iter().min() }
}

enum Verdict {
    Nothing,
    LookAgain(DateTime<Utc>),
    Start(Slot),
}

fn look_at(job: &Job, seen: &Seen, now: DateTime<Utc>) -> Verdict {
    if seen.running.contains(&job.id) {
        return Verdict::Nothing;
    }
    let Some(slot) = missing(job, seen.newest.get(&job.id), now) else { return Verdict::Nothing };
    if let Some(Recorded { state: SlotState::Held { until }, .. }) = seen.newest.get(&job.id)
        && *until > now
    {
        return Verdict::LookAgain(*until);
    }
    if let Some(until) = paused_until(&job.pauses, job.timetable.zone(), now) {
        return Verdict::LookAgain(until);
    }
    match seen.busy.get(&job.id.lane()) {
        Some(until) if *until > now => Verdict::LookAgain(*until),
        _ => Verdict::Start(slot),
    }
}

/// The slot that should have been run by now and has not ended.
fn missing(job: &Job, recorded: Option<&Recorded>, now: DateTime<Utc>) -> Option<Slot> {
    let catch_up = job.catch_up.max(PUNCTUAL);
    match recorded {
        Some(Recorded { at, state: SlotState::Held { .. } }) => {
            // A slot that was begun is ended, however long that takes, unless a newer one is worth running.
            let newer = job.timetable.newest_due(now, catch_up).filter(|slot| slot.at > *at);
            Some(newer.unwrap_or_else(|| job.timetable.slot(*at)))
        }
        Some(Recorded { at, state: SlotState::Ended }) => {
            // Nearly always the next slot is still to come, and there is nothing to search for.
            job.timetable.slots_after(*at).next().filter(|slot| slot.due <= now)?;
            job.timetable.newest_due(now, catch_up).filter(|slot| slot.at > *at)
        }
        None => job.timetable.newest_due(now, catch_up),
    }
}
