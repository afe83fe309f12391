//! A backup's streams as private files, each read to its end before anybody acts on it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::error::refused;
use super::{RestoreError, RestoreOrder};
use crate::catalog::StoredStreamEntry;
use crate::contents::Contents;
use crate::progress::Progress;
use crate::source::postgres::archive::{ArchiveOptions, ArchiveSummary, ListedEntry};
use crate::source::postgres::record::Recorder;
use crate::stream::{OpenError, Tap, TapError, open};
use crate::workdir::{self, WorkDir};

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

/// Removes what killed runs left in a directory.
pub fn sweep_leftovers(parent: &Path) {
    workdir::sweep(parent, SPOOL_KIND, |_| ());
}

/// Reads the whole dump into a private temporary file, recording what it holds.
pub async fn spool(order: &RestoreOrder<'_>, progress: &Arc<Progress>) -> Result<Spooled, RestoreError> {
    let parent = order.temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
    let stream = order.backup.manifest.dump().map_err(|error| refused(order, &error))?;
    progress.begin("reading the backup", stream.plain.bytes);
    sweep_leftovers(&parent);
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
    tap.complete_places()?;
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
pub(super) fn assert_space(dir: &Path, needed: u64) -> Result<(), RestoreError> {
    let Ok(stats) = nix::sys::statvfs::statvfs(dir) else { return Ok(()) };
    let available = stats.blocks_available() * stats.fragment_size();
    if available < needed {
        return Err(RestoreError::NoSpace { dir: dir.to_owned(), available, needed });
    }
    Ok(())
}

pub(super) async fn open_stream<T: Tap>(
    order: &RestoreOrder<'_>,
    stream: &StoredStreamEntry,
    tap: T,
) -> Result<T, RestoreError> {
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

fn private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes plain bytes to a file.
pub(super) struct FileTap {
    pub(super) file: NamedTempFile,
    pub(super) progress: Arc<Progress>,
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

impl SpoolTap {
    /// Has the archive say where its data is, so that `pg_restore --jobs` need not look for it.
    fn complete_places(&self) -> Result<(), RestoreError> {
        let mut places = self.recorder.data_places().iter();
        let written = places.try_for_each(|place| self.file.write_all_at(&place.text, place.at));
        written.map_err(|reason| RestoreError::File { path: self.path.clone(), reason })
    }
}
