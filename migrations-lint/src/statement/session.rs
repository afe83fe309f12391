//! Transactions, settings, roles, grants and locks.

use super::{Ident, Name};
use crate::source_text::Span;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transaction {
    Begin,
    Commit,
    Rollback,
    Savepoint(Box<str>),
    RollbackTo(Box<str>),
    Release(Box<str>),
    Prepare,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Set {
    pub(crate) name: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) is_local: bool,
    pub(crate) is_reset: bool,
    /// MySQL: SET GLOBAL and SET PERSIST.
    pub(crate) is_global: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) all_privileges: bool,
    pub(crate) to_public: bool,
    /// GRANT role TO role.
    pub(crate) roles: Vec<Box<str>>,
    pub(crate) object: Box<str>,
    pub(crate) is_revoke: bool,
    pub(crate) on_language: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Role {
    pub(crate) name: Name,
    pub(crate) is_create: bool,
    pub(crate) is_guarded: bool,
    pub(crate) password: Option<Span>,
    /// SUPERUSER, BYPASSRLS, REPLICATION, CREATEROLE.
    pub(crate) power: Option<Ident>,
    pub(crate) rename_to: Option<Ident>,
}

#[derive(Debug, Clone)]
pub(crate) struct LockTable {
    pub(crate) tables: Vec<Name>,
    pub(crate) mode: Box<str>,
}
