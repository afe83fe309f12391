//! What a statement cost, as far as the server can tell.

use serde::{Deserialize, Serialize};

/// What was measured of one statement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How long it took.
    pub seconds: f64,
    /// The locks that it was the first to take on what was there before the migration.
    pub locks: Vec<LockHeld>,
    /// Tables, materialized views and indexes that were there before and were written anew.
    pub rewrites: Vec<Rewrite>,
    /// Rows of tables; absent where the server cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowCounts>,
    /// Bytes of write-ahead log: what a replica must receive.
    pub wal_bytes: u64,
    /// Why it was refused, as the server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One lock on one relation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockHeld {
    /// The relation, with its schema.
    pub relation: String,
    /// The mode.
    pub mode: LockMode,
    /// From the statement's start to the end of its transaction.
    pub seconds: f64,
    /// Who waits meanwhile.
    pub blocks: Blocks,
}

/// The modes of a table's lock, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// What SELECT takes.
    AccessShare,
    /// What SELECT … FOR UPDATE takes.
    RowShare,
    /// What INSERT, UPDATE and DELETE take.
    RowExclusive,
    /// VACUUM, concurrent builds, some ALTER TABLE.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// ADD FOREIGN KEY, CREATE TRIGGER.
    ShareRowExclusive,
    /// REFRESH … CONCURRENTLY.
    Exclusive,
    /// Most of ALTER TABLE, DROP, TRUNCATE.
    AccessExclusive,
}

/// Whom a lock keeps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// Nobody's reads and writes.
    Nobody,
    /// Other schema changes, VACUUM, and concurrent builds.
    Maintenance,
    /// Writes.
    Writes,
    /// Reads and writes.
    ReadsAndWrites,
}

/// A relation that was written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// The relation, with its schema.
    pub relation: String,
    /// `table`, `materialized view` or `index`.
    pub kind: String,
    /// Its size before, in bytes.
    pub bytes: u64,
}

/// Rows as the server counts them within a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Read by scans of tables and through indexes.
    pub read: u64,
    /// Inserted.
    pub inserted: u64,
    /// Updated.
    pub updated: u64,
    /// Deleted or truncated.
    pub deleted: u64,
}

impl LockMode {
    /// All, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As `pg_locks` writes it.
    pub fn catalog_name(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// As the manual writes it.
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Who waits behind it, by the manual's table of conflicting lock modes (chapter "Explicit Locking").
    pub fn blocks(self) -> Blocks {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => Blocks::Nobody,
            Self::ShareUpdateExclusive => Blocks::Maintenance,
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => Blocks::Writes,
            Self::AccessExclusive => Blocks::ReadsAndWrites,
        }
    }

    /// The mode that `pg_locks` writes so.
    pub fn from_catalog(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.catalog_name() == name)
    }
}

impl Blocks {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nobody => "nobody waits",
            Self::Maintenance => "other schema changes and VACUUM wait",
            Self::Writes => "writes wait",
            Self::ReadsAndWrites => "reads and writes wait",
        }
    }
}
