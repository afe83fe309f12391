//! What a statement says, in the linter's own words: the facts that rules ask for, with spans, whatever parser read them.

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

#[derive(Debug, Clone)]
pub(crate) struct CreateTable {
    pub(crate) name: Name,
    pub(crate) if_not_exists: bool,
    pub(crate) is_temporary: bool,
    /// CREATE TABLE AS and SELECT INTO: the columns are not listed.
    pub(crate) from_query: bool,
    /// LIKE, INHERITS, OF: there are columns beyond those listed.
    pub(crate) has_other_columns: bool,
    pub(crate) partition_of: Option<Name>,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<TableConstraint>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Expr>,
    pub(crate) primary_key: bool,
    pub(crate) unique: bool,
    pub(crate) check: Option<Expr>,
    pub(crate) references: Option<Reference>,
    pub(crate) generated: Generated,
    pub(crate) is_identity: bool,
    pub(crate) auto_increment: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Generated {
    #[default]
    No,
    Stored,
    Virtual,
}

/// A type: `name` is PostgreSQL's internal spelling (`int4`, `varchar`, `timestamptz`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Type {
    pub(crate) name: Box<str>,
    pub(crate) modifiers: Vec<i64>,
    pub(crate) is_array: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reference {
    pub(crate) table: Name,
    pub(crate) cascades: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct TableConstraint {
    pub(crate) name: Option<Ident>,
    pub(crate) kind: ConstraintKind,
    pub(crate) not_valid: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum ConstraintKind {
    Check(Expr),
    Unique { columns: Vec<Ident>, using_index: Option<Ident> },
    PrimaryKey { columns: Vec<Ident>, using_index: Option<Ident> },
    ForeignKey { columns: Vec<Ident>, reference: Reference },
    Exclude,
    NotNull(Ident),
}

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
}

#[derive(Debug, Clone)]
pub(crate) struct AlterTable {
    pub(crate) kind: ObjectKind,
    pub(crate) name: Name,
    pub(crate) if_exists: bool,
    pub(crate) actions: Vec<Action>,
}

impl AlterTable {
    /// The action at that place; actions stand in the order of the text.
    pub(crate) fn action_at(&self, span: Span) -> Option<&ActionKind> {
        let first = self.actions.partition_point(|action| action.span.start < span.start);
        self.actions[first..].iter().find(|action| action.span == span).map(|action| &action.kind)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) span: Span,
    pub(crate) kind: ActionKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ActionKind {
    AddColumn {
        if_not_exists: bool,
        column: Box<Column>,
    },
    DropColumn {
        if_exists: bool,
        column: Ident,
        cascade: bool,
    },
    AlterType {
        column: Ident,
        ty: Type,
        using: Option<Expr>,
    },
    SetDefault {
        column: Ident,
    },
    DropDefault {
        column: Ident,
    },
    SetNotNull {
        column: Ident,
    },
    DropNotNull {
        column: Ident,
    },
    AddIdentity {
        column: Ident,
    },
    DropIdentity {
        column: Ident,
        if_exists: bool,
    },
    DropExpression {
        column: Ident,
        if_exists: bool,
    },
    SetGenerated {
        restarts: bool,
    },
    AddConstraint(Box<TableConstraint>),
    DropConstraint {
        if_exists: bool,
        name: Ident,
        cascade: bool,
    },
    ValidateConstraint {
        name: Ident,
    },
    RenameColumn {
        from: Ident,
        to: Ident,
    },
    RenameConstraint {
        from: Ident,
        to: Ident,
    },
    RenameTo {
        to: Ident,
    },
    SetSchema {
        to: Ident,
    },
    SetLogged,
    SetUnlogged,
    SetTablespace,
    SetAccessMethod,
    EnableTrigger,
    DisableTrigger {
        name: Box<str>,
    },
    EnableRowSecurity,
    DisableRowSecurity,
    NoForceRowSecurity,
    AttachPartition {
        partition: Name,
    },
    DetachPartition {
        partition: Name,
        is_concurrent: bool,
    },
    Inherit {
        parent: Name,
    },
    NoInherit {
        parent: Name,
    },
    /// MySQL: ADD INDEX and ADD KEY.
    AddIndex {
        name: Option<Ident>,
        columns: Vec<Box<str>>,
        is_unique: bool,
        if_not_exists: bool,
    },
    /// MySQL: DROP INDEX and DROP KEY.
    DropIndex {
        name: Ident,
        if_exists: bool,
    },
    /// MySQL: MODIFY and CHANGE COLUMN.
    ModifyColumn {
        from: Ident,
        column: Box<Column>,
    },
    /// MySQL: DROP PRIMARY KEY.
    DropPrimaryKey,
    /// MySQL: ALGORITHM=, LOCK=.
    Algorithm {
        name: Box<str>,
    },
    Lock {
        name: Box<str>,
    },
    /// MySQL: ENGINE=, CONVERT TO CHARACTER SET, ORDER BY, `ROW_FORMAT`= …: the table is copied.
    CopyTable,
    /// MySQL: DROP PARTITION, TRUNCATE PARTITION.
    DropPartition,
    Other,
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
    /// ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE, REPLACE.
    Updated(Vec<Assignment>),
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

#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) name: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) is_local: bool,
    pub(crate) is_reset: bool,
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

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: Name,
    pub(crate) is_create: bool,
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
