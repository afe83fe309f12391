//! The verifier, verified: a sound backup is read as if it were damaged in one named way after the other, and each must be
//! found, with the right reason. Nothing is written; the damage lies between the store and the reader.

use std::sync::Arc;

use serde::Serialize;

use super::check;
use crate::catalog::{Catalog, CatalogError, CompleteBackup};
use crate::store::damaged::{Damage, Damaged};
use crate::store::{Key, Store, StoreError};
use crate::stream::{Identities, OpenError, SealedObject, StoredStream, Tap, TapError, open};

/// One damage and whether it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// What was done.
    pub damage: String,
    /// The reason that it must fail with.
    pub expected: String,
    /// What was found; none if nothing was, or if it could not be tried.
    pub found: Option<String>,
    /// Whether it was found for the right reason; none if it could not be tried.
    pub ok: Option<bool>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The repository failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The backup is damaged by itself.
    #[error("{key} is damaged by itself: {reason}; the self-test needs a sound backup")]
    Unsound {
        /// Which object.
        key: Key,
        /// What is wrong.
        reason: String,
    },
}

impl Case {
    /// A damage that was tried.
    pub fn tried(damage: impl Into<String>, expected: &str, found: Option<String>) -> Self {
        let ok = found.as_deref() == Some(expected);
        Self { damage: damage.into(), expected: expected.to_owned(), found, ok: Some(ok) }
    }

    /// A damage that could not be tried.
    pub fn skipped(damage: impl Into<String>, expected: &str, why: String) -> Self {
        Self { damage: damage.into(), expected: expected.to_owned(), found: Some(why), ok: None }
    }
}

/// Damages the stored bytes of a backup in every way that needs no database. Reads its smallest object once for each.
pub async fn stored_bytes(catalog: &Catalog, backup: &CompleteBackup) -> Result<Vec<Case>, SelfTestError> {
    let store = catalog.store();
    let Some((stream, object)) = smallest(backup) else { return Ok(Vec::new()) };
    let SealedObject { key, stored } = &object;
    if let Some(reason) = check(&**store, &object).await?.reason {
        return Err(SelfTestError::Unsound { key: key.clone(), reason });
    }
    let manifest = backup.keys.manifest();
    let cases = [
        ("one bit flipped", Damage::BitFlipped(stored.bytes / 2), "stored-bytes-differ"),
        ("the last byte missing", Damage::CutAt(stored.bytes.saturating_sub(1)), "stored-size-differs"),
        ("empty", Damage::CutAt(0), "stored-size-differs"),
        ("one byte longer", Damage::Longer, "stored-size-differs"),
        ("missing", Damage::Missing, "object-missing"),
        ("another object in its place", Damage::ReplacedBy(manifest.clone()), "stored-size-differs"),
    ];
    let mut found = Vec::new();
    for (what, damage, expected) in cases {
        let damaged = Damaged::new(Arc::clone(store), key.clone(), damage);
        let reason = check(&damaged, &object).await?.reason;
        let code = reason.map(|reason| reason.split(':').next().unwrap_or_default().to_owned());
        found.push(Case::tried(format!("{}: {what}", stream.0), expected, code));
    }
    found.extend(documents(catalog, backup, &manifest).await?);
    found.extend(foreign_key(store, &stream.1).await?);
    Ok(found)
}

type Named = (String, StoredStream);

/// The object that is read fastest, and its stream.
fn smallest(backup: &CompleteBackup) -> Option<(Named, SealedObject)> {
    let streams = backup.manifest.streams.iter().filter_map(|entry| Some((entry.name.clone(), entry.stored().ok()?)));
    let objects = streams.flat_map(|named| {
        let objects = named.1.objects.clone();
        objects.into_iter().map(move |object| (named.clone(), object))
    });
    objects.filter(|(_, object)| object.stored.bytes > 0).min_by_key(|(_, object)| object.stored.bytes)
}

/// A manifest that was edited, and one that is gone.
async fn documents(catalog: &Catalog, backup: &CompleteBackup, key: &Key) -> Result<Vec<Case>, SelfTestError> {
    let middle = backup.manifest.to_bytes().len() as u64 / 2;
    let cases = [
        ("manifest: one bit flipped", Damage::BitFlipped(middle), "untrusted"),
        ("manifest: the end missing", Damage::CutAt(middle), "untrusted"),
        ("manifest: missing", Damage::Missing, "no-backup"),
    ];
    let mut found = Vec::new();
    for (what, damage, expected) in cases {
        let damaged: Arc<dyn Store> = Arc::new(Damaged::new(Arc::clone(catalog.store()), key.clone(), damage));
        let loaded = Catalog::open(damaged).await?.load(&backup.manifest.source, &backup.manifest.id).await;
        let code = match loaded {
            Ok(Some(_)) => None,
            Ok(None) => Some("no-backup".to_owned()),
            Err(CatalogError::Untrusted { .. } | CatalogError::NewerFormat { .. }) => Some("untrusted".to_owned()),
            Err(error) => return Err(error.into()),
        };
        found.push(Case::tried(what, expected, code));
    }
    Ok(found)
}

/// A key that is not one of the backup's must not open it.
async fn foreign_key(store: &Arc<dyn Store>, stream: &StoredStream) -> Result<Option<Case>, SelfTestError> {
    if !stream.encrypted {
        return Ok(None);
    }
    let opened = open(&**store, stream, &Identities::generate(), Unseen).await;
    let code = match opened {
        Ok(Unseen) => None,
        Err(OpenError::Store(error)) => return Err(error.into()),
        Err(error) => Some(error.code().to_owned()),
    };
    Ok(Some(Case::tried("a key that is not one of the recipients'", "wrong-identity", code)))
}

/// Nobody looks at the plain bytes.
struct Unseen;

impl Tap for Unseen {
    fn observe(&mut self, _: &[u8]) -> Result<(), TapError> {
        Ok(())
    }
}
