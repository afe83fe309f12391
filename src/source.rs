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

/// Something to back up.
#[derive(Debug, Clone)]
pub enum Source {
    /// One PostgreSQL database.
    Postgres(PostgresSource),
}

/// A source opened at one moment of its data.
#[derive(Debug)]
pub enum OpenSource {
    /// One PostgreSQL database.
    Postgres(OpenDatabase),
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
pub enum Writer {
    /// A child: the end of its output means nothing before its exit status is 0.
    Child(OwnedChild),
}

/// Why a source could not be dumped.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// PostgreSQL's reasons.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A child's reasons.
    #[error(transparent)]
    Child(#[from] ChildError),
}

impl Source {
    /// Its name in the repository.
    pub fn name(&self) -> &SourceName {
        let Self::Postgres(source) = self;
        &source.name
    }

    /// Connects and pins the moment.
    pub async fn open(&self, id: &BackupId) -> Result<OpenSource, SourceError> {
        let Self::Postgres(source) = self;
        Ok(OpenSource::Postgres(source.open(id).await?))
    }
}

impl OpenSource {
    /// What is known of it.
    pub fn facts(&self) -> SourceFacts {
        let Self::Postgres(database) = self;
        SourceFacts::Postgres(database.facts())
    }

    /// Has the source itself keep others of guard's runs out until this one ends: where the store's leases cannot be relied
    /// on. A kind without a lock of its own must refuse here.
    pub async fn lock(&mut self, name: &str) -> Result<(), SourceError> {
        let Self::Postgres(database) = self;
        Ok(database.lock(name).await?)
    }

    /// Roughly how many bytes its dump will have.
    pub fn estimate(&self) -> u64 {
        let Self::Postgres(database) = self;
        database.facts().size
    }

    /// The moment of its data.
    pub fn consistent(&self) -> ConsistentPoint {
        let Self::Postgres(database) = self;
        database.consistent().clone()
    }

    /// The programs that dump it.
    pub fn tools(&self) -> Vec<Tool> {
        let Self::Postgres(database) = self;
        vec![database.tool()]
    }

    /// The streams that make a whole backup of it, those that hold data first.
    pub fn streams(&self) -> Vec<StreamName> {
        let Self::Postgres(database) = self;
        database.streams()
    }

    /// Starts one of them.
    pub async fn start(&self, stream: &StreamName, progress: &Arc<Progress>) -> Result<Dump, SourceError> {
        let Self::Postgres(database) = self;
        Ok(database.start(stream, progress)?)
    }

    /// Returns only once the dump must give way to the source's own users.
    pub async fn must_give_way(&self) -> SourceError {
        let Self::Postgres(database) = self;
        database.blocked_others().await.into()
    }

    /// Does the record hold everything that the source itself says it must hold?
    pub async fn check(&self, contents: &Contents) -> Result<(), SourceError> {
        let Self::Postgres(database) = self;
        Ok(database.check(contents)?)
    }

    /// Ends what a failed dump left on the server.
    pub async fn abandon(self) {
        let Self::Postgres(database) = self;
        database.abandon().await;
    }

    /// Lets go of the moment.
    pub async fn close(self) {
        let Self::Postgres(database) = self;
        database.close().await;
    }
}

impl Writer {
    /// Waits for its end; a bad one is an error.
    pub async fn finish(self) -> Result<(), SourceError> {
        let Self::Child(child) = self;
        Ok(child.finish().await?)
    }
}

impl SourceError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Postgres(PostgresError::Client(error)) => Some(error.help()),
            Self::Postgres(PostgresError::Session(error)) => error.help().map(str::to_owned),
            Self::Postgres(_) | Self::Child(_) => None,
        }
    }

    /// Whether trying again a little later may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Postgres(PostgresError::BlockedOthers(_)))
    }
}
