//! What a statement says, in the linter's own words: the facts that rules ask for, with spans, whatever parser read them.

mod data;
mod object;
mod session;
mod table;

pub(crate) use data::{Assignment, Call, Conflict, Copy, Delete, Insert, Merge, Select, Truncate, Update};
pub(crate) use object::{AlterObject, AlterType, Create, CreateFunction, CreateIndex, Drop, ObjectAction, TypeAction};
pub(crate) use session::{Grant, LockTable, Role, Set, Transaction};
pub(crate) use table::{
    Action, ActionKind, AlterTable, Column, ConstraintKind, CreateTable, Generated, IndexKind, Reference,
    TableConstraint, TableIndex, Type,
};

use crate::source_text::Span;

/// One statement of a part, or one that a `DO` block runs.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// From its first to its last token, without the semicolon.
    pub(crate) span: Span,
    /// What it does.
    pub(crate) kind: Kind,
    /// What keeps it from failing a second time.
    pub(crate) guard: Guard,
    /// The outermost `DO` or `EXPLAIN`-like statement it runs in, if any.
    pub(crate) within: Option<Span>,
    /// Whether it stands in a loop.
    pub(crate) in_loop: bool,
    /// It stands in the body of a function, which defines it and does not run it: only security rules look at it.
    pub(crate) is_defined_only: bool,
}

/// The condition under which a statement inside a `DO` block runs, or the net that catches it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Guard {
    /// It always runs, and its error ends the migration.
    #[default]
    None,
    /// It runs only if a look at the database says so.
    Condition(Looked),
    /// Its error is caught if it is one of these conditions, lower case.
    Exception(Vec<Box<str>>),
}

/// What a condition around a statement looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Something must be missing: `NOT EXISTS`, `IS NULL`, `= 0`.
    ForAbsence,
    /// Something must be there.
    ForPresence,
    /// Both, or a condition that its text does not explain.
    Otherwise,
}

/// A name as the server sees it: folded to lower case unless quoted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Name {
    pub(crate) schema: Option<Box<str>>,
    pub(crate) name: Box<str>,
    pub(crate) span: Span,
}

/// An unqualified name with its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ident {
    pub(crate) name: Box<str>,
    pub(crate) span: Span,
}

/// What rules want to know about an expression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expr {
    pub(crate) span: Span,
    /// Functions called, by unqualified name; `current_timestamp` and its like count as calls.
    pub(crate) calls: Vec<Box<str>>,
    /// Identifiers that are not calls: columns, tables, types.
    pub(crate) words: Vec<Box<str>>,
    /// Those of the words that are cast on the spot.
    pub(crate) cast: Vec<Box<str>>,
    /// Columns of which a top-level conjunct says `IS NOT NULL`.
    pub(crate) not_null: Vec<Box<str>>,
    /// Always true (`true`, `1 = 1`, `id = id`), as far as its own text tells.
    pub(crate) is_tautology: bool,
    /// The bare word NULL.
    pub(crate) is_null: bool,
    pub(crate) has_subquery: bool,
    /// Has `+ - * / % ||` at any depth.
    pub(crate) has_arithmetic: bool,
}

/// Every statement that some rule or the context looks at.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    CreateTable(Box<CreateTable>),
    CreateIndex(Box<CreateIndex>),
    CreateFunction(Box<CreateFunction>),
    /// Any other CREATE.
    Create(Box<Create>),
    AlterTable(Box<AlterTable>),
    AlterType(Box<AlterType>),
    /// ALTER of any other object.
    AlterObject(Box<AlterObject>),
    Drop(Box<Drop>),
    /// DROP OWNED BY, REASSIGN is not meant.
    DropOwned,
    Truncate(Box<Truncate>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Merge(Box<Merge>),
    Copy(Box<Copy>),
    Select(Box<Select>),
    Transaction(Transaction),
    Set(Box<Set>),
    Grant(Box<Grant>),
    Role(Box<Role>),
    AlterSystem,
    DiscardAll,
    Vacuum {
        is_full: bool,
    },
    Cluster {
        table: Option<Name>,
    },
    Reindex {
        target: ObjectKind,
        name: Option<Name>,
        is_concurrent: bool,
    },
    Refresh {
        name: Name,
        is_concurrent: bool,
    },
    LockTable(Box<LockTable>),
    /// A `DO` block as a whole; what it runs follows as statements of their own.
    Do {
        commits: Option<Span>,
    },
    /// Understood and harmless to every rule.
    Other,
    /// Not accepted by the server's grammar: what was expected, and where.
    Unparsed(Box<str>),
    /// Beyond what the linter looks into, and why.
    Limit(Box<str>),
}

/// The kinds of objects that can be created, altered and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ObjectKind {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Sequence,
    Schema,
    Database,
    Type,
    Domain,
    Extension,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Trigger,
    EventTrigger,
    /// MySQL's scheduled events.
    Event,
    Policy,
    Rule,
    Role,
    Publication,
    Subscription,
    Statistics,
    Cast,
    Operator,
    OperatorClass,
    OperatorFamily,
    Collation,
    Conversion,
    Server,
    ForeignDataWrapper,
    UserMapping,
    Language,
    AccessMethod,
    Tablespace,
    TextSearch,
    Transform,
    System,
}
