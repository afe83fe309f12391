//! A chosen backup back to where it is wanted: into a database or a server, or as plain files into a directory.
//!
//! A stream is known good only at its end, so nothing reaches an existing database before the whole stream was read and
//! matched: it is spooled to a private temporary file first (`pg_restore --jobs` needs one that can seek anyway).

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{Catalog, CompleteBackup, PostgresFacts};
use crate::contents::differences;
use crate::progress::Progress;
use crate::source::postgres::PostgresSource;
use crate::source::postgres::client::{ClientSearch, ClientTools};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::{LoadOptions, Target, restore};
use crate::stream::Identities;

mod error;
mod keyspace;
mod spool;
mod target;

pub use error::RestoreError;
pub use keyspace::{KeyspaceTarget, RestoredKeys, restore_to_server};
pub use spool::{Reading, Spooled, check_other_streams, spool, sweep_leftovers};

use error::{of_kind, unusable};
use spool::{FileTap, assert_space, open_stream};
use target::{Presence, check_target, create, write_list};

/// Which backup, and what it takes to open it.
#[derive(Debug, Clone, Copy)]
pub struct RestoreOrder<'a> {
    /// The repository.
    pub catalog: &'a Catalog,
    /// The backup.
    pub backup: &'a CompleteBackup,
    /// Keys that may open it.
    pub identities: &'a Identities,
    /// Where temporary files go; the system's temporary directory by default.
    pub temp_dir: Option<&'a Path>,
    /// Where client programs may be.
    pub client: &'a ClientSearch,
    /// Parallel workers of `pg_restore`.
    pub jobs: NonZeroU32,
}

/// A database to restore into, and what may be done to it.
#[derive(Debug)]
pub struct DatabaseTarget {
    /// Where it is.
    pub connection: Connection,
    /// Create the database if it does not exist.
    pub create: bool,
    /// Drop what the backup has before it is restored; everything else stays. Without this a non-empty database is refused.
    pub clean: Option<Confirmation>,
    /// Drop everything that it has before, what came after the backup too, extensions excepted.
    pub replace: Option<Confirmation>,
    /// Restore over the very database that the backup was taken of.
    pub over_source: Option<Confirmation>,
    /// Definitions without data.
    pub schema_only: bool,
    /// Only these tables and what belongs to them; empty for everything.
    pub tables: Vec<String>,
    /// Leave owners and grants out.
    pub without_roles: bool,
    /// Compare what came back with the manifest. Only a whole restore can be compared.
    pub compare: bool,
}

/// Proof that a user was asked, or said so beforehand. Only the command line makes one; `tests/tidy.rs` holds that.
#[derive(Debug)]
pub struct Confirmation(());

impl Confirmation {
    /// The user agreed that existing data is lost.
    pub fn given_by_user() -> Self {
        Self(())
    }
}

/// Writes the decrypted, decompressed streams and the manifest into a new directory. A file has its final name only once
/// it is whole.
pub async fn restore_to_dir(
    order: &RestoreOrder<'_>,
    dir: &Path,
    progress: &Arc<Progress>,
) -> Result<Vec<PathBuf>, RestoreError> {
    let manifest = &order.backup.manifest;
    let file_error = |path: &Path| {
        let path = path.to_owned();
        move |reason| RestoreError::File { path, reason }
    };
    std::fs::create_dir_all(dir).map_err(file_error(dir))?;
    if std::fs::read_dir(dir).map_err(file_error(dir))?.next().is_some() {
        return Err(RestoreError::DirectoryNotEmpty(dir.to_owned()));
    }
    assert_space(dir, manifest.plain_bytes())?;
    let mut written = Vec::new();
    for stream in &manifest.streams {
        progress.begin("writing", stream.plain.bytes);
        // The name comes from the manifest; only its last segment may decide where a file goes.
        let name = Path::new(&stream.file).file_name().ok_or_else(|| unusable(order, "a stream has no file name"))?;
        let path = dir.join(name);
        // Private, and gone by itself if it does not become whole.
        let partial = tempfile::Builder::new().suffix(".partial").tempfile_in(dir).map_err(file_error(&path))?;
        let tap = FileTap { file: partial, progress: Arc::clone(progress) };
        let file = open_stream(order, stream, tap).await?.file;
        file.as_file().sync_all().map_err(file_error(&path))?;
        file.persist_noclobber(&path).map_err(|refused| file_error(&path)(refused.error))?;
        written.push(path);
    }
    let path = dir.join("manifest.json");
    std::fs::write(&path, manifest.to_bytes()).map_err(file_error(&path))?;
    written.push(path);
    Ok(written)
}

/// Restores into a database that is empty, or that the user gave up.
pub async fn restore_to_database(
    order: &RestoreOrder<'_>,
    target: &DatabaseTarget,
    progress: &Arc<Progress>,
) -> Result<(), RestoreError> {
    let facts = of_kind(order, order.backup.manifest.postgres(), &target.connection.to_string())?;
    progress.begin("checking the target", 0);
    let (tools, presence) = check_target(order, facts, target).await?;
    // Nothing is created and nothing is touched before the backup is known to be good.
    let spooled = spool(order, Reading::Recorded, progress).await?;
    if presence == Presence::Missing {
        create(facts, target).await?;
    }
    let mut session = Target::connect(&target.connection).await?;
    if target.replace.is_some() {
        session.drop_everything().await?;
    }
    session.create_schemas(facts, &spooled.recorded.contents).await?;
    session.close().await;
    let list = match target.tables.as_slice() {
        [] => None,
        tables => Some(write_list(&tools, target, &spooled, tables).await?),
    };
    progress.begin("restoring", 0);
    let options = LoadOptions {
        jobs: order.jobs,
        clean: target.clean.is_some() || target.replace.is_some(),
        schema_only: target.schema_only,
        without_roles: target.without_roles,
        without_tablespaces: false,
        index_helpers: None,
        list,
    };
    for archive in &spooled.files {
        restore(&tools, &target.connection, archive, facts, &options).await?;
    }
    drop(spooled);
    if target.compare && target.tables.is_empty() && !target.schema_only {
        compare(order, facts, target, (&tools, progress)).await?;
    }
    Ok(())
}

/// Dumps what was restored by the same code as the source was, and compares the records: a restore that reports success
/// and has restored nothing is a failure that others have seen.
async fn compare(
    order: &RestoreOrder<'_>,
    facts: &PostgresFacts,
    target: &DatabaseTarget,
    (tools, progress): (&ClientTools, &Arc<Progress>),
) -> Result<(), RestoreError> {
    let manifest = &order.backup.manifest;
    progress.begin("comparing", manifest.data_bytes());
    let copy = PostgresSource::for_comparison(manifest.source.clone(), target.connection.clone(), tools, facts);
    let copy = copy.open(&manifest.id).await?;
    let found = copy.record(&manifest.contents, progress).await;
    copy.close().await;
    let mut found = differences(&manifest.contents, &found?);
    // Owners may have been left out. What is there besides was there before: an extension that its server brings along, or
    // what --clean leaves alone because the backup does not know it.
    found.retain(|difference| !(difference.is_surplus() || target.without_roles && difference.is_about_roles()));
    match found.first() {
        None => Ok(()),
        Some(first) => Err(RestoreError::ContentsDiffer {
            target: target.connection.to_string(),
            first: first.to_string(),
            n_differences: found.len(),
        }),
    }
}
