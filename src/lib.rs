//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.

pub mod backup;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod contents;
pub mod fixture;
pub mod progress;
pub mod prove;
pub mod prune;
pub mod restore;
pub mod secret;
pub mod source;
pub mod store;
pub mod stream;
pub mod verify;
pub mod workdir;
