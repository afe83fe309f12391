//! What unfinished backups and unfinished deletions left behind: objects without a manifest, objects under a tombstone,
//! uploads that never ended.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Locked, clear};
use crate::catalog::{BackupId, BackupKeys, Catalog, CatalogError, Mark, SourceName, Tombstone};
use crate::store::{Key, UnfinishedUpload};

/// What can be swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// Objects of backups that were never committed, or whose deletion was not finished.
    pub objects: Vec<Key>,
    /// Uploads that neither ended nor were given up.
    pub uploads: Vec<UnfinishedUpload>,
    folders: Vec<Folder>,
    as_of: DateTime<Utc>,
}

/// A folder of a backup that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Folder {
    keys: BackupKeys,
    id: BackupId,
    is_buried: bool,
}

impl Leftovers {
    /// Whether there is nothing to tell. An old tombstone alone is removed without words.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.uploads.is_empty()
    }
}

/// Finds leftovers older than `grace`, by the store's clock; of a deletion that has begun, all that is left.
pub async fn leftovers(catalog: &Catalog, now: DateTime<Utc>, grace: TimeDelta) -> Result<Leftovers, CatalogError> {
    let store = catalog.store();
    let mut found = Leftovers { objects: Vec::new(), uploads: Vec::new(), folders: Vec::new(), as_of: now };
    for source in catalog.sources().await? {
        for folder in folders(catalog, &source, now, grace).await? {
            let objects = store.list(folder.keys.folder()).await?.into_iter().map(|object| object.key);
            found.objects.extend(objects.filter(|key| !folder.is_buried || *key != folder.keys.manifest()));
            found.folders.push(folder);
        }
    }
    // An upload below a committed backup is a leftover all the same: the manifest is written after every upload's end.
    let is_ours = |upload: &UnfinishedUpload| {
        let mut segments = upload.key.as_str().split('/');
        let _source = segments.next();
        segments.next().is_some_and(|id| id.parse::<BackupId>().is_ok())
    };
    let uploads = store.unfinished_uploads(None).await?;
    found.uploads.extend(uploads.into_iter().filter(|upload| is_ours(upload) && now - upload.begun > grace));
    Ok(found)
}

async fn folders(
    catalog: &Catalog,
    source: &SourceName,
    now: DateTime<Utc>,
    grace: TimeDelta,
) -> Result<Vec<Folder>, CatalogError> {
    let mut found = Vec::new();
    for name in catalog.store().list_folders(Some(&source.key())).await? {
        let Ok(id) = name.parse::<BackupId>() else { continue };
        let keys = BackupKeys::new(source, &id)?;
        match catalog.mark(&keys).await? {
            Mark::Nothing if now - id.time() > grace => found.push(Folder { keys, id, is_buried: false }),
            Mark::Tombstone(_) => found.push(Folder { keys, id, is_buried: true }),
            Mark::Nothing | Mark::Manifest => {}
        }
    }
    Ok(found)
}

/// Removes leftovers; what the store refuses to delete is the answer. A backup whose manifest has come meanwhile is none.
pub async fn sweep(catalog: &Catalog, leftovers: &Leftovers) -> Result<Vec<Locked>, CatalogError> {
    for upload in &leftovers.uploads {
        catalog.store().abort_unfinished(upload).await?;
    }
    let mut locked = Vec::new();
    for Folder { keys, id, is_buried } in &leftovers.folders {
        let tombstone =
            Tombstone { id: id.clone(), deleted: leftovers.as_of, why: "the backup was never finished".to_owned() };
        // From here on no manifest can appear: neither one that is on its way, nor one of a backup that runs after all.
        if *is_buried || catalog.forestall(keys, &tombstone).await? {
            locked.extend(clear(catalog, keys, id, leftovers.as_of).await?);
        } else {
            tracing::warn!(backup = %keys.folder(), "its manifest came late; nothing of it is removed");
        }
    }
    Ok(locked)
}
