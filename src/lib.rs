//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.

pub mod cli;
pub mod config;
pub mod contents;
pub mod secret;
pub mod source;
pub mod store;
