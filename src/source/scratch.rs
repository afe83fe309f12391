//! The throw-away copy of a test restore, of any kind: made, loaded, recorded, looked at, removed.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::ChildError;
use super::postgres::PostgresError;
use super::postgres::client::ClientSearch;
use super::postgres::load::{LoadError, LoadOptions, restore};
use super::postgres::record::RecordError;
use super::postgres::scratch::{self as postgres, ScratchPlace};
use super::postgres::structure::Structure;
use super::redis::scratch as redis;
use crate::catalog::{Manifest, SourceFacts};
use crate::contents::Contents;
use crate::contents::keyspace::Keyspace;
use crate::progress::Progress;

/// An empty home for a backup, that nobody else uses.
#[derive(Debug)]
pub enum Scratch {
    /// A PostgreSQL database.
    Postgres(Box<postgres::Scratch>),
    /// Redis servers.
    Redis(Box<redis::Scratch>),
}

/// Where a scratch is made and with which programs.
#[derive(Debug, Clone, Copy)]
pub struct ScratchSettings<'a> {
    /// Where PostgreSQL databases are made.
    pub place: &'a ScratchPlace,
    /// Where programs may be.
    pub client: &'a ClientSearch,
    /// Where Redis servers have their directories.
    pub dir: Option<&'a Path>,
}

/// What was found in a scratch, and how long that took.
#[derive(Debug)]
pub struct Examined {
    /// The record of the copy.
    pub contents: Contents,
    /// How long it took to dump and record it.
    pub record_time: Duration,
    /// Whether it is sound beneath its contents: the figures, or what is wrong.
    pub structure: Result<Result<String, String>, ScratchError>,
    /// How long it took to look.
    pub structure_time: Duration,
}

/// Why there is no scratch, or why it could not be used. Not the backup's fault.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum ScratchError {
    /// There is no PostgreSQL scratch database.
    Make(#[from] postgres::ScratchError),
    /// It could not be asked.
    Load(#[from] LoadError),
    /// It could not be opened as a source.
    Open(#[from] PostgresError),
    /// It could not be dumped.
    Record(#[from] RecordError),
    /// There is no Redis server, or it could not be asked.
    Redis(#[from] redis::ScratchError),
}

impl ScratchError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Make(error) => error.help(),
            Self::Load(error) => error.help(),
            Self::Redis(error) => error.help(),
            Self::Open(_) | Self::Record(_) => None,
        }
    }
}

impl Scratch {
    /// Makes an empty one for a backup.
    pub async fn make(settings: ScratchSettings<'_>, manifest: &Manifest) -> Result<Self, ScratchError> {
        match &manifest.facts {
            SourceFacts::Postgres(facts) => {
                let scratch = postgres::Scratch::make(settings.place, manifest, facts, settings.client).await?;
                Ok(Self::Postgres(Box::new(scratch)))
            }
            SourceFacts::Redis(facts) => {
                let parent = settings.dir.map_or_else(std::env::temp_dir, Path::to_owned);
                let programs = settings.client.dir.as_deref();
                let scratch = redis::Scratch::make(manifest, facts, programs, parent).await?;
                Ok(Self::Redis(Box::new(scratch)))
            }
        }
    }

    /// Loads the backup's data streams. What the server says against them is the backup's fault, and no error.
    pub async fn load(
        &self,
        manifest: &Manifest,
        files: &[PathBuf],
        jobs: NonZeroU32,
    ) -> Result<Result<String, String>, ScratchError> {
        match self {
            Self::Postgres(scratch) => Ok(load_postgres(scratch, &manifest.contents, files, jobs).await?),
            Self::Redis(scratch) => Ok(scratch.load(files, &keyspace(&manifest.contents)).await?),
        }
    }

    /// Changes it on purpose, to show that the proof notices.
    pub async fn damage(&self, statement: &str) -> Result<(), ScratchError> {
        match self {
            Self::Postgres(scratch) => Ok(scratch.damage(statement).await?),
            Self::Redis(scratch) => Ok(scratch.damage(statement).await?),
        }
    }

    /// Dumps it by the same code as the source was, for its record, and looks beneath that.
    pub async fn examine(&self, manifest: &Manifest, progress: &Arc<Progress>) -> Result<Examined, ScratchError> {
        match self {
            Self::Postgres(scratch) => examine_postgres(scratch, &manifest.contents, progress).await,
            Self::Redis(scratch) => examine_redis(scratch, progress).await,
        }
    }

    /// Whether its server has other tenants, whose roles are not ours to make.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Postgres(scratch) => scratch.is_shared(),
            Self::Redis(_) => false,
        }
    }

    /// What it is, for the evidence.
    pub fn describe(&self) -> String {
        match self {
            Self::Postgres(scratch) => scratch.describe(),
            Self::Redis(scratch) => scratch.describe(),
        }
    }

    /// Removes it.
    pub async fn stop(self) {
        match self {
            Self::Postgres(scratch) => scratch.stop().await,
            Self::Redis(scratch) => scratch.stop().await,
        }
    }

    /// Leaves it to the user; returns its address.
    pub async fn keep(self) -> Result<String, ScratchError> {
        match self {
            Self::Postgres(scratch) => Ok(scratch.keep().await?),
            Self::Redis(scratch) => Ok(scratch.keep().await?),
        }
    }
}

async fn load_postgres(
    scratch: &postgres::Scratch,
    contents: &Contents,
    files: &[PathBuf],
    jobs: NonZeroU32,
) -> Result<Result<String, String>, LoadError> {
    let facts = scratch.facts();
    let notes = scratch.prepare(facts, contents).await?;
    let options = LoadOptions {
        jobs,
        clean: false,
        schema_only: false,
        without_roles: scratch.is_shared(),
        without_tablespaces: true,
        // Workers enough for every processor of this machine would only get into each other's way.
        index_helpers: (!scratch.is_shared()).then(|| (processors() / jobs.get() as usize).saturating_sub(1)),
        list: None,
    };
    for archive in files {
        match restore(scratch.tools(), scratch.connection(), archive, facts, &options).await {
            Ok(()) => {}
            Err(LoadError::Restore(error @ ChildError::Failed { .. })) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    let notes: String = notes.iter().map(|note| format!("; {note}")).collect();
    Ok(Ok(format!("pg_restore ended without an error{notes}")))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

async fn examine_postgres(
    scratch: &postgres::Scratch,
    expected: &Contents,
    progress: &Arc<Progress>,
) -> Result<Examined, ScratchError> {
    let facts = scratch.facts();
    let copy = scratch.open(facts).await?;
    let ((contents, record_time), (structure, structure_time)) =
        tokio::join!(timed(copy.record(expected, progress)), timed(scratch.structure(facts)));
    copy.close().await;
    let verdict =
        |found: Structure| found.unsound.first().map_or_else(|| Ok(found.detail()), |first| Err(first.clone()));
    let structure = structure.map(verdict).map_err(ScratchError::from);
    Ok(Examined { contents: contents?, record_time, structure, structure_time })
}

async fn examine_redis(scratch: &redis::Scratch, progress: &Arc<Progress>) -> Result<Examined, ScratchError> {
    let (found, record_time) = timed(scratch.record(progress)).await;
    let found = found?;
    // What differs was told by then; here the server is asked whether it can use what it has.
    let (structure, structure_time) = timed(scratch.structure(&found)).await;
    let structure = structure.map_err(ScratchError::from);
    let contents = Contents { keyspace: Some(found), ..Contents::default() };
    Ok(Examined { contents, record_time, structure, structure_time })
}

fn keyspace(contents: &Contents) -> Keyspace {
    contents.keyspace.clone().unwrap_or_default()
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (work.await, began.elapsed())
}
