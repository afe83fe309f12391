//! What SQLite refuses, or does in silence.

pub(super) mod alter;
pub(super) mod drop_column;
pub(super) mod foreign_keys;
pub(super) mod in_transaction;
pub(super) mod rename;
pub(super) mod replace;
