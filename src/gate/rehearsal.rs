//! What a gate knows of rehearsals: which very files were tried on a restored copy, when, and how that went.

use chrono::{DateTime, Utc};

use crate::catalog::{BackupId, Catalog, CatalogError, CompleteBackup};

/// A rehearsal on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// On a copy of which backup.
    pub backup: BackupId,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether it went well.
    pub passed: bool,
    /// SHA-256 of the text of each file that was run.
    pub files: Vec<String>,
}

/// The rehearsals beside these backups, oldest first.
pub async fn on_record(
    _catalog: &Catalog,
    _backups: impl Iterator<Item = &CompleteBackup>,
) -> Result<Vec<Rehearsal>, CatalogError> {
    Ok(Vec::new())
}
