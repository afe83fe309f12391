//! A world in simulated time: a bucket that records slots, sources that are locked, and daemons that come, go and are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use guard::schedule::{Job, JobId, Lane, Recorded, Seen, SlotState, decide};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// How many runs a daemon may have at once.
pub(crate) const PARALLEL: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// How long a dead holder is believed to be alive.
const TTL: TimeDelta = TimeDelta::seconds(60);

/// How often a daemon that found a source busy asks again.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(15);

/// How daemons live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    /// How long one lives, about.
    pub(crate) mean_life: Duration,
    /// How long one is gone, at most.
    pub(crate) longest_absence: Duration,
    /// Whether its runs die with it. Otherwise it ends them before it goes.
    pub(crate) killed: bool,
}

/// The world.
pub(crate) struct World {
    pub(crate) jobs: Vec<Job>,
    pub(crate) now: DateTime<Utc>,
    /// Runs that came to their end, in order.
    pub(crate) completed: Vec<(JobId, DateTime<Utc>)>,
    /// Runs that began, and when they did.
    pub(crate) begun: Vec<(JobId, DateTime<Utc>)>,
    /// Lanes in which two runs went on at once.
    pub(crate) overlaps: Vec<Lane>,
    pub(crate) most_at_once: usize,
    /// How many slots were taken over from a dead holder.
    pub(crate) n_taken_over: u32,
    slots: BTreeMap<JobId, (DateTime<Utc>, Taken)>,
    locks: BTreeMap<Lane, Taken>,
    daemons: Vec<Daemon>,
    rng: StdRng,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    By(usize),
    /// Its holder died; the lease ends at this time.
    Orphaned(DateTime<Utc>),
    Ended,
}

#[derive(Debug, Default)]
struct Daemon {
    /// None while it is gone.
    wake: Option<DateTime<Utc>>,
    back: Option<DateTime<Utc>>,
    dies: Option<DateTime<Utc>>,
    runs: BTreeMap<JobId, Run>,
    busy: BTreeMap<Lane, DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    slot: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl World {
    pub(crate) fn new(jobs: Vec<Job>, n_daemons: usize, now: DateTime<Utc>, seed: u64) -> Self {
        let daemons = (0..n_daemons).map(|_| Daemon { wake: Some(now), ..Daemon::default() }).collect();
        Self {
            jobs,
            now,
            completed: Vec::new(),
            begun: Vec::new(),
            overlaps: Vec::new(),
            most_at_once: 0,
            n_taken_over: 0,
            slots: BTreeMap::new(),
            locks: BTreeMap::new(),
            daemons,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// Lets daemons die and come back until `end`.
    pub(crate) fn live(&mut self, fate: Fate, end: DateTime<Utc>) {
        for idx in 0..self.daemons.len() {
            self.daemons[idx].dies = Some(self.now + self.up_to(fate.mean_life * 2));
        }
        while self.now < end {
            let death = self.daemons.iter().filter_map(|daemon| daemon.dies).min().unwrap_or(end).min(end);
            self.run_until(death);
            for idx in 0..self.daemons.len() {
                if self.daemons[idx].dies == Some(self.now) {
                    let back = self.now + self.up_to(fate.longest_absence);
                    self.end_of(idx, fate.killed);
                    self.daemons[idx].back = Some(back);
                    self.daemons[idx].dies = Some(back + self.up_to(fate.mean_life * 2));
                }
            }
        }
    }

    /// Has the only daemon go away in good order and come back later.
    pub(crate) fn leave_for(&mut self, absence: Duration) {
        self.end_of(0, false);
        self.daemons[0].back = Some(self.now + absence);
    }

    /// Lets time pass.
    pub(crate) fn run_until(&mut self, end: DateTime<Utc>) {
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            match event {
                Event::Back(idx) => {
                    self.daemons[idx].back = None;
                    self.daemons[idx].wake = Some(self.now);
                }
                Event::Ends(idx, job) => {
                    self.complete(idx, &job);
                    // A daemon decides again when one of its runs has ended.
                    self.daemons[idx].wake = Some(self.now);
                }
                Event::Wakes(idx) => self.look(idx),
            }
        }
        self.now = end;
    }

    fn next_event(&self) -> Option<(DateTime<Utc>, Event)> {
        let events = self.daemons.iter().enumerate().flat_map(|(idx, daemon)| {
            let back = daemon.back.map(|at| (at, Event::Back(idx)));
            let wake = daemon.wake.map(|at| (at, Event::Wakes(idx)));
            let ends = daemon.runs.iter().map(move |(job, run)| (run.ends, Event::Ends(idx, job.clone())));
            back.into_iter().chain(ends).chain(wake).collect::<Vec<_>>()
        });
        events.min_by_key(|(at, _)| *at)
    }

    /// What the daemon does when it wakes: look at the bucket, decide, start.
    fn look(&mut self, idx: usize) {
        let state = |taken: &Taken, now: DateTime<Utc>| match taken {
            Taken::By(_) => SlotState::Held { until: now + TTL * 2 / 3 },
            Taken::Orphaned(until) => SlotState::Held { until: *until },
            Taken::Ended => SlotState::Ended,
        };
        let newest = self
            .slots
            .iter()
            .map(|(job, (at, taken))| (job.clone(), Recorded { at: *at, state: state(taken, self.now) }));
        let daemon = &self.daemons[idx];
        let running: BTreeSet<JobId> = daemon.runs.keys().cloned().collect();
        let seen = Seen { newest: newest.collect(), running, busy: daemon.busy.clone() };
        let decision = decide(&self.jobs, &seen, PARALLEL, self.now);
        let mut wake = decision.wake;
        for due in decision.start {
            if !self.try_start(idx, &due.job, due.slot.at) {
                let again = self.now + ASK_AGAIN;
                self.daemons[idx].busy.insert(due.job.lane(), again);
                wake = wake.into_iter().chain([again]).min();
            }
        }
        assert!(wake.is_none_or(|wake| wake > self.now), "a daemon that wakes at once again spins");
        self.daemons[idx].wake = wake;
    }

    /// The order of a real run: the source's lock, then the slot.
    fn try_start(&mut self, idx: usize, job: &JobId, slot: DateTime<Utc>) -> bool {
        match self.locks.get(&job.lane()) {
            Some(Taken::By(_)) => return false,
            Some(Taken::Orphaned(until)) if *until > self.now => return false,
            _ => {}
        }
        if let Some((at, Taken::Orphaned(_))) = self.slots.get(job)
            && *at == slot
        {
            self.n_taken_over += 1;
        }
        let working = self.daemons.iter().flat_map(|daemon| daemon.runs.keys());
        if working.into_iter().any(|running| running.lane() == job.lane()) {
            self.overlaps.push(job.lane());
        }
        self.locks.insert(job.lane(), Taken::By(idx));
        self.slots.insert(job.clone(), (slot, Taken::By(idx)));
        let ends = self.now + TimeDelta::seconds(self.rng.random_range(5..6 * 60));
        self.daemons[idx].runs.insert(job.clone(), Run { slot, ends });
        self.begun.push((job.clone(), self.now));
        self.most_at_once = self.most_at_once.max(self.daemons[idx].runs.len());
        true
    }

    fn complete(&mut self, idx: usize, job: &JobId) {
        let Some(run) = self.daemons[idx].runs.remove(job) else { return };
        self.completed.push((job.clone(), run.slot));
        self.slots.insert(job.clone(), (run.slot, Taken::Ended));
        self.locks.remove(&job.lane());
    }

    fn end_of(&mut self, idx: usize, killed: bool) {
        let runs: Vec<JobId> = self.daemons[idx].runs.keys().cloned().collect();
        for job in runs {
            if killed {
                let run = self.daemons[idx].runs.remove(&job).expect("it is there");
                let until = self.now + TTL;
                self.slots.insert(job.clone(), (run.slot, Taken::Orphaned(until)));
                self.locks.insert(job.lane(), Taken::Orphaned(until));
            } else {
                self.complete(idx, &job);
            }
        }
        self.daemons[idx].wake = None;
        self.daemons[idx].busy.clear();
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::seconds(self.rng.random_range(60..longest.num_seconds()))
    }
}

enum Event {
    Back(usize),
    Ends(usize, JobId),
    Wakes(usize),
}
