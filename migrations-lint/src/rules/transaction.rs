//! What a transaction around a statement makes impossible, or what a missing one does.

pub(super) mod control;
pub(super) mod enum_value;
pub(super) mod forbidden;
pub(super) mod lock_timeout;
