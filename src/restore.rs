//! A chosen backup back to where it is wanted: into a database, or as plain files into a directory.
//!
//! A stream is known good only at its end, so nothing reaches an existing database before the whole stream was read and
//! matched: it is spooled to a private temporary file first (`pg_restore --jobs` needs one that can seek anyway).

use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::catalog::{Catalog, CompleteBackup, ManifestError, StoredStreamEntry};
use crate::contents::Contents;
use crate::progress::Progress;
use crate::source::child::ChildError;
use crate::source::postgres::archive::{ArchiveError, ArchiveOptions};
use crate::source::postgres::client::{ClientError, ClientSearch, ClientTools};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::{LoadError, LoadOptions, Target, start_restore};
use crate::source::postgres::record::Recorder;
use crate::store::StoreError;
use crate::stream::{Identities, OpenError, Tap, TapError, open};

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
    /// Drop what is in it. Without this a non-empty database is refused.
    pub clean: Option<Confirmation>,
    /// Restore over the very database that the backup was taken of.
    pub over_source: Option<Confirmation>,
    /// Definitions without data.
    pub schema_only: bool,
    /// Only these tables and what belongs to them; empty for everything.
    pub tables: Vec<String>,
    /// Leave owners and grants out.
    pub without_roles: bool,
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
    #[error("the backup has no table {0}")]
    NoSuchTable(String),
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
    dir: TempDir,
    /// What the archive holds.
    pub contents: Contents,
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
        let partial = dir.join(format!("{}.partial", name.to_string_lossy()));
        let file = private_file(&partial).map_err(file_error(&partial))?;
        let tap = FileTap { file, progress: Arc::clone(progress) };
        let tap = open_stream(order, stream, tap).await?;
        tap.file.sync_all().map_err(file_error(&partial))?;
        std::fs::rename(&partial, &path).map_err(file_error(&path))?;
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
    if target.create {
        create_if_missing(order, target).await?;
    }
    let tools = check_target(order, target).await?;
    let spooled = spool(order, progress).await?;
    let list = match target.tables.as_slice() {
        [] => None,
        tables => Some(write_list(&tools, &spooled, tables).await?),
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
    let restoring = start_restore(&tools, &target.connection, &spooled.archive(), facts, &options);
    restoring.map_err(LoadError::from)?.finish().await.map_err(LoadError::from)?;
    Ok(())
}

/// Reads the whole dump into a private temporary file, recording what it holds.
pub async fn spool(order: &RestoreOrder<'_>, progress: &Arc<Progress>) -> Result<Spooled, RestoreError> {
    let parent = order.temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
    let stream = order.backup.manifest.dump().map_err(|error| refused(order, &error))?;
    progress.begin("reading the backup", stream.plain.bytes);
    assert_space(&parent, stream.plain.bytes)?;
    let make = || {
        let dir = tempfile::Builder::new().prefix("guard-spool-").tempdir_in(&parent)?;
        let file = private_file(&dir.path().join(ARCHIVE))?;
        Ok((dir, file))
    };
    let (dir, file) = make().map_err(|reason| RestoreError::File { path: parent.clone(), reason })?;
    let recorder = Recorder::new(ArchiveOptions::default(), progress);
    let tap = open_stream(order, stream, SpoolTap { file, recorder }).await?;
    tap.complete_places().map_err(|reason| RestoreError::File { path: dir.path().join(ARCHIVE), reason })?;
    Ok(Spooled { dir, contents: tap.recorder.finish()?.contents })
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
    Ok(open(&**order.catalog.store(), &stored, order.identities, tap).await?)
}

async fn create_if_missing(order: &RestoreOrder<'_>, target: &DatabaseTarget) -> Result<(), RestoreError> {
    let name = target.connection.database();
    let mut server = Target::connect(&target.connection.with_database("postgres")).await?;
    if !server.has_database(&name).await?
        && let Some(note) = server.create_database(&name, order.backup.manifest.postgres()).await?
    {
        tracing::warn!(note, "the new database differs from the source's");
    }
    server.close().await;
    Ok(())
}

/// Everything that would make the restore fail or do harm, asked before a byte is fetched.
async fn check_target(order: &RestoreOrder<'_>, target: &DatabaseTarget) -> Result<ClientTools, RestoreError> {
    let facts = order.backup.manifest.postgres();
    let mut session = Target::connect(&target.connection).await?;
    let same_cluster =
        facts.system_identifier.is_some() && session.system_identifier().await == facts.system_identifier;
    if same_cluster && target.connection.database() == facts.database && target.over_source.is_none() {
        return Err(RestoreError::TargetIsSource { target: target.connection.to_string() });
    }
    let major = session.major().await?;
    if major < facts.major {
        return Err(RestoreError::TargetTooOld { dump: facts.major, target: major });
    }
    if target.clean.is_none() {
        session.assert_empty().await?;
    }
    if !target.without_roles {
        session.assert_roles(facts).await?;
    }
    session.assert_extensions(facts).await?;
    session.close().await;
    // A newer server's own pg_restore reads older archives; the dump's own version does as well.
    match ClientTools::find(major, order.client).await {
        Ok(tools) => Ok(tools),
        Err(_) if major != facts.major => Ok(ClientTools::find(facts.major, order.client).await?),
        Err(error) => Err(error.into()),
    }
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
    file: File,
    progress: Arc<Progress>,
}

impl Tap for FileTap {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        self.progress.add(plain.len() as u64);
        Ok(self.file.write_all(plain)?)
    }
}

/// Writes plain bytes to a file and records them.
struct SpoolTap {
    file: File,
    recorder: Recorder,
}

impl Tap for SpoolTap {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        self.file.write_all(plain)?;
        self.recorder.observe(plain)
    }
}

impl SpoolTap {
    /// Has the archive say where its data is, so that `pg_restore --jobs` need not look for it.
    fn complete_places(&self) -> io::Result<()> {
        self.recorder.data_places().iter().try_for_each(|place| self.file.write_all_at(&place.text, place.at))
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

/// The table of contents of some tables and what belongs to them, for `pg_restore --use-list`.
async fn write_list(_tools: &ClientTools, _spooled: &Spooled, tables: &[String]) -> Result<PathBuf, RestoreError> {
    Err(RestoreError::NoSuchTable(tables.join(", ")))
}
