//! What the transaction that is open has done so far: the strong locks it holds and the rows it has changed.

use crate::schema::{Catalog, Key};
use crate::statement::{ActionKind, Kind, Name, ObjectKind, Statement};

/// Lock modes that block reads or writes, weakest first (PostgreSQL's names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LockMode {
    Share,
    ShareRowExclusive,
    AccessExclusive,
}

impl LockMode {
    /// As the manual writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// What waits for it.
    pub(crate) fn blocks(self) -> &'static str {
        match self {
            Self::Share | Self::ShareRowExclusive => "writes",
            Self::AccessExclusive => "reads and writes",
        }
    }
}

/// The open transaction.
#[derive(Debug, Default)]
pub(crate) struct Session {
    transaction: Option<u32>,
    /// Tables that were there before, with the strongest lock taken.
    pub(crate) locks: Vec<(Key, LockMode)>,
    /// Tables whose rows were changed.
    pub(crate) changed: Vec<Key>,
}

/// More locks than this are not remembered.
const MAX_REMEMBERED: usize = 64;

impl Session {
    /// Goes on to a statement; what another transaction held is released.
    pub(crate) fn enter(&mut self, transaction: Option<u32>) {
        if self.transaction != transaction || transaction.is_none() {
            self.transaction = transaction;
            self.locks.clear();
            self.changed.clear();
        }
    }

    /// Takes note of what the statement locks and changes.
    pub(crate) fn apply(&mut self, statement: &Statement, catalog: &Catalog) {
        if self.transaction.is_none() {
            return;
        }
        for (name, mode) in locks(&statement.kind) {
            if catalog.is_new(name) || self.locks.len() >= MAX_REMEMBERED {
                continue;
            }
            let key = catalog.key(name);
            match self.locks.iter_mut().find(|(locked, _)| *locked == key) {
                Some((_, held)) => *held = mode.max(*held),
                None => self.locks.push((key, mode)),
            }
        }
        if let Kind::Update(_) | Kind::Delete(_) = &statement.kind
            && let Some(name) = changed_table(&statement.kind)
            && !catalog.is_new(name)
            && self.changed.len() < MAX_REMEMBERED
        {
            self.changed.push(catalog.key(name));
        }
    }

    /// The strongest lock held on the table.
    pub(crate) fn lock_on(&self, key: &Key) -> Option<LockMode> {
        self.locks.iter().find(|(locked, _)| locked == key).map(|(_, mode)| *mode)
    }

    /// A table under a lock that blocks reads, if any.
    pub(crate) fn under_access_exclusive(&self, catalog: &Catalog) -> Option<&Key> {
        // A temporary table is nobody else's.
        let locked =
            self.locks.iter().filter(|(key, mode)| *mode == LockMode::AccessExclusive && !catalog.is_temporary(key));
        locked.map(|(key, _)| key).next()
    }
}

/// The table whose rows a statement changes.
pub(crate) fn changed_table(kind: &Kind) -> Option<&Name> {
    match kind {
        Kind::Update(update) => Some(&update.table),
        Kind::Delete(delete) => Some(&delete.table),
        Kind::Insert(insert) => Some(&insert.table),
        Kind::Merge(merge) => Some(&merge.table),
        _ => None,
    }
}

/// The tables that a statement locks against others until its transaction ends.
pub(crate) fn locks(kind: &Kind) -> Vec<(&Name, LockMode)> {
    match kind {
        Kind::AlterTable(alter) if alter.kind != ObjectKind::Index => {
            let strongest = alter.actions.iter().filter_map(|action| action_lock(&action.kind)).max();
            let mut found: Vec<_> = strongest.map(|mode| (&alter.name, mode)).into_iter().collect();
            for action in &alter.actions {
                if let ActionKind::AttachPartition { partition } = &action.kind {
                    found.push((partition, LockMode::AccessExclusive));
                }
            }
            found
        }
        Kind::CreateIndex(create) if !create.is_concurrent => vec![(&create.table, LockMode::Share)],
        Kind::Create(create) => match (create.kind, &create.on) {
            (ObjectKind::Trigger, Some(table)) => vec![(table, LockMode::ShareRowExclusive)],
            (ObjectKind::Policy | ObjectKind::Rule, Some(table)) => vec![(table, LockMode::AccessExclusive)],
            _ => Vec::new(),
        },
        Kind::Drop(drop) => match (drop.kind, &drop.on) {
            (ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView, _) => {
                drop.names.iter().map(|name| (name, LockMode::AccessExclusive)).collect()
            }
            (_, Some(table)) => vec![(table, LockMode::AccessExclusive)],
            _ => Vec::new(),
        },
        Kind::Truncate(truncate) => truncate.tables.iter().map(|table| (table, LockMode::AccessExclusive)).collect(),
        Kind::LockTable(lock) if lock.mode.contains("exclusive") && !lock.mode.starts_with("row") => {
            lock.tables.iter().map(|table| (table, LockMode::AccessExclusive)).collect()
        }
        Kind::Refresh { name, is_concurrent: false } => vec![(name, LockMode::AccessExclusive)],
        _ => Vec::new(),
    }
}

/// From `AlterTableGetLockLevel` in PostgreSQL's `tablecmds.c`.
fn action_lock(kind: &ActionKind) -> Option<LockMode> {
    match kind {
        ActionKind::ValidateConstraint { .. }
        | ActionKind::AttachPartition { .. }
        | ActionKind::DetachPartition { is_concurrent: true, .. }
        | ActionKind::Algorithm { .. }
        | ActionKind::Lock { .. }
        | ActionKind::Other => None,
        ActionKind::EnableTrigger | ActionKind::DisableTrigger { .. } => Some(LockMode::ShareRowExclusive),
        ActionKind::AddConstraint(constraint) => Some(match constraint.kind {
            crate::statement::ConstraintKind::ForeignKey { .. } => LockMode::ShareRowExclusive,
            _ => LockMode::AccessExclusive,
        }),
        _ => Some(LockMode::AccessExclusive),
    }
}
