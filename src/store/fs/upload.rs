//! An object being written to a directory: one temporary file, parts written at their places by several tasks at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};

use super::{FsStore, Key, StoreError, Upload};
use crate::store::Store;
use crate::store::part::PartBook;

#[derive(Debug)]
pub(super) struct FsUpload {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: FsStore,
    key: Key,
    file: File,
    state: Mutex<State>,
    /// Held shared by every write and alone by whoever ends the upload: a write whose caller has gone away must not
    /// reach into the published object.
    writing: RwLock<()>,
}

#[derive(Debug)]
struct State {
    book: PartBook<()>,
    /// Taken by whoever ends the upload; dropping it removes the file.
    temp: Option<TempPath>,
    committed: bool,
}

impl FsUpload {
    pub(super) fn new(store: FsStore, key: Key, part_size: usize, temp: NamedTempFile) -> Self {
        let (file, temp) = temp.into_parts();
        let state = Mutex::new(State { book: PartBook::new(part_size), temp: Some(temp), committed: false });
        Self { shared: Arc::new(Shared { store, key, file, state, writing: RwLock::new(()) }) }
    }
}

#[async_trait]
impl Upload for FsUpload {
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        self.shared.store.blocking(move |_| shared.put_part(part_idx, &body)).await
    }

    async fn commit(&self, n_parts: u32) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        self.shared.store.blocking(move |_| shared.commit(n_parts)).await
    }

    async fn abort(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        self.shared.store.blocking(move |_| shared.abort()).await
    }
}

impl Shared {
    fn put_part(&self, part_idx: u32, body: &[u8]) -> Result<(), StoreError> {
        let attempt = || format!("writing part {part_idx} of {}", self.key);
        let _writing = self.writing.read().unwrap_or_else(PoisonError::into_inner);
        let offset = {
            let state = self.state();
            if state.temp.is_none() {
                return Err(self.refuse(attempt(), "the upload has ended".to_owned()));
            }
            state.book.check_len(part_idx, body.len()).map_err(|reason| self.refuse(attempt(), reason))?;
            state.book.offset(part_idx)
        };
        self.file.write_all_at(body, offset).map_err(|error| self.store.fault(attempt(), &error))?;
        start_writeback(&self.file, offset, body.len());
        self.state().book.record(part_idx, body.len(), ());
        Ok(())
    }

    fn commit(&self, n_parts: u32) -> Result<(), StoreError> {
        let attempt = || format!("committing {}", self.key);
        let _alone = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        if state.committed {
            return Ok(());
        }
        let len = state.book.total(n_parts).map_err(|reason| self.refuse(attempt(), reason))?;
        let Some(temp) = state.temp.take() else {
            return Err(self.refuse(attempt(), "the upload was aborted".to_owned()));
        };
        // A part that was put but is not committed, or was first put longer, must not trail the object.
        let synced = self.file.set_len(len).and_then(|()| self.file.sync_all());
        let published = match synced {
            Ok(()) => self.store.publish_new(&self.key, temp),
            Err(error) => Err((self.store.fault(attempt(), &error), Some(temp))),
        };
        state.committed = published.is_ok();
        published.map_err(|(error, temp)| {
            state.temp = temp;
            error
        })
    }

    fn abort(&self) -> Result<(), StoreError> {
        let _alone = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        let Some(temp) = self.state().temp.take() else { return Ok(()) };
        let path = temp.to_path_buf();
        // The file stays open as long as this upload does; its space is wanted now.
        let emptied = self.file.set_len(0);
        drop(temp);
        let attempt = format!("aborting the upload of {}", self.key);
        emptied.and_then(|()| self.store.remove(&path)).map_err(|error| self.store.fault(attempt, &error))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed: each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, attempt: String, reason: String) -> StoreError {
        StoreError::Permanent { location: self.store.location(), attempt, reason }
    }
}

/// Has the kernel begin writing these bytes to the disk, so that the sync at the end waits for the last part and not for
/// the whole object. `POSIX_FADV_DONTNEED` does so at once and drops only pages that are clean already (mm/fadvise.c).
#[cfg(target_os = "linux")]
fn start_writeback(file: &File, offset: u64, len: usize) {
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
    if let Err(error) = posix_fadvise(file, offset, len, PosixFadviseAdvice::POSIX_FADV_DONTNEED) {
        tracing::debug!(error = %io::Error::from(error), "early write-back refused");
    }
}

#[cfg(not(target_os = "linux"))]
fn start_writeback(_: &File, _: u64, _: usize) {}
