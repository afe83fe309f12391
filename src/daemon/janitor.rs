//! The janitor: once a day, what crashed runs left on this machine, and records of slots that nobody asks for any more.
//!
//! What lies in the repository itself, objects and unfinished uploads of backups that never were, is swept with every prune.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::workplace::Workplace;
use crate::lease::{LeaseError, Slot, Subject};
use crate::source::postgres::cluster;
use crate::source::redis::server;
use crate::{restore, store::Key};

const EVERY: TimeDelta = TimeDelta::hours(24);

/// How long a slot's record is kept at least.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// How many records of a job are kept however old they are: the newest tells what was missed.
const KEPT: usize = 10;

/// How long a note that something was told is kept.
const TOLD_FOR: TimeDelta = TimeDelta::days(60);

/// Sweeps now and then.
#[derive(Debug, Default)]
pub(super) struct Janitor {
    last: Option<DateTime<Utc>>,
}

impl Janitor {
    /// Sweeps, if it is time to.
    pub(super) async fn sweep_if_due(&mut self, place: &Workplace, now: DateTime<Utc>) {
        if self.last.is_some_and(|last| now - last < EVERY) {
            return;
        }
        self.last = Some(now);
        let dir = place.config.scratch.dir.clone().unwrap_or_else(std::env::temp_dir);
        // Directories are taken by a lock that dies with its owner, so nobody else's work is touched.
        let swept = tokio::task::spawn_blocking(move || {
            cluster::sweep_leftovers(&dir);
            server::sweep_leftovers(&dir);
            restore::sweep_leftovers(&dir);
        });
        if let Err(error) = swept.await {
            tracing::warn!(%error, "leftovers on this machine were not swept");
        }
        if let Err(error) = forget_old_slots(place, now).await {
            tracing::warn!(%error, "old records of slots were not removed");
        }
    }
}

async fn forget_old_slots(place: &Workplace, now: DateTime<Utc>) -> Result<(), LeaseError> {
    let store = place.catalog.store();
    let mut n_removed = 0_u32;
    for schedule in place.config.schedules.keys() {
        for slot in superfluous(place.leases.slots(schedule).await?, now) {
            store.delete(&Subject::Slot(slot).key()?).await?;
            n_removed += 1;
        }
    }
    let told: Key = "leases/@told".parse()?;
    for note in store.list(&told).await?.into_iter().filter(|note| now - note.modified > TOLD_FOR) {
        store.delete(&note.key).await?;
        n_removed += 1;
    }
    if n_removed > 0 {
        tracing::debug!(n_removed, "old records of slots were removed");
    }
    Ok(())
}

/// Records that are old and not among the newest of their job. `slots` come by time.
fn superfluous(slots: Vec<Slot>, now: DateTime<Utc>) -> Vec<Slot> {
    let mut newer: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for slot in slots.into_iter().rev() {
        let n_newer = newer.entry((slot.source.to_string(), slot.purpose.to_string())).or_default();
        *n_newer += 1;
        if *n_newer > KEPT && now - slot.at > KEPT_FOR {
            found.push(slot);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{KEPT, superfluous};
    use crate::lease::{Purpose, Slot};

    #[test]
    fn the_newest_records_of_each_job_stay_however_old_they_are() {
        let begin = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let slot = |hour, purpose| Slot {
            schedule: "s".to_owned(),
            at: begin + TimeDelta::hours(hour),
            purpose,
            source: "a".parse().unwrap(),
        };
        let mut slots: Vec<Slot> = (0..400).map(|hour| slot(hour, Purpose::Backup)).collect();
        slots.insert(0, slot(0, Purpose::Proof));
        let now = begin + TimeDelta::hours(400);
        let gone = superfluous(slots.clone(), now);
        assert!(gone.iter().all(|slot| now - slot.at > TimeDelta::days(7) && slot.purpose == Purpose::Backup));
        assert_eq!(gone.len(), 400 - 168);
        let much_later = superfluous(slots, now + TimeDelta::days(1000));
        assert_eq!(much_later.len(), 400 - KEPT);
    }
}
