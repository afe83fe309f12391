//! What can be dumped, loaded and compared; the closed list of kinds.
//!
//! A kind of source is a variant here and a module below. Everything above asks through these types, so a new kind touches
//! its own module and this list.

use std::io::Read;

use crate::catalog::{BackupId, ConsistentPoint, SourceFacts, SourceName, Tool};
use crate::contents::Contents;

pub mod child;
pub mod postgres;
pub mod redis;

use child::{ChildError, OwnedChild};
use postgres::{OpenDatabase, PostgresError, PostgresSource};

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

/// A stream of a source: bytes that mean nothing until the child behind them has exited well.
pub struct Dump {
    /// The bytes.
    pub output: Box<dyn Read + Send>,
    /// What writes them.
    pub child: OwnedChild,
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

    /// Starts the stream that holds the data.
    pub fn start_dump(&self) -> Result<Dump, SourceError> {
        let Self::Postgres(database) = self;
        let (child, output) = database.start_dump()?;
        Ok(Dump { output: Box::new(output), child })
    }

    /// Starts the stream that lies beside it, if there is one.
    pub fn start_globals(&self) -> Result<Option<Dump>, SourceError> {
        let Self::Postgres(database) = self;
        let Some(started) = database.start_globals() else { return Ok(None) };
        let (child, output) = started?;
        Ok(Some(Dump { output: Box::new(output), child }))
    }

    /// Returns only once the dump must give way to the source's own users.
    pub async fn must_give_way(&self) -> SourceError {
        let Self::Postgres(database) = self;
        database.blocked_others().await.into()
    }

    /// Does the record hold everything that the source's own catalogue names?
    pub fn check(&self, contents: &Contents) -> Result<(), SourceError> {
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
