//! What a manifest says of a Redis or Valkey source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is known of a server, or of the masters of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisFacts {
    /// The program: `redis` or `valkey`.
    pub server: String,
    /// Its version.
    pub server_version: String,
    /// The version of the RDB: a server must know it to load the backup.
    pub rdb_version: u32,
    /// Whether it is a cluster.
    pub cluster: bool,
    /// Whether the data is of one moment.
    pub guarantee: Guarantee,
    /// Bytes that the data has in the server's memory, as far as it says; 0 if it does not.
    pub size: u64,
    /// Modules that were loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// One server, or each master of a cluster, in the order of the streams.
    pub shards: Vec<RedisShard>,
}

/// Whether a stream's data is of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guarantee {
    /// A snapshot of each server at one moment.
    #[default]
    PointInTime,
    /// The keys were read one after the other while the server went on.
    NotAPointInTime,
}

/// One server that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisShard {
    /// The stream that holds its data.
    pub stream: String,
    /// Where it listened.
    pub address: String,
    /// `master` or `slave`, as it said; empty if it did not.
    pub role: String,
    /// The identity of the running server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The identity of its history, the same on its replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_id: Option<String>,
    /// How far in that history the data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_offset: Option<u64>,
    /// The moment of its data by its own clock: of the snapshot, or of the first key that was read.
    pub at: DateTime<Utc>,
    /// How it was read: `sync`, or `scan` where that is forbidden.
    pub method: String,
    /// Its id in the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its slots, as `0-5460`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<String>,
}

impl RedisFacts {
    /// What was backed up, for people.
    pub fn subject(&self) -> String {
        let product = if self.server == "valkey" { "Valkey" } else { "Redis" };
        let version = &self.server_version;
        match self.shards.as_slice() {
            shards if self.cluster => format!("a cluster of {} masters of {product} {version}", shards.len()),
            [shard] => format!("{product} {version} at {}", shard.address),
            _ => format!("{product} {version}"),
        }
    }
}

impl Guarantee {
    /// What it means, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PointInTime => "a snapshot of one moment",
            Self::NotAPointInTime => {
                "not of one moment: the server forbids SYNC, so its keys were read one after the other while it went on"
            }
        }
    }
}
