//! A bucket as a store, over any server that speaks S3; what such servers get wrong is worked round here and nowhere else.
//!
//! - Every body sent is in memory, so it goes out with its length and its SHA-256 and is understood by every server;
//!   see `docs/decisions/0003-s3-sdk-features.md`.
//! - Exclusion rests on the conditional put alone; see `docs/decisions/0004-conditional-writes.md`.
//! - The SDK retries nothing, this store retries nothing but an interrupted download.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits};
use bucket::Bucket;
use upload::S3Upload;

mod bucket;
mod client;
mod clock;
mod download;
mod failure;
mod listing;
mod settings;
mod swap;
mod upload;

pub use settings::{ChecksumMode, S3Credentials, S3Settings, S3Timeouts};

/// Parts are numbered up to this.
const MAX_PARTS: u32 = 10_000;

/// A store in a bucket, or below a prefix of one.
#[derive(Clone)]
pub struct S3Store {
    bucket: Arc<Bucket>,
}

impl S3Store {
    /// Makes a client from settings, the environment and the profile files. Reads local files and, without a region or
    /// credentials, may ask the machine's metadata service; the bucket itself is not touched.
    pub async fn open(settings: S3Settings) -> Result<Self, StoreError> {
        let client = client::connect(&settings).await?;
        Ok(Self { bucket: Arc::new(Bucket::new(client, settings)) })
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Store").field(&self.bucket.location()).finish()
    }
}

#[async_trait]
impl Store for S3Store {
    fn location(&self) -> String {
        self.bucket.location()
    }

    /// The limits of AWS, which the others share: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
    fn limits(&self) -> UploadLimits {
        UploadLimits {
            min_part_size: 5 << 20,
            max_part_size: 5 << 30,
            max_parts: MAX_PARTS,
            concurrency: self.bucket.concurrency,
        }
    }

    async fn create(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        self.bucket.create(key, body, None).await
    }

    async fn replace(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        self.bucket.put(key, body).await
    }

    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        self.bucket.fetch(key).await
    }

    async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        self.bucket.swap(key, tag, body).await
    }

    async fn begin(&self, key: &Key, part_size: usize) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(S3Upload::new(Arc::clone(&self.bucket), key.clone(), part_size)))
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        download::open(Arc::clone(&self.bucket), key.clone(), range).await
    }

    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.bucket.look(key).await?.map(|found| found.info))
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        self.bucket.objects_below(prefix).await
    }

    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        self.bucket.folders_below(prefix).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.bucket.delete(key).await
    }

    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        self.bucket.uploads_below(prefix).await
    }

    async fn abort_unfinished(&self, upload: &UnfinishedUpload) -> Result<(), StoreError> {
        self.bucket.abort(&upload.key, &upload.handle).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.bucket.keeps_versions().await
    }

    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        self.bucket.clock().await
    }
}
