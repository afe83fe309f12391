//! Whole objects: dropped, emptied, renamed, moved, rebuilt, locked.

pub(super) mod disable_trigger;
pub(super) mod drop_cascade;
pub(super) mod drop_object;
pub(super) mod drop_table;
pub(super) mod lock_table;
pub(super) mod partition;
pub(super) mod refresh;
pub(super) mod rename;
pub(super) mod rewrite;
pub(super) mod truncate;
