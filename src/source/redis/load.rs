//! A snapshot into a running server or cluster: what must hold before, and its keys, pipelined.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use super::address::{Address, Endpoint};
use super::cluster::{self, Node};
use super::connection::{Connection, ConnectionError, Lines, Reply};
use super::format;
use super::info::Info;
use super::rdb::{Entry, KeyEntry};
use crate::catalog::RedisFacts;

mod command;
mod error;
mod pick;

use command::{Manner, Room, bring};
pub use error::LoadError;
pub use pick::expected_after;
use pick::{picked, target_database};

/// What of a snapshot goes where.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Replace what is there; without it a key that is there is an error.
    pub replace: bool,
    /// Only keys whose names match one of these; empty for all keys and the functions.
    pub patterns: Vec<String>,
    /// All keys go into this database, not into their own.
    pub database: Option<u32>,
}

/// What was restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Keys.
    pub keys: u64,
    /// Function libraries.
    pub libraries: u64,
}

/// A server or a cluster to restore into.
#[derive(Debug)]
pub struct Target {
    shards: Vec<Shard>,
    nodes: Vec<Node>,
    name: String,
    room: Room,
}

#[derive(Debug)]
struct Shard {
    connection: Connection,
    info: Info,
    takes_moments: bool,
    database: u32,
    /// Commands whose answers are outstanding, by what they were for.
    pending: VecDeque<Pending>,
    pending_bytes: usize,
}

#[derive(Debug)]
enum Pending {
    Select,
    Key(Vec<u8>),
    Library,
}

/// So much may be on its way to a server before its answers are read: enough that neither waits for the other.
const WINDOW_BYTES: usize = 1 << 20;
const WINDOW_COMMANDS: usize = 1024;
/// The largest value that `RESTORE` takes: the default of `proto-max-bulk-len`.
const MAX_ENTRY: usize = 512 << 20;

impl Target {
    /// Connects to a server, or to every master of its cluster.
    pub fn connect(address: &Address, patience: Duration, lines: &Lines) -> Result<Self, LoadError> {
        let mut connection = Connection::open(address, patience, lines)?;
        let info = Info::ask(&mut connection)?;
        let name = address.to_string();
        if !info.is_cluster() {
            return Ok(Self {
                shards: vec![Shard::new(connection, info)],
                nodes: Vec::new(),
                name,
                room: Room::default(),
            });
        }
        let nodes = cluster::masters(&mut connection)?;
        let mut shards = Vec::new();
        for node in &nodes {
            let mut connection = Connection::open(&address.at(node.endpoint.clone()), patience, lines)?;
            let info = Info::ask(&mut connection)?;
            shards.push(Shard::new(connection, info));
        }
        Ok(Self { shards, nodes, name, room: Room::default() })
    }

    /// Whether a backup with these facts was taken of it, or of another server of the same history.
    pub fn is_source(&self, facts: &RedisFacts, address: &Address) -> bool {
        let same = |shard: &Shard| {
            let is =
                |field: &str, known: Option<&String>| known.is_some_and(|known| shard.info.text(field) == Some(known));
            facts.shards.iter().any(|source| {
                is("run_id", source.run_id.as_ref())
                    || is("master_replid", source.replication_id.as_ref())
                    || is("master_replid2", source.replication_id.as_ref())
            })
        };
        // After a restart a server may have new identities; where it listens says enough.
        let listens = |endpoint: &Endpoint| facts.shards.iter().any(|source| source.address == endpoint.to_string());
        self.shards.iter().any(same) || address.endpoints.iter().any(listens)
    }

    /// Everything that would make the restore fail or do harm, as far as it can be asked before a byte is written.
    pub fn assert_ready(&mut self, facts: &RedisFacts) -> Result<(), LoadError> {
        for shard in &mut self.shards {
            if shard.info.text("role") == Some("slave") {
                return Err(LoadError::IsReplica { target: self.name.clone() });
            }
            shard.assert_reads(facts, &self.name)?;
        }
        Ok(())
    }

    /// What is there already.
    pub fn found(&mut self, options: &LoadOptions) -> Result<Option<String>, LoadError> {
        let mut keys: BTreeMap<u32, u64> = BTreeMap::new();
        let mut libraries = 0;
        for shard in &mut self.shards {
            for (database, n_keys) in Info::ask(&mut shard.connection)?.databases() {
                *keys.entry(database).or_default() += n_keys;
            }
            if let Ok(Reply::Array(found)) = shard.connection.command(&[b"FUNCTION", b"LIST"]) {
                libraries += found.len();
            }
        }
        keys.retain(|database, _| options.database.is_none_or(|wanted| wanted == *database));
        if let Some((database, n_keys)) = keys.first_key_value() {
            return Ok(Some(format!("{n_keys} keys in database {database}")));
        }
        let wants_functions = options.patterns.is_empty();
        Ok((libraries > 0 && wants_functions).then(|| format!("{libraries} function libraries")))
    }

    /// Refuses databases that the target does not have, and picked keys that are there already.
    pub fn assert_room(
        &mut self,
        files: &[PathBuf],
        databases: &[u64],
        options: &LoadOptions,
    ) -> Result<(), LoadError> {
        let wanted: Vec<u64> = match options.database {
            Some(database) => vec![database.into()],
            None => databases.to_vec(),
        };
        for database in wanted {
            self.select_everywhere(database)?;
        }
        if options.replace || options.patterns.is_empty() {
            return Ok(());
        }
        for entry in picked(files, options) {
            let (Entry::Key(key), _) = entry? else { continue };
            let shard = self.shard_of(&key.key);
            self.shards[shard].select_now(target_database(&key, options))?;
            if self.shards[shard].connection.command(&[b"EXISTS", &key.key])? != Reply::Integer(0) {
                let found = format!("the key \"{}\"", key.key.escape_ascii());
                return Err(LoadError::NotEmpty { target: self.name.clone(), found });
            }
        }
        Ok(())
    }

    /// Restores what is picked of these snapshots. If this fails, the target may hold a part.
    pub fn load(
        &mut self,
        files: &[PathBuf],
        options: &LoadOptions,
        progress: impl Fn(u64),
    ) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        for entry in picked(files, options) {
            match entry? {
                (Entry::Function(code), _) => {
                    for shard_idx in 0..self.shards.len() {
                        self.send_library(shard_idx, &code, options)?;
                    }
                    loaded.libraries += 1;
                }
                (Entry::Key(key), rdb_version) => {
                    progress(key.payload.as_ref().map_or(0, Vec::len) as u64);
                    self.send_key(key, rdb_version, options)?;
                    loaded.keys += 1;
                }
            }
        }
        (0..self.shards.len()).try_for_each(|shard_idx| self.settle(shard_idx, 0))?;
        Ok(loaded)
    }

    fn send_library(&mut self, shard_idx: usize, code: &[u8], options: &LoadOptions) -> Result<(), LoadError> {
        let shard = &mut self.shards[shard_idx];
        if options.replace {
            shard.connection.send(&[b"FUNCTION", b"LOAD", b"REPLACE", code])?;
        } else {
            shard.connection.send(&[b"FUNCTION", b"LOAD", code])?;
        }
        shard.pending.push_back(Pending::Library);
        self.settle(shard_idx, 0)
    }

    fn send_key(&mut self, mut entry: KeyEntry, rdb_version: u32, options: &LoadOptions) -> Result<(), LoadError> {
        let shard_idx = self.shard_of(&entry.key);
        let database = target_database(&entry, options);
        let shard = &mut self.shards[shard_idx];
        let Some(payload) = entry.payload.take() else {
            return Err(LoadError::KeyTooLarge { key: entry.key.escape_ascii().to_string(), limit: MAX_ENTRY });
        };
        if shard.database != database {
            shard.connection.send(&[b"SELECT", database.to_string().as_bytes()])?;
            shard.pending.push_back(Pending::Select);
            shard.database = database;
        }
        let manner = Manner { replace: options.replace, rdb_version, takes_moments: shard.takes_moments };
        bring(&entry, payload, manner, &mut self.room, |words| {
            shard.pending_bytes += words.iter().map(|word| word.len()).sum::<usize>();
            shard.connection.send(words)
        })?;
        shard.pending.push_back(Pending::Key(entry.key));
        if shard.pending.len() >= WINDOW_COMMANDS || shard.pending_bytes >= WINDOW_BYTES {
            // The server works on the newer half while the answers to the older one are read.
            let keep = shard.pending.len() / 2;
            shard.pending_bytes /= 2;
            return self.settle(shard_idx, keep);
        }
        Ok(())
    }

    /// Reads answers until only so many are outstanding.
    fn settle(&mut self, shard_idx: usize, keep: usize) -> Result<(), LoadError> {
        let shard = &mut self.shards[shard_idx];
        while shard.pending.len() > keep {
            let reply = shard.connection.receive()?;
            let pending = shard.pending.pop_front();
            let reason = match reply {
                Reply::Error(reason) => reason,
                // What SET says instead.
                Reply::Bulk(None) => "BUSYKEY the key exists".to_owned(),
                _ => continue,
            };
            let Some(pending) = pending else { continue };
            let target = self.name.clone();
            return Err(match pending {
                Pending::Key(key) => LoadError::Key { target, key: key.escape_ascii().to_string(), reason },
                Pending::Library => LoadError::Library { target, reason },
                Pending::Select => LoadError::NoDatabase { target, database: shard.database.into(), reason },
            });
        }
        Ok(())
    }

    fn select_everywhere(&mut self, database: u64) -> Result<(), LoadError> {
        let target = self.name.clone();
        let refused = |reason: String| LoadError::NoDatabase { target: target.clone(), database, reason };
        let number = u32::try_from(database).map_err(|_| refused("the number is too large".to_owned()))?;
        for shard in &mut self.shards {
            match shard.select_now(number) {
                Err(ConnectionError::Refused { message, .. }) => return Err(refused(message)),
                selected => selected?,
            }
        }
        Ok(())
    }

    fn shard_of(&self, key: &[u8]) -> usize {
        if self.nodes.is_empty() {
            return 0;
        }
        let slot = cluster::slot(key);
        let serves = |node: &Node| node.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot));
        self.nodes.iter().position(serves).unwrap_or(0)
    }
}

impl Shard {
    fn new(connection: Connection, info: Info) -> Self {
        let takes_moments = info.version().is_some_and(takes_moments);
        Self { connection, info, takes_moments, database: 0, pending: VecDeque::new(), pending_bytes: 0 }
    }

    /// Refuses a snapshot that the server would not read, before the first key.
    fn assert_reads(&mut self, facts: &RedisFacts, target: &str) -> Result<(), LoadError> {
        let (snapshot, known) = (facts.rdb_version, newest_format(&mut self.connection, &self.info)?);
        let program = if known >= Some(format::VALKEY) { Some("valkey") } else { self.info.known_program() };
        let is_foreign = program.is_some_and(|program| format::is_foreign(program, snapshot));
        let is_older = known.is_some_and(|known| known < snapshot);
        if !(is_foreign || is_older) || reads_any_format(&mut self.connection)? {
            return Ok(());
        }
        let target = target.to_owned();
        let version = format!("{} {}", program.unwrap_or("redis"), self.info.version().unwrap_or("?"));
        let server = format!("{} {}", facts.server, facts.server_version);
        Err(match known {
            Some(known) if !is_foreign => LoadError::TooOld { target, version, known, snapshot, server },
            _ => LoadError::Foreign { target, version, snapshot, server },
        })
    }

    fn select_now(&mut self, database: u32) -> Result<(), ConnectionError> {
        if self.database != database {
            self.connection.command(&[b"SELECT", database.to_string().as_bytes()])?;
            self.database = database;
        }
        Ok(())
    }
}

/// Whether `SET` of this version knows `PXAT`: since 6.2.
fn takes_moments(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(2))
}

/// The newest format that a server reads. `FUNCTION DUMP` carries it in its footer without a key; older servers are known
/// by their version. Newer ones say no by themselves.
fn newest_format(connection: &mut Connection, info: &Info) -> Result<Option<u32>, ConnectionError> {
    match connection.command(&[b"FUNCTION", b"DUMP"]) {
        Ok(Reply::Bulk(Some(payload))) if payload.len() >= 10 => {
            let footer = &payload[payload.len() - 10..];
            return Ok(Some(u32::from(u16::from_le_bytes([footer[0], footer[1]]))));
        }
        Ok(_) | Err(ConnectionError::Refused { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(format::newest(info.program(), info.version().unwrap_or_default()))
}

/// Whether a Valkey server was told to try with every format (`rdb-version-check relaxed`). Who may not ask is told no.
fn reads_any_format(connection: &mut Connection) -> Result<bool, ConnectionError> {
    match connection.command(&[b"CONFIG", b"GET", b"rdb-version-check"]) {
        Ok(Reply::Array(found)) => Ok(found.contains(&Reply::Bulk(Some(b"relaxed".to_vec())))),
        Ok(_) | Err(ConnectionError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
