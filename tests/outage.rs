//! Seventy-two simulated hours in which everything fails once: the source, the store, the data, the proofs. Retention runs
//! every hour on a real store, and nothing is ever deleted that the invariants protect.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{Alarm, BackupId, BackupKeys, Catalog, CompleteBackup, Manifest, Pin, Release, Verdict};
use guard::contents::loss::{Vigilance, losses};
use guard::prune::{carry_out, decide};
use guard::retention::{Policy, Reason, Rules};
use guard::store::{Fault, Faulty, Operation, Store};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use support::past::{Past, Taken, evidence};
use tokio_util::sync::CancellationToken;

const RPO: TimeDelta = TimeDelta::hours(3);
const LAST: usize = 6;

/// What goes wrong, hour by hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// The source cannot be reached: no backup.
    SourceGone,
    /// The store refuses some calls.
    StoreFails,
    /// A table is gone.
    DataLost,
    /// Every test restore fails.
    ProofsFail,
}

fn weather(hour: i64) -> Weather {
    match hour {
        20..30 => Weather::SourceGone,
        34..46 => Weather::DataLost,
        50..56 => Weather::StoreFails,
        60..66 => Weather::ProofsFail,
        _ => Weather::Fair,
    }
}

struct World {
    past: Past,
    faulty: Arc<Faulty>,
    catalog: Catalog,
    rules: Rules,
    rng: StdRng,
    newest: Option<Manifest>,
    /// Everything that was ever proven, failed or pinned, by id.
    pinned: BackupId,
}

fn begin() -> DateTime<Utc> {
    // The night in which Kyiv sets its clocks back is in the middle.
    "2026-10-24T00:00:00Z".parse().unwrap()
}

impl World {
    async fn new(seed: u64) -> Self {
        let past = Past::begin(begin()).await;
        let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
        let catalog = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
        let policy = Policy {
            last: NonZeroU32::new(u32::try_from(LAST).unwrap()),
            within: None,
            daily: NonZeroU32::new(3),
            weekly: None,
            monthly: None,
            yearly: None,
            timezone: chrono_tz::Tz::Europe__Kyiv,
        };
        let rules = Rules { policies: vec![policy], rpo: Some(RPO) };
        let pinned = BackupId::new(begin());
        let mut world = Self { past, faulty, catalog, rules, rng: StdRng::seed_from_u64(seed), newest: None, pinned };
        let first = world.back_up(begin(), false).await;
        world.pinned = first.id.clone();
        let keys = BackupKeys::new(&first.source, &first.id).unwrap();
        world.past.catalog.keep(&keys, &Pin { at: begin(), reason: None }).await.unwrap();
        world
    }

    /// A backup with its object; of hour after hour the table grows.
    async fn back_up(&mut self, now: DateTime<Utc>, without_table: bool) -> Manifest {
        let hours = u64::try_from((now - begin()).num_hours()).unwrap();
        let mut tables = vec![("public.users".to_owned(), 500, 5000)];
        if !without_table {
            tables.push(("public.orders".to_owned(), 1000 + hours, 90_000 + hours));
        }
        let taken = Taken { source: "orders", at: now, seconds: 60, stored: 4, tables };
        let mut manifest = self.past.manifest(&taken);
        let before = self.newest.as_ref();
        let losses = before.map(|before| losses(&before.contents, &manifest.contents, &Vigilance::default()));
        let against = before.map(|before| before.id.clone());
        manifest.alarm = losses.filter(|losses| !losses.is_empty()).map(|losses| {
            let against = against.expect("it was compared with one");
            Alarm { against, losses }
        });
        let manifest = manifest.sealed();
        for key in manifest.object_keys().unwrap() {
            self.past.store.create(&key, Bytes::from_static(b"data")).await.unwrap();
        }
        self.past.catalog.commit(&manifest).await.unwrap();
        self.newest = Some(manifest.clone());
        manifest
    }

    /// Everything that is there, as the store itself says, without any fault.
    async fn there(&self) -> Vec<CompleteBackup> {
        let listed = self.past.catalog.backups(&"orders".parse().unwrap()).await.unwrap();
        listed.into_iter().map(|listed| listed.backup.unwrap()).collect()
    }

    /// Prunes as the daemon does; with a store that fails, some calls fail at random.
    async fn prune(&mut self, now: DateTime<Utc>, fails: bool) -> Result<Vec<Reason>, String> {
        if fails {
            for operation in [Operation::Delete, Operation::Replace, Operation::Read, Operation::List] {
                let so_far = self.faulty.calls(operation);
                let fault = if self.rng.random_bool(0.5) { Fault::LostAnswer } else { Fault::Transient };
                self.faulty.fail(operation, so_far + self.rng.random_range(0..6), fault);
            }
        }
        let source = "orders".parse().unwrap();
        let plan = decide(&self.catalog, &source, &self.rules, now).await.map_err(|error| error.to_string())?;
        let pruned = carry_out(&self.catalog, &plan, now, &CancellationToken::new()).await;
        pruned.map_err(|error| error.to_string())?;
        Ok(plan.decisions.into_iter().flat_map(|decision| decision.reasons).collect())
    }
}

fn newest<'a>(backups: &'a [CompleteBackup], is: impl Fn(&CompleteBackup) -> bool) -> Option<&'a BackupId> {
    backups.iter().filter(|backup| is(backup)).max_by_key(|backup| backup.manifest.started).map(|it| &it.manifest.id)
}

/// What may never go, whatever happens.
fn protected(backups: &[CompleteBackup], pinned: &BackupId) -> BTreeSet<BackupId> {
    let verdict = |backup: &CompleteBackup| backup.proven().map(|proof| proof.verdict);
    let kinds = [
        newest(backups, |_| true),
        newest(backups, |backup| verdict(backup) != Some(Verdict::Failed)),
        newest(backups, |backup| verdict(backup) == Some(Verdict::Proven)),
        Some(pinned),
    ];
    kinds.into_iter().flatten().cloned().collect()
}

async fn live_through(seed: u64) {
    let mut world = World::new(seed).await;
    let (mut n_failed, mut n_frozen, mut alarmed) = (0, 0, None);
    for hour in 1..=72 {
        let now = begin() + TimeDelta::hours(hour);
        let weather = weather(hour);
        if weather != Weather::SourceGone && !world.rng.random_bool(0.05) {
            let made = world.back_up(now, (34..46).contains(&hour)).await;
            alarmed = alarmed.or_else(|| made.alarm.as_ref().map(|_| made.id.clone()));
        }
        if hour % 5 == 0 {
            let last = world.newest.clone().unwrap();
            let failed = weather == Weather::ProofsFail;
            let evidence = evidence(&last, now + TimeDelta::minutes(10), 5.0, failed);
            let keys = BackupKeys::new(&last.source, &last.id).unwrap();
            world.past.catalog.add_evidence(&keys, &evidence).await.unwrap();
        }
        if hour == 46 {
            let id = alarmed.clone().expect("the table's loss was noticed");
            let keys = BackupKeys::new(&"orders".parse().unwrap(), &id).unwrap();
            world.past.catalog.release(&keys, &Release { at: now, reason: None }).await.unwrap();
        }

        let before = world.there().await;
        let told = world.prune(now + TimeDelta::minutes(20), weather == Weather::StoreFails).await;
        let after = world.there().await;

        let ids: BTreeSet<BackupId> = after.iter().map(|backup| backup.manifest.id.clone()).collect();
        let lost: Vec<_> = protected(&before, &world.pinned).into_iter().filter(|id| !ids.contains(id)).collect();
        assert!(lost.is_empty(), "seed {seed}, hour {hour}: {lost:?} went");
        for backup in &after {
            for key in backup.manifest.object_keys().unwrap() {
                let found = world.past.store.stat(&key).await.unwrap();
                assert!(found.is_some(), "seed {seed}, hour {hour}: a manifest points at {key}, which is gone");
            }
        }
        let age = now - before.iter().map(|backup| backup.manifest.consistent.at).max().unwrap();
        let is_alarmed = before.iter().any(|backup| backup.open_alarm().is_some());
        if age > RPO || is_alarmed {
            assert_eq!(before.len(), after.len(), "seed {seed}, hour {hour}: removed while frozen");
            // It is told where something would have gone.
            n_frozen += usize::from(told.unwrap().iter().any(Reason::is_freeze));
        } else {
            n_failed += usize::from(told.is_err());
        }
    }
    assert!(n_frozen >= 8, "the freeze was told in {n_frozen} hours only");
    assert!(n_failed > 0, "the store never failed: the test shows nothing");
    // All is well again: the rules hold, and what the store's faults left is gone.
    let end = begin() + TimeDelta::hours(73);
    world.back_up(end, false).await;
    world.prune(end, false).await.unwrap();
    let left = world.there().await;
    assert!((LAST..=LAST + 3 + 4 + 6).contains(&left.len()), "{} backups are left", left.len());
}

#[tokio::test]
async fn in_72_hours_of_failures_nothing_goes_that_must_stay_and_retention_recovers() {
    for seed in 0..5 {
        live_through(seed).await;
    }
}
