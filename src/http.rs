//! The state of guard over HTTP, for people, probes and Prometheus: read-only, small, and never in the way of a backup.
//!
//! | path | for |
//! |---|---|
//! | `/healthz` | whether the process lives |
//! | `/readyz` | whether it can do its work: `ready`, `degraded` or `down`, with reasons |
//! | `/metrics` | Prometheus |
//! | `/`, `/source/…`, `/evidence` | the status page |
//! | `/status.json` | what the page shows |
//!
//! Everything is answered from memory; `board` keeps that current in the background, so that no storm of requests
//! reaches the store.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod auth;
pub mod board;
mod chart;
pub mod evidence;
pub mod metrics;
mod page;
pub mod readiness;

pub use board::{Board, Reached, Settings, Watch};

use auth::Access;
use page::Page;
use readiness::{Readiness, State as Readable};

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long a client may take to send the head of a request, or to think of another.
    pub head: Duration,
    /// How long a connection may last, whatever the client does.
    pub life: Duration,
    /// How long open connections may take to finish once the server ends.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(10),
            life: Duration::from_mins(5),
            drain: Duration::from_secs(3),
        }
    }
}

/// Serves until `cancel`, and keeps the board current as long. A client that breaks off is that client's affair.
pub async fn serve(listener: TcpListener, board: Arc<Board>, cancel: CancellationToken) -> io::Result<()> {
    let access = Access { board: Arc::clone(&board), loopback: listener.local_addr()?.ip().is_loopback() };
    let router = routes(Arc::clone(&board), access);
    let limits = board.limits();
    let places = Arc::new(Semaphore::new(limits.connections));
    let tasks = TaskTracker::new();
    let keeping = {
        let cancel = cancel.clone();
        async move { board.keep_current(&cancel).await }
    };
    tasks.spawn(keeping);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accept => accepted,
            () = cancel.cancelled() => break,
        };
        match accepted {
            Ok((socket, _)) => {
                let (router, cancel) = (router.clone(), cancel.clone());
                tasks.spawn(async move {
                    converse(socket, router, limits, cancel).await;
                    drop(place);
                });
            }
            // Out of file descriptors, or the client was gone before it was accepted: the next one may fare better.
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Whoever comes now is refused at once, rather than left to wait for an answer until the others have theirs.
    drop(listener);
    tasks.close();
    let _ = tokio::time::timeout(limits.drain * 2, tasks.wait()).await;
    Ok(())
}

async fn converse(socket: TcpStream, router: Router, limits: Limits, cancel: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD_BYTES);
    let connection = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(limits.life) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.drain, connection).await;
}

fn routes(board: Arc<Board>, access: Access) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/source/{source}", get(source))
        .route("/source/{source}/{id}", get(backup))
        .route("/source/{source}/{id}/proof/{moment}", get(proof))
        .route("/evidence", get(evidence_list))
        .route("/status.json", get(status))
        .route("/metrics", get(scrape))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .fallback(nothing_here)
        .with_state(board)
        .layer(from_fn_with_state(access, guarded))
}

/// Every request passes here: who may ask, what may be asked, and the headers of every answer.
async fn guarded(State(access): State<Access>, request: Request, next: Next) -> Response {
    let mut answer = if matches!(*request.method(), Method::GET | Method::HEAD) {
        match access.refusal(&request) {
            Some(refusal) => refusal,
            None => next.run(request).await,
        }
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "guard's pages can only be read\n")
            .into_response()
    };
    for (name, value) in page::HEADERS.iter() {
        answer.headers_mut().insert(name.clone(), value.clone());
    }
    answer
}

#[derive(Deserialize)]
struct Wish {
    /// Reload the page every so many seconds.
    refresh: Option<u32>,
    /// Show backups older than this one.
    before: Option<String>,
    /// Only this source.
    source: Option<String>,
}

async fn overview(State(board): State<Arc<Board>>, Query(wish): Query<Wish>) -> Response {
    let page = Page { refresh: wish.refresh, ..Page::of(&board) };
    shown(StatusCode::OK, page::overview::render(&page, &board.report(), &board.readiness()))
}

async fn source(State(board): State<Arc<Board>>, Path(name): Path<String>, Query(wish): Query<Wish>) -> Response {
    let report = board.report();
    let page = Page { refresh: wish.refresh, ..Page::of(&board) };
    match report.source(&name) {
        Some(source) => shown(StatusCode::OK, page::source::render(&page, source, wish.before.as_deref())),
        None => missing(&page, "There is no source of this name."),
    }
}

async fn backup(State(board): State<Arc<Board>>, Path((name, id)): Path<(String, String)>) -> Response {
    let report = board.report();
    let page = Page::of(&board);
    let found = report.source(&name).and_then(|source| Some((source, source.backup(&id)?)));
    match found {
        Some((source, backup)) => shown(StatusCode::OK, page::backup::render(&page, source, backup)),
        None => missing(&page, "There is no such backup; retention may have removed it."),
    }
}

async fn proof(State(board): State<Arc<Board>>, Path((name, id, moment)): Path<(String, String, String)>) -> Response {
    let report = board.report();
    let page = Page::of(&board);
    let found = report.source(&name).and_then(|source| source.backup(&id)).and_then(|backup| backup.proof(&moment));
    match found {
        Some(evidence) => shown(StatusCode::OK, page::proof::render(&page, evidence)),
        None => missing(&page, "There is no such evidence; it goes with its backup."),
    }
}

async fn evidence_list(State(board): State<Arc<Board>>, Query(wish): Query<Wish>) -> Response {
    let report = board.report();
    let page = Page::of(&board);
    shown(StatusCode::OK, page::proof::list(&page, &evidence::select(&report, wish.source.as_deref(), None)))
}

async fn status(State(board): State<Arc<Board>>) -> Response {
    json(StatusCode::OK, &board.report())
}

async fn scrape(State(board): State<Arc<Board>>) -> Response {
    let text = metrics::render(&board.scene());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn health() -> Response {
    json(StatusCode::OK, &serde_json::json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// The probes need no token; the reasons do, for they name hosts.
async fn ready(State(board): State<Arc<Board>>, request: Request) -> Response {
    let readiness = board.readiness();
    let code = match readiness.status {
        Readable::Ready | Readable::Degraded => StatusCode::OK,
        Readable::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    if auth::permits(board.token(), request.headers()) {
        json(code, &readiness)
    } else {
        json(code, &Readiness { reasons: Vec::new(), ..readiness })
    }
}

async fn nothing_here(State(board): State<Arc<Board>>) -> Response {
    missing(&Page::of(&board), "There is no such page.")
}

fn missing(page: &Page, what: &str) -> Response {
    shown(StatusCode::NOT_FOUND, page::missing(page, what))
}

fn shown(code: StatusCode, html: maud::Markup) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (code, [(header::CONTENT_TYPE, kind)], html.into_string()).into_response()
}

fn json(code: StatusCode, value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec_pretty(value).expect("reports have string keys and finite numbers");
    (code, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from(body)).into_response()
}
