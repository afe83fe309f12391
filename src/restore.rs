//! A chosen backup back to where it is wanted: into a database, or as plain files into a directory.
//!
//! A stream is known good only at its end, so nothing reaches an existing database before the whole stream was read and
//! matched: it is spooled to a private temporary file first (`pg_restore --jobs` needs one that can seek anyway).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use crate::catalog::{Catalog, CompleteBackup, ManifestError, StoredStreamEntry};
use crate::contents::{Contents, differences};
use crate::progress::Progress;
use crate::source::child::ChildError;
use crate::source::postgres::archive::{ArchiveError, ArchiveOptions, ArchiveSummary, ListedEntry};
use crate::source::postgres::client::{ClientError, ClientSearch, ClientTools};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::{LoadError, LoadOptions, Target, restore};
use crate::source::postgres::pick::{NoSuchTable, ObjectName, object_name, pick, picked_tables};
use crate::source::postgres::record::{RecordError, Recorder, definitions};
use crate::source::postgres::{PostgresError, PostgresSource};
use crate::store::StoreError;
use crate::stream::{Identities, OpenError, Tap, TapError, open};
use crate::workdir::{self, WorkDir};

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
    Archive(#[from] ArchiveError),
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
}

impl RestoreError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Load(error) => error.help(),
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

/// A backup's archive as a private file, read to its end and matched.
#[derive(Debug)]
pub struct Spooled {
    dir: WorkDir,
    /// What the archive holds.
    pub contents: Contents,
    /// Its table of contents.
    pub entries: Vec<ListedEntry>,
}

impl Spooled {
    /// The archive.
    pub fn archive(&self) -> PathBuf {
        self.dir.path().join(ARCHIVE)
    }

    /// The private directory it is in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

const ARCHIVE: &str = "dump.pgdump";
const SPOOL_KIND: &str = "guard-spool-";

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
    let facts = order.backup.manifest.postgres();
    progress.begin("checking the target", 0);
    let (tools, presence) = check_target(order, target).await?;
    // Nothing is created and nothing is touched before the backup is known to be good.
    let spooled = spool(order, progress).await?;
    if presence == Presence::Missing {
        create(order, target).await?;
    }
    let mut session = Target::connect(&target.connection).await?;
    session.create_schemas(facts, &spooled.contents).await?;
    session.close().await;
    let list = match target.tables.as_slice() {
        [] => None,
        tables => Some(write_list(&tools, target, &spooled, tables).await?),
    };
    progress.begin("restoring", 0);
    let options = LoadOptions {
        jobs: order.jobs,
        clean: target.clean.is_some(),
        schema_only: target.schema_only,
        without_roles: target.without_roles,
        without_tablespaces: false,
        list,
    };
    restore(&tools, &target.connection, &spooled.archive(), facts, &options).await?;
    drop(spooled);
    if target.compare && target.tables.is_empty() && !target.schema_only {
        compare(order, target, &tools, progress).await?;
    }
    Ok(())
}

/// Dumps what was restored by the same code as the source was, and compares the records: a restore that reports success
/// and has restored nothing is a failure that others have seen.
async fn compare(
    order: &RestoreOrder<'_>,
    target: &DatabaseTarget,
    tools: &ClientTools,
    progress: &Arc<Progress>,
) -> Result<(), RestoreError> {
    let manifest = &order.backup.manifest;
    progress.begin("comparing", manifest.streams.first().map_or(0, |stream| stream.plain.bytes));
    let copy =
        PostgresSource::for_comparison(manifest.source.clone(), target.connection.clone(), tools, manifest.postgres());
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

/// Reads the whole dump into a private temporary file, recording what it holds.
pub async fn spool(order: &RestoreOrder<'_>, progress: &Arc<Progress>) -> Result<Spooled, RestoreError> {
    let parent = order.temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
    let stream = order.backup.manifest.dump().map_err(|error| refused(order, &error))?;
    progress.begin("reading the backup", stream.plain.bytes);
    workdir::sweep(&parent, SPOOL_KIND, |_| ());
    assert_space(&parent, stream.plain.bytes)?;
    let make = || {
        let dir = WorkDir::make(&parent, SPOOL_KIND)?;
        let file = private_file(&dir.path().join(ARCHIVE))?;
        Ok((dir, file))
    };
    let (dir, file) = make().map_err(|reason| RestoreError::File { path: parent.clone(), reason })?;
    let recorder = Recorder::new(ArchiveOptions::default(), progress);
    let tap = SpoolTap { file, path: dir.path().join(ARCHIVE), recorder };
    let tap = open_stream(order, stream, tap).await?;
    let ArchiveSummary { contents, entries, .. } = tap.recorder.finish()?;
    Ok(Spooled { dir, contents, entries })
}

/// Reads the streams beside the dump to their ends: a backup without its roles is not a whole one.
pub async fn check_other_streams(order: &RestoreOrder<'_>) -> Result<(), RestoreError> {
    for stream in order.backup.manifest.streams.iter().skip(1) {
        open_stream(order, stream, NoTap).await?;
    }
    Ok(())
}

/// Refuses early what could only fail late.
pub fn assert_space(dir: &Path, needed: u64) -> Result<(), RestoreError> {
    let Ok(stats) = nix::sys::statvfs::statvfs(dir) else { return Ok(()) };
    let available = stats.blocks_available() * stats.fragment_size();
    if available < needed {
        return Err(RestoreError::NoSpace { dir: dir.to_owned(), available, needed });
    }
    Ok(())
}

async fn open_stream<T: Tap>(order: &RestoreOrder<'_>, stream: &StoredStreamEntry, tap: T) -> Result<T, RestoreError> {
    let stored = stream.stored().map_err(|error| refused(order, &error))?;
    let opened = open(&**order.catalog.store(), &stored, order.identities, tap).await;
    opened.map_err(|error| match error {
        // Only with the right key in hand is the stored file to blame.
        OpenError::WrongIdentity if order.identities.open_any_of(&stream.recipients) => {
            OpenError::Decrypt("it is not encrypted to the keys that the manifest names".to_owned()).into()
        }
        OpenError::Tap(refusal) => match refusal.downcast::<RestoreError>() {
            Ok(error) => *error,
            Err(other) => OpenError::Tap(other).into(),
        },
        error => error.into(),
    })
}

/// Whether the database to restore into exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Missing,
}

async fn create(order: &RestoreOrder<'_>, target: &DatabaseTarget) -> Result<(), RestoreError> {
    let mut server = Target::connect(&maintenance(target)).await?;
    let created = server.create_database(&target.connection.database(), order.backup.manifest.postgres()).await?;
    if let Some(note) = created {
        tracing::warn!(note, "the new database differs from the source's");
    }
    server.close().await;
    Ok(())
}

/// Where a database is created from that does not exist yet.
fn maintenance(target: &DatabaseTarget) -> Connection {
    target.connection.with_database("postgres")
}

async fn presence(target: &DatabaseTarget) -> Result<Presence, RestoreError> {
    if !target.create {
        return Ok(Presence::There);
    }
    let mut server = Target::connect(&maintenance(target)).await?;
    let is_there = server.has_database(&target.connection.database()).await?;
    server.close().await;
    Ok(if is_there { Presence::There } else { Presence::Missing })
}

/// Everything that would make the restore fail or do harm, asked before a byte is fetched. Of a database that does not
/// exist yet its server is asked.
async fn check_target(
    order: &RestoreOrder<'_>,
    target: &DatabaseTarget,
) -> Result<(ClientTools, Presence), RestoreError> {
    let facts = order.backup.manifest.postgres();
    let presence = presence(target).await?;
    let is_there = presence == Presence::There;
    let asked = if is_there { target.connection.clone() } else { maintenance(target) };
    let mut session = Target::connect(&asked).await?;
    let same_cluster =
        facts.system_identifier.is_some() && session.system_identifier().await == facts.system_identifier;
    let same_database = is_there && same_cluster && target.connection.database() == facts.database;
    if same_database && target.over_source.is_none() {
        return Err(RestoreError::TargetIsSource { target: target.connection.to_string() });
    }
    let major = session.major().await?;
    if major < facts.major {
        return Err(RestoreError::TargetTooOld { dump: facts.major, target: major });
    }
    if is_there && target.clean.is_none() && target.tables.is_empty() {
        session.assert_empty().await?;
    }
    if !target.without_roles {
        session.assert_roles(facts).await?;
    }
    session.assert_extensions(facts).await?;
    session.close().await;
    // A newer server's own pg_restore reads older archives; the dump's own version does as well.
    let tools = match ClientTools::find(major, order.client).await {
        Err(_) if major != facts.major => ClientTools::find(facts.major, order.client).await,
        found => found,
    };
    Ok((tools?, presence))
}

/// Picks some tables and what belongs to them out of the archive. What the target has already is left alone; a table that
/// is to be restored must not be there, unless it may be dropped.
async fn write_list(
    tools: &ClientTools,
    target: &DatabaseTarget,
    spooled: &Spooled,
    tables: &[String],
) -> Result<PathBuf, RestoreError> {
    let present: BTreeSet<ObjectName> = definitions(tools, &target.connection).await?.iter().map(object_name).collect();
    let picked = pick(&spooled.entries, tables, &present)?;
    if target.clean.is_none() {
        let clashes = picked_tables(&spooled.entries, &picked).filter(|entry| present.contains(&object_name(entry)));
        let found: Vec<String> = clashes.map(|entry| format!("table {}.{}", entry.schema, entry.name)).collect();
        if !found.is_empty() {
            let target = target.connection.to_string();
            return Err(LoadError::NotEmpty { target, found: found.join(", ") }.into());
        }
    }
    let path = spooled.dir().join("list");
    let lines: String = picked.iter().map(|dump_id| format!("{dump_id};\n")).collect();
    std::fs::write(&path, lines).map_err(|reason| RestoreError::File { path: path.clone(), reason })?;
    Ok(path)
}

fn refused(order: &RestoreOrder<'_>, error: &ManifestError) -> RestoreError {
    unusable(order, &error.to_string())
}

fn unusable(order: &RestoreOrder<'_>, reason: &str) -> RestoreError {
    RestoreError::Manifest { backup: order.backup.keys.folder().to_string(), reason: reason.to_owned() }
}

fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes plain bytes to a file.
struct FileTap {
    file: NamedTempFile,
    progress: Arc<Progress>,
}

impl Tap for FileTap {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        self.progress.add(plain.len() as u64);
        Ok(write(self.file.as_file(), self.file.path(), plain)?)
    }
}

/// For streams that are only read to their ends.
struct NoTap;

impl Tap for NoTap {
    fn observe(&mut self, _plain: &[u8]) -> Result<(), TapError> {
        Ok(())
    }
}

/// Writes plain bytes to a file and records them.
struct SpoolTap {
    file: File,
    path: PathBuf,
    recorder: Recorder,
}

impl Tap for SpoolTap {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        write(&self.file, &self.path, plain)?;
        // A full disk and a bad archive are told apart: only one of them is the backup's fault.
        Ok(self.recorder.see(plain).map_err(RestoreError::from)?)
    }
}

fn write(mut file: &File, path: &Path, plain: &[u8]) -> Result<(), RestoreError> {
    file.write_all(plain).map_err(|reason| RestoreError::File { path: path.to_owned(), reason })
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
