//! Receivers of notifications: a real HTTP server that writes down what it is sent, and a mail server that speaks just
//! enough SMTP. Both run in threads of their own, so that tests without a runtime can look at them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST`, `GET`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// An HTTP server that accepts everything, unless it is told to refuse.
#[derive(Debug)]
pub struct HttpReceiver {
    addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Shared {
    received: Vec<Received>,
    refusals: Vec<u16>,
}

impl HttpReceiver {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let addr = listener.local_addr().expect("a bound port");
        let receiver = Self { addr, shared: Arc::default(), stop: CancellationToken::new() };
        let (shared, stop) = (Arc::clone(&receiver.shared), receiver.stop.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(listener, shared, stop));
        });
        receiver
    }

    /// An address below it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Answers the next requests with these statuses, and everything after them with 200.
    pub fn refuse(&self, statuses: &[u16]) {
        lock(&self.shared).refusals = statuses.iter().rev().copied().collect();
    }

    /// Everything that arrived, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared).received.clone()
    }

    /// The JSON of everything that was posted.
    pub fn notices(&self) -> Vec<Value> {
        self.received().iter().filter(|received| received.method == "POST").map(Received::json).collect()
    }
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>, stop: CancellationToken) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted.expect("a connection").0,
            () = stop.cancelled() => return,
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| answer(request, Arc::clone(&shared)));
            // A client that breaks off is that client's affair.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Mutex<Shared>>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers.iter().map(header).collect(),
        body,
    };
    let mut shared = lock(&shared);
    shared.received.push(received);
    let status = shared.refusals.pop().unwrap_or(200);
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

/// A mail server that takes every letter.
#[derive(Debug)]
pub struct MailReceiver {
    addr: SocketAddr,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// A letter as it was handed over.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The user and password that were given, as they came: base 64.
    pub login: String,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and text.
    pub text: String,
}

impl MailReceiver {
    /// Starts one. Its thread ends with the test's process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let letters = Arc::<Mutex<Vec<Letter>>>::default();
        let kept = Arc::clone(&letters);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || converse(&socket, &kept));
            }
        });
        Self { addr, letters }
    }

    /// Its host and port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Every letter so far.
    pub fn letters(&self) -> Vec<Letter> {
        lock(&self.letters).clone()
    }
}

/// The server's half of RFC 5321, as far as a polite client needs it.
fn converse(socket: &TcpStream, letters: &Mutex<Vec<Letter>>) {
    let say = |text: &str| {
        let mut socket = socket;
        let _ = socket.write_all(format!("{text}\r\n").as_bytes());
    };
    let mut lines = BufReader::new(socket).lines();
    let mut letter = Letter::default();
    say("220 test ESMTP");
    while let Some(Ok(line)) = lines.next() {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"),
            "AUTH" => {
                letter.login = line;
                say("235 2.7.0 welcome");
            }
            "MAIL" => {
                letter.from = line;
                say("250 ok");
            }
            "RCPT" => {
                letter.to.push(line);
                say("250 ok");
            }
            "DATA" => {
                say("354 go on");
                let body = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".");
                letter.text = body.collect::<Vec<_>>().join("\n");
                lock(letters).push(std::mem::take(&mut letter));
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 ok"),
        }
    }
}
