//! What a retrying S3 store survives: each fault of the network or the server, injected by the proxy into one and the same
//! piece of work, ends with the right bytes and leaves nothing unfinished.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use guard::store::{Key, RetryPolicy, Retrying, S3Settings, S3Store, Store};
use hyper::Method;
use hyper::http::request::Parts;

use crate::promises::read_all;
use crate::support::proxy::{Chosen, Proxy, Spoil};

/// Many attempts, short pauses.
pub(crate) const PATIENT: RetryPolicy = RetryPolicy {
    max_attempts: 10,
    base_pause: Duration::from_millis(1),
    max_pause: Duration::from_millis(10),
    max_total: Duration::from_mins(2),
};

/// A fault: its name, the requests it befalls, how many of them, and what becomes of them.
pub(crate) type Case = (&'static str, Chosen, usize, Spoil);

pub(crate) const SURVIVED: &[Case] = &[
    ("500 to the first attempts at a part", is_part, 4, Spoil::Status(500)),
    ("503 to the first attempts at a part", is_part, 4, Spoil::Status(503)),
    ("500 to the begin of an upload", is_begin, 3, Spoil::Status(500)),
    ("500 to the completion", is_complete, 3, Spoil::Status(500)),
    ("503 to whatever comes first", |_| true, 5, Spoil::Status(503)),
    ("503 to lists, looks and deletes", is_small, 6, Spoil::Status(503)),
    ("connection reset in the middle of a part", is_part, 3, Spoil::BreakRequest(1_000_000)),
    ("connection reset in the middle of a small object", is_put, 2, Spoil::BreakRequest(1)),
    ("lost answer to a part", is_part, 2, Spoil::LoseAnswer),
    ("lost answer to the completion", is_complete, 1, Spoil::LoseAnswer),
    ("lost answer to a small object", is_put, 1, Spoil::LoseAnswer),
    ("connection reset in the middle of a download", is_get, 4, Spoil::BreakAnswer(1_500_000)),
    ("connection reset before the first byte of a download", is_get, 4, Spoil::BreakAnswer(0)),
    ("download that stalls", is_get, 2, Spoil::StallAnswer(700_000)),
    ("download that trickles", is_get, 1, Spoil::Trickle(50_000)),
    ("conditions not implemented", is_conditional, 9, Spoil::Status(501)),
];

fn has_query(head: &Parts, name: &str) -> bool {
    head.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some(name)))
}

fn is_part(head: &Parts) -> bool {
    head.method == Method::PUT && has_query(head, "partNumber")
}

fn is_put(head: &Parts) -> bool {
    head.method == Method::PUT && !has_query(head, "partNumber")
}

pub(crate) fn is_get(head: &Parts) -> bool {
    head.method == Method::GET && !has_query(head, "list-type")
}

fn is_begin(head: &Parts) -> bool {
    head.method == Method::POST && has_query(head, "uploads")
}

pub(crate) fn is_complete(head: &Parts) -> bool {
    head.method == Method::POST && has_query(head, "uploadId")
}

fn is_small(head: &Parts) -> bool {
    [Method::HEAD, Method::DELETE].contains(&head.method) || has_query(head, "list-type")
}

fn is_conditional(head: &Parts) -> bool {
    head.headers.contains_key("if-none-match")
}

/// A store that tries again, through a proxy.
pub(crate) async fn open(settings: &S3Settings, proxy: &Proxy) -> Retrying {
    let mut settings = settings.clone();
    settings.endpoint = Some(format!("http://{}", proxy.addr));
    settings.timeouts.idle = Duration::from_millis(500);
    Retrying::new(Arc::new(S3Store::open(settings).await.unwrap()), PATIENT)
}

/// Does the same work under each fault and reports, by name, all that were not survived.
pub(crate) async fn check_survived(settings: &S3Settings, proxy: &Proxy) {
    let mut lethal = Vec::new();
    for (case_idx, (name, chosen, times, spoil)) in SURVIVED.iter().enumerate() {
        let store = open(settings, proxy).await;
        let path: Key = format!("fault-{case_idx}").parse().unwrap();
        proxy.spoil(*chosen, *times, *spoil);
        let outcome = tokio::spawn(async move { work(&store, &path).await }).await;
        let left = proxy.end();
        // A store that never asks anything conditional twice meets fewer than there could be.
        if outcome.is_err() || (left > 0 && *times < 9) {
            lethal.push((name, left));
        }
    }
    assert!(lethal.is_empty(), "not survived, with so many of its faults not met: {lethal:#?}");
}

async fn work(store: &Retrying, path: &Key) {
    let part_size = store.limits().min_part_size;
    let parts: Vec<Bytes> = [part_size, part_size, 100_000]
        .iter()
        .enumerate()
        .map(|(part_idx, len)| {
            (0..*len).map(|at| u8::try_from((at * 31 + part_idx * 7 + at / 251) % 256).unwrap()).collect()
        })
        .collect();

    let large = path.child("large").unwrap();
    let upload = store.begin(&large, part_size).await.unwrap();
    let puts = parts.iter().zip(0..).map(|(part, part_idx)| upload.put_part(part_idx, part.clone()));
    for outcome in join_all(puts).await {
        outcome.unwrap();
    }
    upload.commit(3).await.unwrap();

    let single = path.child("single").unwrap();
    let upload = store.begin(&single, part_size).await.unwrap();
    upload.put_part(0, parts[2].clone()).await.unwrap();
    upload.commit(1).await.unwrap();
    let small = path.child("small").unwrap();
    store.create(&small, Bytes::from("small")).await.unwrap();

    assert!(read_all(store, &large).await.unwrap() == parts.concat(), "the large object differs");
    assert!(read_all(store, &single).await.unwrap() == parts[2], "the object of one part differs");
    assert_eq!(read_all(store, &small).await.unwrap(), b"small");
    store.delete(&small).await.unwrap();
    assert_eq!(store.stat(&small).await.unwrap(), None);
    let listed = store.list(path).await.unwrap();
    assert_eq!(listed.iter().map(|object| &object.key).collect::<Vec<_>>(), [&large, &single]);
}
