//! What can be dumped, loaded and compared; the closed list of kinds.
//!
//! A kind of source is a variant here and a module below. Everything above asks through these types, so a new kind touches
//! its own module and this list.

use std::io::Read;
use std::sync::Arc;

use crate::catalog::{BackupId, ConsistentPoint, SourceFacts, SourceName, Tool};
use crate::contents::Contents;
use crate::progress::Progress;

pub mod child;
pub mod postgres;
pub mod recorder;
pub mod redis;
pub mod scratch;

use child::{ChildError, OwnedChild};
use postgres::{OpenDatabase, PostgresError, PostgresSource};
use recorder::Recorder;
use redis::{OpenKeyspace, RedisError, RedisSource};

/// Something to back up.
#[derive(Debug, Clone)]
pub enum Source {
    /// One PostgreSQL database.
    Postgres(PostgresSource),
    /// A Redis or Valkey server, or a cluster.
    Redis(RedisSource),
}

/// A source opened at one moment of its data.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a run holds one; a box would be one more allocation, no byte less")]
pub enum OpenSource {
    /// One PostgreSQL database.
    Postgres(OpenDatabase),
    /// A Redis or Valkey server, or a cluster.
    Redis(OpenKeyspace),
}

/// A stream's name in the manifest and its file's name once opened. Streams that hold data are called `dump` or `dump-…`;
/// they come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamName {
    /// In the manifest.
    pub name: String,
    /// Once opened.
    pub file: String,
}

/// A started stream of a source: bytes that mean nothing until whoever writes them has ended well.
pub struct Dump {
    /// The bytes.
    pub output: Box<dyn Read + Send>,
    /// What is to look at them as they pass.
    pub recorder: Recorder,
    /// What writes them.
    pub writer: Writer,
}

/// What writes a dump.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a run holds one; a box would be one more allocation, no byte less")]
pub enum Writer {
    /// A child: the end of its output means nothing before its exit status is 0.
    Child(OwnedChild),
    /// A server, over a connection that tells a good end from a bad one by itself.
    Server,
}

/// Why a source could not be dumped.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// PostgreSQL's reasons.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// Redis's reasons.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// A child's reasons.
    #[error(transparent)]
    Child(#[from] ChildError),
}

impl Source {
    /// Its name in the repository.
    pub fn name(&self) -> &SourceName {
        match self {
            Self::Postgres(source) => &source.name,
            Self::Redis(source) => &source.name,
        }
    }

    /// Connects and, where its kind can, pins the moment.
    pub async fn open(&self, id: &BackupId) -> Result<OpenSource, SourceError> {
        match self {
            Self::Postgres(source) => Ok(OpenSource::Postgres(source.open(id).await?)),
            Self::Redis(source) => Ok(OpenSource::Redis(source.open(id).await?)),
        }
    }
}

impl OpenSource {
    /// What is known of it; whole only once all its streams were read.
    pub fn facts(&self) -> SourceFacts {
        match self {
            Self::Postgres(database) => SourceFacts::Postgres(database.facts()),
            Self::Redis(keyspace) => SourceFacts::Redis(keyspace.facts()),
        }
    }

    /// Has the source itself keep others of guard's runs out until this one ends: where the store's leases cannot be relied
    /// on. A kind without a lock of its own must refuse here.
    pub async fn lock(&mut self, name: &str) -> Result<(), SourceError> {
        match self {
            Self::Postgres(database) => Ok(database.lock(name).await?),
            Self::Redis(keyspace) => Err(keyspace.no_lock().into()),
        }
    }

    /// Roughly how many bytes its dump will have.
    pub fn estimate(&self) -> u64 {
        match self {
            Self::Postgres(database) => database.facts().size,
            Self::Redis(keyspace) => keyspace.estimate(),
        }
    }

    /// The moment of its data; known only once all its streams were read.
    pub fn consistent(&self) -> ConsistentPoint {
        match self {
            Self::Postgres(database) => database.consistent().clone(),
            Self::Redis(keyspace) => keyspace.consistent(),
        }
    }

    /// The programs that dump it.
    pub fn tools(&self) -> Vec<Tool> {
        match self {
            Self::Postgres(database) => vec![database.tool()],
            Self::Redis(_) => vec![OpenKeyspace::tool()],
        }
    }

    /// The streams that make a whole backup of it, those that hold data first.
    pub fn streams(&self) -> Vec<StreamName> {
        match self {
            Self::Postgres(database) => database.streams(),
            Self::Redis(keyspace) => keyspace.streams(),
        }
    }

    /// Starts one of them.
    pub async fn start(&self, stream: &StreamName, progress: &Arc<Progress>) -> Result<Dump, SourceError> {
        match self {
            Self::Postgres(database) => Ok(database.start(stream, progress)?),
            Self::Redis(keyspace) => Ok(keyspace.start(stream, progress).await?),
        }
    }

    /// Returns only once the dump must give way to the source's own users.
    pub async fn must_give_way(&self) -> SourceError {
        match self {
            Self::Postgres(database) => database.blocked_others().await.into(),
            // A snapshot is a fork's: nobody waits for it.
            Self::Redis(_) => std::future::pending().await,
        }
    }

    /// Is the record, and the source by now, what the source said when it was opened?
    pub async fn check(&self, contents: &Contents) -> Result<(), SourceError> {
        match self {
            Self::Postgres(database) => Ok(database.check(contents)?),
            Self::Redis(keyspace) => Ok(keyspace.check().await?),
        }
    }

    /// Ends what a failed dump left on the server.
    pub async fn abandon(self) {
        match self {
            Self::Postgres(database) => database.abandon().await,
            Self::Redis(keyspace) => keyspace.close(),
        }
    }

    /// Lets go of it.
    pub async fn close(self) {
        match self {
            Self::Postgres(database) => database.close().await,
            Self::Redis(keyspace) => keyspace.close(),
        }
    }
}

impl Writer {
    /// Waits for its end; a bad one is an error.
    pub async fn finish(self) -> Result<(), SourceError> {
        match self {
            Self::Child(child) => Ok(child.finish().await?),
            Self::Server => Ok(()),
        }
    }
}

impl SourceError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Postgres(PostgresError::Client(error)) => Some(error.help()),
            Self::Postgres(PostgresError::Session(error)) => error.help().map(str::to_owned),
            Self::Redis(error) => error.help(),
            Self::Postgres(_) | Self::Child(_) => None,
        }
    }

    /// Whether trying again a little later may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Postgres(error) => matches!(error, PostgresError::BlockedOthers(_)),
            Self::Redis(error) => error.is_passing(),
            Self::Child(_) => false,
        }
    }

    /// The stable code of it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Postgres(PostgresError::BlockedOthers(_)) => "blocked-others",
            Self::Postgres(PostgresError::Busy { .. }) => "busy",
            Self::Redis(error) if error.is_passing() => "cluster-moving",
            _ => "source-failed",
        }
    }
}
