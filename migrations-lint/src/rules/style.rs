//! Names and types: matters of taste and long experience, off unless asked for.

pub(super) mod name;
pub(super) mod preferred_type;
