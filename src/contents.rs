//! What a backup holds, counted and digested while it streamed by; comparing two such records.
//!
//! A record is computed the same way from the source's dump and from a restored copy's, so equality is equality of data.

mod compare;
pub mod keyspace;
pub mod loss;
pub mod pattern;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::compare::{Difference, DifferenceCode, differences};
use self::keyspace::Keyspace;

/// The record of one dumped database or keyspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Per table with data in the dump, by its name as COPY has it: qualified, quoted where need be
    /// (`public.orders`, `public."Order"`). Partitions that are loaded through their root count there.
    pub tables: BTreeMap<String, TableContents>,
    /// Per sequence, by its qualified name, quoted where need be.
    pub sequences: BTreeMap<String, SequenceState>,
    /// All large objects together.
    pub large_objects: LargeObjects,
    /// Every entry of the archive's table of contents that defines something, in its order.
    pub schema: Vec<SchemaEntry>,
    /// The keys of a Redis snapshot, which has nothing of the above; absent for a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyspace: Option<Keyspace>,
}

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// Number of rows.
    pub rows: u64,
    /// Bytes of the rows in COPY text form, line ends included.
    pub bytes: u64,
    /// Order-independent sum of the rows' hashes.
    pub digest: Digest,
    /// The columns in the order in which they were dumped and hashed.
    pub columns: Vec<String>,
}

/// A sequence's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceState {
    /// Its last value.
    pub last_value: i64,
    /// Whether that value was handed out already.
    pub is_called: bool,
}

/// Large objects, digested per object and summed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeObjects {
    /// How many.
    pub count: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// Sum of the hashes of (oid, data).
    pub digest: Digest,
    /// Sum of the hashes of (oid, owner).
    pub owners: Digest,
}

/// One definition in the dump: a table, an index, a grant, a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    /// The archive's word for it, such as `TABLE` or `FK CONSTRAINT`.
    pub kind: String,
    /// The schema it is in; empty for none.
    pub schema: String,
    /// The archive's tag for it.
    pub name: String,
    /// The owning role; empty for none.
    pub owner: String,
    /// Hash of the definition exactly as dumped.
    pub digest: Digest,
    /// Hash of the definition without what the server itself changes when it reads a definition back (see `canonical`).
    pub canonical: Digest,
}

impl Contents {
    /// Takes in what a further stream of the same backup holds.
    pub fn absorb(&mut self, other: Self) {
        let Self { tables, sequences, large_objects, schema, keyspace } = other;
        self.tables.extend(tables);
        self.sequences.extend(sequences);
        self.large_objects.count += large_objects.count;
        self.large_objects.bytes += large_objects.bytes;
        self.large_objects.digest.add(large_objects.digest.0);
        self.large_objects.owners.add(large_objects.owners.0);
        self.schema.extend(schema);
        if let Some(keyspace) = keyspace {
            self.keyspace.get_or_insert_default().absorb(keyspace);
        }
    }

    /// What it is, in numbers, for people.
    pub fn summary(&self) -> String {
        if let Some(keyspace) = &self.keyspace {
            return format!("{} databases, {} keys", keyspace.databases.len(), keyspace.keys());
        }
        let rows: u64 = self.tables.values().map(|table| table.rows).sum();
        format!("{} tables, {rows} rows", self.tables.len())
    }

    /// What it lists, in numbers, for people.
    pub fn outline(&self) -> String {
        if let Some(keyspace) = &self.keyspace {
            let libraries = keyspace.functions.libraries;
            return format!("{} keys and {libraries} function libraries", keyspace.keys());
        }
        format!("{} tables and {} definitions", self.tables.len(), self.schema.len())
    }

    /// All of it in numbers, for people.
    pub fn inventory(&self) -> String {
        if let Some(keyspace) = &self.keyspace {
            return format!(
                "{} keys ({} of them expiring) in {} databases and {} function libraries",
                keyspace.keys(),
                keyspace.expiring_keys(),
                keyspace.databases.len(),
                keyspace.functions.libraries
            );
        }
        let rows: u64 = self.tables.values().map(|table| table.rows).sum();
        format!(
            "{} tables with {rows} rows, {} sequences, {} large objects and {} definitions",
            self.tables.len(),
            self.sequences.len(),
            self.large_objects.count,
            self.schema.len()
        )
    }
}

/// A 128-bit sum of strong fast hashes (XXH3-128, wrapping addition): order-free, duplicates count. Hex in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// Adds one item's hash.
    pub fn add(&mut self, hash: u128) {
        self.0 = self.0.wrapping_add(hash);
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
