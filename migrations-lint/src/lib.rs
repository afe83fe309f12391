//! A linter for SQL migrations: text in, findings out; no clock, network, database or global state.

pub mod engine;
pub mod migration;
pub mod report;
pub mod source_text;
