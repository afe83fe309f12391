//! What a gate knows of rehearsals: which very files were tried on a restored copy, when, and how that went.

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::catalog::{BackupId, Catalog, CatalogError, CompleteBackup};
use crate::rehearse::record::{self, Outcome, RehearsalVerdict};

/// A rehearsal on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// On a copy of which backup.
    pub backup: BackupId,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether it went well.
    pub passed: bool,
    /// SHA-256 of the text of each file that ran to its end or failed there.
    pub files: Vec<String>,
}

/// How many backups are asked at once.
const CONCURRENT_READS: usize = 16;

/// The rehearsals beside these backups, oldest first.
pub(super) async fn on_record<'a>(
    catalog: &Catalog,
    backups: impl Iterator<Item = &'a CompleteBackup>,
) -> Result<Vec<Rehearsal>, CatalogError> {
    let records: Vec<Vec<record::Rehearsal>> = stream::iter(backups)
        .map(|backup| record::rehearsals_of(catalog, &backup.keys, &backup.manifest))
        .buffered(CONCURRENT_READS)
        .try_collect()
        .await?;
    let mut found: Vec<Rehearsal> = records.into_iter().flatten().map(Rehearsal::from).collect();
    found.sort_by_key(|rehearsal| rehearsal.at);
    Ok(found)
}

impl From<record::Rehearsal> for Rehearsal {
    fn from(record: record::Rehearsal) -> Self {
        let passed = record.verdict == RehearsalVerdict::Passed;
        // Of one that passed, only what ran to its end counts; one that failed counts against all that it tried.
        let counts = |outcome: &Outcome| !passed || *outcome == Outcome::Ran;
        let migrations = record.migrations.iter().filter(|migration| counts(&migration.outcome));
        let files = migrations.flat_map(|migration| &migration.files).map(|file| file.fingerprint.clone()).collect();
        Self { backup: record.backup, at: record.finished, passed, files }
    }
}
