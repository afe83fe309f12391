//! Statements that read and change rows.

use super::{Expr, Kind, Name};
use crate::source_text::Span;

#[derive(Debug, Clone)]
pub(crate) struct Truncate {
    pub(crate) tables: Vec<Name>,
    pub(crate) cascade: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Insert {
    pub(crate) table: Name,
    pub(crate) columns: Vec<Box<str>>,
    pub(crate) conflict: Conflict,
    pub(crate) from_query: bool,
    /// NOT EXISTS, NOT IN, EXCEPT, or an anti-join keeps out what is there.
    pub(crate) excludes_existing: bool,
    pub(crate) values_end: usize,
}

/// What an INSERT does with a row that is there already.
#[derive(Debug, Clone)]
pub(crate) enum Conflict {
    Fails,
    /// ON CONFLICT DO NOTHING, INSERT IGNORE.
    Ignored,
    /// ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE.
    Updated(Vec<Assignment>),
    /// REPLACE: the old row goes, with what hangs on it, and a new one comes.
    Replaced,
}

#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) column: Box<str>,
    pub(crate) value: Expr,
    /// The new value is made from the old one in a way that goes on changing.
    pub(crate) is_relative: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) table: Name,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) filter: Option<Expr>,
    /// `column = …`, `IS NULL`, `NOT LIKE`: columns for which the filter names a state, not a range.
    pub(crate) tested: Vec<Box<str>>,
    pub(crate) is_limited: bool,
    pub(crate) is_joined: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Delete {
    pub(crate) table: Name,
    pub(crate) filter: Option<Expr>,
    pub(crate) is_limited: bool,
    pub(crate) is_joined: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Merge {
    pub(crate) table: Name,
    /// What it does to rows that are there, as the UPDATE or DELETE that it is; read apart from the MERGE.
    pub(crate) arms: Vec<Kind>,
}

#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) table: Option<Name>,
    pub(crate) is_import: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Select {
    pub(crate) calls: Vec<Call>,
}

/// A function call whose arguments a rule reads.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: Box<str>,
    pub(crate) span: Span,
    pub(crate) arguments: Expr,
    /// The first argument when it is a plain string.
    pub(crate) first: Option<Box<str>>,
    pub(crate) second: Option<Box<str>>,
}
