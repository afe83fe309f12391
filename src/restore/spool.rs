//! A backup's data streams as private files, each read to its end before anybody acts on it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::error::refused;
use super::{RestoreError, RestoreOrder};
use crate::catalog::StoredStreamEntry;
use crate::progress::Progress;
use crate::source::recorder::{Recorded, Recorder};
use crate::stream::{OpenError, Tap, TapError, open};
use crate::workdir::{self, WorkDir};

/// A backup's data as private files, read to their ends and matched.
#[derive(Debug)]
pub struct Spooled {
    dir: WorkDir,
    /// One file a data stream.
    pub files: Vec<PathBuf>,
    /// What they hold together; nothing if they were only matched.
    pub recorded: Recorded,
}

impl Spooled {
    /// The private directory they are in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

const SPOOL_KIND: &str = "guard-spool-";

/// Removes what killed runs left in a directory.
pub fn sweep_leftovers(parent: &Path) {
    workdir::sweep(parent, SPOOL_KIND, |_| ());
}

/// What is made of the data while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The record of what it holds.
    Recorded,
    /// Nothing, if this very version of guard has read it to its end when it took the backup: the same bytes are known to be
    /// understood. Else they are recorded, so that what is not understood is seen before anybody acts on it.
    Matched,
}

/// Reads the data into private temporary files.
pub async fn spool(
    order: &RestoreOrder<'_>,
    reading: Reading,
    progress: &Arc<Progress>,
) -> Result<Spooled, RestoreError> {
    let parent = order.temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
    let manifest = &order.backup.manifest;
    progress.begin("reading the backup", manifest.data_bytes());
    sweep_leftovers(&parent);
    assert_space(&parent, manifest.data_bytes())?;
    let dir = WorkDir::make(&parent, SPOOL_KIND);
    let dir = dir.map_err(|reason| RestoreError::File { path: parent.clone(), reason })?;
    let mut spooled = Spooled { dir, files: Vec::new(), recorded: Recorded::default() };
    for stream in manifest.data_streams() {
        // Named by position: nothing of the manifest decides where a file goes.
        let path = spooled.dir().join(format!("stream-{}", spooled.files.len()));
        let file = private_file(&path).map_err(|reason| RestoreError::File { path: path.clone(), reason })?;
        let recorder = match reading {
            Reading::Matched if manifest.guard == env!("CARGO_PKG_VERSION") => Recorder::Counting(Arc::clone(progress)),
            Reading::Matched | Reading::Recorded => Recorder::of_backup(manifest, progress),
        };
        let tap = SpoolTap { file, path: path.clone(), recorder };
        let tap = open_stream(order, stream, tap).await?;
        tap.complete_places()?;
        let Recorded { contents, entries } = tap.recorder.finish()?.unwrap_or_default();
        spooled.recorded.contents.absorb(contents);
        spooled.recorded.entries.extend(entries);
        spooled.files.push(path);
    }
    Ok(spooled)
}

/// Reads the streams beside the data to their ends: a backup without its roles is not a whole one.
pub async fn check_other_streams(order: &RestoreOrder<'_>) -> Result<(), RestoreError> {
    for stream in order.backup.manifest.streams.iter().filter(|stream| !stream.holds_data()) {
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
