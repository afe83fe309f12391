//! Stores: one conformance suite over all of them, and what each does when the world around it fails.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

use std::sync::Arc;

use guard::store::{FsStore, S3Store};

#[path = "store/promises.rs"]
mod promises;
mod support;

use promises::{Quirks, check_all};
use support::ceph::Ceph;
use support::s3s::S3s;

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
    let quirks = Quirks { cannot_list_uploads: true, creates_race: true };
    check_all(Arc::new(S3Store::open(settings).await.unwrap()), quirks).await;
}

/// One test for all that needs the real server, because it takes long to start.
#[tokio::test]
async fn a_bucket_of_ceph_keeps_every_promise() {
    let server = Ceph::start();
    server.make_bucket("backups").await;
    check_all(Arc::new(S3Store::open(server.settings("backups")).await.unwrap()), Quirks::default()).await;
}
