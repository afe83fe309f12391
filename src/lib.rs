//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.

pub mod cli;
pub mod contents;
pub mod store;
