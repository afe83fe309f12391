//! The daemon: look at the bucket, decide, start what is due, look again; until a signal, and then stop in good order.
//!
//! It remembers nothing that matters. What has run is in the bucket, so any number of daemons watch the same schedules, and
//! one that is killed is replaced by whichever looks next. Each run holds the lease of its slot and of what it works on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::CliError;
use crate::config::{Config, Request, load};
use crate::lease::LeaseError;
use crate::schedule::trigger::Trigger;
use crate::schedule::{Decision, JobId, Kind, Lane, Seen, decide};

mod janitor;
pub mod plan;
mod promise;
mod record;
mod run;
mod serving;
mod story;
mod telling;
mod workplace;

use record::Records;
use run::{Ended, carry_out};
use serving::Serving;
use workplace::Workplace;

pub(crate) use workplace::notifier;

/// What a daemon is started with.
#[derive(Debug)]
pub struct Orders {
    /// How the configuration is read, again at every reload.
    pub request: Request,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
    /// Told to stop.
    pub stop: CancellationToken,
    /// Told to read the configuration again.
    pub reload: mpsc::Receiver<()>,
}

/// How often it looks at the bucket at least: another daemon may have died.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// How long a lane that could not be entered, or a store that did not answer, is left alone.
const TRY_AGAIN: TimeDelta = TimeDelta::seconds(15);

/// How long a test restore waits for a first backup before it looks again.
const NOTHING_YET: TimeDelta = TimeDelta::minutes(5);

/// How long cleaning up may take after runs were told to end.
const ABANDON_PATIENCE: Duration = Duration::from_secs(20);

/// Runs until it is told to stop. An error means that it could not begin.
pub async fn run(orders: Orders) -> Result<(), CliError> {
    let Orders { request, clock, stop, mut reload } = orders;
    let place = Arc::new(Workplace::open(load(&request)?.config, clock, Arc::default()).await?);
    let _post = place.exclude_others(&stop).await?;
    let trigger = Trigger::start().await?;
    let serving = Serving::start(&place).await?;
    let mut daemon = Daemon::new(place, serving);
    daemon.greet();
    loop {
        let wake = daemon.round().await;
        tokio::select! {
            woken = trigger.wait_until(wake, clock()) => woken?,
            Some(ended) = daemon.runs.join_next() => daemon.note(ended),
            Some(()) = reload.recv() => daemon.reload(&request).await,
            () = stop.cancelled() => break,
        }
    }
    daemon.drain().await;
    Ok(())
}

/// What the daemon knows between two looks. All of it can be lost.
struct Daemon {
    place: Arc<Workplace>,
    records: Records,
    promises: promise::Watch,
    janitor: janitor::Janitor,
    running: BTreeSet<JobId>,
    busy: BTreeMap<Lane, DateTime<Utc>>,
    runs: JoinSet<Ended>,
    /// Ends the runs, not the daemon.
    abandon: CancellationToken,
    /// Why the last look failed, so that it is told once.
    trouble: Option<String>,
    last_beat: Option<DateTime<Utc>>,
    serving: Serving,
}

impl Daemon {
    fn new(place: Arc<Workplace>, serving: Serving) -> Self {
        Self {
            place,
            serving,
            records: Records::new(),
            promises: promise::Watch::default(),
            janitor: janitor::Janitor::default(),
            running: BTreeSet::new(),
            busy: BTreeMap::new(),
            runs: JoinSet::new(),
            abandon: CancellationToken::new(),
            trouble: None,
            last_beat: None,
        }
    }

    fn greet(&self) {
        let now = self.now();
        tracing::info!(jobs = self.place.jobs.len(), store = self.place.catalog.store().location(), "guard runs");
        for job in &self.place.jobs {
            if let Some(slot) = job.timetable.next_due(now) {
                tracing::info!(job = %job.id, at = %slot.at, due = %slot.due, "the next run");
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.place.clock)()
    }

    /// Looks once, starts what is due, and says when to look again.
    async fn round(&mut self) -> DateTime<Utc> {
        let now = self.now();
        self.janitor.sweep_if_due(&self.place, now).await;
        match self.look(now).await {
            Ok(decision) => {
                if self.trouble.take().is_some() {
                    tracing::info!("the store can be read again");
                }
                for due in decision.start {
                    self.running.insert(due.job.clone());
                    let (place, abandon) = (Arc::clone(&self.place), self.abandon.child_token());
                    self.runs.spawn(carry_out(place, due, abandon));
                }
                tracing::debug!(running = self.running.len(), wake = ?decision.wake, "looked");
                self.promises.check_if_due(&self.place, now).await;
                self.beat(now);
                let wake = decision.wake.unwrap_or(DateTime::<Utc>::MAX_UTC).min(now + LOOK_AGAIN);
                // A wake that lies behind us would be a loop without a pause.
                wake.max(now + TimeDelta::milliseconds(500))
            }
            Err(error) => {
                self.complain(&error);
                now + TRY_AGAIN
            }
        }
    }

    async fn look(&mut self, now: DateTime<Utc>) -> Result<Decision, LeaseError> {
        // Slots are timed by this host: one whose clock is wrong must not run anything.
        self.place.leases.now().await?;
        self.busy.retain(|_, until| *until > now);
        let newest = self.records.read(&self.place).await?;
        let seen = Seen { newest, running: self.running.clone(), busy: self.busy.clone() };
        Ok(decide(&self.place.jobs, &seen, self.place.config.run.parallel, now))
    }

    /// Notes what became of a run.
    fn note(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let now = self.now();
        self.serving.changed();
        match ended {
            Ok(Ended::Over(job)) => {
                self.running.remove(&job);
                if job.kind == Kind::Backup {
                    // A test restore may have waited for just this.
                    self.busy.remove(&Lane::Backups(job.source));
                }
            }
            Ok(Ended::Later(job, until)) => {
                self.running.remove(&job);
                let until = until.unwrap_or(now + TRY_AGAIN).clamp(now + TimeDelta::seconds(1), now + TRY_AGAIN);
                self.busy.insert(job.lane(), until);
            }
            Ok(Ended::NothingYet(job)) => {
                self.running.remove(&job);
                self.busy.insert(job.lane(), now + NOTHING_YET);
            }
            // A run that panicked has no name any more; what runs is known from the others.
            Err(error) => {
                tracing::error!(%error, "a run ended in a way that is a fault of guard");
                self.running.clear();
            }
        }
    }

    fn complain(&mut self, error: &LeaseError) {
        let text = error.to_string();
        if self.trouble.as_ref() == Some(&text) {
            return;
        }
        tracing::error!(error = text, help = error.help(), "nothing can be started");
        if self.trouble.is_none() {
            // Every daemon that cannot see the bucket says so: there is no lease to agree by.
            telling::of_daemon(&self.place, format!("guard cannot start anything: {text}"));
        }
        self.trouble = Some(text);
    }

    fn beat(&mut self, now: DateTime<Utc>) {
        let since = self.last_beat.map_or(Duration::MAX, |last| (now - last).to_std().unwrap_or_default());
        if self.place.notifier.heartbeat_every().is_some_and(|every| since >= every) {
            self.place.notifier.heartbeat(since);
            self.last_beat = Some(now);
        }
    }

    /// Reads the configuration again. One that is wrong changes nothing; what runs goes on with what it was started with.
    async fn reload(&mut self, request: &Request) {
        match self.read_again(request).await {
            Ok(place) => {
                tracing::info!(jobs = place.jobs.len(), "the configuration was read again");
                self.serving.watch(&place.config);
                self.place = Arc::new(place);
                self.records = Records::new();
                self.greet();
            }
            Err(error) => {
                tracing::error!(error = error.message, "the new configuration is wrong; the old one stays");
                let first = error.message.lines().next().unwrap_or_default().to_owned();
                telling::of_daemon(&self.place, format!("the new configuration is wrong, the old one stays: {first}"));
            }
        }
    }

    async fn read_again(&self, request: &Request) -> Result<Workplace, CliError> {
        let config: Config = load(request)?.config;
        Workplace::open(config, self.place.clock, Arc::clone(&self.place.live)).await
    }

    /// Lets runs finish for a while, then has them abandon their work, and leaves nothing behind.
    async fn drain(mut self) {
        let patience = self.place.config.run.stop_patience;
        tracing::info!(runs = self.runs.len(), patience = %humantime::format_duration(patience), "stopping");
        if tokio::time::timeout(patience, self.join_all()).await.is_err() {
            tracing::warn!(runs = self.runs.len(), "runs are abandoned: the time to stop is over");
            self.abandon.cancel();
            if tokio::time::timeout(ABANDON_PATIENCE, self.join_all()).await.is_err() {
                tracing::error!("runs did not end in time; their children end with this process");
                self.runs.abort_all();
            }
        }
        self.place.notifier.finish(ABANDON_PATIENCE / 2).await;
        self.serving.stop().await;
        tracing::info!("stopped");
    }

    async fn join_all(&mut self) {
        while let Some(ended) = self.runs.join_next().await {
            self.note(ended);
        }
    }
}
