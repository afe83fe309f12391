//! Real servers and faults for the integration tests; each test binary uses its own part of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared by several test binaries")]

// The paths are spelt out because Cargo also builds this file as a test binary of its own, without tests.
#[path = "support/archive.rs"]
pub mod archive;
#[path = "support/ceph.rs"]
pub mod ceph;
#[path = "support/everything.rs"]
pub mod everything;
#[path = "support/guard.rs"]
pub mod guard;
#[path = "support/postgres.rs"]
pub mod postgres;
#[path = "support/proxy.rs"]
pub mod proxy;
#[path = "support/s3s.rs"]
pub mod s3s;
