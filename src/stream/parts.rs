//! Cutting a sealed stream into objects and parts, and sending them with a few in flight.
//!
//! Parts have one fixed size per stream (some stores demand it) and stay small, so that memory does not grow with the
//! database; a stream that fills an object's last part goes on in a further object. See docs/decisions/0002.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;

use super::hash::{Hashed, Hasher};
use crate::store::{Key, KeyError, Store, StoreError, Upload};

/// The size of every part but the last, unless the store's limits say otherwise.
pub const PART_SIZE: usize = 8 << 20;

/// The keys of a stream's objects: `name`, `name.001`, `name.002`, …
#[derive(Debug, Clone)]
pub struct ObjectNames(Key);

/// One finished object of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedObject {
    /// Where it lies.
    pub key: Key,
    /// What it holds.
    pub stored: Hashed,
}

/// Everything one backup has begun to write and not yet made visible.
///
/// It outlives the tasks that fill it, so that whoever owns the backup can abort all of it whatever failed.
#[derive(Debug)]
pub struct Uploads {
    store: Arc<dyn Store>,
    begun: Mutex<Vec<Arc<dyn Upload>>>,
}

impl ObjectNames {
    /// Names that begin at `first`.
    pub fn new(first: Key) -> Self {
        Self(first)
    }

    fn object(&self, object_idx: usize) -> Result<Key, KeyError> {
        if object_idx == 0 { Ok(self.0.clone()) } else { format!("{}.{object_idx:03}", self.0).parse() }
    }
}

impl Uploads {
    /// None yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, begun: Mutex::default() }
    }

    /// Gives up everything that was begun. The first failure is returned after all were tried.
    pub async fn abort(&self) -> Result<(), StoreError> {
        let begun = std::mem::take(&mut *self.lock());
        let mut outcome = Ok(());
        for upload in begun {
            outcome = outcome.and(upload.abort().await);
        }
        outcome
    }

    pub(super) async fn begin(&self, key: &Key, part_size: usize) -> Result<Arc<dyn Upload>, StoreError> {
        let upload: Arc<dyn Upload> = self.store.begin(key, part_size).await?.into();
        self.lock().push(Arc::clone(&upload));
        Ok(upload)
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Upload>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The size of the parts for this store.
pub(super) fn part_size(store: &dyn Store) -> usize {
    let limits = store.limits();
    let largest = usize::try_from(limits.max_part_size).unwrap_or(usize::MAX);
    PART_SIZE.clamp(limits.min_part_size, largest.max(limits.min_part_size))
}

/// One part on its way to the store.
pub(super) struct SealedPart {
    object_idx: usize,
    part_idx: u32,
    body: Bytes,
}

/// What the cutting side knows of an object when it is complete.
pub(super) struct CutObject {
    pub(super) stored: Hashed,
    pub(super) n_parts: u32,
}

/// The blocking side: takes sealed bytes, hashes them, hands on full parts. Blocks while the store is slow.
pub(super) struct PartWriter {
    parts: mpsc::Sender<SealedPart>,
    part_size: usize,
    max_parts: u32,
    part: Vec<u8>,
    part_idx: u32,
    hasher: Hasher,
    cut: Vec<CutObject>,
}

impl PartWriter {
    pub(super) fn new(parts: mpsc::Sender<SealedPart>, part_size: usize, max_parts: u32) -> Self {
        let (part, hasher, cut) = (Vec::with_capacity(part_size), Hasher::default(), Vec::new());
        Self { parts, part_size, max_parts, part, part_idx: 0, hasher, cut }
    }

    /// Sends the last part and tells what was cut.
    pub(super) fn finish(mut self) -> io::Result<Vec<CutObject>> {
        if !self.part.is_empty() || self.part_idx == 0 && self.cut.is_empty() {
            self.send_part()?;
        }
        if self.part_idx > 0 {
            self.end_object();
        }
        Ok(self.cut)
    }

    fn send_part(&mut self) -> io::Result<()> {
        if self.part_idx == self.max_parts {
            self.end_object();
        }
        self.hasher.update(&self.part);
        let body = Bytes::from(std::mem::replace(&mut self.part, Vec::with_capacity(self.part_size)));
        let part = SealedPart { object_idx: self.cut.len(), part_idx: self.part_idx, body };
        self.part_idx += 1;
        // The receiver goes away only when an upload failed; its error is the one that is reported.
        self.parts.blocking_send(part).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the upload ended early"))
    }

    fn end_object(&mut self) {
        let stored = std::mem::take(&mut self.hasher).finish();
        self.cut.push(CutObject { stored, n_parts: self.part_idx });
        self.part_idx = 0;
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.part_size - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == self.part_size {
            self.send_part()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The async side: puts parts as they come, at most the store's `concurrency` in flight, and returns the open uploads in
/// the order of their objects once the last part is stored.
pub(super) async fn put_parts(
    uploads: &Uploads,
    names: &ObjectNames,
    mut parts: mpsc::Receiver<SealedPart>,
) -> Result<Vec<(Key, Arc<dyn Upload>)>, PutError> {
    let part_size = part_size(uploads.store());
    let concurrency = uploads.store().limits().concurrency.max(1);
    let mut objects: Vec<(Key, Arc<dyn Upload>)> = Vec::new();
    let mut in_flight = FuturesUnordered::new();
    let mut more = true;
    while more || !in_flight.is_empty() {
        tokio::select! {
            part = parts.recv(), if more && in_flight.len() < concurrency => {
                let Some(SealedPart { object_idx, part_idx, body }) = part else { more = false; continue };
                if object_idx == objects.len() {
                    let key = names.object(object_idx)?;
                    let upload = uploads.begin(&key, part_size).await?;
                    objects.push((key, upload));
                }
                let upload = Arc::clone(&objects[object_idx].1);
                in_flight.push(async move { upload.put_part(part_idx, body).await });
            }
            Some(put) = in_flight.next(), if !in_flight.is_empty() => put?,
        }
    }
    Ok(objects)
}

/// Why parts could not be put.
#[derive(Debug, thiserror::Error)]
pub(super) enum PutError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
