//! A Redis or Valkey server, or a cluster of them, as a source: each master's snapshot is a stream of the same backup.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task;

use crate::catalog::{BackupId, ConsistentPoint, Guarantee, RedisFacts, RedisShard, SourceName, Tool};
use crate::contents::keyspace::Keyspace;
use crate::progress::Progress;
use crate::source::recorder::Recorder as AnyRecorder;
use crate::source::{Dump, StreamName, Writer};

pub mod address;
pub mod cluster;
pub mod connection;
pub mod format;
pub mod info;
pub mod keys;
pub mod load;
mod pattern;
pub mod privilege;
pub mod rdb;
pub mod record;
pub mod replication;
pub mod scratch;
pub mod sentinel;
pub mod server;
mod tls;

use address::{Address, Endpoint};
use cluster::{ClusterError, Node};
use connection::{Connection, ConnectionError, HangUp, Lines};
use info::Info;
use rdb::{RdbError, RdbFacts, RdbOptions};
use record::{Recorder, Slot, StreamRecord};
use sentinel::SentinelError;

/// A server or a cluster to back up, and how.
#[derive(Debug, Clone)]
pub struct RedisSource {
    /// Its name in the repository.
    pub name: SourceName,
    /// How to reach it, or its sentinels.
    pub address: Address,
    /// The name of the master that the sentinels at the address watch.
    pub sentinel: Option<String>,
    /// Read replicas, where sentinels or the cluster know any that are in step.
    pub prefer_replica: bool,
    /// How long a server may send nothing.
    pub max_silence: Duration,
}

/// A source whose servers have answered.
#[derive(Debug)]
pub struct OpenKeyspace {
    source: RedisSource,
    shards: Vec<Shard>,
    masters: Vec<Node>,
    id: BackupId,
    lines: Lines,
    /// Whatever ends the work ends every wait for a server.
    _hang_up: HangUp,
}

/// One server to read.
#[derive(Debug)]
struct Shard {
    address: Address,
    info: Info,
    node: Option<Node>,
    stream: StreamName,
    /// What is known once it is read.
    record: Slot,
    read: Mutex<Read>,
}

/// How a shard was read.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    guarantee: Guarantee,
    /// When a scan began, by the server's clock.
    began: Option<i64>,
}

/// Why a server could not be backed up.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// It could not be asked.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The sentinels could not tell where it is.
    #[error(transparent)]
    Sentinel(#[from] SentinelError),
    /// The cluster is not in one piece.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It is a replica that has lost its master: what it has may be old.
    #[error("Redis at {server} is a replica whose link to its master is down: its data may be old")]
    LinkDown {
        /// Which.
        server: String,
    },
    /// Its snapshot ended too early, or is damaged.
    #[error("reading the snapshot of {server} failed: {reason}")]
    Read {
        /// Which.
        server: String,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
    /// Its snapshot is not what a server writes.
    #[error("the snapshot is not a whole RDB: {0}")]
    Rdb(#[from] RdbError),
    /// It has no lock that ends with the one who holds it.
    #[error("the store's leases cannot be relied on, and Redis at {server} has no lock that ends with its holder")]
    NoLock {
        /// Which.
        server: String,
    },
    /// The reading thread died.
    #[error("reading the snapshot failed: {0}")]
    Thread(#[from] task::JoinError),
}

impl RedisError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Connection(error) => error.help(),
            Self::Sentinel(error) => error.help(),
            Self::Cluster(error) => error.help(),
            Self::LinkDown { .. } => Some("back up the master, or another replica".to_owned()),
            Self::NoLock { .. } => Some("use a store that honours conditional puts".to_owned()),
            Self::Read { .. } | Self::Rdb(_) | Self::Thread(_) => None,
        }
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_passing())
    }
}

impl RedisSource {
    /// A restored server, to be read by the same code as its source was.
    pub fn for_comparison(name: SourceName, address: Address, max_silence: Duration) -> Self {
        Self { name, address, sentinel: None, prefer_replica: false, max_silence }
    }

    /// Whether its servers answer and let guard in.
    pub async fn reach(&self) -> Result<(), RedisError> {
        let lines = Lines::default();
        let _hang_up = lines.guard();
        let source = self.clone();
        task::spawn_blocking(move || find(&source, &lines).map(drop)).await?
    }

    /// Finds the servers and asks what they are. Nothing is read yet.
    pub async fn open(&self, id: &BackupId) -> Result<OpenKeyspace, RedisError> {
        let lines = Lines::default();
        let hang_up = lines.guard();
        let (source, asked) = (self.clone(), lines.clone());
        let (shards, masters) = task::spawn_blocking(move || find(&source, &asked)).await??;
        Ok(OpenKeyspace { source: self.clone(), shards, masters, id: id.clone(), lines, _hang_up: hang_up })
    }
}

fn find(source: &RedisSource, lines: &Lines) -> Result<(Vec<Shard>, Vec<Node>), RedisError> {
    let address = match &source.sentinel {
        None => source.address.clone(),
        Some(name) => {
            let endpoint = sentinel::resolve(&source.address, name, source.prefer_replica, source.max_silence, lines)?;
            source.address.at(endpoint)
        }
    };
    let mut connection = Connection::open(&address, source.max_silence, lines)?;
    let info = Info::ask(&mut connection)?;
    if !info.is_cluster() {
        refuse_broken_link(&info, &connection)?;
        // The endpoint that answered, if there are several.
        let answered = address.endpoints.iter().find(|endpoint| endpoint.to_string() == connection.server());
        let address = answered.map_or(address.clone(), |endpoint| address.at(endpoint.clone()));
        return Ok((vec![Shard::new(address, info, None, stream_name(None))], Vec::new()));
    }
    let masters = cluster::masters(&mut connection)?;
    let mut shards = Vec::new();
    for (shard_idx, node) in masters.iter().enumerate() {
        let endpoint = node.replicas.first().filter(|_| source.prefer_replica).unwrap_or(&node.endpoint);
        let address = source.address.at(endpoint.clone());
        let mut connection = Connection::open(&address, source.max_silence, lines)?;
        let info = Info::ask(&mut connection)?;
        refuse_broken_link(&info, &connection)?;
        shards.push(Shard::new(address, info, Some(node.clone()), stream_name(Some(shard_idx))));
    }
    Ok((shards, masters))
}

fn refuse_broken_link(info: &Info, connection: &Connection) -> Result<(), RedisError> {
    match info.text("master_link_status") {
        Some("down") => Err(RedisError::LinkDown { server: connection.server().to_owned() }),
        _ => Ok(()),
    }
}

fn stream_name(shard_idx: Option<usize>) -> StreamName {
    let name = shard_idx.map_or("dump".to_owned(), |shard_idx| format!("dump-{}", shard_idx + 1));
    StreamName { file: format!("{name}.rdb"), name }
}

impl Shard {
    fn new(address: Address, info: Info, node: Option<Node>, stream: StreamName) -> Self {
        Self { address, info, node, stream, record: Slot::default(), read: Mutex::default() }
    }

    fn read(&self) -> Read {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rdb(&self) -> RdbFacts {
        self.record.look().map(|summary| summary.facts).unwrap_or_default()
    }
}

impl OpenKeyspace {
    /// What is known of it; the moments only once it was read.
    pub fn facts(&self) -> RedisFacts {
        let first = self.shards.first().map(|shard| &shard.info);
        let rdb = self.shards.first().map(Shard::rdb).unwrap_or_default();
        let version = first.and_then(Info::version).map(str::to_owned).or(rdb.server_version).unwrap_or_default();
        let modules = self.shards.iter().filter_map(|shard| shard.record.look());
        let mut modules: Vec<String> = modules.flat_map(|summary| summary.keyspace.modules.into_keys()).collect();
        modules.sort();
        modules.dedup();
        // Who may not run INFO learns it from the snapshot.
        let program = first.and_then(Info::known_program).or(rdb.product).unwrap_or(info::REDIS);
        RedisFacts {
            server: program.to_owned(),
            server_version: version,
            rdb_version: self.shards.iter().map(|shard| shard.rdb().rdb_version).max().unwrap_or_default(),
            cluster: !self.masters.is_empty(),
            guarantee: self.guarantee(),
            size: self.estimate(),
            modules,
            shards: self.shards.iter().map(|shard| self.shard_facts(shard)).collect(),
        }
    }

    fn guarantee(&self) -> Guarantee {
        self.shards.iter().map(|shard| shard.read().guarantee).max().unwrap_or_default()
    }

    fn shard_facts(&self, shard: &Shard) -> RedisShard {
        let (read, rdb) = (shard.read(), shard.rdb());
        let at = self.moment(read, &rdb);
        let text = |field| shard.info.text(field).map(str::to_owned);
        let offset = rdb.replication_offset.and_then(|offset| u64::try_from(offset).ok());
        let slots = shard.node.iter().flat_map(|node| &node.slots);
        RedisShard {
            stream: shard.stream.name.clone(),
            address: shard.address.endpoints.first().map(Endpoint::to_string).unwrap_or_default(),
            role: text("role").unwrap_or_default(),
            run_id: text("run_id"),
            replication_id: rdb.replication_id.or_else(|| text("master_replid")),
            replication_offset: offset.or_else(|| shard.info.number("master_repl_offset")),
            at,
            method: if read.guarantee == Guarantee::PointInTime { "sync" } else { "scan" }.to_owned(),
            node: shard.node.as_ref().map(|node| node.id.clone()),
            slots: slots.map(|(first, last)| format!("{first}-{last}")).collect(),
        }
    }

    /// The moment of a shard's data: what its snapshot says, else when its scan began, else when the backup did.
    fn moment(&self, read: Read, rdb: &RdbFacts) -> DateTime<Utc> {
        let written = rdb.created.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let began = read.began.and_then(DateTime::from_timestamp_millis);
        began.or(written).unwrap_or_else(|| self.id.time())
    }

    /// The moment since which nothing is missing: of a cluster, its oldest shard's.
    pub fn consistent(&self) -> ConsistentPoint {
        let shards: Vec<RedisShard> = self.shards.iter().map(|shard| self.shard_facts(shard)).collect();
        let at = shards.iter().map(|shard| shard.at).min().unwrap_or_else(|| self.id.time());
        let position = match shards.as_slice() {
            [shard] => shard.replication_id.clone().zip(shard.replication_offset),
            _ => None,
        };
        ConsistentPoint { at, position: position.map(|(id, offset)| format!("{id}:{offset}")) }
    }

    /// Roughly the bytes of its snapshots: what its data takes in memory, which is more.
    pub fn estimate(&self) -> u64 {
        self.shards.iter().filter_map(|shard| shard.info.number("used_memory_dataset")).sum()
    }

    /// What dumps it: guard itself speaks the server's protocol.
    pub fn tool() -> Tool {
        Tool { name: "guard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// One stream a server.
    pub fn streams(&self) -> Vec<StreamName> {
        self.shards.iter().map(|shard| shard.stream.clone()).collect()
    }

    /// Asks a server for its snapshot and returns once it begins to come.
    pub async fn start(&self, stream: &StreamName, progress: &Arc<Progress>) -> Result<Dump, RedisError> {
        let shard = self.shards.iter().find(|shard| shard.stream == *stream).expect("a stream of this source");
        let options = RdbOptions::default();
        let (output, record) = self.begin(shard, options, progress).await?;
        let recorder = AnyRecorder::Redis(StreamRecord::Elsewhere(record));
        Ok(Dump { output, recorder, writer: Writer::Server })
    }

    async fn begin(
        &self,
        shard: &Shard,
        options: RdbOptions,
        progress: &Arc<Progress>,
    ) -> Result<(Box<dyn std::io::Read + Send>, Slot), RedisError> {
        let (address, patience, lines) = (shard.address.clone(), self.source.max_silence, self.lines.clone());
        let (progress, record) = (Arc::clone(progress), shard.record.clone());
        let began =
            task::spawn_blocking(move || begin(&address, patience, &lines, (options, &progress), record)).await??;
        *shard.read.lock().unwrap_or_else(PoisonError::into_inner) = began.read;
        Ok((began.output, shard.record.clone()))
    }

    /// Reads it for its record alone: nothing is stored.
    pub async fn record(&self, options: RdbOptions, progress: &Arc<Progress>) -> Result<Keyspace, RedisError> {
        let mut keyspace = Keyspace::default();
        for shard in &self.shards {
            let (mut output, record) = self.begin(shard, options, progress).await?;
            let server = shard.address.to_string();
            let read = task::spawn_blocking(move || std::io::copy(&mut output, &mut std::io::sink())).await?;
            read.map_err(|reason| RedisError::Read { server, reason })?;
            let summary = StreamRecord::Elsewhere(record).finish()?;
            keyspace.absorb(summary.keyspace);
        }
        Ok(keyspace)
    }

    /// Are the slots of the cluster still where they were when it was opened, and was none of them on its way?
    pub async fn check(&self) -> Result<(), RedisError> {
        if self.masters.is_empty() {
            return Ok(());
        }
        // A snapshot says what `CLUSTER NODES` does not: slots that Valkey 9 takes over as a whole once all of them are there.
        if self.shards.iter().any(|shard| shard.rdb().has_slots_on_their_way) {
            return Err(ClusterError::Moving { server: self.source.address.to_string() }.into());
        }
        let (address, patience, lines) = (self.shards[0].address.clone(), self.source.max_silence, self.lines.clone());
        let ask = move || -> Result<Vec<Node>, RedisError> {
            let mut connection = Connection::open(&address, patience, &lines)?;
            Ok(cluster::masters(&mut connection)?)
        };
        let now = task::spawn_blocking(ask).await??;
        let places =
            |nodes: &[Node]| nodes.iter().map(|node| (node.id.clone(), node.slots.clone())).collect::<Vec<_>>();
        if places(&now) == places(&self.masters) {
            return Ok(());
        }
        Err(ClusterError::Moved { server: self.source.address.to_string() }.into())
    }

    /// Why it cannot keep other runs out by itself: a key with an expiry outlives its holder, or ends before it, and it would
    /// be a write to the source.
    pub fn no_lock(&self) -> RedisError {
        RedisError::NoLock { server: self.source.address.to_string() }
    }

    /// The first server's clock in milliseconds since 1970.
    pub async fn clock(&self) -> Result<i64, RedisError> {
        let (address, patience, lines) = (self.shards[0].address.clone(), self.source.max_silence, self.lines.clone());
        let asked = task::spawn_blocking(move || keys::server_time(&mut Connection::open(&address, patience, &lines)?));
        Ok(asked.await??)
    }

    /// Ends the connections; a server ends a snapshot that nobody takes by itself.
    pub fn close(self) {
        self.lines.hang_up();
    }
}

struct Began {
    output: Box<dyn std::io::Read + Send>,
    read: Read,
}

/// By `SYNC`; where that is forbidden, key by key.
fn begin(
    address: &Address,
    patience: Duration,
    lines: &Lines,
    (options, progress): (RdbOptions, &Arc<Progress>),
    record: Slot,
) -> Result<Began, ConnectionError> {
    let connect = || Connection::open(address, patience, lines);
    match replication::begin(connect()?, Recorder::new(options, progress), record.clone()) {
        Ok(snapshot) => Ok(Began { output: Box::new(snapshot), read: Read::default() }),
        Err(forbidden) if forbidden.is_forbidden() => {
            let mut connection = connect()?;
            let began = keys::server_time(&mut connection).ok();
            match keys::begin(connection, Recorder::new(options, progress), record) {
                Ok(scan) => {
                    tracing::warn!(reason = %forbidden, "SYNC is not allowed: the keys are read one after the other, not at one moment");
                    Ok(Began { output: Box::new(scan), read: Read { guarantee: Guarantee::NotAPointInTime, began } })
                }
                // Neither way is open: the better one is the one to ask for.
                Err(also) if also.is_forbidden() => Err(forbidden),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}
