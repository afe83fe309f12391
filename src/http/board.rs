//! What the server shows, kept current in the background: the repository, the reach of store and sources, the live state.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::metrics::Scene;
pub use super::readiness::Reached;
use super::readiness::{Look, Readiness, readiness};
use crate::catalog::{Catalog, CatalogError};
use crate::secret::Secret;
use crate::status::history::{History, Snapshot};
use crate::status::live::Live;
use crate::status::{Expected, Report, report};
use crate::store::Store;

/// What only the rim knows: the configuration as it is now, and the way to the sources.
#[async_trait]
pub trait Watch: Send + Sync {
    /// What is expected of each configured source at this moment.
    fn expected(&self, now: DateTime<Utc>) -> Vec<Expected>;

    /// Whether each configured source answers. It takes as long as it takes; the board gives up after a while.
    async fn reach(&self) -> Vec<Reached>;
}

/// What a board is made of.
pub struct Settings {
    /// Where the repository lies.
    pub store: Arc<dyn Store>,
    /// The configuration and the sources.
    pub watch: Arc<dyn Watch>,
    /// What runs.
    pub live: Arc<Live>,
    /// Who may ask; without a token everybody who reaches the port.
    pub token: Option<Secret>,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
    /// How long what was seen counts as current.
    pub interval: Duration,
    /// What a client may take.
    pub limits: Limits,
}

/// Everything the server answers from.
pub struct Board {
    settings: Settings,
    started: DateTime<Utc>,
    seen: RwLock<Seen>,
    wake: Notify,
}

#[derive(Clone)]
struct Seen {
    snapshot: Arc<Snapshot>,
    look: Arc<Look>,
}

/// How long a look at the repository may take.
const READ_PATIENCE: Duration = Duration::from_mins(2);
/// How long the store's clock and the sources may take to answer.
const REACH_PATIENCE: Duration = Duration::from_secs(15);

impl Settings {
    /// How long what was seen counts as current, unless something says that it changed.
    pub const INTERVAL: Duration = Duration::from_secs(30);
}

impl Board {
    /// A board that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        let started = (settings.clock)();
        let snapshot = Arc::new(Snapshot::empty(settings.store.location(), started));
        let seen = RwLock::new(Seen { snapshot, look: Arc::default() });
        Self { settings, started, seen, wake: Notify::new() }
    }

    /// Says that the repository has changed: a run has ended.
    pub fn changed(&self) {
        self.wake.notify_one();
    }

    /// Looks at the repository, the store's clock and the sources, again and again.
    pub async fn keep_current(&self, cancel: &CancellationToken) {
        let mut history = None;
        loop {
            tokio::select! {
                () = self.refresh(&mut history) => {}
                () = cancel.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.settings.interval) => {}
                () = self.wake.notified() => {}
                () = cancel.cancelled() => return,
            }
        }
    }

    /// Looks once at everything. What cannot be read leaves what was known, and the reason is told.
    pub async fn refresh(&self, history: &mut Option<History>) {
        let (read, store, sources) = tokio::join!(
            tokio::time::timeout(READ_PATIENCE, self.read(history)),
            tokio::time::timeout(REACH_PATIENCE, self.settings.store.clock()),
            tokio::time::timeout(REACH_PATIENCE, self.settings.watch.reach()),
        );
        let now = (self.settings.clock)();
        let store = match store {
            Ok(clock) => clock.map(|clock| now - clock).map_err(|error| error.to_string()),
            Err(_) => Err(format!("{} does not answer", self.settings.store.location())),
        };
        let sources = sources.unwrap_or_else(|_| self.silent(now));
        let read = read.unwrap_or_else(|_| Err("reading the repository takes too long".to_owned()));
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let unreadable = match read {
            Ok(snapshot) => {
                seen.snapshot = Arc::new(snapshot);
                None
            }
            Err(reason) => Some(reason),
        };
        seen.look = Arc::new(Look { at: Some(now), store: Some(store), unreadable, sources });
    }

    async fn read(&self, history: &mut Option<History>) -> Result<Snapshot, String> {
        let now = (self.settings.clock)();
        if history.is_none() {
            *history = match Catalog::open(Arc::clone(&self.settings.store)).await {
                Ok(catalog) => Some(History::new(catalog)),
                Err(CatalogError::NotARepository { location }) => return Ok(Snapshot::empty(location, now)),
                Err(error) => return Err(error.to_string()),
            };
        }
        let history = history.as_mut().expect("it was made above");
        history.refresh(now).await.map_err(|error| error.to_string())
    }

    fn silent(&self, now: DateTime<Utc>) -> Vec<Reached> {
        let silent = |expected: Expected| Reached {
            source: expected.name.to_string(),
            failure: Some("no answer in time".to_owned()),
        };
        self.settings.watch.expected(now).into_iter().map(silent).collect()
    }

    /// The state of everything now.
    pub fn report(&self) -> Report {
        let now = (self.settings.clock)();
        let seen = self.seen();
        report(&seen.snapshot, &self.settings.watch.expected(now), &self.settings.live.look(), now)
    }

    /// Whether guard can do its work.
    pub fn readiness(&self) -> Readiness {
        readiness(&self.seen().look, (self.settings.clock)())
    }

    /// What metrics are made of.
    pub fn scene(&self) -> Scene {
        Scene {
            report: self.report(),
            activity: self.settings.live.look(),
            look: self.seen().look,
            readiness: self.readiness(),
            started: self.started,
        }
    }

    /// The token, if there is one.
    pub(super) fn token(&self) -> Option<&Secret> {
        self.settings.token.as_ref()
    }

    /// What a client may take.
    pub(super) fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// The clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.settings.clock)()
    }

    fn seen(&self) -> Seen {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("store", &self.settings.store.location()).finish_non_exhaustive()
    }
}
