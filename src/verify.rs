//! Reads every stored byte of a backup and compares it with the manifest. Needs no database and no key.

use serde::Serialize;

use crate::catalog::CompleteBackup;
use crate::store::{Store, StoreError};
use crate::stream::{OpenError, SealedObject, read_stored};

pub mod self_test;

/// One object and whether it is as it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its key.
    pub key: String,
    /// Whether every byte matches.
    pub ok: bool,
    /// What is wrong, beginning with a stable code.
    pub reason: Option<String>,
}

/// Reads one backup's objects. Damage is in the answer; an error means that the store could not be read.
pub async fn verify(store: &dyn Store, backup: &CompleteBackup) -> Result<Vec<Checked>, StoreError> {
    let mut checked = Vec::new();
    for stream in &backup.manifest.streams {
        let Ok(stored) = stream.stored() else {
            let reason = Some("manifest-differs: it names an object that cannot exist".to_owned());
            checked.push(Checked { key: backup.keys.manifest().to_string(), ok: false, reason });
            continue;
        };
        for object in &stored.objects {
            checked.push(check(store, object).await?);
        }
    }
    Ok(checked)
}

async fn check(store: &dyn Store, object: &SealedObject) -> Result<Checked, StoreError> {
    let reason = match read_stored(store, object).await {
        Ok(()) => None,
        Err(OpenError::Store(error)) => return Err(error),
        Err(damage) => Some(format!("{}: {damage}", damage.code())),
    };
    Ok(Checked { key: object.key.to_string(), ok: reason.is_none(), reason })
}
