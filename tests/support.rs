//! Real servers and faults for the integration tests; each test binary uses its own part of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::return_self_not_must_use,
    reason = "shared by several test binaries"
)]

// The paths are spelt out because Cargo also builds this file as a test binary of its own, without tests.
#[path = "support/archive.rs"]
pub mod archive;
#[path = "support/board.rs"]
pub mod board;
#[path = "support/bulk.rs"]
pub mod bulk;
#[path = "support/ceph.rs"]
pub mod ceph;
#[path = "support/chromium.rs"]
pub mod chromium;
#[path = "support/deployment.rs"]
pub mod deployment;
#[path = "support/everything.rs"]
pub mod everything;
#[path = "support/exposition.rs"]
pub mod exposition;
#[path = "support/guard.rs"]
pub mod guard;
#[path = "support/keyspace.rs"]
pub mod keyspace;
#[path = "support/mount.rs"]
pub mod mount;
#[path = "support/past.rs"]
pub mod past;
#[path = "support/port.rs"]
pub mod port;
#[path = "support/postgres.rs"]
pub mod postgres;
#[path = "support/process.rs"]
pub mod process;
#[path = "support/proxy.rs"]
pub mod proxy;
#[path = "support/receiver.rs"]
pub mod receiver;
#[path = "support/redis.rs"]
pub mod redis;
#[path = "support/s3_process.rs"]
pub mod s3_process;
#[path = "support/s3s.rs"]
pub mod s3s;
#[path = "support/session.rs"]
pub mod session;
#[path = "support/tls.rs"]
pub mod tls;
