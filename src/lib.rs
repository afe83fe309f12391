//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.
//!
//! # Map, in reading order
//!
//! Open [`backup`] and read the path of a backup top-down; [`prove`] is the way back. They are *stories*: one verb, one
//! file, named phases. They stand on *nouns*: what is dumped ([`source`]), how bytes are laid down ([`stream`]), what a
//! backup holds ([`contents`]), what lies in the bucket ([`catalog`]), who may work on it ([`lease`]), what may go
//! ([`retention`]), and beneath all the [`store`]. The rim ([`cli`], [`config`]) builds the nouns and calls the stories.
//!
//! # Invariants, and the tests that hold them
//!
//! - **R1** a backup exists if and only if its manifest does (`tests/crash.rs`, `tests/field_failures.rs`)
//! - **R2** the end of a dump means nothing until its exit status is 0 (`tests/field_failures.rs`)
//! - **R3** every child has an owner that ends it when the work is cancelled, a silent child too (`tests/crash.rs`)
//! - **R4** plain data is never whole in memory, and never on a disk on the backup path (`tests/crash.rs`, `benches/`)
//! - **R5** retention is pure and never lets the newest backup go, nor the newest sound, the newest proven, or a pinned one
//!   (`tests/retention.rs`, `tests/prune.rs`)
//! - **R6** a restore into an existing database first reads the whole stream to its end, and what would lose data needs a
//!   confirmation that only the command line can make (`tests/tidy.rs`, `tests/field_failures.rs`)
//! - **R7** the linter does no I/O and never stops at a syntax error (`migrations-lint`)
//! - **R8** absent on purpose: global state, configuration in stories, printing outside `cli/output.rs`, `exit` outside
//!   `main`, the clock outside the rim (`tests/tidy.rs`)
//! - **R9** a gate that cannot find something out stays closed (`gate::decide`, `tests/gate.rs`), and no dump starts while a
//!   migration window is open (`tests/interlock.rs`)

pub mod backup;
pub mod gate;
pub mod migrate;
pub mod prove;
pub mod prune;
pub mod rehearse;
pub mod restore;
pub mod undo;
pub mod verify;

pub mod catalog;
pub mod contents;
pub mod lease;
pub mod notify;
pub mod progress;
pub mod retention;
pub mod schedule;
pub mod secret;
pub mod source;
pub mod status;
pub mod store;
pub mod stream;
pub mod window;
pub mod workdir;

pub mod cli;
pub mod config;
pub mod daemon;
pub mod fixture;
pub mod http;
