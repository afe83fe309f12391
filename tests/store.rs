//! Stores: one conformance suite over all of them, and what each does when the world around it fails.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use guard::store::{ChecksumMode, FsStore, S3Credentials, S3Settings, S3Store, Store, StoreError};

#[path = "store/directory.rs"]
mod directory;
#[path = "store/faults.rs"]
mod faults;
#[path = "store/promises.rs"]
mod promises;
mod support;

use promises::{Quirks, check_all};
use support::ceph::Ceph;
use support::proxy::{Proxy, Spoil};
use support::s3s::S3s;
use support::tls::Identity;

#[tokio::test]
async fn a_directory_keeps_every_promise() {
    let dir = tempfile::tempdir().unwrap();
    check_all(Arc::new(FsStore::open(&dir.path().join("backups")).unwrap()), Quirks::default()).await;
}

#[tokio::test]
async fn an_s3_bucket_keeps_every_promise() {
    let server = S3s::start().await;
    let mut settings = server.settings();
    settings.prefix = Some("prod/db".parse().unwrap());
    // s3s-fs 0.14.1 looks whether the object exists and then writes it, and answers ListMultipartUploads with 501.
    let quirks = Quirks { cannot_list_uploads: true, creates_race: true, ..Quirks::default() };
    check_all(Arc::new(S3Store::open(settings).await.unwrap()), quirks).await;
}

/// One test for all that needs the real server, because it takes long to start.
#[tokio::test]
async fn a_bucket_of_ceph_keeps_every_promise() {
    let server = Ceph::start();
    server.make_bucket("backups").await;
    let settings = server.settings("backups");
    let store: Arc<dyn Store> = Arc::new(S3Store::open(settings.clone()).await.unwrap());
    // Its `ECANCELED` of a lost race comes out as 500 UnknownError.
    check_all(Arc::clone(&store), Quirks { confuses_losers: true, ..Quirks::default() }).await;
    check_mistakes(&settings, Quirks::default()).await;
    let proxy = Proxy::start(server.addr()).await;
    faults::check_survived(&settings, &proxy).await;
    assert_eq!(store.unfinished_uploads(None).await.unwrap(), []);
}

#[tokio::test]
async fn faults_of_network_and_server_are_survived() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    faults::check_survived(&server.settings(), &proxy).await;
    assert_eq!(server.unfinished(), [""; 0]);
}

/// The mistakes that everybody makes once, and what is said about each.
async fn check_mistakes(right: &S3Settings, quirks: Quirks) {
    let told = |settings: S3Settings| async move {
        let store = S3Store::open(settings).await.unwrap();
        let key = "probe".parse().unwrap();
        let listed = store.list(&key).await.unwrap_err();
        assert!(matches!(listed, StoreError::Denied { .. } | StoreError::Unusable { .. }), "{listed:?}");
        match store.create(&key, Bytes::from("x")).await {
            Ok(()) => assert!(quirks.makes_buckets, "created where nothing can be listed"),
            Err(error) => assert_eq!(discriminant(&listed), discriminant(&error), "{error:?}"),
        }
        listed.to_string()
    };
    let no_bucket = S3Settings { bucket: "no-such-bucket".to_owned(), ..right.clone() };
    let text = told(no_bucket).await;
    assert!(text.contains("there is no bucket `no-such-bucket`"), "{text}");

    let key = right.credentials.clone().unwrap();
    let wrong_secret = S3Credentials { secret_access_key: "hunter2".to_owned(), ..key.clone() };
    let text = told(S3Settings { credentials: Some(wrong_secret), ..right.clone() }).await;
    assert!(text.contains("access denied") && text.contains("SignatureDoesNotMatch"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let wrong_key = S3Credentials { access_key_id: "NOBODY".to_owned(), ..key };
    let text = told(S3Settings { credentials: Some(wrong_key), ..right.clone() }).await;
    assert!(text.contains("access denied"), "{text}");
}

#[tokio::test]
async fn a_missing_bucket_and_bad_credentials_are_told_apart() {
    let server = S3s::start().await;
    check_mistakes(&server.settings(), Quirks { makes_buckets: true, ..Quirks::default() }).await;
}

#[tokio::test]
async fn the_checksums_of_the_sdk_can_be_switched_on() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let mut settings = S3s::settings_at(proxy.addr);
    for (checksums, bears_one) in [(ChecksumMode::WhenSupported, 1), (ChecksumMode::Auto, 0)] {
        settings.checksums = checksums;
        let store = S3Store::open(settings.clone()).await.unwrap();
        let key = format!("{checksums:?}").parse().unwrap();
        proxy.spoil(|head| head.headers.contains_key("x-amz-checksum-crc32"), 1, Spoil::Trickle(10));
        let upload = store.begin(&key, 5 << 20).await.unwrap();
        for part_idx in 0..2 {
            upload.put_part(part_idx, Bytes::from(vec![1; 5 << 20])).await.unwrap();
        }
        upload.commit(2).await.unwrap();
        assert_eq!(promises::read_all(&store, &key).await.unwrap().len(), 10 << 20);
        assert_eq!(1 - proxy.end(), bears_one, "{checksums:?}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_a_passing_fault() {
    let settings = S3s::settings_at("127.0.0.1:1".parse().unwrap());
    let store = S3Store::open(settings).await.unwrap();
    let error = store.stat(&"probe".parse().unwrap()).await.unwrap_err();
    assert!(!error.is_permanent() && error.to_string().contains("onnection refused"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_one_time_limit() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let mut settings = S3s::settings_at(proxy.addr);
    settings.timeouts.request = Duration::from_secs(3);
    let store = S3Store::open(settings).await.unwrap();
    proxy.spoil(|_| true, 1, Spoil::Hang);
    let error = store.stat(&"probe".parse().unwrap()).await.unwrap_err();
    assert!(!error.is_permanent() && error.to_string().contains("no answer within 3s"), "{error}");
    assert_eq!(store.stat(&"probe".parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_stays_broken_ends_in_an_error_and_leaves_nothing() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let store = faults::open(&server.settings(), &proxy).await;
    let key = "dump".parse().unwrap();
    let upload = store.begin(&key, 5 << 20).await.unwrap();
    for part_idx in 0..2 {
        upload.put_part(part_idx, Bytes::from(vec![1; 5 << 20])).await.unwrap();
    }
    proxy.spoil(faults::is_complete, 1_000, Spoil::Status(500));
    let error = upload.commit(2).await.unwrap_err();
    assert!(!error.is_permanent() && error.to_string().contains("given up after 10 attempts"), "{error}");
    upload.abort().await.unwrap();
    assert_eq!(store.stat(&key).await.unwrap(), None);
    assert_eq!(server.unfinished(), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_to_a_commit_is_resolved_by_looking() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let store = S3Store::open(S3s::settings_at(proxy.addr)).await.unwrap();
    let key = "dump".parse().unwrap();
    let upload = store.begin(&key, 5 << 20).await.unwrap();
    for part_idx in 0..2 {
        upload.put_part(part_idx, Bytes::from(vec![1; 5 << 20])).await.unwrap();
    }
    proxy.spoil(faults::is_complete, 1, Spoil::LoseAnswer);
    upload.commit(2).await.unwrap();
    assert_eq!(proxy.end(), 0);
    assert_eq!(store.stat(&key).await.unwrap().unwrap().size, 10 << 20);
}

#[tokio::test]
async fn a_download_is_never_resumed_on_another_object() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let store = faults::open(&server.settings(), &proxy).await;
    let key = "pin".parse().unwrap();
    store.replace(&key, Bytes::from(vec![1; 3 << 20])).await.unwrap();
    proxy.spoil(faults::is_get, 1, Spoil::BreakAnswer(1 << 20));
    let stream = store.read(&key, None).await.unwrap();
    store.replace(&key, Bytes::from(vec![2; 3 << 20])).await.unwrap();
    // s3s-fs ignores the condition on the request; the answer's ETag gives the other object away.
    let error = stream.map_ok(drop).try_collect::<()>().await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("it was replaced meanwhile"), "{error}");
}

#[tokio::test]
async fn a_server_that_ignores_a_range_is_noticed() {
    let server = S3s::start().await;
    let proxy = Proxy::start(server.addr).await;
    let store = S3Store::open(S3s::settings_at(proxy.addr)).await.unwrap();
    let key = "digits".parse().unwrap();
    store.create(&key, Bytes::from("0123456789")).await.unwrap();
    proxy.spoil(faults::is_get, 1, Spoil::Answer("0123456789"));
    let Err(error) = store.read(&key, Some(2..5)).await else { panic!("read something else") };
    assert!(error.to_string().contains("the server offers 10 bytes instead of 3"), "{error}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_its_certificate_is_given_and_only_then() {
    let identity = Identity::make();
    let server = S3s::start_tls(&identity).await;
    let mut settings = server.settings();
    settings.endpoint = Some(format!("https://{}", server.addr));
    let key = "probe".parse().unwrap();

    let store = S3Store::open(settings.clone()).await.unwrap();
    let error = store.create(&key, Bytes::from("x")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }) && error.to_string().contains("set `ca_file`"), "{error}");

    settings.ca_file = Some(identity.ca_file());
    let store = S3Store::open(settings.clone()).await.unwrap();
    store.create(&key, Bytes::from("x")).await.unwrap();
    assert_eq!(promises::read_all(&store, &key).await.unwrap(), b"x");

    settings.ca_file = Some("/no/such/file".into());
    let error = S3Store::open(settings).await.unwrap_err();
    assert!(error.to_string().contains("cannot read the certificates in /no/such/file"), "{error}");
}
