//! Who may do what, and what must not stand in a repository.

pub(super) mod function;
pub(super) mod grant;
pub(super) mod role;
pub(super) mod row_security;
pub(super) mod setting;
