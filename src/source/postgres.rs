//! A PostgreSQL server as a source.

pub mod archive;
pub mod connection;
