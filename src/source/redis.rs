//! Redis and Valkey as a source.

pub mod rdb;
