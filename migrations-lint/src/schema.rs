//! What the migrations so far have made of the schema: tables with their columns, constraints and indexes, types, settings.
//!
//! Only what the files say is known. A table that no file created is there, with columns nobody knows.

mod apply;
mod recent;
mod undoable;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::statement::{Generated, Name, ObjectKind, Type};
use recent::Recent;
use undoable::Undoable;

/// A qualified name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) schema: Box<str>,
    pub(crate) name: Box<str>,
}

/// Everything known before the statement that is looked at.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    tables: Undoable<Key, Table>,
    /// The table that an index is on.
    index_tables: Undoable<Key, Key>,
    types: Undoable<Key, EnumType>,
    /// The first schema of the search path, when a file sets one.
    default_schema: Option<Box<str>>,
    /// Settings in force, by name.
    settings: FxHashMap<Box<str>, Box<str>>,
    /// The file that is being read.
    file_idx: usize,
    /// Tables and columns from this file on count as new.
    first_new_file: usize,
    rls_tables: usize,
    /// Tables to which a foreign key of another has ever referred.
    referenced: FxHashSet<Key>,
    /// Every object with its kind that a file created, to know what is new.
    created: Undoable<(ObjectKind, Key), usize>,
    /// What the part that is being read has taken away.
    recent: Recent,
    /// What [`Catalog::take_back`] puts back besides.
    before: Before,
}

/// The small parts as they were when the memory began.
#[derive(Debug, Default)]
struct Before {
    default_schema: Option<Box<str>>,
    settings: FxHashMap<Box<str>, Box<str>>,
    rls_tables: usize,
}

/// A table, view or materialized view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// The file that created it.
    pub(crate) born: Option<usize>,
    pub(crate) is_temporary: bool,
    /// Every column is known.
    pub(crate) is_complete: bool,
    pub(crate) columns: FxHashMap<Box<str>, ColumnFacts>,
    pub(crate) constraints: Vec<ConstraintFacts>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) has_rls: bool,
    /// MySQL: the storage engine and the character set, where a file names them.
    pub(crate) engine: Option<Box<str>>,
    pub(crate) charset: Option<Box<str>>,
}

/// What is known of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnFacts {
    pub(crate) ty: Option<Type>,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    pub(crate) born: Option<usize>,
    /// MySQL: what MODIFY and CHANGE lose unless they say it again.
    pub(crate) auto_increment: bool,
    pub(crate) has_comment: bool,
    pub(crate) on_update: bool,
    pub(crate) charset: Option<Box<str>>,
    pub(crate) collation: Option<Box<str>>,
}

/// What is known of a constraint.
#[derive(Debug, Clone)]
pub(crate) struct ConstraintFacts {
    pub(crate) name: Box<str>,
    pub(crate) kind: ConstraintFact,
    pub(crate) is_valid: bool,
    /// Written with its column, so that it goes when the column does.
    pub(crate) is_of_column: bool,
    /// The transaction that added it, if one did.
    pub(crate) transaction: Option<u32>,
}

/// The part of a constraint that rules ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConstraintFact {
    /// A CHECK, with the columns it keeps from being null.
    Check(Vec<Box<str>>),
    Unique(Vec<Box<str>>),
    PrimaryKey(Vec<Box<str>>),
    ForeignKey {
        columns: Vec<Box<str>>,
        /// The other table, without its schema.
        to: Box<str>,
        cascades: bool,
    },
    Other,
}

/// An index.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) name: Box<str>,
    pub(crate) columns: Vec<Box<str>>,
    pub(crate) is_unique: bool,
}

/// An enum type.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnumType {
    /// Values added, and the transaction that added them.
    pub(crate) added: Vec<(Box<str>, Option<u32>)>,
}

impl Catalog {
    /// An empty catalogue; what files before `first_new_file` create is there already in production.
    pub(crate) fn new(first_new_file: Option<usize>) -> Self {
        Self { first_new_file: first_new_file.unwrap_or(usize::MAX), ..Self::default() }
    }

    /// Goes on with a file: what was set in the session before is gone.
    pub(crate) fn enter_file(&mut self, file_idx: usize) {
        self.file_idx = file_idx;
        self.default_schema = None;
        self.settings.clear();
        self.recent = Recent::default();
    }

    /// From here on changes can be taken back: what a down does is not what the next file finds.
    pub(crate) fn remember(&mut self) {
        self.tables.remember();
        self.index_tables.remember();
        self.types.remember();
        self.created.remember();
        self.recent = Recent::default();
        let (default_schema, settings) = (self.default_schema.clone(), self.settings.clone());
        self.before = Before { default_schema, settings, rls_tables: self.rls_tables };
    }

    /// Takes back what happened since [`Self::remember`].
    pub(crate) fn take_back(&mut self) {
        self.tables.take_back();
        self.index_tables.take_back();
        self.types.take_back();
        self.created.take_back();
        self.recent = Recent::default();
        let Before { default_schema, settings, rls_tables } = std::mem::take(&mut self.before);
        (self.default_schema, self.settings, self.rls_tables) = (default_schema, settings, rls_tables);
    }

    /// The key of a name as it stands in a statement.
    pub(crate) fn key(&self, name: &Name) -> Key {
        let schema = name.schema.as_deref().or(self.default_schema.as_deref()).unwrap_or("public");
        Key { schema: schema.into(), name: name.name.clone() }
    }

    /// The table of that name, if any file told of it.
    pub(crate) fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(&self.key(name))
    }

    /// The table that the index of that name is on.
    pub(crate) fn table_of_index(&self, name: &Name) -> Option<Name> {
        let key = self.index_tables.get(&self.key(name))?;
        Some(Name { schema: Some(key.schema.clone()), name: key.name.clone(), span: name.span })
    }

    /// The column's facts.
    pub(crate) fn column(&self, table: &Name, column: &str) -> Option<&ColumnFacts> {
        self.table(table)?.columns.get(column)
    }

    fn indexes_of(&self, name: &Name) -> impl Iterator<Item = &Index> {
        self.table(name).into_iter().flat_map(|table| &table.indexes)
    }

    /// Whether the table was made by this file (or by one that is not deployed yet): it is empty and nobody uses it.
    pub(crate) fn is_new(&self, name: &Name) -> bool {
        self.table(name)
            .is_some_and(|table| table.is_temporary || table.born.is_some_and(|born| self.is_new_file(born)))
    }

    /// Whether the table is the session's own.
    pub(crate) fn is_temporary(&self, key: &Key) -> bool {
        self.tables.get(key).is_some_and(|table| table.is_temporary)
    }

    /// Whether the column was added by this file.
    pub(crate) fn is_new_column(&self, table: &Name, column: &str) -> bool {
        self.is_new(table)
            || self.column(table, column).and_then(|column| column.born).is_some_and(|born| self.is_new_file(born))
    }

    /// Whether an object of any kind was created by this file.
    pub(crate) fn is_new_object(&self, kind: ObjectKind, name: &Name) -> bool {
        self.is_new_object_on(kind, name, None)
    }

    /// The same of an object that may belong to a table.
    pub(crate) fn is_new_object_on(&self, kind: ObjectKind, name: &Name, on: Option<&Name>) -> bool {
        let born = self.created.get(&(kind, self.object_key(kind, name, on)));
        born.is_some_and(|born| self.is_new_file(*born)) || on.is_none() && self.is_new(name)
    }

    /// Triggers, policies and rules have a name for each table.
    fn object_key(&self, kind: ObjectKind, name: &Name, on: Option<&Name>) -> Key {
        let of_table = matches!(kind, ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule);
        let Some(table) = on.filter(|_| of_table) else { return self.key(name) };
        let Key { schema, name: table } = self.key(table);
        Key { schema: format!("{schema}.{table}").into(), name: name.name.clone() }
    }

    fn is_new_file(&self, born: usize) -> bool {
        born == self.file_idx || born >= self.first_new_file
    }

    /// All enum types that got values.
    pub(crate) fn enum_types(&self) -> impl Iterator<Item = &EnumType> {
        self.types.values()
    }

    /// Whether foreign keys of other tables may refer to it: one does, or no file has told of the table.
    pub(crate) fn may_be_referenced(&self, name: &Name) -> bool {
        let key = self.key(name);
        self.referenced.contains(&key) || !self.tables.contains_key(&key)
    }

    /// A setting that the file has made.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|value| &**value)
    }

    /// How many tables have row level security.
    pub(crate) fn n_rls_tables(&self) -> usize {
        self.rls_tables
    }

    /// Whether a column (or the columns from it on) is the start of an index or key of the table.
    pub(crate) fn has_index_on(&self, table: &Name, columns: &[Box<str>]) -> bool {
        let starts = |indexed: &[Box<str>]| {
            indexed.len() >= columns.len() && columns.iter().all(|column| indexed[..columns.len()].contains(column))
        };
        let keyed = self.table(table).is_some_and(|facts| {
            facts.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintFact::Unique(columns) | ConstraintFact::PrimaryKey(columns) => starts(columns),
                _ => false,
            })
        });
        keyed || self.indexes_of(table).any(|index| starts(&index.columns))
    }

    /// Whether something unique covers only columns among these, so that a repeated row conflicts.
    pub(crate) fn has_unique_within(&self, table: &Name, columns: &[Box<str>]) -> bool {
        let within = |unique: &[Box<str>]| !unique.is_empty() && unique.iter().all(|column| columns.contains(column));
        let keyed = self.table(table).is_some_and(|facts| {
            facts.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintFact::Unique(columns) | ConstraintFact::PrimaryKey(columns) => within(columns),
                ConstraintFact::Other => true,
                _ => false,
            })
        });
        keyed
            || self
                .indexes_of(table)
                .any(|index| index.is_unique && (index.columns.is_empty() || within(&index.columns)))
    }
}

impl Generated {
    /// Whether the column's value is computed.
    pub(crate) fn is_generated(self) -> bool {
        self != Self::No
    }
}
