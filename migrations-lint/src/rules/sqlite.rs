//! What SQLite refuses, or does in silence.

pub(super) mod alter;
pub(super) mod foreign_keys;
