//! Indexes on tables that are in use.

pub(super) mod concurrently;
pub(super) mod foreign_key;
pub(super) mod invalid;
