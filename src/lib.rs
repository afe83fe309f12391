//! guard: backup, restore and migration safety for PostgreSQL and Redis, proven by restoring.

pub mod backup;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod contents;
<<<<<<< HEAD
pub mod progress;
pub mod prove;
pub mod prune;
pub mod restore;
pub mod secret;
=======
pub mod fixture;
>>>>>>> archive
pub mod source;
pub mod store;
pub mod stream;
pub mod verify;
