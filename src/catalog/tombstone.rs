//! A tombstone: what `manifest.json` becomes before anything else of a backup is removed, so that no manifest ever points
//! at missing parts, and none that is still on its way can appear beside what is being swept.
//!
//! A tombstone is final. Before it comes a sign that the backup is condemned: a prune that has left it looks for a pin, whoever
//! pins looks for the sign, and so one of the two sees the other.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{BackupId, BackupKeys, Catalog, CatalogError, document, read_document};
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

    /// Says that a backup is about to be deleted: from here on nobody is promised that it stays.
    pub async fn condemn(&self, keys: &BackupKeys, tombstone: &Tombstone) -> Result<(), CatalogError> {
        match self.store.create(&keys.condemned(), document(tombstone)).await {
            // A prune that was killed has said so before.
            Ok(()) | Err(StoreError::Exists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes that back: the backup stays.
    pub async fn spare(&self, keys: &BackupKeys) -> Result<(), CatalogError> {
        Ok(self.store.delete(&keys.condemned()).await?)
    }

    /// Whether a prune is about to delete it, or was when it was killed.
    pub async fn is_condemned(&self, keys: &BackupKeys) -> Result<bool, CatalogError> {
        Ok(self.store.stat(&keys.condemned()).await?.is_some())
    }

    /// Puts a tombstone in place of a backup's manifest: from here on the backup does not exist.
    pub async fn bury(&self, keys: &BackupKeys, tombstone: &Tombstone) -> Result<(), CatalogError> {
        Ok(self.store.replace(&keys.manifest(), document(tombstone)).await?)
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
