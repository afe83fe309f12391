//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.

pub mod contents;
pub mod fixture;
pub mod source;
pub mod store;
