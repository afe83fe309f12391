//! Constraints on tables that are in use.

pub(super) mod add;
pub(super) mod cascade;
pub(super) mod domain;
pub(super) mod drop;
pub(super) mod validate;
