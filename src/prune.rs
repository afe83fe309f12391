//! Sweeps what unfinished backups left behind: objects without a manifest, uploads that never ended.
//!
//! Only what guard's own layout names is touched: folders `<source>/<id>/` without a manifest, whose id is older than the
//! grace period, so that a backup that runs right now is never mistaken for a leftover.

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::{BackupId, BackupKeys, Catalog, CatalogError};
use crate::store::{Key, UnfinishedUpload};

/// What can be swept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Objects of backups that were never committed.
    pub objects: Vec<Key>,
    /// Uploads that neither ended nor were given up.
    pub uploads: Vec<UnfinishedUpload>,
}

impl Leftovers {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.uploads.is_empty()
    }
}

/// Finds leftovers older than `grace`, by the store's clock.
pub async fn leftovers(catalog: &Catalog, now: DateTime<Utc>, grace: TimeDelta) -> Result<Leftovers, CatalogError> {
    let store = catalog.store();
    let mut found = Leftovers::default();
    for source in catalog.sources().await? {
        for folder in store.list_folders(Some(&source.key())).await? {
            let Ok(id) = folder.parse::<BackupId>() else { continue };
            let keys = BackupKeys::new(&source, &id)?;
            if now - id.time() > grace && store.stat(&keys.manifest()).await?.is_none() {
                found.objects.extend(store.list(keys.folder()).await?.into_iter().map(|object| object.key));
            }
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

/// Removes leftovers.
pub async fn sweep(catalog: &Catalog, leftovers: &Leftovers) -> Result<(), CatalogError> {
    for upload in &leftovers.uploads {
        catalog.store().abort_unfinished(upload).await?;
    }
    for key in &leftovers.objects {
        catalog.store().delete(key).await?;
    }
    Ok(())
}
