//! The PostgreSQL source.

pub mod connection;
