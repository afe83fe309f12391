//! The data-loss alarm of a backup, and its release: `released.json` beside the manifest.
//!
//! The alarm itself is a part of the manifest, so it is there as soon as the backup is, and nobody can take it away. It holds
//! until somebody says that what is missing is missing on purpose; until then retention removes nothing of the source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{BackupId, BackupKeys, Catalog, CatalogError, CompleteBackup, SourceName, document, read_document};
use crate::contents::loss::Loss;

/// What a backup holds much less of than the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The backup that it was compared with.
    pub against: BackupId,
    /// What is missing; never empty.
    pub losses: Vec<Loss>,
}

/// `released.json`: somebody has seen the alarm, and it is as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in the user's words.
    pub reason: Option<String>,
}

impl Alarm {
    /// All of it in a line.
    pub fn summary(&self) -> String {
        let first = self.losses.first().map(|loss| loss.message.as_str()).unwrap_or_default();
        match self.losses.len() {
            0 | 1 => first.to_owned(),
            n_losses => format!("{first} (and {} more)", n_losses - 1),
        }
    }
}

impl CompleteBackup {
    /// The alarm, if there is one that nobody has released.
    pub fn open_alarm(&self) -> Option<&Alarm> {
        self.manifest.alarm.as_ref().filter(|_| self.released.is_none())
    }
}

impl Catalog {
    /// Writes down that a backup's alarm is released. Again is a success.
    pub async fn release(&self, keys: &BackupKeys, release: &Release) -> Result<(), CatalogError> {
        Ok(self.store().replace(&keys.release(), document(release)).await?)
    }

    /// Whether the alarm of a backup was released. A release that cannot be read is none: the alarm holds.
    pub(super) async fn released(&self, keys: &BackupKeys) -> Result<Option<Release>, CatalogError> {
        match read_document(&**self.store(), &keys.release()).await {
            Err(error @ CatalogError::Untrusted { .. }) => {
                tracing::warn!(%error, "the alarm counts as not released");
                Ok(None)
            }
            read => read,
        }
    }

    /// The newest backup of a source that can be trusted, besides this one.
    pub async fn newest_besides(
        &self,
        source: &SourceName,
        id: &BackupId,
    ) -> Result<Option<CompleteBackup>, CatalogError> {
        let folders = self.store().list_folders(Some(&source.key())).await?;
        let others = folders.iter().rev().filter_map(|folder| folder.parse::<BackupId>().ok());
        let mut newest: Option<CompleteBackup> = None;
        for other in others.filter(|other| other != id) {
            // Ids tell their order to the second only.
            if newest.as_ref().is_some_and(|newest| other.time() < newest.manifest.id.time()) {
                break;
            }
            match self.load(source, &other).await {
                Ok(Some(found)) => {
                    let is_newer = |newest: &CompleteBackup| found.manifest.finished > newest.manifest.finished;
                    if newest.as_ref().is_none_or(is_newer) {
                        newest = Some(found);
                    }
                }
                Err(error @ CatalogError::Store(_)) => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(newest)
    }
}
