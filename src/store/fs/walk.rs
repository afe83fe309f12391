//! What lies below a directory: objects, temporary files, folders; anything else is not guard's and is passed over.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;

use super::publish::TEMP_TAIL;
use super::{FsStore, Key, ObjectInfo, StoreError, UnfinishedUpload};

/// The name of the object that a temporary file would have become, if the name is a temporary one.
pub(super) fn temp_target(file_name: &str) -> Option<&str> {
    let (name, tail) = file_name.rsplit_once('~')?;
    let is_tail = tail.len() == TEMP_TAIL && tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_tail && name.parse::<Key>().is_ok()).then_some(name)
}

impl FsStore {
    pub(super) fn objects_below(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut objects = Vec::new();
        self.walk(Some(prefix), &mut |found| {
            if let Found::Object(key, metadata) = found {
                objects.push(ObjectInfo { key, size: metadata.len(), modified: metadata.modified()?.into() });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(objects)
    }

    pub(super) fn temps_below(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        let mut temps = Vec::new();
        self.walk(prefix, &mut |found| {
            if let Found::Temp(key, handle, metadata) = found {
                // Not every file system keeps the time of birth; the last write is later, so nothing is swept too soon.
                let begun = metadata.created().or_else(|_| metadata.modified())?.into();
                temps.push(UnfinishedUpload { key, handle, begun });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        temps.sort_by(|left, right| (&left.key, &left.handle).cmp(&(&right.key, &right.handle)));
        Ok(temps)
    }

    /// Directories one level down that hold an object somewhere: an empty one is no folder, as on S3.
    pub(super) fn folders_below(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        let mut folders = Vec::new();
        for folder in self.dirs_in(prefix)? {
            let mut holds_object = false;
            self.walk(Some(&folder), &mut |found| {
                holds_object = matches!(found, Found::Object(..));
                Ok(if holds_object { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if holds_object {
                folders.push(folder.name().to_owned());
            }
        }
        folders.sort();
        Ok(folders)
    }

    fn dirs_in(&self, prefix: Option<&Key>) -> Result<Vec<Key>, StoreError> {
        let mut dirs = Vec::new();
        let outcome = self.entries(prefix, &mut |found| {
            if let Found::Dir(key) = found {
                dirs.push(key);
            }
            Ok(ControlFlow::Continue(()))
        });
        let _: ControlFlow<()> = self.listed(prefix, outcome)?;
        Ok(dirs)
    }

    /// Visits everything below a prefix, depth first, until the visitor has seen enough.
    fn walk(&self, prefix: Option<&Key>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let mut pending = vec![prefix.cloned()];
        while let Some(dir) = pending.pop() {
            let outcome = self.entries(dir.as_ref(), &mut |found| match found {
                Found::Dir(key) => {
                    pending.push(Some(key));
                    Ok(ControlFlow::Continue(()))
                }
                found => visit(found),
            });
            if self.listed(dir.as_ref(), outcome)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Visits the entries of one directory. A directory or file that goes meanwhile was never there.
    fn entries(&self, dir: Option<&Key>, visit: &mut Visit<'_>) -> io::Result<ControlFlow<()>> {
        let path = dir.map_or_else(|| self.root.to_path_buf(), |dir| self.path(dir));
        if dir.is_some() && path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            return Ok(ControlFlow::Continue(()));
        }
        let entries = match path.read_dir() {
            Err(error) if dir.is_some() && is_absence(&error) => return Ok(ControlFlow::Continue(())),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Err(error) if is_absence(&error) => continue,
                metadata => metadata?,
            };
            let Some(found) = entry.file_name().to_str().and_then(|name| recognise(dir, name, metadata)) else {
                continue;
            };
            if visit(found)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn listed(&self, dir: Option<&Key>, outcome: io::Result<ControlFlow<()>>) -> Result<ControlFlow<()>, StoreError> {
        let name = dir.map_or("its root", Key::as_str);
        outcome.map_err(|error| self.fault(format!("listing {name}"), &error))
    }
}

type Visit<'a> = dyn FnMut(Found) -> io::Result<ControlFlow<()>> + 'a;

enum Found {
    Dir(Key),
    Object(Key, Metadata),
    Temp(Key, String, Metadata),
}

/// The root of an ext file system holds this, unreadable but to root.
const LOST_AND_FOUND: &str = "lost+found";

/// What an entry is to this store. Links, devices and names that are no keys are nothing.
fn recognise(dir: Option<&Key>, name: &str, metadata: Metadata) -> Option<Found> {
    let key = |name: &str| dir.map_or_else(|| name.parse(), |dir| dir.child(name)).ok();
    if metadata.is_dir() {
        key(name).filter(|_| dir.is_some() || name != LOST_AND_FOUND).map(Found::Dir)
    } else if !metadata.is_file() {
        None
    } else if let Some(target) = temp_target(name) {
        Some(Found::Temp(key(target)?, name.to_owned(), metadata))
    } else {
        Some(Found::Object(key(name)?, metadata))
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
