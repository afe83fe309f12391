//! A server of the status page inside the test process, and the world that it watches.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use guard::http::{Board, Limits, Reached, Settings, Watch, serve};
use guard::secret::Secret;
use guard::status::Expected;
use guard::status::live::Live;
use guard::store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it answers from.
    pub board: Arc<Board>,
    /// What runs.
    pub live: Arc<Live>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// The server.
    pub server: JoinHandle<std::io::Result<()>>,
}

/// A world that a test arranges.
#[derive(Debug, Default)]
pub struct World {
    /// What is expected; the moments in it do not move.
    pub expected: Vec<Expected>,
    /// Whether the sources answer.
    pub reached: Mutex<Vec<Reached>>,
}

#[async_trait]
impl Watch for World {
    fn expected(&self, _now: DateTime<Utc>) -> Vec<Expected> {
        self.expected.clone()
    }

    async fn reach(&self) -> Vec<Reached> {
        self.reached.lock().unwrap().clone()
    }
}

/// Settings of a server without a token, with generous limits.
pub fn settings(store: &Arc<dyn Store>, watch: Arc<dyn Watch>) -> Settings {
    Settings {
        store: Arc::clone(store),
        watch,
        live: Arc::default(),
        token: None,
        clock: Utc::now,
        interval: Duration::from_hours(1),
        limits: Limits::default(),
    }
}

impl Served {
    /// Starts a server that has looked at everything once.
    pub async fn start(settings: Settings) -> Self {
        let live = Arc::clone(&settings.live);
        let board = Arc::new(Board::new(settings));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let cancel = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Arc::clone(&board), cancel.clone()));
        let served = Self { addr, board, live, cancel, server };
        served.until(|board| board.readiness().checked.is_some()).await;
        served
    }

    /// The same with a token.
    pub async fn start_with_token(mut settings: Settings, token: &str) -> Self {
        settings.token = Some(Secret::new(token));
        Self::start(settings).await
    }

    /// Has the board look again, and waits for it.
    pub async fn look_again(&self) {
        let before = self.board.readiness().checked;
        self.board.changed();
        self.until(|board| board.readiness().checked != before).await;
    }

    /// An address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn until(&self, seen: impl Fn(&Board) -> bool) {
        let waiting = async {
            while !seen(&self.board) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the board is kept current");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.server.abort();
    }
}
