//! Statements that change rows.

pub(super) mod backfill;
pub(super) mod without_where;
