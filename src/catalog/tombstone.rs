//! A tombstone: what `manifest.json` becomes before anything else of a backup is removed, so that no manifest ever points
//! at missing parts, and none that is still on its way can appear beside what is being swept.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{BackupId, BackupKeys, Catalog, CatalogError, Manifest, document, read_document};
use crate::store::StoreError;

/// No tombstone is as large as this, and no manifest as small: who looks for tombstones need not read manifests.
const MAX_BYTES: u64 = 640;

/// How long a manifest may be on its way: a request that was sent and never answered. So long a tombstone stays.
const IN_FLIGHT: TimeDelta = TimeDelta::hours(24);

/// In place of a manifest: the backup is gone, whatever of its objects is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The backup.
    pub id: BackupId,
    /// When it was deleted, by the store's clock.
    pub deleted: DateTime<Utc>,
    /// Why.
    pub why: String,
}

/// What lies where a backup's manifest would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Nothing: the backup was never finished.
    Nothing,
    /// A manifest, good or bad.
    Manifest,
    /// A tombstone: a deletion that has begun.
    Tombstone(Tombstone),
}

impl Tombstone {
    /// The tombstone in a document, if it is one.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        (body.len() as u64 <= MAX_BYTES).then(|| serde_json::from_slice(body).ok())?
    }
}

impl Catalog {
    /// What lies where the manifest would. Reads what is as small as a tombstone, and nothing else.
    pub async fn mark(&self, keys: &BackupKeys) -> Result<Mark, CatalogError> {
        let key = keys.manifest();
        match self.store.stat(&key).await? {
            None => Ok(Mark::Nothing),
            Some(found) if found.size > MAX_BYTES => Ok(Mark::Manifest),
            Some(_) => match read_document::<Tombstone>(&*self.store, &key).await {
                Ok(Some(tombstone)) => Ok(Mark::Tombstone(tombstone)),
                Ok(None) => Ok(Mark::Nothing),
                Err(CatalogError::Untrusted { .. }) => Ok(Mark::Manifest),
                Err(error) => Err(error),
            },
        }
    }

    /// Puts a tombstone in place of a backup's manifest: from here on the backup does not exist.
    pub async fn bury(&self, keys: &BackupKeys, tombstone: &Tombstone) -> Result<(), CatalogError> {
        Ok(self.store.replace(&keys.manifest(), document(tombstone)).await?)
    }

    /// Takes a tombstone back before anything of the backup was removed.
    pub async fn unbury(&self, keys: &BackupKeys, manifest: &Manifest) -> Result<(), CatalogError> {
        Ok(self.store.replace(&keys.manifest(), manifest.to_bytes()).await?)
    }

    /// Puts a tombstone where a manifest never came; `false` if one has come after all.
    pub async fn forestall(&self, keys: &BackupKeys, tombstone: &Tombstone) -> Result<bool, CatalogError> {
        // Where the store ignores the condition, this look is all there is.
        if self.store.stat(&keys.manifest()).await?.is_some() {
            return Ok(false);
        }
        match self.store.create(&keys.manifest(), document(tombstone)).await {
            Ok(()) => Ok(true),
            Err(StoreError::Exists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a tombstone once nothing else is left, if the backup is so old that no manifest of it is on its way.
    pub async fn forget(&self, keys: &BackupKeys, id: &BackupId, now: DateTime<Utc>) -> Result<(), CatalogError> {
        if now - id.time() > IN_FLIGHT {
            self.store.delete(&keys.manifest()).await?;
        }
        Ok(())
    }
}
