//! Tables, their columns and constraints, and what ALTER TABLE does to them.

use super::{Expr, Ident, Name, ObjectKind};
use crate::source_text::Span;

#[derive(Debug, Clone, Default)]
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
    /// MariaDB's CREATE OR REPLACE TABLE.
    pub(crate) or_replace: bool,
    /// MySQL: keys that are no constraints, ENGINE=, the default character set.
    pub(crate) indexes: Vec<TableIndex>,
    pub(crate) engine: Option<Ident>,
    pub(crate) charset: Option<Ident>,
}

/// MySQL: a KEY or INDEX among the columns of CREATE TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableIndex {
    pub(crate) name: Option<Ident>,
    pub(crate) columns: Vec<Box<str>>,
    pub(crate) kind: IndexKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IndexKind {
    #[default]
    Plain,
    Unique,
    FullText,
    Spatial,
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
    /// MySQL: what MODIFY and CHANGE lose unless they say it again.
    pub(crate) has_comment: bool,
    pub(crate) on_update: bool,
    pub(crate) charset: Option<Box<str>>,
    pub(crate) collation: Option<Box<str>>,
    /// FIRST or AFTER.
    pub(crate) is_placed: bool,
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
    pub(crate) is_unsigned: bool,
    /// Of MySQL's ENUM and SET.
    pub(crate) values: Vec<Box<str>>,
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
    /// MariaDB's IF NOT EXISTS.
    pub(crate) if_not_exists: bool,
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
        kind: IndexKind,
        if_not_exists: bool,
    },
    /// MySQL: DROP INDEX and DROP KEY.
    DropIndex {
        name: Ident,
        if_exists: bool,
    },
    /// MySQL: MODIFY and CHANGE COLUMN.
    ModifyColumn {
        if_exists: bool,
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
    /// MySQL: RENAME INDEX and RENAME KEY.
    RenameIndex {
        from: Ident,
        to: Ident,
    },
    /// MySQL: `ENGINE=`, `ROW_FORMAT=`, `DEFAULT CHARACTER SET=`, `AUTO_INCREMENT=` …, names and values in lower case.
    TableOption {
        name: Box<str>,
        value: Box<str>,
    },
    /// MySQL: CONVERT TO CHARACTER SET.
    ConvertCharset {
        charset: Box<str>,
    },
    /// MySQL: FORCE.
    Rebuild,
    /// MySQL: ORDER BY.
    OrderBy,
    /// MySQL: PARTITION BY, REMOVE PARTITIONING, REORGANIZE and COALESCE PARTITION: rows move.
    Repartition,
    /// MySQL: ADD PARTITION.
    AddPartition {
        names: Vec<Ident>,
        if_not_exists: bool,
    },
    /// MySQL: DROP PARTITION.
    DropPartition {
        names: Vec<Ident>,
        if_exists: bool,
    },
    /// MySQL: TRUNCATE PARTITION, DISCARD PARTITION … TABLESPACE.
    EmptyPartition,
    /// MySQL: DISCARD TABLESPACE.
    DiscardTablespace,
    Other,
}
