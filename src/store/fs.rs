//! A directory as a store: every object is a file, written under a temporary name and published whole.
//!
//! - A temporary name is `<object's name>~<16 letters or digits>` beside the object. `~` cannot occur in a [`Key`], so
//!   temporary files are never objects, and after a crash they are told from anything else in the directory.
//! - An object is durable when its call returns: the file, its directory and every directory made for it are synced.
//! - Symbolic links below the root are neither followed nor listed. The root itself may be one.
//! - A file cannot be a directory: unlike on S3, `a` and `a/b` cannot both be objects.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use super::{ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits};
use upload::FsUpload;

mod publish;
mod swap;
mod upload;
mod walk;

/// How much of a file is read at a time.
const READ_CHUNK: u64 = 1 << 20;

/// A store in a directory of this machine, or one mounted on it.
#[derive(Debug, Clone)]
pub struct FsStore {
    root: Arc<Path>,
}

impl FsStore {
    /// Opens the directory `root`, and makes it if only its last component is missing. Blocks, briefly.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let unresolved = Self { root: root.into() };
        match root.metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(unresolved.unusable("it is not a directory".to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => unresolved.make_root()?,
            Err(error) => return Err(unresolved.fault("opening it".to_owned(), &error)),
        }
        // The working directory may change later; a root that is a link stays one.
        match std::path::absolute(root) {
            Ok(root) => Ok(Self { root: root.into() }),
            Err(error) => Err(unresolved.fault("opening it".to_owned(), &error)),
        }
    }

    /// A disk that is not mounted looks like a missing directory: more than one level is not guessed at.
    fn make_root(&self) -> Result<(), StoreError> {
        let made = std::fs::create_dir(&self.root).and_then(|()| publish::sync_parent(&self.root));
        match made {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let parent = self.root.parent().unwrap_or(&self.root).display();
                Err(self.unusable(format!("its parent directory {parent} does not exist; create it or mount its disk")))
            }
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(self.fault("creating the directory".to_owned(), &error))
            }
            _ => Ok(()),
        }
    }

    fn unusable(&self, reason: String) -> StoreError {
        StoreError::Unusable { location: self.location(), reason }
    }

    /// What an operating system's error means for whoever attempted something here.
    fn fault(&self, attempt: String, error: &io::Error) -> StoreError {
        let location = self.location();
        let reason = error.to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { location, attempt },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::Denied { location, attempt, reason }
            }
            // What network file systems answer while their server is away.
            ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::StaleNetworkFileHandle => {
                StoreError::Transient { location, attempt, reason }
            }
            _ => StoreError::Permanent { location, attempt, reason },
        }
    }

    fn not_found(&self, key: &Key) -> StoreError {
        StoreError::NotFound { location: self.location(), key: key.clone() }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// What is at a key, without following a link anywhere below the root; only a regular file is an object.
    fn look(&self, key: &Key) -> Result<Option<std::fs::Metadata>, StoreError> {
        let mut path = self.root.to_path_buf();
        let mut found = None;
        for segment in key.as_str().split('/') {
            path.push(segment);
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() => {
                    let error = io::Error::other(format!("{} is a symbolic link", path.display()));
                    return Err(self.fault(format!("looking up {key}"), &error));
                }
                Ok(metadata) => found = Some(metadata),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Ok(None);
                }
                Err(error) => return Err(self.fault(format!("looking up {key}"), &error)),
            }
        }
        Ok(found.filter(std::fs::Metadata::is_file))
    }

    /// Runs `job` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || job(&store)).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(self.fault("running a file operation".to_owned(), &io::Error::other(error))),
        }
    }
}

#[async_trait]
impl Store for FsStore {
    fn location(&self) -> String {
        format!("file://{}", self.root.display())
    }

    fn limits(&self) -> UploadLimits {
        UploadLimits { min_part_size: 1, max_part_size: 1 << 40, max_parts: 1 << 20, concurrency: 2 }
    }

    async fn create(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |store| {
            let temp = store.write_temp(&key, &body)?;
            store.publish_new(&key, temp).map_err(|(error, _)| error)
        })
        .await
    }

    async fn replace(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |store| {
            let temp = store.write_temp(&key, &body)?;
            store.publish_over(&key, temp)
        })
        .await
    }

    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        let key = key.clone();
        self.blocking(move |store| store.fetch_now(&key)).await
    }

    async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        let (key, tag) = (key.clone(), tag.clone());
        self.blocking(move |store| store.swap_now(&key, &tag, &body)).await
    }

    async fn begin(&self, key: &Key, part_size: usize) -> Result<Box<dyn Upload>, StoreError> {
        let begun = key.clone();
        let temp = self.blocking(move |store| store.make_temp(&begun)).await?;
        Ok(Box::new(FsUpload::new(self.clone(), key.clone(), part_size, temp)))
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        let wanted = key.clone();
        let (file, range) = self.blocking(move |store| store.open_range(&wanted, range)).await?;
        let (store, key, file) = (self.clone(), key.clone(), Arc::new(file));
        let chunks = stream::try_unfold(range, move |left| {
            let (store, key, file) = (store.clone(), key.clone(), Arc::clone(&file));
            async move {
                if left.is_empty() {
                    return Ok(None);
                }
                let end = left.end.min(left.start + READ_CHUNK);
                let chunk = store.blocking(move |store| store.read_chunk(&key, &file, left.start..end)).await?;
                Ok(Some((chunk, end..left.end)))
            }
        });
        Ok(chunks.boxed())
    }

    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        let key = key.clone();
        self.blocking(move |store| {
            let Some(found) = store.look(&key)? else { return Ok(None) };
            let modified = found.modified().map_err(|error| store.fault(format!("looking up {key}"), &error))?;
            Ok(Some(ObjectInfo { key, size: found.len(), modified: modified.into() }))
        })
        .await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        let prefix = prefix.clone();
        self.blocking(move |store| store.objects_below(&prefix)).await
    }

    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        let prefix = prefix.cloned();
        self.blocking(move |store| store.folders_below(prefix.as_ref())).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |store| match store.look(&key)? {
            Some(_) => store.remove(&store.path(&key)).map_err(|error| store.fault(format!("deleting {key}"), &error)),
            None => Ok(()),
        })
        .await
    }

    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        let prefix = prefix.cloned();
        self.blocking(move |store| store.temps_below(prefix.as_ref())).await
    }

    async fn abort_unfinished(&self, upload: &UnfinishedUpload) -> Result<(), StoreError> {
        let upload = upload.clone();
        self.blocking(move |store| {
            let attempt = format!("removing the unfinished upload of {}", upload.key);
            if walk::temp_target(&upload.handle) != Some(upload.key.name()) {
                let error = io::Error::other(format!("`{}` is not a temporary name of it", upload.handle));
                return Err(store.fault(attempt, &error));
            }
            let temp = store.path(&upload.key).with_file_name(&upload.handle);
            store.remove(&temp).map_err(|error| store.fault(attempt, &error))
        })
        .await
    }

    /// The time that the file system gives a file written now: on a network mount this is the server's.
    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        self.blocking(|store| {
            let written = || {
                let mut probe = publish::temp_in(&store.root, "clock")?;
                probe.write_all(b"?")?;
                probe.as_file().metadata()?.modified()
            };
            let attempt = "writing a file to read its clock".to_owned();
            let modified = written().map_err(|error| store.fault(attempt, &publish::without_path(error)))?;
            Ok(modified.into())
        })
        .await
    }
}

impl FsStore {
    fn open_range(&self, key: &Key, range: Option<Range<u64>>) -> Result<(File, Range<u64>), StoreError> {
        let Some(found) = self.look(key)? else { return Err(self.not_found(key)) };
        let range = range.unwrap_or(0..found.len());
        if range.start > range.end || range.end > found.len() {
            return Err(StoreError::Permanent {
                location: self.location(),
                attempt: format!("reading bytes {}..{} of {key}", range.start, range.end),
                reason: format!("it has {} bytes", found.len()),
            });
        }
        match File::open(self.path(key)) {
            Ok(file) => Ok((file, range)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.not_found(key)),
            Err(error) => Err(self.fault(format!("opening {key}"), &error)),
        }
    }

    fn read_chunk(&self, key: &Key, file: &File, range: Range<u64>) -> Result<Bytes, StoreError> {
        let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut chunk = vec![0; len];
        match file.read_exact_at(&mut chunk, range.start) {
            Ok(()) => Ok(chunk.into()),
            Err(error) => Err(self.fault(format!("reading {key} at byte {}", range.start), &error)),
        }
    }
}
