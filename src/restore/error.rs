//! Why a restore did not happen, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::RestoreOrder;
use crate::catalog::ManifestError;
use crate::source::child::ChildError;
use crate::source::postgres::PostgresError;
use crate::source::postgres::client::ClientError;
use crate::source::postgres::load::LoadError;
use crate::source::postgres::pick::NoSuchTable;
use crate::source::postgres::record::RecordError;
use crate::source::recorder::RecorderError;
use crate::source::redis;
use crate::store::StoreError;
use crate::stream::OpenError;

/// Why a restore did not happen, or did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The stored streams are not what was stored, or cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The manifest is odd.
    #[error("the manifest of {backup} cannot be used: {reason}")]
    Manifest {
        /// Which backup.
        backup: String,
        /// Why.
        reason: String,
    },
    /// The opened archive is not whole.
    #[error("the backup's archive is not whole: {0}")]
    Archive(#[from] RecorderError),
    /// A temporary or target file could not be written.
    #[error("cannot write {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// The disk is too small.
    #[error("{dir} has {available} bytes free, the restore needs about {needed}")]
    NoSpace {
        /// Which directory.
        dir: PathBuf,
        /// Free bytes.
        available: u64,
        /// Needed bytes.
        needed: u64,
    },
    /// The target directory has something in it.
    #[error("{0} exists and is not an empty directory")]
    DirectoryNotEmpty(PathBuf),
    /// The target is the source.
    #[error("{target} is the very database that this backup was taken of")]
    TargetIsSource {
        /// Which target.
        target: String,
    },
    /// Everything would be dropped for a backup that holds a part.
    #[error(
        "the backup holds only a part of its database ({selection}): {flag} would drop the rest of {target} for good"
    )]
    OnlyAPart {
        /// What `pg_dump` was told to pick or to leave out.
        selection: String,
        /// `--replace`, or `--clean` of what is defined in the backup without its rows.
        flag: &'static str,
        /// Which target.
        target: String,
    },
    /// The target is another kind of server than the source was.
    #[error("the backup is of {subject}: it cannot be restored into {target}")]
    OtherKind {
        /// What was backed up.
        subject: String,
        /// Which target.
        target: String,
    },
    /// The target's server is older than the dump.
    #[error(
        "the backup was made with pg_dump {dump}, the target is PostgreSQL {target}: an older server cannot take it"
    )]
    TargetTooOld {
        /// The dump's major version.
        dump: u32,
        /// The target's.
        target: u32,
    },
    /// The asked-for tables are not in the backup.
    #[error(transparent)]
    NoSuchTable(#[from] NoSuchTable),
    /// The target could not be dumped, to list or to compare it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The target could not be opened for the comparison.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// pg_restore was content, and yet something is not as it was dumped.
    #[error("{target} was restored, but it is not what was dumped: {first} ({n_differences} differences)")]
    ContentsDiffer {
        /// Which target.
        target: String,
        /// The first difference.
        first: String,
        /// How many there are.
        n_differences: usize,
    },
    /// No suitable client programs.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The target is not ready, or did not take it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The same of a Redis server.
    #[error(transparent)]
    Redis(#[from] redis::load::LoadError),
    /// A thread died.
    #[error("restoring failed: {0}")]
    Thread(String),
}

impl RestoreError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Load(error) => error.help(),
            Self::Redis(error) => error.help(),
            Self::OnlyAPart { flag: "--clean", .. } => {
                Some("restore into a new database with --create, and copy from there".to_owned())
            }
            Self::OnlyAPart { .. } => Some(
                "say --clean, which drops only what the backup has, or restore into a new database with --create"
                    .to_owned(),
            ),
            Self::OtherKind { .. } => Some("name a server of the same kind, or a directory".to_owned()),
            Self::Client(error) => Some(error.help()),
            Self::NoSpace { .. } => Some("set scratch.dir to a directory on a larger disk".to_owned()),
            Self::TargetIsSource { .. } => {
                Some("restore into another database, or say --over-source if that is what you want".to_owned())
            }
            Self::TargetTooOld { dump, .. } => Some(format!("restore into PostgreSQL {dump} or newer")),
            Self::DirectoryNotEmpty(_) => Some("name a directory that does not exist yet".to_owned()),
            Self::Open(OpenError::IdentityNeeded | OpenError::WrongIdentity) => {
                Some("give the private key with --identity FILE (or encryption.identity in the config)".to_owned())
            }
            _ => None,
        }
    }
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

impl From<ChildError> for RestoreError {
    fn from(error: ChildError) -> Self {
        Self::Load(error.into())
    }
}

pub(super) fn refused(order: &RestoreOrder<'_>, error: &ManifestError) -> RestoreError {
    unusable(order, &error.to_string())
}

/// What is known of the source, if it is of the kind that the target is.
pub(super) fn of_kind<'a, T>(
    order: &RestoreOrder<'a>,
    facts: Option<&'a T>,
    target: &str,
) -> Result<&'a T, RestoreError> {
    let subject = || order.backup.manifest.facts.subject();
    facts.ok_or_else(|| RestoreError::OtherKind { subject: subject(), target: target.to_owned() })
}

pub(super) fn unusable(order: &RestoreOrder<'_>, reason: &str) -> RestoreError {
    RestoreError::Manifest { backup: order.backup.keys.folder().to_string(), reason: reason.to_owned() }
}
