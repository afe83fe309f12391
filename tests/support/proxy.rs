//! An HTTP proxy of the tests' own in front of an S3 server, which spoils chosen requests.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a chosen request.
#[derive(Debug, Clone, Copy)]
pub enum Spoil {
    /// It is answered with this status and is not passed on.
    Status(u16),
    /// It is answered with this status after so long, and is not passed on.
    StatusAfter(u16, Duration),
    /// Its body is taken no faster than so many bytes a millisecond, and then it is passed on.
    TrickleRequest(usize),
    /// The connection breaks after so many bytes of the request's body, which is not passed on.
    BreakRequest(usize),
    /// It is passed on, and the connection breaks instead of an answer.
    LoseAnswer,
    /// It is passed on, and the connection breaks after so many bytes of the answer's body.
    BreakAnswer(usize),
    /// It is passed on, and after so many bytes of the answer's body nothing more comes.
    StallAnswer(usize),
    /// It is passed on, and the answer's body comes in pieces of so many bytes, a millisecond apart.
    Trickle(usize),
    /// It is answered with this body, whatever it asked for, and is not passed on.
    Answer(&'static str),
    /// It is read and never answered.
    Hang,
}

/// Chooses requests by their head.
pub type Chosen = fn(&Parts) -> bool;

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub addr: SocketAddr,
    rules: Arc<Mutex<Vec<Rule>>>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Rule {
    chosen: Chosen,
    left: usize,
    spoil: Spoil,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

impl Proxy {
    /// Starts a proxy in front of `upstream`.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let rules: Arc<Mutex<Vec<Rule>>> = Arc::default();
        let of_server = Arc::clone(&rules);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let rules = Arc::clone(&of_server);
                let service = hyper::service::service_fn(move |request| pass(request, Arc::clone(&rules), upstream));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        Self { addr, rules, server }
    }

    /// Has the next `times` requests that are chosen spoilt.
    pub fn spoil(&self, chosen: Chosen, times: usize, spoil: Spoil) {
        self.rules.lock().unwrap().push(Rule { chosen, left: times, spoil });
    }

    /// How many requests still wait to be spoilt.
    pub fn left(&self) -> usize {
        self.rules.lock().unwrap().iter().map(|rule| rule.left).sum()
    }

    /// How many requests still wait to be spoilt; afterwards nothing is.
    pub fn end(&self) -> usize {
        self.rules.lock().unwrap().drain(..).map(|rule| rule.left).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(
    request: Request<Incoming>,
    rules: Arc<Mutex<Vec<Rule>>>,
    upstream: SocketAddr,
) -> io::Result<Response<Body>> {
    let (head, mut body) = request.into_parts();
    let spoil = rules.lock().unwrap().iter_mut().find(|rule| rule.left > 0 && (rule.chosen)(&head)).map(|rule| {
        rule.left -= 1;
        rule.spoil
    });
    if let Some(Spoil::BreakRequest(limit)) = spoil {
        let mut seen = 0;
        while seen < limit
            && let Some(Ok(frame)) = body.frame().await
        {
            seen += frame.data_ref().map_or(0, Bytes::len);
        }
        return Err(broken());
    }
    let body = match spoil {
        Some(Spoil::TrickleRequest(pace)) => slowly(body, pace).await?,
        _ => body.collect().await.map_err(io::Error::other)?.to_bytes(),
    };
    match spoil {
        Some(Spoil::Status(status)) => Ok(refusal(status)),
        Some(Spoil::Answer(text)) => Ok(Response::new(text_body(text))),
        Some(Spoil::StatusAfter(status, pause)) => {
            tokio::time::sleep(pause).await;
            Ok(refusal(status))
        }
        Some(Spoil::Hang) => std::future::pending().await,
        Some(Spoil::LoseAnswer) => {
            forward(head, body, upstream).await?.collect().await.map_err(io::Error::other)?;
            Err(broken())
        }
        _ => Ok(forward(head, body, upstream).await?.map(|body| spoilt(body, spoil))),
    }
}

/// The sender is held up by its full socket.
async fn slowly(mut body: Incoming, pace: usize) -> io::Result<Bytes> {
    let mut taken = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        taken.extend_from_slice(&data);
        tokio::time::sleep(Duration::from_millis((data.len() / pace) as u64)).await;
    }
    Ok(taken.into())
}

async fn forward(head: Parts, body: Bytes, upstream: SocketAddr) -> io::Result<Response<Incoming>> {
    let socket = TcpStream::connect(upstream).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    tokio::spawn(connection);
    sender.send_request(Request::from_parts(head, Full::new(body))).await.map_err(io::Error::other)
}

fn spoilt(body: Incoming, spoil: Option<Spoil>) -> Body {
    let whole = body.map_err(io::Error::other);
    let Some(spoil) = spoil else { return whole.boxed_unsync() };
    let pieces = stream::once(async move {
        let bytes = whole.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let frame = |bytes: Bytes| Ok(Frame::data(bytes));
        match spoil {
            Spoil::BreakAnswer(len) => {
                stream::iter([frame(bytes.slice(..len.min(bytes.len()))), Err(broken())]).boxed()
            }
            Spoil::StallAnswer(len) => {
                stream::iter([frame(bytes.slice(..len.min(bytes.len())))]).chain(stream::pending()).boxed()
            }
            Spoil::Trickle(len) => {
                let pieces: Vec<Bytes> = bytes.chunks(len).map(|piece| bytes.slice_ref(piece)).collect();
                let slowly = |piece| async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok(Frame::data(piece))
                };
                stream::iter(pieces).then(slowly).boxed()
            }
            _ => stream::iter([frame(bytes)]).boxed(),
        }
    });
    StreamBody::new(pieces.flatten()).boxed_unsync()
}

fn refusal(status: u16) -> Response<Body> {
    let code = match status {
        403 => "AccessDenied",
        501 => "NotImplemented",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>");
    let mut response = Response::new(text_body(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn text_body(text: impl Into<Bytes>) -> Body {
    Full::from(text.into()).map_err(|never| match never {}).boxed_unsync()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "broken on purpose")
}
