//! Columns of tables that are in use: added, changed, dropped.

pub(super) mod add_column;
pub(super) mod change_type;
pub(super) mod default_value;
pub(super) mod drop_column;
pub(super) mod inline_constraint;
pub(super) mod not_null;
mod volatility;
