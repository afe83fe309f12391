//! Private directories for work under way: removed when dropped, and by a later run when their owner was killed.
//!
//! The owner holds a lock (`flock`) on its directory, and the kernel lets go of it with the process, whatever ends that. So a
//! directory that can be locked is nobody's. A process number would say less: numbers are used again, and two containers
//! that share a directory have the same ones.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A directory that only its owner can enter.
#[derive(Debug)]
pub struct WorkDir {
    path: PathBuf,
    /// Released by the kernel when it is closed, which happens after the directory was removed.
    _lock: File,
}

impl WorkDir {
    /// Makes one below `parent`, whose name begins with `kind`.
    pub fn make(parent: &Path, kind: &str) -> io::Result<Self> {
        for _ in 0..10 {
            let mut builder = tempfile::Builder::new();
            let dir = builder.prefix(kind).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
            let lock = File::open(dir.path())?;
            // Where a file system knows no locks the directory stays without one, and no sweep can take it either.
            if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                continue;
            }
            // A sweep may have come between the two calls above; then the name is gone, or another's.
            if dir.path().metadata().is_ok_and(|found| is_same(&found, &lock)) {
                return Ok(Self { path: dir.keep(), _lock: lock });
            }
        }
        Err(io::Error::other("new directories vanish as soon as they are made"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it to its user under another name, which no sweep looks for.
    pub fn keep(mut self, kind: &str) -> io::Result<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (_, tail) = name.rsplit_once('-').unwrap_or(("", &name));
        let kept = self.path.with_file_name(format!("{kind}{tail}"));
        fs::rename(&self.path, &kept)?;
        self.path = PathBuf::new();
        Ok(kept)
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        // A process that was just killed may still finish its last write into it.
        for _ in 0..20 {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => return,
            }
        }
    }
}

/// Removes the directories of this kind whose owners are gone, each after `before_removal` has seen it.
pub fn sweep(parent: &Path, kind: &str, before_removal: impl Fn(&Path)) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_of_kind = entry.file_name().to_string_lossy().starts_with(kind);
        // Links are not followed: the parent is often writable by everybody.
        if !is_of_kind || !entry.file_type().is_ok_and(|found| found.is_dir()) {
            continue;
        }
        let dir = entry.path();
        // Another user's, or another's who is alive, or on a file system where nobody can tell.
        let Ok(lock) = File::open(&dir) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        before_removal(&dir);
        match fs::remove_dir_all(&dir) {
            Ok(()) => tracing::info!(dir = %dir.display(), "removed what a run that was killed left behind"),
            Err(error) => tracing::warn!(dir = %dir.display(), %error, "cannot remove what a run left behind"),
        }
    }
}

fn is_same(found: &fs::Metadata, opened: &File) -> bool {
    opened.metadata().is_ok_and(|opened| (found.dev(), found.ino()) == (opened.dev(), opened.ino()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{WorkDir, sweep};

    fn names(parent: &tempfile::TempDir) -> Vec<PathBuf> {
        let mut names: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_directories_without_an_owner_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let alive = WorkDir::make(parent.path(), "guard-work-").unwrap();
        fs::create_dir_all(parent.path().join("guard-work-dead/data")).unwrap();
        fs::create_dir(parent.path().join("somebodys")).unwrap();
        std::os::unix::fs::symlink(parent.path().join("somebodys"), parent.path().join("guard-work-link")).unwrap();
        let kept = WorkDir::make(parent.path(), "guard-work-").unwrap().keep("guard-kept-").unwrap();
        sweep(parent.path(), "guard-work-", |_| ());
        let mut left = vec![alive.path().to_owned(), kept];
        left.extend(["somebodys", "guard-work-link"].map(|name| parent.path().join(name)));
        left.sort();
        assert_eq!(names(&parent), left);
    }

    #[test]
    fn a_dropped_directory_is_removed_with_what_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let dir = WorkDir::make(parent.path(), "guard-work-").unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        drop(dir);
        assert_eq!(names(&parent), Vec::<PathBuf>::new());
    }
}
