//! Why a rehearsal could not be held. What is wrong with a migration is no error: it is the answer.

use migrations_lint::layout::Layout;

use crate::catalog::{BackupId, CatalogError};
use crate::restore::RestoreError;
use crate::source::postgres::connection::ConnectionError;
use crate::source::postgres::load::LoadError;
use crate::source::postgres::scratch::ScratchError as PostgresScratchError;
use crate::source::postgres::session::SessionError;
use crate::source::scratch::ScratchError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The backup could not be fetched or opened.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// There is no scratch, or it could not be used.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The scratch server refused a step of guard's own.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No session with the copy.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// An address is odd.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The record could not be kept.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A question of guard's own was refused by the copy.
    #[error("{attempt} failed on the copy: {reason}")]
    Query {
        /// What was asked.
        attempt: &'static str,
        /// Why.
        #[source]
        reason: sqlx::Error,
    },
    /// The backup came back with errors.
    #[error("the backup {backup} could not be restored to scratch: {detail}")]
    NotRestored {
        /// The backup.
        backup: BackupId,
        /// What pg_restore said.
        detail: String,
    },
    /// Only SQL databases have migrations.
    #[error("the backup {0} is not of a PostgreSQL database")]
    NotPostgres(BackupId),
    /// A masked column is not there: a copy for people would have what it must not have.
    #[error("rehearse.mask names {column}, which the copy does not have; the copy was not kept")]
    NothingToMask {
        /// The column.
        column: String,
    },
    /// A mask could not be applied.
    #[error("masking {column} failed, so the copy was not kept: {reason}")]
    Mask {
        /// The column.
        column: String,
        /// Why.
        reason: sqlx::Error,
    },
    /// A kept copy that guard did not make.
    #[error("{database} is not a copy that `guard rehearse --keep` left: it does not say which backup it is of")]
    NotACopy {
        /// The database.
        database: String,
    },
    /// A kept copy of another backup than the one that was asked for.
    #[error("{database} is a copy of {found}, not of {wanted}")]
    OtherCopy {
        /// The database.
        database: String,
        /// What it is a copy of.
        found: String,
        /// What was asked for.
        wanted: BackupId,
    },
    /// A statement that reaches beyond the copy, on a server that is not a throw-away one.
    #[error("{file}:{line} changes what all databases of the scratch server share, and others use that server")]
    ServerWide {
        /// The file.
        file: String,
        /// The line.
        line: u64,
    },
    /// The framework's table is there and cannot be read.
    #[error("the table in which {} keeps what it has run cannot be read: {reason}", layout.as_str())]
    History {
        /// The framework.
        layout: Layout,
        /// Why.
        reason: sqlx::Error,
    },
}

impl RehearseError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Restore(error) => error.help(),
            Self::Scratch(error) => error.help(),
            Self::Load(error) => error.help(),
            Self::Session(error) => error.help().map(str::to_owned),
            Self::NotRestored { .. } => Some("see what `guard restore --to scratch` finds".to_owned()),
            Self::NotPostgres(_) => Some("name a source of migrations with --source".to_owned()),
            Self::NothingToMask { .. } => {
                Some("correct [rehearse.mask]: \"schema.table.column\", as the database writes them".to_owned())
            }
            Self::NotACopy { .. } | Self::OtherCopy { .. } => {
                Some("leave --copy out: the newest backup is then restored".to_owned())
            }
            Self::ServerWide { .. } => Some("leave scratch.url out: a throw-away cluster is then used".to_owned()),
            _ => None,
        }
    }
}

impl From<PostgresScratchError> for RehearseError {
    fn from(error: PostgresScratchError) -> Self {
        Self::Scratch(error.into())
    }
}

/// Names a question of guard's own.
pub(super) fn asked(attempt: &'static str) -> impl Fn(sqlx::Error) -> RehearseError + Copy {
    move |reason| RehearseError::Query { attempt, reason }
}
