//! What a Redis snapshot holds, counted and digested key by key; comparing two such records.
//!
//! Counts and digests follow the decoded values, so neither the order of the keys nor the encoding that a server chose
//! matters. LRU and LFU marks are left out: reading a key changes them, and they steer eviction alone.

mod compare;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;

pub use self::compare::{KeyspaceDifference, KeyspaceDifferenceCode, differences};

/// The record of one snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyspace {
    /// Per database that has keys, by its number; per kind of value.
    pub databases: BTreeMap<u64, BTreeMap<KeyKind, KindContents>>,
    /// The function libraries.
    pub functions: Functions,
    /// Module types that wrote something, by name. What a module wrote only the module can compare: its keys, their
    /// expiry and its name are in the digests, the value is not.
    pub modules: BTreeMap<String, ModuleUse>,
}

/// The kinds of value, by the names that `TYPE` gives them. The numbers go into the digests that manifests keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// A string; bitmaps and HyperLogLogs too.
    String = 0,
    /// A list.
    List = 1,
    /// A set.
    Set = 2,
    /// A sorted set; geo indexes too.
    Zset = 3,
    /// A hash.
    Hash = 4,
    /// A stream.
    Stream = 5,
    /// A value that a module keeps.
    Module = 6,
}

/// The keys of one kind in one database, apart by whether time takes them away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindContents {
    /// Keys that never expire.
    pub persistent: Keys,
    /// Keys that expire, or that have a field that does.
    pub expiring: Keys,
    /// Of those, the ones that were told to be left out of the comparison because their time may have come in between.
    #[serde(default, skip_serializing_if = "Keys::is_empty")]
    pub passing: Keys,
    /// When the first of the expiring keys or fields goes, in milliseconds since 1970; of the passing ones too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_expiry: Option<i64>,
    /// When the last one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_expiry: Option<i64>,
}

/// Some keys, counted and digested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// How many.
    pub keys: u64,
    /// Their elements: 1 for a string, else members, fields or entries.
    pub elements: u64,
    /// Bytes of keys and values as clients see them, whatever the encoding.
    pub bytes: u64,
    /// Order-independent sum of the hashes of (database, key, kind, value, expiry).
    pub digest: Digest,
}

/// The function libraries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Functions {
    /// How many libraries.
    pub libraries: u64,
    /// Bytes of their code.
    pub bytes: u64,
    /// Order-independent sum of the hashes of their code.
    pub digest: Digest,
}

/// What a module type wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleUse {
    /// The version of its encoding.
    pub version: u64,
    /// Keys of its type.
    pub keys: u64,
    /// Pieces of data that it keeps beside the keys.
    pub records: u64,
}

impl Keyspace {
    /// All keys.
    pub fn keys(&self) -> u64 {
        self.kinds().map(|kind| kind.persistent.keys + kind.expiring.keys + kind.passing.keys).sum()
    }

    /// Takes in what another server of the same cluster holds.
    pub fn absorb(&mut self, other: Self) {
        let Self { databases, functions, modules } = other;
        for (database, kinds) in databases {
            let into = self.databases.entry(database).or_default();
            for (kind, contents) in kinds {
                into.entry(kind).or_default().absorb(contents);
            }
        }
        // Every master has all functions.
        if self.functions.libraries == 0 || self.functions == functions {
            self.functions = functions;
        } else {
            self.functions.libraries = self.functions.libraries.max(functions.libraries);
            self.functions.bytes = self.functions.bytes.max(functions.bytes);
            self.functions.digest.add(functions.digest.0);
        }
        for (name, found) in modules {
            let module = self.modules.entry(name).or_default();
            *module = ModuleUse {
                version: found.version,
                keys: module.keys + found.keys,
                records: module.records + found.records,
            };
        }
    }

    /// All keys that expire, or that have a field that does.
    pub fn expiring_keys(&self) -> u64 {
        self.kinds().map(|kind| kind.expiring.keys + kind.passing.keys).sum()
    }

    /// All keys that were told to be left out of the comparison.
    pub fn passing_keys(&self) -> u64 {
        self.kinds().map(|kind| kind.passing.keys).sum()
    }

    /// When the first key or field expires, in milliseconds since 1970.
    pub fn earliest_expiry(&self) -> Option<i64> {
        self.kinds().filter_map(|kind| kind.earliest_expiry).min()
    }

    fn kinds(&self) -> impl Iterator<Item = &KindContents> {
        self.databases.values().flat_map(BTreeMap::values)
    }
}

impl KindContents {
    fn absorb(&mut self, other: Self) {
        let Self { persistent, expiring, passing, earliest_expiry, latest_expiry } = other;
        self.persistent.absorb(persistent);
        self.expiring.absorb(expiring);
        self.passing.absorb(passing);
        earliest_expiry.into_iter().chain(latest_expiry).for_each(|at| self.see_expiry(at));
    }

    /// Counts a moment at which something of these keys expires.
    pub fn see_expiry(&mut self, at: i64) {
        self.earliest_expiry = Some(self.earliest_expiry.map_or(at, |earliest| earliest.min(at)));
        self.latest_expiry = Some(self.latest_expiry.map_or(at, |latest| latest.max(at)));
    }
}

impl Keys {
    fn absorb(&mut self, other: Self) {
        self.keys += other.keys;
        self.elements += other.elements;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.digest.add(other.digest.0);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }
}

impl KeyKind {
    /// The name that `TYPE` gives it; `module` for what a module keeps.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::Zset => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Module => "module",
        }
    }
}
