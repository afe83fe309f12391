//! The contract with whatever keeps the bytes: a bucket or a directory. It knows keys and bytes, not backups.
//!
//! Every implementation passes the one conformance suite in `tests/store.rs`. What holds for all of them:
//!
//! - **Atomic**: a key is either absent or holds a whole object; a reader never sees half of one, whatever dies when.
//! - **Create means create**: [`Store::create`] on an existing key is [`StoreError::Exists`] and changes nothing, as
//!   far as the provider honours conditional puts (`guard doctor` finds out; nothing here trusts it for exclusion).
//! - **Swap means compare**: [`Store::swap`] writes only over the very version that was fetched, with the same caveat.
//! - **Idempotent**: deleting what is gone and aborting what has ended are successes.
//! - **Cancel-safe**: a dropped future or a dropped [`Upload`] leaves at most an unfinished upload, which
//!   [`Store::unfinished_uploads`] lists and [`Store::abort_unfinished`] removes. Nothing becomes visible by a drop; only
//!   a `create`, `replace`, `delete` or `commit` that was under way may still take effect, wholly.
//! - **Retries live in a wrapper** ([`Retrying`]), by [`StoreError::is_permanent`]; implementations try once. The one
//!   exception is a stream from [`Store::read`], which only its own store can resume.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

pub mod damaged;
mod faulty;
mod fs;
mod key;
mod part;
pub mod probe;
mod retry;
mod s3;
mod url;

pub use faulty::{Fault, Faulty, Operation};
pub use fs::FsStore;
pub use key::{Key, KeyError};
pub use retry::{RetryPolicy, Retrying};
pub use s3::{ChecksumMode, S3Credentials, S3Settings, S3Store, S3Timeouts};
pub use url::{StoreUrl, StoreUrlError};

/// A place that keeps objects under keys. See the module's text for what every implementation promises.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Where this is, for people: a URL without secrets.
    fn location(&self) -> String;

    /// How large the parts of one object may be and how many.
    fn limits(&self) -> UploadLimits;

    /// The store beneath, if this one repeats what fails: for whoever wants to know how each single request is answered.
    fn without_retries(&self) -> Option<&dyn Store> {
        None
    }

    /// Writes a small object that must not exist yet; [`StoreError::Exists`] if it does.
    async fn create(&self, key: &Key, body: Bytes) -> Result<(), StoreError>;

    /// Writes a small object, replacing what was there. Only pins use it.
    async fn replace(&self, key: &Key, body: Bytes) -> Result<(), StoreError>;

    /// A small object whole, with the tag of the version that was read; `None` if there is none.
    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError>;

    /// Writes a small object over the version with this tag; [`StoreError::Changed`] if another version is there by now, or
    /// none. Two versions with equal bytes may have equal tags, so whoever swaps puts something of its own into the body.
    async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError>;

    /// Begins an object of unknown length, written in parts of exactly `part_size` bytes except the last. Whether the key
    /// is free is asked at [`Upload::commit`].
    async fn begin(&self, key: &Key, part_size: usize) -> Result<Box<dyn Upload>, StoreError>;

    /// The bytes of an object, or of a range of it, as a stream of chunks. A stream that ends has delivered every
    /// byte asked for; a shortfall is an error item, never a silent end. A range that does not lie within the object is
    /// [`StoreError::Permanent`].
    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError>;

    /// What is stored under a key, if anything.
    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError>;

    /// Every finished object below `prefix` (a whole path: `app` does not match `app_old/x`), sorted by key.
    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError>;

    /// The names one level below `prefix` (or at the root) that hold further keys, sorted.
    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError>;

    /// Removes an object; absent is a success.
    async fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Uploads below `prefix` (or anywhere) that were begun and neither committed nor aborted.
    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError>;

    /// Removes what an unfinished upload holds; already gone is a success.
    async fn abort_unfinished(&self, upload: &UnfinishedUpload) -> Result<(), StoreError>;

    /// Whether what is deleted or replaced stays as an older version: a bucket with versioning, as Object Lock needs it.
    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// The store's own clock: an S3 server's `Date` header, a directory's file system time.
    async fn clock(&self) -> Result<DateTime<Utc>, StoreError>;
}

/// An object being written. Parts may be put concurrently and in any order; nothing is visible before `commit`.
#[async_trait]
pub trait Upload: Send + Sync + fmt::Debug {
    /// Puts part `part_idx` (from 0). Every part but the last has the size that `begin` was told. Putting the same part
    /// again replaces it, so a failed attempt may be repeated. The bytes are durable only after `commit`; an S3 upload
    /// keeps part 0 in memory until a second part shows that it is not the only one.
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError>;

    /// Makes the object visible, durably, as parts `0..n_parts`; [`StoreError::Exists`] if the key has an object by then
    /// (best effort on S3: see `docs/decisions`). A lost answer is resolved by looking, not by failing.
    /// Zero parts make an empty object.
    async fn commit(&self, n_parts: u32) -> Result<(), StoreError>;

    /// Gives up and removes what was put. Idempotent.
    async fn abort(&self) -> Result<(), StoreError>;
}

/// Chunks of an object's bytes.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// What a store allows one upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Smallest size of a part that is not the last, in bytes.
    pub min_part_size: usize,
    /// Largest size of a part, in bytes.
    pub max_part_size: u64,
    /// Most parts of one object.
    pub max_parts: u32,
    /// How many parts are best kept in flight.
    pub concurrency: usize,
}

/// A finished object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub modified: DateTime<Utc>,
}

/// Which version of an object it is, in the store's own words: an `ETag`, a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

/// A small object and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub body: Bytes,
    /// Its version.
    pub tag: Tag,
}

/// An upload that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The key it would have become.
    pub key: Key,
    /// The store's own handle for it: an S3 upload id, a temporary file's name.
    pub handle: String,
    /// When it was begun, by the store's clock.
    pub begun: DateTime<Utc>,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key is taken.
    #[error("{location}: {key} exists already")]
    Exists {
        /// The store.
        location: String,
        /// The key.
        key: Key,
    },
    /// The key holds another version than the one to be replaced.
    #[error("{location}: {key} was changed by somebody else meanwhile")]
    Changed {
        /// The store.
        location: String,
        /// The key.
        key: Key,
    },
    /// There is no such object.
    #[error("{location}: {key} does not exist")]
    NotFound {
        /// The store.
        location: String,
        /// The key.
        key: Key,
    },
    /// Credentials are missing, wrong, or not allowed to do this.
    #[error("{location}: access denied while {attempt}: {reason}")]
    Denied {
        /// The store.
        location: String,
        /// What was attempted, with the key.
        attempt: String,
        /// What the provider said.
        reason: String,
    },
    /// The bucket or directory itself is not there, or cannot be what the URL says.
    #[error("{location}: {reason}")]
    Unusable {
        /// The store.
        location: String,
        /// Why, and what to do.
        reason: String,
    },
    /// No space, or a quota is used up.
    #[error("{location}: no space left while {attempt}")]
    Full {
        /// The store.
        location: String,
        /// What was attempted.
        attempt: String,
    },
    /// A passing fault: a time-out, a reset connection, a 5xx answer.
    #[error("{location}: {attempt} failed: {reason}")]
    Transient {
        /// The store.
        location: String,
        /// What was attempted.
        attempt: String,
        /// The fault.
        reason: String,
    },
    /// A fault that trying again will not cure.
    #[error("{location}: {attempt} failed: {reason}")]
    Permanent {
        /// The store.
        location: String,
        /// What was attempted.
        attempt: String,
        /// The fault.
        reason: String,
    },
}

impl StoreError {
    /// What to do about it, where the message does not say so itself.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Denied { .. } => Some(
                "guard must be allowed to list, read, write and delete there: check store.access_key and store.secret_key, or \
                 the directory's owner",
            ),
            Self::Full { .. } => Some("make room there, or name a larger place in store.url"),
            Self::Transient { .. } => Some("check store.endpoint and the way there, and try again"),
            Self::Exists { .. }
            | Self::Changed { .. }
            | Self::NotFound { .. }
            | Self::Unusable { .. }
            | Self::Permanent { .. } => None,
        }
    }

    /// Whether trying the same again is pointless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Transient { .. })
    }
}
