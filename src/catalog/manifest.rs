//! `manifest.json`: the commit mark and the self-description of a backup. The format is in docs/format.md; only fields are added.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::CatalogError;
use super::alarm::Alarm;
use super::key::{BackupId, SourceName};
use super::redis::RedisFacts;
use crate::contents::Contents;
use crate::store::Key;
use crate::stream::{Hashed, SealedObject, SealedStream, StoredStream};

/// The newest major format version that this guard writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// What was stored, of what, when, and what it must contain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Major version of the format.
    pub format: u32,
    /// The repository's id, as in `guard.json`.
    pub repository: String,
    /// The backup.
    pub id: BackupId,
    /// The source it was taken of.
    pub source: SourceName,
    /// What the user calls the environment (`prod`), if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// When guard began.
    pub started: DateTime<Utc>,
    /// When the last part was stored.
    pub finished: DateTime<Utc>,
    /// The moment whose data this is: the clock that RPO counts from.
    pub consistent: ConsistentPoint,
    /// The version of guard that wrote it.
    pub guard: String,
    /// The programs that produced the streams.
    pub tools: Vec<Tool>,
    /// The run that made it; absent in backups of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunNote>,
    /// What kind of source, and what is known of it.
    pub facts: SourceFacts,
    /// The stored streams: the dump first, then what lies beside it.
    pub streams: Vec<StoredStreamEntry>,
    /// What the dump contains.
    pub contents: Contents,
    /// What it holds much less of than the backup before it; absent if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
    /// SHA-256 of this document with these 64 digits as zeros.
    pub sha256: String,
}

/// One run of guard: what every line of its log, its manifest and its evidence have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNote {
    /// Random.
    pub id: String,
    /// The slot of the schedule that it was for, as in the slot's key; absent if it was started by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
}

/// The moment of a backup's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistentPoint {
    /// By the source's clock.
    pub at: DateTime<Utc>,
    /// Its position: a WAL location or a replication offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `pg_dump`.
    pub name: String,
    /// As it prints it.
    pub version: String,
}

/// What is known of the source, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "a run holds one; a box would be one more allocation, no byte less")]
pub enum SourceFacts {
    /// One PostgreSQL database.
    Postgres(PostgresFacts),
    /// A Redis or Valkey server, or a cluster.
    Redis(RedisFacts),
}

/// What is known of a PostgreSQL database, read in the dump's own snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostgresFacts {
    /// The database's name.
    pub database: String,
    /// `server_version`, such as `15.20 (Debian …)`.
    pub server_version: String,
    /// The major version.
    pub major: u32,
    /// The cluster's identity, the same on its replicas; absent where the role may not read it.
    pub system_identifier: Option<String>,
    /// Whether the server was a standby.
    pub replica: bool,
    /// `pg_database_size` in bytes.
    pub size: u64,
    /// Server encoding.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// `lc_monetary`, if a column has the type `money`, whose text form depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monetary: Option<String>,
    /// Extensions and their versions.
    pub extensions: BTreeMap<String, String>,
    /// Roles that own something in it or are granted something.
    pub roles: Vec<String>,
    /// Those of them that are superusers: only such may own event triggers and foreign data wrappers.
    pub superusers: Vec<String>,
    /// Constraints that were `NOT VALID` in the source.
    pub unvalidated_constraints: Vec<String>,
    /// Partitioned indexes that were incomplete in the source.
    pub invalid_indexes: Vec<String>,
    /// Tables, schemas that the configuration left out or picked; empty for a whole database.
    pub selection: Vec<String>,
    /// The migrations that had run, by the layout whose tracking table says so (`prisma`, `sqlx`); absent in backups of older
    /// versions. It lets a gate without access to the database know what is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<BTreeMap<String, Vec<AppliedMigration>>>,
}

/// One row of a framework's tracking table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedMigration {
    /// The version as the framework stores it.
    pub version: String,
    /// The checksum as the framework stores it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Whether the row says that it did not run to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// One stored stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredStreamEntry {
    /// What it is: `dump` or `globals`.
    pub name: String,
    /// The file it is once opened: `orders.pgdump`.
    pub file: String,
    /// How it is compressed: `zstd:3`.
    pub codec: String,
    /// The age public keys it is encrypted to; empty for none.
    pub recipients: Vec<String>,
    /// The plain bytes.
    pub plain: Hashed,
    /// Its objects, to be concatenated in this order.
    pub objects: Vec<StoredObject>,
}

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Its key in the store.
    pub key: String,
    /// Its bytes.
    #[serde(flatten)]
    pub stored: Hashed,
}

/// Why bytes are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not of the format's shape.
    #[error("{0}")]
    Malformed(String),
    /// Its own hash does not fit.
    #[error("its own sha256 does not fit: it was edited or damaged after the backup")]
    Edited,
    /// A newer major version.
    #[error("it has format version {0}")]
    Newer(u32),
}

const ZERO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Manifest {
    /// Reads and checks a stored manifest.
    pub fn parse(body: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
            sha256: String,
        }
        let malformed = |error: serde_json::Error| ManifestError::Malformed(error.to_string());
        let head: Head = serde_json::from_slice(body).map_err(malformed)?;
        if head.format > FORMAT_VERSION {
            return Err(ManifestError::Newer(head.format));
        }
        let text = std::str::from_utf8(body).map_err(|error| ManifestError::Malformed(error.to_string()))?;
        let digest_is_hex =
            head.sha256.len() == ZERO_DIGEST.len() && head.sha256.bytes().all(|b| b.is_ascii_hexdigit());
        if !digest_is_hex || text.matches(&head.sha256).count() != 1 {
            return Err(ManifestError::Edited);
        }
        let blanked = text.replacen(&head.sha256, ZERO_DIGEST, 1);
        if Hashed::of(blanked.as_bytes()).sha256.to_string() != head.sha256 {
            return Err(ManifestError::Edited);
        }
        let manifest: Self = serde_json::from_slice(body).map_err(malformed)?;
        manifest.dump()?;
        manifest.object_keys()?;
        Ok(manifest)
    }

    /// Fills in the document's own hash. To be called once, when everything else is set.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        ZERO_DIGEST.clone_into(&mut self.sha256);
        self.sha256 = Hashed::of(&self.to_bytes()).sha256.to_string();
        self
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Bytes {
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest has string keys and finite numbers");
        text.push(b'\n');
        text.into()
    }

    /// The document's own hash: what evidence refers to.
    pub fn digest(&self) -> &str {
        &self.sha256
    }

    /// The stream that holds the data.
    pub fn dump(&self) -> Result<&StoredStreamEntry, ManifestError> {
        self.streams.first().ok_or_else(|| ManifestError::Malformed("it lists no stream".to_owned()))
    }

    /// The streams that hold data: one, or one a shard.
    pub fn data_streams(&self) -> impl Iterator<Item = &StoredStreamEntry> {
        self.streams.iter().filter(|stream| stream.holds_data())
    }

    /// Bytes of the data before compression.
    pub fn data_bytes(&self) -> u64 {
        self.data_streams().map(|stream| stream.plain.bytes).sum()
    }

    /// The keys of all objects. Fails if one is no key: the manifest came from elsewhere.
    pub fn object_keys(&self) -> Result<Vec<Key>, ManifestError> {
        let objects = self.streams.iter().flat_map(|stream| &stream.objects);
        objects.map(|object| object.key.parse().map_err(|error| ManifestError::Malformed(format!("{error}")))).collect()
    }

    /// Bytes in the store, of all streams.
    pub fn stored_bytes(&self) -> u64 {
        self.streams.iter().flat_map(|stream| &stream.objects).map(|object| object.stored.bytes).sum()
    }

    /// Bytes before compression, of all streams.
    pub fn plain_bytes(&self) -> u64 {
        self.streams.iter().map(|stream| stream.plain.bytes).sum()
    }

    /// What is known of the PostgreSQL database, if it is one.
    pub fn postgres(&self) -> Option<&PostgresFacts> {
        match &self.facts {
            SourceFacts::Postgres(facts) => Some(facts),
            SourceFacts::Redis(_) => None,
        }
    }

    /// What was picked or left out of a database on purpose; empty for the whole.
    pub fn selection(&self) -> &[String] {
        self.postgres().map_or(&[], |facts| &facts.selection)
    }

    /// What is known of the Redis source, if it is one.
    pub fn redis(&self) -> Option<&RedisFacts> {
        match &self.facts {
            SourceFacts::Redis(facts) => Some(facts),
            SourceFacts::Postgres(_) => None,
        }
    }
}

impl SourceFacts {
    /// The kind of source, as in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Redis(_) => "redis",
        }
    }

    /// What was backed up, for people.
    pub fn subject(&self) -> String {
        match self {
            Self::Postgres(facts) => format!("{} of PostgreSQL {}", facts.database, facts.server_version),
            Self::Redis(facts) => facts.subject(),
        }
    }
}

impl RunNote {
    /// A new run.
    pub fn new(slot: Option<String>) -> Self {
        Self { id: format!("{:08x}", rand::random::<u32>()), slot }
    }
}

impl ManifestError {
    /// As an error about the document at `key`.
    pub fn at(self, key: Key) -> CatalogError {
        match self {
            Self::Newer(found) => CatalogError::NewerFormat { key, found },
            Self::Malformed(_) | Self::Edited => CatalogError::Untrusted { key, reason: self.to_string() },
        }
    }
}

impl StoredStreamEntry {
    /// The entry of a stream that was just stored.
    pub fn new(name: &str, file: &str, codec: String, recipients: Vec<String>, stream: &SealedStream) -> Self {
        let objects = stream.objects.iter();
        let objects =
            objects.map(|object| StoredObject { key: object.key.to_string(), stored: object.stored }).collect();
        Self { name: name.to_owned(), file: file.to_owned(), codec, recipients, plain: stream.plain, objects }
    }

    /// What a reader of the stream needs. Fails if a key is none: the manifest came from elsewhere.
    pub fn stored(&self) -> Result<StoredStream, ManifestError> {
        let object = |object: &StoredObject| {
            let key = object.key.parse().map_err(|error| ManifestError::Malformed(format!("{error}")))?;
            Ok(SealedObject { key, stored: object.stored })
        };
        Ok(StoredStream {
            objects: self.objects.iter().map(object).collect::<Result<_, ManifestError>>()?,
            plain: self.plain,
            encrypted: !self.recipients.is_empty(),
        })
    }

    /// Whether it holds the data, or something that lies beside it.
    pub fn holds_data(&self) -> bool {
        self.name == "dump" || self.name.starts_with("dump-")
    }

    /// Bytes in the store.
    pub fn stored_bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.stored.bytes).sum()
    }
}
