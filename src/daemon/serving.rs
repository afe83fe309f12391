//! The daemon's face: the status page, metrics and probes, as long as it runs.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::workplace::Workplace;
use crate::cli::CliError;
use crate::cli::watch::Configured;
use crate::config::Config;
use crate::http::Limits;
use crate::http::board::{Board, Reached, Settings, Watch};
use crate::http::serve;
use crate::status::Expected;

/// The server, if there is one.
pub(super) struct Serving {
    board: Arc<Board>,
    watched: Arc<Watched>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    stop: CancellationToken,
}

impl Serving {
    /// Listens, if the configuration says where. A port that is taken is an error: a probe must not ask somebody else.
    pub(super) async fn start(place: &Workplace) -> Result<Self, CliError> {
        let token = match &place.config.http.token {
            Some(token) => Some(token.resolve(&place.config.environment).await?),
            None => None,
        };
        let watched = Arc::new(Watched(RwLock::new(Arc::new(Configured(place.config.clone())))));
        let has_token = token.is_some();
        let board = Arc::new(Board::new(Settings {
            store: Arc::clone(place.catalog.store()),
            watch: Arc::clone(&watched) as Arc<dyn Watch>,
            live: Arc::clone(&place.live),
            token,
            clock: place.clock,
            interval: Settings::INTERVAL,
            limits: Limits::default(),
        }));
        let mut serving = Self { board, watched, server: None, stop: CancellationToken::new() };
        if let Some(address) = place.config.http.listen {
            let failed = |error: std::io::Error| {
                CliError::unable("http", format!("cannot listen on {address}: {error}"))
                    .with_help("set http.listen to another address, or to \"\" for no server")
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let listens = listener.local_addr().map_err(failed)?;
            if !listens.ip().is_loopback() && !has_token {
                tracing::warn!(address = %listens, "whoever reaches this port can read the status page; set http.token");
            }
            tracing::info!(address = %listens, "the status page, metrics and probes are served");
            serving.server = Some(tokio::spawn(serve(listener, Arc::clone(&serving.board), serving.stop.clone())));
        }
        Ok(serving)
    }

    /// Says that the repository has changed.
    pub(super) fn changed(&self) {
        self.board.changed();
    }

    /// Shows another configuration. The address and the token stay until the next start.
    pub(super) fn watch(&self, config: &Config) {
        let mut watched = self.watched.0.write().unwrap_or_else(PoisonError::into_inner);
        *watched = Arc::new(Configured(config.clone()));
    }

    /// Ends the server.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Some(server) = self.server
            && let Ok(Err(error)) = server.await
        {
            tracing::warn!(%error, "the status page ended badly");
        }
    }
}

/// The configuration as it is now.
struct Watched(RwLock<Arc<Configured>>);

impl Watched {
    fn now(&self) -> Arc<Configured> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Watch for Watched {
    fn expected(&self, now: DateTime<Utc>) -> Vec<Expected> {
        self.now().expected(now)
    }

    async fn reach(&self) -> Vec<Reached> {
        self.now().reach().await
    }
}
