//! Why a snapshot cannot be restored into a running server, and what to do about it.

use std::path::PathBuf;

use crate::source::redis::RedisError;
use crate::source::redis::cluster;
use crate::source::redis::connection::ConnectionError;
use crate::source::redis::rdb::EntryError;

/// Why a target is not ready, or did not take the snapshot.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be asked.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// It is where the backup came from.
    #[error("{target} is the very server that this backup was taken of")]
    IsSource {
        /// Which target.
        target: String,
    },
    /// It has something in it.
    #[error("{target} is not empty: it has {found}")]
    NotEmpty {
        /// Which target.
        target: String,
        /// What was found.
        found: String,
    },
    /// It takes no writes.
    #[error("{target} is a replica: it takes its data from its master alone")]
    IsReplica {
        /// Which target.
        target: String,
    },
    /// It is older than the snapshot.
    #[error("the backup is RDB version {snapshot} ({server}), {target} ({version}) reads up to version {known}")]
    TooOld {
        /// Which target.
        target: String,
        /// The target's version.
        version: String,
        /// The newest format that it reads.
        known: u32,
        /// The snapshot's format.
        snapshot: u32,
        /// The server that wrote it.
        server: String,
    },
    /// The snapshot's format is another product's.
    #[error(
        "the backup is RDB version {snapshot} ({server}), a format of the other product: {target} ({version}) does not read it"
    )]
    Foreign {
        /// Which target.
        target: String,
        /// The target's version.
        version: String,
        /// The snapshot's format.
        snapshot: u32,
        /// The server that wrote it.
        server: String,
    },
    /// It has no such database.
    #[error("{target} has no database {database}: {reason}")]
    NoDatabase {
        /// Which target.
        target: String,
        /// Which database.
        database: u64,
        /// What it said.
        reason: String,
    },
    /// It refused a key.
    #[error("{target} refused key \"{key}\": {reason}")]
    Key {
        /// Which target.
        target: String,
        /// Which key, escaped.
        key: String,
        /// What it said.
        reason: String,
    },
    /// It refused a function library.
    #[error("{target} refused a function library: {reason}")]
    Library {
        /// Which target.
        target: String,
        /// What it said.
        reason: String,
    },
    /// A key is too large to be held whole.
    #[error(
        "key \"{key}\" is larger than {limit} bytes: restore it with `guard restore --to DIR` and a server's own loading"
    )]
    KeyTooLarge {
        /// Which key.
        key: String,
        /// The bound.
        limit: usize,
    },
    /// The snapshot cannot be read.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Its file cannot be opened.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
}

impl LoadError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Redis(error) => return error.help(),
            Self::IsSource { .. } => "restore into another server, or say --over-source if that is what you want",
            Self::NotEmpty { .. } => {
                "restore into an empty server, or say --clean to replace the keys that the backup has"
            }
            Self::IsReplica { .. } => "name its master",
            Self::TooOld { .. } => "restore into a server at least as new as the source was",
            Self::Foreign { .. } => {
                "restore into a server of the source's product: Redis (since 7.4) and Valkey (since 9) do not read each other's formats"
            }
            Self::NoDatabase { .. } => "raise `databases` of the target, or put everything into one with --database",
            Self::Key { reason, .. } if reason.starts_with("BUSYKEY") => {
                "somebody else writes into the target: stop that, and say --clean to replace the keys that the backup has"
            }
            Self::Key { reason, .. } if reason.starts_with("OOM") => "raise maxmemory of the target",
            Self::Key { reason, .. } | Self::Library { reason, .. } if reason.starts_with("MISCONF") => {
                "the target cannot save its data, and so takes no writes: see its log, and INFO persistence"
            }
            Self::Key { reason, .. } | Self::Library { reason, .. } if reason.starts_with("NOPERM") => {
                "let the user run it: ACL SETUSER … ~* +restore +set +select +function +info"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl From<ConnectionError> for LoadError {
    fn from(error: ConnectionError) -> Self {
        Self::Redis(error.into())
    }
}

impl From<cluster::ClusterError> for LoadError {
    fn from(error: cluster::ClusterError) -> Self {
        Self::Redis(error.into())
    }
}
