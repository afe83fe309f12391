//! Removing: what retention does not keep, what an earlier prune did not finish, and what unfinished backups left behind.
//!
//! The order is what makes it safe to kill at any moment: first a sign says that the backup is condemned, and from then on
//! nobody is promised any more that it is kept; if nobody was until then, the manifest becomes a tombstone, and from then on the
//! backup does not exist; then its objects go; the tombstone goes last, and not before every manifest that might be on its
//! way would have arrived. Whatever a crash leaves lies under a tombstone or without a manifest, and the next prune takes it.
//!
//! Only what guard's own layout names is touched, and of it only folders `<source>/<id>/`. What the store refuses to delete
//! (Object Lock, a policy) is reported and tried again by the next prune, not by this one.

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::catalog::{
    BackupId, BackupKeys, Catalog, CatalogError, CompleteBackup, ListedBackup, SourceName, Tombstone, Verdict,
};
use crate::retention::{Candidate, Decision, Proof, Reason, Rules, Standing, plan};
use crate::store::{Key, StoreError};

mod leftover;

pub use leftover::{Leftovers, leftovers, sweep};

/// What is to become of a source's backups.
#[derive(Debug, Clone)]
pub struct PrunePlan {
    /// The source.
    pub source: SourceName,
    /// A decision for every backup, by id.
    pub decisions: Vec<Decision>,
    /// The hash of each manifest that the decisions were made on.
    digests: Vec<(BackupId, String)>,
}

/// What a prune did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups that are gone.
    pub removed: Vec<BackupId>,
    /// Bytes of theirs that were stored.
    pub freed_bytes: u64,
    /// Backups that were to go and stayed: pinned or changed since the decision.
    pub spared: Vec<BackupId>,
    /// What the store refused to delete, and what it said.
    pub locked: Vec<Locked>,
}

/// An object that the store refused to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Its key.
    pub key: Key,
    /// What the store said.
    pub reason: String,
}

/// Decides what is to become of a source's backups.
pub async fn decide(
    catalog: &Catalog,
    source: &SourceName,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<PrunePlan, CatalogError> {
    let (mut history, mut digests) = (Vec::new(), Vec::new());
    for listed in catalog.backups(source).await? {
        // A store that fails must not make a history look shorter than it is.
        if let Err(CatalogError::Store(_)) = &listed.backup {
            return Err(listed.backup.err().unwrap_or_else(|| unreachable!("it was matched as an error")));
        }
        if let Ok(backup) = &listed.backup {
            digests.push((listed.id.clone(), backup.manifest.digest().to_owned()));
        }
        history.push(candidate(&listed));
    }
    let decisions = plan(&history, &rules.policies, rules.rpo, now);
    Ok(PrunePlan { source: source.clone(), decisions, digests })
}

/// Removes what the plan lets go, oldest first. Cancelled, it stops between two backups.
pub async fn carry_out(
    catalog: &Catalog,
    plan: &PrunePlan,
    now: DateTime<Utc>,
    cancel: &CancellationToken,
) -> Result<Pruned, CatalogError> {
    let mut pruned = Pruned::default();
    for decision in &plan.decisions {
        if cancel.is_cancelled() {
            break;
        }
        if decision.keep {
            relieve(catalog, plan, decision).await?;
            continue;
        }
        let Some(backup) = as_decided(catalog, plan, &decision.id).await? else {
            pruned.spared.push(decision.id.clone());
            continue;
        };
        let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
        let tombstone = Tombstone { id: decision.id.clone(), deleted: now, why: reasons.join("; ") };
        match bury_unless_pinned(catalog, &backup.keys, &tombstone).await {
            Ok(true) => {}
            Ok(false) => {
                pruned.spared.push(decision.id.clone());
                continue;
            }
            Err(CatalogError::Store(error @ StoreError::Denied { .. })) => {
                pruned.locked.push(Locked { key: backup.keys.manifest(), reason: error.to_string() });
                continue;
            }
            Err(error) => return Err(error),
        }
        tracing::info!(backup = %backup.keys.folder(), why = tombstone.why, "the backup is deleted");
        pruned.removed.push(decision.id.clone());
        pruned.freed_bytes += backup.manifest.stored_bytes();
        pruned.locked.extend(clear(catalog, &backup.keys, &decision.id, now).await?);
    }
    Ok(pruned)
}

/// Takes back what an earlier prune said of a backup that is pinned by now, and died before it could take it back itself.
async fn relieve(catalog: &Catalog, plan: &PrunePlan, decision: &Decision) -> Result<(), CatalogError> {
    if decision.reasons.iter().any(|reason| matches!(reason, Reason::Pinned { .. })) {
        let keys = BackupKeys::new(&plan.source, &decision.id)?;
        if catalog.is_condemned(&keys).await? {
            catalog.spare(&keys).await?;
        }
    }
    Ok(())
}

/// Puts the tombstone of a backup, unless it was pinned since the decision; whether it did.
async fn bury_unless_pinned(catalog: &Catalog, keys: &BackupKeys, tombstone: &Tombstone) -> Result<bool, CatalogError> {
    catalog.condemn(keys, tombstone).await?;
    // Whoever pins it from now on sees that it is condemned. Whoever did before was told that it is kept.
    if catalog.is_pinned(keys).await? {
        catalog.spare(keys).await?;
        return Ok(false);
    }
    match catalog.bury(keys, tombstone).await {
        Ok(()) => Ok(true),
        Err(error) => {
            if let CatalogError::Store(StoreError::Denied { .. }) = error {
                // What cannot be deleted can be pinned.
                catalog.spare(keys).await?;
            }
            Err(error)
        }
    }
}

/// The backup, if it is still the one that was decided about: somebody may have pinned it since.
async fn as_decided(
    catalog: &Catalog,
    plan: &PrunePlan,
    id: &BackupId,
) -> Result<Option<CompleteBackup>, CatalogError> {
    let digest = plan.digests.iter().find(|(decided, _)| decided == id).map(|(_, digest)| digest.as_str());
    match catalog.load(&plan.source, id).await {
        Ok(backup) => Ok(backup.filter(|backup| backup.kept.is_none() && Some(backup.manifest.digest()) == digest)),
        Err(CatalogError::Store(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Removes everything of a backup under its tombstone, and then that. What is refused stays, with the tombstone.
async fn clear(
    catalog: &Catalog,
    keys: &BackupKeys,
    id: &BackupId,
    now: DateTime<Utc>,
) -> Result<Vec<Locked>, CatalogError> {
    let store = catalog.store();
    let mut locked = Vec::new();
    for object in store.list(keys.folder()).await? {
        if object.key == keys.manifest() {
            continue;
        }
        match store.delete(&object.key).await {
            Ok(()) => {}
            Err(error @ StoreError::Denied { .. }) => {
                tracing::warn!(%error, "an object of a deleted backup cannot be removed yet");
                locked.push(Locked { key: object.key, reason: error.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
    }
    if locked.is_empty() {
        catalog.forget(keys, id, now).await?;
    }
    Ok(locked)
}

/// A backup as retention sees it.
fn candidate(listed: &ListedBackup) -> Candidate {
    let alarmed = listed.backup.as_ref().is_ok_and(|backup| backup.open_alarm().is_some());
    let (standing, pinned) = match &listed.backup {
        Ok(backup) => {
            let proof = match backup.proven().map(|proof| proof.verdict) {
                None => Proof::Never,
                Some(Verdict::Proven) => Proof::Proven,
                Some(Verdict::Failed) => Proof::Failed,
            };
            let manifest = &backup.manifest;
            let pinned = backup.kept.as_ref().map(|pin| pin.reason.clone().unwrap_or_default());
            (Standing::Complete { begun: manifest.started, data_of: manifest.consistent.at, proof }, pinned)
        }
        Err(error) => (Standing::NotOurs { reason: error.to_string() }, None),
    };
    Candidate { id: listed.id.clone(), standing, pinned, alarmed }
}

/// How long a leftover must have been there: a backup that runs right now must not be mistaken for one.
pub const LEFTOVER_GRACE: TimeDelta = TimeDelta::hours(24);
