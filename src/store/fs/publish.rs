//! How a file becomes an object: temporary file, sync, rename that never overwrites, sync of its directory.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use super::{FsStore, Key, StoreError};
use crate::store::Store;

/// Letters and digits that make a temporary name its own.
pub(super) const TEMP_TAIL: usize = 16;

impl FsStore {
    /// An empty temporary file for an object, in the object's directory, which is made if need be. The file goes when
    /// its handle is dropped; only a killed process leaves one behind.
    pub(super) fn make_temp(&self, key: &Key) -> Result<NamedTempFile, StoreError> {
        self.make_temp_io(key).map_err(|error| self.fault(format!("creating a file for {key}"), &error))
    }

    fn make_temp_io(&self, key: &Key) -> io::Result<NamedTempFile> {
        let path = self.path(key);
        let dir = path.parent().unwrap_or(&self.root);
        // A concurrent delete may remove the directories while they are still empty.
        for _ in 0..100 {
            match self.make_dirs(key).and_then(|()| temp_in(dir, key.name())) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                outcome => return outcome,
            }
        }
        Err(io::Error::other(format!("the directory {} vanishes as soon as it is made", dir.display())))
    }

    /// A temporary file with this content, on the disk.
    pub(super) fn write_temp(&self, key: &Key, body: &[u8]) -> Result<TempPath, StoreError> {
        let mut temp = self.make_temp(key)?;
        match temp.write_all(body).and_then(|()| temp.as_file().sync_all()) {
            Ok(()) => Ok(temp.into_temp_path()),
            Err(error) => Err(self.fault(format!("writing {key}"), &error)),
        }
    }

    /// Gives a synced temporary file the object's name unless that is taken; a failure hands the file back.
    pub(super) fn publish_new(&self, key: &Key, temp: TempPath) -> Result<(), (StoreError, Option<TempPath>)> {
        let target = self.path(key);
        // `renameat2` with RENAME_NOREPLACE, or where the file system lacks it, a hard link: tempfile tries both.
        match temp.persist_noclobber(&target) {
            Ok(()) => sync_parent(&target).map_err(|error| (self.fault(format!("syncing {key}"), &error), None)),
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                Err((StoreError::Exists { location: self.location(), key: key.clone() }, Some(refused.path)))
            }
            Err(refused) => Err((self.fault(format!("publishing {key}"), &refused.error), Some(refused.path))),
        }
    }

    /// Gives a synced temporary file the object's name, in place of what had it.
    pub(super) fn publish_over(&self, key: &Key, temp: TempPath) -> Result<(), StoreError> {
        let target = self.path(key);
        match temp.persist(&target).map_err(|refused| refused.error).and_then(|()| sync_parent(&target)) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fault(format!("publishing {key}"), &error)),
        }
    }

    /// Removes a file durably, and then the directories that it leaves empty. Absent is a success.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            // A directory that is gone by now was tidied away by another, and synced.
            Ok(()) => sync_parent(path).or_else(absent_is_fine)?,
            Err(error) => absent_is_fine(error)?,
        }
        for dir in path.ancestors().skip(1).take_while(|dir| **dir != *self.root) {
            // Not empty, gone, or not ours to remove: any refusal ends the tidying and none of them matters.
            if std::fs::remove_dir(dir).and_then(|()| sync_parent(dir)).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes the directories above an object, each synced into its parent, and refuses to go through a link.
    fn make_dirs(&self, key: &Key) -> io::Result<()> {
        let mut dir = self.root.to_path_buf();
        let Some((above, _)) = key.as_str().rsplit_once('/') else { return Ok(()) };
        for segment in above.split('/') {
            dir.push(segment);
            match dir.symlink_metadata() {
                Ok(found) if found.is_dir() => continue,
                Ok(_) => return Err(io::Error::other(format!("{} is not a directory", dir.display()))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            match std::fs::create_dir(&dir) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => sync_parent(&dir)?,
            }
        }
        Ok(())
    }
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(()),
        _ => Err(error),
    }
}

/// A temporary file beside the file `name` of `dir`, readable by its owner alone.
pub(super) fn temp_in(dir: &Path, name: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(&format!("{name}~")).rand_bytes(TEMP_TAIL).suffix("").tempfile_in(dir)
}

/// The operating system's error alone: the random name of a temporary file helps nobody. tempfile puts it behind the
/// error's text and gives no other way to the error.
pub(super) fn without_path(error: io::Error) -> io::Error {
    match error.to_string().rsplit_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason.to_owned()),
        None => error,
    }
}

/// Makes the names in a path's directory durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    match File::open(dir)?.sync_all() {
        // Some network and FUSE file systems cannot sync a directory; they have no weaker promise to make either.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        outcome => outcome,
    }
}
