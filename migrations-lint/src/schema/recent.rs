//! What the part that is being read has taken away so far: the rows of tables, and constraints that held rows until then.

use rustc_hash::FxHashMap;

use super::{Catalog, ConstraintFact, Key, Table};
use crate::statement::{Guard, Kind, Name, Statement};

/// Forgotten at the end of the part: what one file empties, the next may find full.
#[derive(Debug, Default)]
pub(super) struct Recent {
    emptied: FxHashMap<Key, Emptied>,
    dropped: FxHashMap<Key, Vec<ConstraintFact>>,
}

/// How a table lost all its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Emptied {
    /// The rows are still there to be read over.
    Deleted,
    /// Nothing is left.
    Truncated,
}

/// More dropped constraints of one table than this are not remembered.
const MAX_DROPPED: usize = 64;

impl Recent {
    /// A constraint of the table is about to go.
    pub(super) fn drop_constraint(&mut self, key: &Key, table: &Table, name: &str) {
        let Some(facts) = table.constraints.iter().find(|constraint| *constraint.name == *name) else { return };
        let dropped = self.dropped.entry(key.clone()).or_default();
        if dropped.len() < MAX_DROPPED {
            dropped.push(facts.kind.clone());
        }
    }

    pub(super) fn rename_table(&mut self, from: &Key, to: &Key) {
        if let Some(emptied) = self.emptied.remove(from) {
            self.emptied.insert(to.clone(), emptied);
        }
        if let Some(dropped) = self.dropped.remove(from) {
            self.dropped.insert(to.clone(), dropped);
        }
    }

    pub(super) fn rename_column(&mut self, table: &Key, from: &str, to: &str) {
        for fact in self.dropped.get_mut(table).into_iter().flatten() {
            fact.rename_column(from, to);
        }
    }
}

impl Catalog {
    /// Takes note of what the statement leaves in a table.
    pub(crate) fn note_rows(&mut self, statement: &Statement) {
        let is_certain = statement.guard == Guard::None && !statement.in_loop;
        match &statement.kind {
            Kind::Truncate(truncate) if is_certain => {
                for table in &truncate.tables {
                    self.recent.emptied.insert(self.key(table), Emptied::Truncated);
                }
            }
            Kind::Delete(delete) if is_certain => {
                let spares_some = delete.filter.as_ref().is_some_and(|filter| !filter.is_tautology);
                if !spares_some && !delete.is_limited && !delete.is_joined {
                    self.recent.emptied.entry(self.key(&delete.table)).or_insert(Emptied::Deleted);
                }
            }
            Kind::Insert(insert) => self.fill(&insert.table),
            Kind::Merge(merge) => self.fill(&merge.table),
            Kind::Copy(copy) => copy.table.iter().for_each(|table| self.fill(table)),
            _ => {}
        }
    }

    fn fill(&mut self, table: &Name) {
        let key = self.key(table);
        self.recent.emptied.remove(&key);
    }

    /// Whether the table has nothing to read, to lock out or to violate: this file has made it, or truncated it.
    pub(crate) fn is_blank(&self, table: &Name) -> bool {
        self.is_new(table) || self.recent.emptied.get(&self.key(table)) == Some(&Emptied::Truncated)
    }

    /// Whether no row of the table is left: it is blank, or this file has deleted them all.
    pub(crate) fn has_no_rows(&self, table: &Name) -> bool {
        self.is_new(table) || self.recent.emptied.contains_key(&self.key(table))
    }

    /// The constraints of the table that this part has dropped.
    pub(crate) fn dropped_constraints(&self, table: &Name) -> &[ConstraintFact] {
        self.recent.dropped.get(&self.key(table)).map_or(&[], Vec::as_slice)
    }
}

impl ConstraintFact {
    /// The columns it is about.
    pub(crate) fn columns(&self) -> &[Box<str>] {
        match self {
            Self::Check(columns)
            | Self::Unique(columns)
            | Self::PrimaryKey(columns)
            | Self::ForeignKey { columns, .. } => columns,
            Self::Other => &[],
        }
    }

    /// A column has another name from now on.
    pub(crate) fn rename_column(&mut self, from: &str, to: &str) {
        match self {
            Self::Check(columns)
            | Self::Unique(columns)
            | Self::PrimaryKey(columns)
            | Self::ForeignKey { columns, .. } => {
                columns.iter_mut().filter(|column| ***column == *from).for_each(|column| *column = to.into());
            }
            Self::Other => {}
        }
    }
}
