//! The catalogue is the bucket: a backup exists if and only if its manifest does.
//!
//! The layout is in `catalog/key.rs`, the commit mark in `catalog/manifest.rs`, the format in docs/format.md. Everything here is
//! written once and never changed, except the pin; and a manifest, once, into a tombstone (`catalog/tombstone.rs`).

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::{Key, KeyError, Store, StoreError};

mod alarm;
mod key;
mod manifest;
mod proof;
mod redis;
mod select;
mod tombstone;

pub use alarm::{Alarm, Release};
pub use key::{BackupId, BackupKeys, SourceName};
pub use manifest::{
    AppliedMigration, ConsistentPoint, FORMAT_VERSION, Manifest, ManifestError, PostgresFacts, RunNote, SourceFacts,
    StoredObject, StoredStreamEntry, Tool,
};
pub use proof::{Compared, Evidence, EvidenceRung, ProofSummary, Verdict};
pub use redis::{Guarantee, RedisFacts, RedisShard};
pub use select::{Selector, SelectorError};
pub use tombstone::{Mark, Tombstone};

/// How many manifests are read at once.
const CONCURRENT_READS: usize = 16;

/// The largest manifest, pin or evidence file that is read: a bound against a foreign object, not a limit in practice.
const MAX_DOCUMENT_BYTES: u64 = 256 << 20;

/// A repository in a store, opened and checked.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Arc<dyn Store>,
    repository: Repository,
}

/// `guard.json`: what marks a store as a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The major version of the format.
    pub format: u32,
    /// A random id; each manifest repeats it, so that a foreign backup is recognised.
    pub id: String,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// A backup whose manifest was read and vouches for itself: the only kind that can be listed, restored or kept.
#[derive(Debug, Clone)]
pub struct CompleteBackup {
    /// Its keys.
    pub keys: BackupKeys,
    /// Its manifest.
    pub manifest: Manifest,
    /// Who pinned it and why, if anybody.
    pub kept: Option<Pin>,
    /// Whether somebody released its alarm, if it has one.
    pub released: Option<Release>,
    /// What test restores and verifications found, oldest first.
    pub proofs: Vec<ProofSummary>,
}

/// A backup whose manifest is there, and what reading it gave.
#[derive(Debug)]
pub struct ListedBackup {
    /// Its id: that of its folder.
    pub id: BackupId,
    /// The backup, or why it cannot be trusted.
    pub backup: Result<CompleteBackup, CatalogError>,
}

/// `keep.json`: a pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// When it was pinned.
    pub at: DateTime<Utc>,
    /// Why, in the user's words.
    pub reason: Option<String>,
}

/// Why the catalogue could not answer.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name cannot be an object's.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store holds no repository.
    #[error("{location} holds no guard repository (no guard.json)")]
    NotARepository {
        /// The store.
        location: String,
    },
    /// A document is damaged or was edited.
    #[error("{key} cannot be trusted: {reason}")]
    Untrusted {
        /// Which document.
        key: Key,
        /// Why.
        reason: String,
    },
    /// A document was written by a newer guard.
    #[error("{key} has format version {found}; this guard reads up to {FORMAT_VERSION}")]
    NewerFormat {
        /// Which document.
        key: Key,
        /// Its version.
        found: u32,
    },
    /// No backup fits what was asked for.
    #[error("{0}")]
    NoSuchBackup(String),
}

impl Catalog {
    /// Opens the repository, creating it in an empty store. Two creators race safely where conditional puts are honoured;
    /// elsewhere both read back what is there.
    pub async fn open_or_create(store: Arc<dyn Store>, now: DateTime<Utc>) -> Result<Self, CatalogError> {
        match Self::open(Arc::clone(&store)).await {
            Err(CatalogError::NotARepository { .. }) => {}
            opened => return opened,
        }
        let repository =
            Repository { format: FORMAT_VERSION, id: format!("{:032x}", rand::random::<u128>()), created: now };
        match store.create(&repository_key(), document(&repository)).await {
            Ok(()) | Err(StoreError::Exists { .. }) => Self::open(store).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the repository that is there.
    pub async fn open(store: Arc<dyn Store>) -> Result<Self, CatalogError> {
        let key = repository_key();
        let Some(repository) = read_document::<Repository>(&*store, &key).await? else {
            return Err(CatalogError::NotARepository { location: store.location() });
        };
        if repository.format > FORMAT_VERSION {
            return Err(CatalogError::NewerFormat { key, found: repository.format });
        }
        Ok(Self { store, repository })
    }

    /// The store beneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What `guard.json` says.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The sources that have ever written something here.
    pub async fn sources(&self) -> Result<Vec<SourceName>, CatalogError> {
        let folders = self.store.list_folders(None).await?;
        Ok(folders.iter().filter(|folder| *folder != "leases").filter_map(|folder| folder.parse().ok()).collect())
    }

    /// The complete backups of a source, oldest first. A document that cannot be trusted is an error of its own in the
    /// list: one damaged backup must not hide the others.
    pub async fn backups(&self, source: &SourceName) -> Result<Vec<ListedBackup>, CatalogError> {
        let folders = self.store.list_folders(Some(&source.key())).await?;
        let mut ids: Vec<BackupId> = folders.iter().filter_map(|folder| folder.parse().ok()).collect();
        ids.sort();
        let loaded = stream::iter(ids)
            .map(|id| async move {
                let backup = self.load(source, &id).await.transpose()?;
                Some(ListedBackup { id, backup })
            })
            .buffered(CONCURRENT_READS)
            .collect::<Vec<_>>()
            .await;
        Ok(loaded.into_iter().flatten().collect())
    }

    /// One backup, if its manifest exists.
    pub async fn load(&self, source: &SourceName, id: &BackupId) -> Result<Option<CompleteBackup>, CatalogError> {
        let keys = BackupKeys::new(source, id)?;
        let Some(body) = read_bytes(&*self.store, &keys.manifest()).await? else { return Ok(None) };
        if Tombstone::parse(&body).is_some() {
            return Ok(None);
        }
        let manifest = Manifest::parse(&body).map_err(|error| error.at(keys.manifest()))?;
        if manifest.repository != self.repository.id || manifest.source != *source || manifest.id != *id {
            let reason = format!(
                "it describes {}/{} of repository {}, but lies in {source}/{id} of {}",
                manifest.source, manifest.id, manifest.repository, self.repository.id
            );
            return Err(CatalogError::Untrusted { key: keys.manifest(), reason });
        }
        let foreign = |key: &Key| !key.is_below(keys.folder());
        if let Some(key) = manifest.object_keys().map_err(|error| error.at(keys.manifest()))?.into_iter().find(foreign)
        {
            let reason = format!("it lists {key}, which is not one of its own objects");
            return Err(CatalogError::Untrusted { key: keys.manifest(), reason });
        }
        let kept = self.pin(&keys).await?;
        let released = if manifest.alarm.is_some() { self.released(&keys).await? } else { None };
        let proofs = self.evidence_of(&keys, &manifest).await?.iter().map(ProofSummary::from).collect();
        Ok(Some(CompleteBackup { keys, manifest, kept, released, proofs }))
    }

    /// Writes the manifest: from here on the backup exists.
    pub async fn commit(&self, manifest: &Manifest) -> Result<(), CatalogError> {
        let keys = BackupKeys::new(&manifest.source, &manifest.id)?;
        Ok(self.store.create(&keys.manifest(), manifest.to_bytes()).await?)
    }

    /// Adds evidence beside a backup.
    pub async fn add_evidence(&self, keys: &BackupKeys, evidence: &Evidence) -> Result<Key, CatalogError> {
        let key = keys.evidence(evidence.finished)?;
        self.store.create(&key, document(evidence)).await?;
        Ok(key)
    }

    /// Adds a note of a kind beside a backup, append-only: `<source>/<id>/<kind>/<utc>.json`.
    pub async fn add_note<T: Serialize>(
        &self,
        keys: &BackupKeys,
        kind: &'static str,
        at: DateTime<Utc>,
        note: &T,
    ) -> Result<Key, CatalogError> {
        let key = keys.note(kind, at)?;
        self.store.create(&key, document(note)).await?;
        Ok(key)
    }

    /// The notes of a kind beside a backup, in the order of their times. One that cannot be read is left out.
    pub async fn notes<T: DeserializeOwned>(
        &self,
        keys: &BackupKeys,
        kind: &'static str,
    ) -> Result<Vec<T>, CatalogError> {
        let mut found = Vec::new();
        for object in self.store.list(&keys.notes(kind)).await? {
            match read_document(&*self.store, &object.key).await {
                Ok(note) => found.extend(note),
                Err(error @ CatalogError::Untrusted { .. }) => tracing::warn!(%error, "a note is left out"),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Pins a backup, or changes the pin's reason. An error means that nobody is promised anything; the pin may hold all the same.
    pub async fn keep(&self, keys: &BackupKeys, pin: &Pin) -> Result<(), CatalogError> {
        self.store.replace(&keys.pin(), document(pin)).await?;
        let refused = |why: &str| Err(CatalogError::NoSuchBackup(format!("{} {why}", keys.folder())));
        // A prune looks for pins once more after it has left its sign; so one of the two sees the other.
        if self.is_condemned(keys).await? {
            return refused(
                "is being deleted by a prune, or was when it was killed, and the pin may have come too late: pin it again after the next prune",
            );
        }
        match self.mark(keys).await? {
            Mark::Manifest => Ok(()),
            _ => refused("was deleted while it was being pinned"),
        }
    }

    /// Whether there is a pin, readable or not.
    pub async fn is_pinned(&self, keys: &BackupKeys) -> Result<bool, CatalogError> {
        Ok(self.pin(keys).await?.is_some())
    }

    /// Removes a pin; none is a success.
    pub async fn unkeep(&self, keys: &BackupKeys) -> Result<(), CatalogError> {
        Ok(self.store.delete(&keys.pin()).await?)
    }

    /// A pin that cannot be read still holds: somebody wanted the backup kept.
    async fn pin(&self, keys: &BackupKeys) -> Result<Option<Pin>, CatalogError> {
        match read_document(&*self.store, &keys.pin()).await {
            Err(error @ CatalogError::Untrusted { .. }) => {
                tracing::warn!(%error, "the backup counts as pinned");
                let reason = Some("its pin cannot be read".to_owned());
                Ok(Some(Pin { at: DateTime::UNIX_EPOCH, reason }))
            }
            read => read,
        }
    }

    /// The whole evidence about a backup, oldest first.
    pub async fn evidence_of(&self, keys: &BackupKeys, manifest: &Manifest) -> Result<Vec<Evidence>, CatalogError> {
        let listed = self.store.list(&keys.evidence_folder()).await?;
        let mut found: Vec<Evidence> = stream::iter(listed)
            .map(|object| async move { self.evidence(&object.key).await })
            .buffered(CONCURRENT_READS)
            .try_filter_map(|evidence| async move { Ok(evidence) })
            // Evidence about another manifest than the one that lies here proves nothing.
            .try_filter(|evidence| std::future::ready(evidence.manifest == manifest.digest()))
            .try_collect()
            .await?;
        found.sort_by_key(|evidence| evidence.finished);
        Ok(found)
    }

    /// Evidence that cannot be read proves nothing; the backup it lies beside may be sound all the same.
    async fn evidence(&self, key: &Key) -> Result<Option<Evidence>, CatalogError> {
        match read_document(&*self.store, key).await {
            Err(error @ CatalogError::Untrusted { .. }) => {
                tracing::warn!(%error, "a piece of evidence is left out");
                Ok(None)
            }
            read => read,
        }
    }
}

impl CompleteBackup {
    /// The newest test restore's outcome, if there was one.
    pub fn proven(&self) -> Option<&ProofSummary> {
        self.proofs.last()
    }
}

fn repository_key() -> Key {
    "guard.json".parse().expect("a constant that is a valid key")
}

fn document<T: Serialize>(value: &T) -> Bytes {
    let mut text = serde_json::to_vec_pretty(value).expect("catalogue documents have string keys and finite numbers");
    text.push(b'\n');
    text.into()
}

async fn read_document<T: DeserializeOwned>(store: &dyn Store, key: &Key) -> Result<Option<T>, CatalogError> {
    let Some(body) = read_bytes(store, key).await? else { return Ok(None) };
    let parsed = serde_json::from_slice(&body);
    parsed.map(Some).map_err(|error| CatalogError::Untrusted { key: key.clone(), reason: error.to_string() })
}

async fn read_bytes(store: &dyn Store, key: &Key) -> Result<Option<Vec<u8>>, CatalogError> {
    let mut chunks = match store.read(key, None).await {
        Ok(chunks) => chunks,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() as u64 > MAX_DOCUMENT_BYTES {
            let reason = format!("it is larger than {MAX_DOCUMENT_BYTES} bytes");
            return Err(CatalogError::Untrusted { key: key.clone(), reason });
        }
    }
    Ok(Some(body))
}
