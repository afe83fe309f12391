//! What several test binaries share.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses its own part of it")]

// The paths make this file a module of the other binaries and, as Cargo also builds it by itself, an empty one.
#[path = "support/archive.rs"]
pub mod archive;
#[path = "support/everything.rs"]
pub mod everything;
#[path = "support/postgres.rs"]
pub mod postgres;
