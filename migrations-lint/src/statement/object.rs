//! Everything that is not a table: created, altered, dropped.

use super::{Ident, Name, ObjectKind};
use crate::source_text::Span;

#[derive(Debug, Clone)]
pub(crate) struct CreateIndex {
    pub(crate) name: Option<Ident>,
    pub(crate) table: Name,
    pub(crate) is_unique: bool,
    pub(crate) is_concurrent: bool,
    /// Where CONCURRENTLY belongs.
    pub(crate) after_index: usize,
    pub(crate) if_not_exists: bool,
    /// Plain columns in order; expressions are left out.
    pub(crate) columns: Vec<Box<str>>,
    pub(crate) only: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct CreateFunction {
    pub(crate) kind: ObjectKind,
    pub(crate) name: Name,
    /// `(int4,text)`: the types of its input arguments.
    pub(crate) signature: Box<str>,
    pub(crate) or_replace: bool,
    pub(crate) is_security_definer: bool,
    pub(crate) sets_search_path: bool,
    pub(crate) definer_span: Span,
    /// MySQL: IF NOT EXISTS, and the account that DEFINER names.
    pub(crate) if_not_exists: bool,
    pub(crate) definer: Option<Span>,
}

#[derive(Debug, Clone)]
pub(crate) struct Create {
    pub(crate) kind: ObjectKind,
    pub(crate) name: Name,
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) is_temporary: bool,
    /// The table of a trigger, policy or rule; the function's arguments of an aggregate or cast.
    pub(crate) on: Option<Name>,
    /// What tells apart objects of one name: operator or cast signature.
    pub(crate) signature: Box<str>,
    /// The name is the schema's, not the table's: MySQL's and SQLite's triggers.
    pub(crate) is_named_in_schema: bool,
    /// MySQL: the account that DEFINER names.
    pub(crate) definer: Option<Span>,
}

#[derive(Debug, Clone)]
pub(crate) struct AlterType {
    pub(crate) name: Name,
    pub(crate) action: TypeAction,
}

#[derive(Debug, Clone)]
pub(crate) enum TypeAction {
    AddValue { value: Box<str>, if_not_exists: bool },
    RenameValue { from: Box<str>, to: Box<str> },
    RenameTo { to: Ident },
    SetSchema { to: Ident },
    AddAttribute { name: Ident },
    DropAttribute { name: Ident, if_exists: bool },
    RenameAttribute { from: Ident, to: Ident },
    AlterAttribute,
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct AlterObject {
    pub(crate) kind: ObjectKind,
    pub(crate) name: Name,
    pub(crate) signature: Box<str>,
    pub(crate) on: Option<Name>,
    pub(crate) if_exists: bool,
    pub(crate) action: ObjectAction,
    pub(crate) action_span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum ObjectAction {
    RenameTo {
        to: Ident,
    },
    SetSchema {
        to: Ident,
    },
    /// Sequences: RESTART [WITH n].
    Restart,
    /// Domains.
    AddConstraint {
        name: Option<Ident>,
        not_valid: bool,
    },
    DropConstraint {
        name: Ident,
        if_exists: bool,
    },
    ValidateConstraint,
    SetNotNull,
    /// Publications and extensions: ADD member.
    AddMember,
    DropMember,
    /// Functions: SECURITY DEFINER, and whether the search path is set along.
    SecurityDefiner {
        sets_search_path: bool,
    },
    SetSearchPath,
    DisableEventTrigger,
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct Drop {
    pub(crate) kind: ObjectKind,
    pub(crate) names: Vec<Name>,
    /// The argument lists of functions, in the order of the names.
    pub(crate) signatures: Vec<Box<str>>,
    pub(crate) on: Option<Name>,
    pub(crate) if_exists: bool,
    pub(crate) cascade: bool,
    pub(crate) is_concurrent: bool,
    /// Where IF EXISTS belongs.
    pub(crate) after_kind: usize,
}
