//! A server of the status page inside the test process, and the world that it watches.

use std::collections::BTreeMap;
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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("the board is kept current");
    }
}

/// An answer as it came over the wire.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Served {
    /// Asks for a page as a browser on the same host would.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// Asks with further headers; a `host` among them replaces the usual one.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str(&format!("host: {}\r\n", self.addr));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut socket = TcpStream::connect(self.addr).await.expect("it listens");
        socket.write_all((request + "\r\n").as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("it answers");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let code = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status").parse().expect("a number");
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Answer { code, headers: lines.map(header).collect(), body: body.to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.server.abort();
    }
}
