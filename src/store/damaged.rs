//! A store that may only be read, and in which one object reads as if it were damaged: how the verifier is put to the test
//! without touching what is stored.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::{ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits};

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// It is not there.
    Missing,
    /// One bit of the byte at this place is another one.
    BitFlipped(u64),
    /// It ends before this byte.
    CutAt(u64),
    /// There is a byte more at its end.
    Longer,
    /// It has the bytes of another object.
    ReplacedBy(Key),
}

/// A store around another with one damaged object.
#[derive(Debug)]
pub struct Damaged {
    inner: Arc<dyn Store>,
    key: Key,
    damage: Damage,
}

impl Damaged {
    /// The same store, with this object damaged.
    pub fn new(inner: Arc<dyn Store>, key: Key, damage: Damage) -> Self {
        Self { inner, key, damage }
    }

    fn refused<T>(&self, attempt: &str) -> Result<T, StoreError> {
        Err(StoreError::Permanent {
            location: self.inner.location(),
            attempt: attempt.to_owned(),
            reason: "a store that is damaged on purpose may only be read".to_owned(),
        })
    }

    fn is_gone(&self, key: &Key) -> bool {
        self.damage == Damage::Missing && *key == self.key
    }

    fn not_found(&self, key: &Key) -> StoreError {
        StoreError::NotFound { location: self.inner.location(), key: key.clone() }
    }
}

/// Applies the damage to a chunk that begins at `offset`.
fn damaged(chunk: Bytes, offset: u64, damage: &Damage) -> Bytes {
    let length = chunk.len() as u64;
    match damage {
        Damage::BitFlipped(place) if (offset..offset + length).contains(place) => {
            let mut bytes = BytesMut::from(&chunk[..]);
            let idx = usize::try_from(place - offset).expect("the place lies in the chunk");
            bytes[idx] ^= 1;
            bytes.freeze()
        }
        Damage::CutAt(end) => {
            let left = end.saturating_sub(offset).min(length);
            chunk.slice(..usize::try_from(left).expect("no longer than the chunk"))
        }
        _ => chunk,
    }
}

#[async_trait]
impl Store for Damaged {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn limits(&self) -> UploadLimits {
        self.inner.limits()
    }

    async fn create(&self, _: &Key, _: Bytes) -> Result<(), StoreError> {
        self.refused("creating")
    }

    async fn replace(&self, _: &Key, _: Bytes) -> Result<(), StoreError> {
        self.refused("replacing")
    }

    async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        if self.is_gone(key) {
            return Ok(None);
        }
        self.inner.fetch(key).await
    }

    async fn swap(&self, _: &Key, _: &Tag, _: Bytes) -> Result<Tag, StoreError> {
        self.refused("swapping")
    }

    async fn begin(&self, _: &Key, _: usize) -> Result<Box<dyn Upload>, StoreError> {
        self.refused("uploading")
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        if *key != self.key {
            return self.inner.read(key, range).await;
        }
        if self.is_gone(key) {
            return Err(self.not_found(key));
        }
        if let Damage::ReplacedBy(other) = &self.damage {
            return self.inner.read(other, range).await;
        }
        let damage = self.damage.clone();
        let mut offset = range.as_ref().map_or(0, |range| range.start);
        let chunks = self.inner.read(key, range).await?.map(move |chunk| {
            let chunk = chunk?;
            let begin = offset;
            offset += chunk.len() as u64;
            Ok(damaged(chunk, begin, &damage))
        });
        if self.damage == Damage::Longer {
            return Ok(chunks.chain(stream::once(async { Ok(Bytes::from_static(b"\0")) })).boxed());
        }
        Ok(chunks.boxed())
    }

    async fn stat(&self, key: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        if self.is_gone(key) {
            return Ok(None);
        }
        self.inner.stat(key).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut listed = self.inner.list(prefix).await?;
        listed.retain(|object| !self.is_gone(&object.key));
        Ok(listed)
    }

    async fn list_folders(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        self.inner.list_folders(prefix).await
    }

    async fn delete(&self, _: &Key) -> Result<(), StoreError> {
        self.refused("deleting")
    }

    async fn unfinished_uploads(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        self.inner.unfinished_uploads(prefix).await
    }

    async fn abort_unfinished(&self, _: &UnfinishedUpload) -> Result<(), StoreError> {
        self.refused("aborting an upload")
    }

    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        self.inner.clock().await
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Damage, damaged};

    #[test]
    fn damage_falls_on_its_place_whatever_the_chunks() {
        let check = |damage: Damage, expected: &[u8]| {
            for size in 1..7 {
                let mut out = Vec::new();
                for (idx, chunk) in b"abcdef".chunks(size).enumerate() {
                    out.extend_from_slice(&damaged(Bytes::copy_from_slice(chunk), (idx * size) as u64, &damage));
                }
                assert_eq!(out, expected, "{damage:?} in chunks of {size}");
            }
        };
        check(Damage::BitFlipped(3), b"abceef");
        check(Damage::BitFlipped(9), b"abcdef");
        check(Damage::CutAt(5), b"abcde");
        check(Damage::CutAt(0), b"");
    }
}
