//! What a rehearsal found: the answer of `guard rehearse --json`, and the record beside the backup that the gate reads.
//!
//! The record lies in `<source>/<id>/rehearsals/<utc>.json`, append-only as proofs are. Fields are only added. It speaks of
//! one backup by the hash of its manifest and of migrations by the hash of their text: whoever asks whether *this* file was
//! rehearsed compares fingerprints, never names.

use chrono::{DateTime, Utc};
use migrations_lint::migration::MigrationFile;
use serde::{Deserialize, Serialize};

use super::measure::Measured;
use crate::catalog::{BackupId, BackupKeys, Catalog, CatalogError, Manifest, RunNote};
use crate::store::Key;
use crate::stream::Hashed;

/// One rehearsal of a set's pending migrations on a restored backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The backup whose copy they ran on.
    pub backup: BackupId,
    /// Its source.
    pub source: String,
    /// The hash of its manifest: a record about another manifest says nothing.
    pub manifest: String,
    /// The moment of the backup's data.
    pub data_at: DateTime<Utc>,
    /// Who or what started it.
    pub started_by: String,
    /// Which run it was.
    pub run: RunNote,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    /// guard's version.
    pub guard: String,
    /// The framework whose migrations these are, as `--layout` names it.
    pub layout: String,
    /// The answer.
    pub verdict: RehearsalVerdict,
    /// What speaks against the migrations, worst first.
    pub problems: Vec<Problem>,
    /// What ran, in order. Empty if nothing was pending.
    pub migrations: Vec<MigrationReport>,
    /// Migrations behind one that failed.
    pub not_reached: Vec<FileRef>,
    /// Fingerprints of the linter's findings about statements that ran here.
    pub covered_findings: Vec<String>,
    /// The machine it ran on, for whoever compares its times with production.
    pub place: Place,
}

/// The answer of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RehearsalVerdict {
    /// Everything ran, and nothing at or above the level that fails was found.
    Passed,
    /// Something failed, is lost, or blocks.
    Failed,
}

/// One file of a set, by name and by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// As it was shown.
    pub path: String,
    /// The framework's version of it, if it has one.
    pub version: Option<String>,
    /// SHA-256 of its text.
    pub fingerprint: String,
}

/// Something that speaks against a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable.
    pub code: ProblemCode,
    /// Whether it makes the answer no by default.
    pub severity: ProblemSeverity,
    /// The migration, as its path is shown.
    pub migration: String,
    /// The line of the statement, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The table or index it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What was seen, with figures.
    pub message: String,
}

/// What kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// It does not run on this data.
    MigrationFails,
    /// Rows or values that were there are gone.
    DataLost,
    /// Stopped between two of its statements, it cannot be run again, or ends elsewhere.
    StuckAfterStop,
    /// A stopped concurrent statement leaves something invalid that running it again does not mend.
    InvalidAfterStop,
    /// Reads or writes of others wait for longer than allowed.
    Blocks,
    /// An index that answers no query is left.
    InvalidIndex,
    /// A whole table is written anew.
    Rewrites,
    /// Values of rows that stayed are others now.
    DataChanged,
    /// Run a second time at once, it fails.
    RepeatFails,
    /// Run a second time at once, it changes something again.
    RepeatChanges,
    /// The way back does not run.
    DownFails,
    /// The way back leads elsewhere.
    DownDiffers,
    /// After the way back, the migration cannot be run again.
    UpAgainFails,
    /// A constraint that nothing has checked is left.
    UnvalidatedConstraint,
    /// A foreign key whose columns no index covers is left.
    ForeignKeyWithoutIndex,
    /// `IF NOT EXISTS` passed over something that is already there.
    AlreadyThere,
}

impl ProblemCode {
    /// All, worst first.
    pub const ALL: [Self; 16] = [
        Self::MigrationFails,
        Self::DataLost,
        Self::StuckAfterStop,
        Self::InvalidAfterStop,
        Self::Blocks,
        Self::InvalidIndex,
        Self::Rewrites,
        Self::DataChanged,
        Self::RepeatFails,
        Self::RepeatChanges,
        Self::DownFails,
        Self::DownDiffers,
        Self::UpAgainFails,
        Self::UnvalidatedConstraint,
        Self::ForeignKeyWithoutIndex,
        Self::AlreadyThere,
    ];

    /// The stable name that every output uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MigrationFails => "migration-fails",
            Self::DataLost => "data-lost",
            Self::StuckAfterStop => "stuck-after-stop",
            Self::InvalidAfterStop => "invalid-after-stop",
            Self::Blocks => "blocks",
            Self::InvalidIndex => "invalid-index",
            Self::Rewrites => "rewrites",
            Self::DataChanged => "data-changed",
            Self::RepeatFails => "repeat-fails",
            Self::RepeatChanges => "repeat-changes",
            Self::DownFails => "down-fails",
            Self::DownDiffers => "down-differs",
            Self::UpAgainFails => "up-again-fails",
            Self::UnvalidatedConstraint => "unvalidated-constraint",
            Self::ForeignKeyWithoutIndex => "foreign-key-without-index",
            Self::AlreadyThere => "already-there",
        }
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemSeverity {
    /// Do not deploy it like this.
    Error,
    /// Look at it.
    Warning,
}

/// What one migration did. Where a framework runs all pending files in one transaction, they are one migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MigrationReport {
    /// Its files: the ups.
    pub files: Vec<FileRef>,
    /// Whether it is one transaction: a stop in its middle leaves nothing of it.
    pub atomic: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Its statements as far as it came.
    pub statements: Vec<StatementReport>,
    /// From its first statement to the end of its last.
    pub seconds: f64,
    /// Bytes of temporary files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp_bytes: Option<u64>,
    /// What it did to data, table by table; only tables it touched.
    pub tables: Vec<TableChange>,
    /// Sequences that stand elsewhere without any row having drawn from them.
    #[serde(default)]
    pub sequences_moved: Vec<String>,
    /// What it did to the schema.
    pub schema: SchemaChange,
    /// Run again at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Stopped in the middle and run again; empty where a stop leaves nothing.
    #[serde(default)]
    pub stops: Vec<Stop>,
    /// The way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<WayBack>,
    /// What a small load of reads and writes felt of it; absent without `--load`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadReport>,
    /// What was not tried, and why.
    #[serde(default)]
    pub not_tried: Vec<String>,
}

/// How a run of a migration ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran to its end.
    Ran,
    /// A statement was refused.
    Failed(Refusal),
}

/// Why a statement was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The file.
    pub file: String,
    /// Line in it, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// SQLSTATE; empty where the server was lost.
    pub sqlstate: String,
    /// What the server said.
    pub message: String,
}

/// One statement: where it is and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementReport {
    /// The file.
    pub file: String,
    /// The line it begins in, from 1.
    pub line: u64,
    /// Its text, cut after a few hundred characters.
    pub sql: String,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
}

/// What happened to a table's data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChange {
    /// Its name before.
    pub table: String,
    /// Its name afterwards, if it has another; absent too if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
    /// Whether it is gone.
    pub dropped: bool,
    /// Rows before.
    pub rows_before: u64,
    /// Rows afterwards.
    pub rows_after: u64,
    /// Rows that were removed, as far as counted; new ones may have come for them.
    pub rows_deleted: u64,
    /// Columns whose values are gone or others.
    pub columns: Vec<ColumnChange>,
    /// Whether the same rows no longer have the same values together, though each column has its own.
    pub rows_changed: bool,
}

/// What happened to a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChange {
    /// Its name before.
    pub column: String,
    /// What happened.
    pub fate: ColumnFate,
    /// Values that were not null before.
    pub values_before: u64,
    /// Values that are not null afterwards.
    pub values_after: u64,
    /// Where the very same values are now, if they are somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
}

/// What happened to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnFate {
    /// It is gone.
    Dropped,
    /// Its values are others.
    Changed,
    /// It has another name and the same values.
    Renamed,
}

/// Objects of the schema, as `kind name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// New.
    pub added: Vec<String>,
    /// Gone.
    pub removed: Vec<String>,
    /// Defined in another way.
    pub changed: Vec<String>,
    /// Indexes that answer no query, and were not there before.
    #[serde(default)]
    pub invalid_indexes: Vec<String>,
    /// Constraints that nothing has checked, and were not there before.
    #[serde(default)]
    pub unvalidated_constraints: Vec<String>,
    /// Foreign keys whose columns no index covers, and were not there before.
    #[serde(default)]
    pub foreign_keys_without_index: Vec<String>,
}

/// What a second run at once did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// How it ended.
    pub outcome: Outcome,
    /// What it changed once more, for people; empty if nothing.
    pub changes: Vec<String>,
}

/// What a run after a stop did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The file of the last statement that took effect, or that was cut off.
    pub file: String,
    /// Its line.
    pub line: u64,
    /// Whether it was cut off in its middle, as a concurrent build can be.
    pub within: bool,
    /// How the run afterwards ended.
    pub outcome: Outcome,
    /// In what its end differs from that of a run without a stop, for people; empty if in nothing.
    pub differences: Vec<String>,
    /// What is invalid afterwards and would not have been.
    pub invalid: Vec<String>,
}

/// What the down did, and what the up after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// How the down ended.
    pub outcome: Outcome,
    /// In what the schema differs from before, for people.
    pub schema_differences: Vec<String>,
    /// In what the data differs from before, for people.
    pub data_differences: Vec<String>,
    /// How the up after the down ended; absent if the down failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_again: Option<Outcome>,
    /// How a second down right after the first ended; absent if it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_again: Option<Outcome>,
}

/// What others felt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// Reads that were answered.
    pub reads: u64,
    /// The longest that one of them took, in seconds.
    pub longest_read: f64,
    /// Writes that were answered.
    pub writes: u64,
    /// The longest that one of them took, in seconds.
    pub longest_write: f64,
    /// Reads and writes that were refused: of a column that is gone, or as a victim of a deadlock.
    pub errors: Vec<String>,
    /// How the migration ended under load.
    pub outcome: Option<Outcome>,
}

/// The machine and the server of a rehearsal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The copy, for people.
    pub scratch: String,
    /// Its server's version.
    pub server_version: String,
    /// The production server's version, from the backup.
    pub source_server_version: String,
    /// Processors of this machine.
    pub processors: u64,
    /// `shared_buffers` here.
    pub shared_buffers: String,
    /// `maintenance_work_mem` here: index builds depend on it.
    pub maintenance_work_mem: String,
    /// Bytes that the copy has.
    pub database_bytes: u64,
    /// Bytes that the source had, indexes and bloat included.
    pub source_bytes: u64,
    /// What makes the figures differ from production, in a sentence each.
    pub notes: Vec<String>,
}

impl FileRef {
    /// Of a file of a set.
    pub fn of(file: &MigrationFile) -> Self {
        Self {
            path: file.source.path().display().to_string(),
            version: file.version.clone(),
            fingerprint: fingerprint(file.source.text()),
        }
    }
}

/// What a migration's text is known by in a record: SHA-256 in hex, whatever the file is called.
pub fn fingerprint(text: &str) -> String {
    Hashed::of(text.as_bytes()).sha256.to_string()
}

impl MigrationReport {
    /// How these files ended; nothing else of them was looked at yet.
    pub fn of(files: Vec<FileRef>, outcome: Outcome) -> Self {
        Self {
            files,
            atomic: true,
            outcome,
            statements: Vec::new(),
            seconds: 0.0,
            temp_bytes: None,
            tables: Vec::new(),
            sequences_moved: Vec::new(),
            schema: SchemaChange::default(),
            repeat: None,
            stops: Vec::new(),
            way_back: None,
            load: None,
            not_tried: Vec::new(),
        }
    }
}

impl Rehearsal {
    /// Whether a file with this fingerprint ran here to its end.
    pub fn ran(&self, fingerprint: &str) -> bool {
        let done = self.migrations.iter().filter(|migration| migration.outcome == Outcome::Ran);
        done.flat_map(|migration| &migration.files).any(|file| file.fingerprint == fingerprint)
    }

    /// Whether a finding of the linter with this fingerprint is about a statement that ran here.
    pub fn covers(&self, finding: &str) -> bool {
        self.covered_findings.iter().any(|covered| covered == finding)
    }
}

/// Where the rehearsals of a backup lie beside it.
pub fn folder(keys: &BackupKeys) -> Key {
    keys.notes(FOLDER)
}

/// Keeps a record beside the backup it is about.
pub async fn keep(catalog: &Catalog, keys: &BackupKeys, record: &Rehearsal) -> Result<Key, CatalogError> {
    catalog.add_note(keys, FOLDER, record.finished, record).await
}

/// The rehearsals on a backup, oldest first. One that cannot be read, or that is about another manifest, counts for nothing.
pub async fn rehearsals_of(
    catalog: &Catalog,
    keys: &BackupKeys,
    manifest: &Manifest,
) -> Result<Vec<Rehearsal>, CatalogError> {
    let mut found: Vec<Rehearsal> = catalog.notes(keys, FOLDER).await?;
    found.retain(|record| record.manifest == manifest.digest());
    found.sort_by_key(|record| record.finished);
    Ok(found)
}

const FOLDER: &str = "rehearsals";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_back_as_it_was_written() {
        let refusal = Refusal {
            file: "a.sql".to_owned(),
            line: 3,
            column: 7,
            sqlstate: "42601".to_owned(),
            message: "syntax error".to_owned(),
        };
        for outcome in [Outcome::Ran, Outcome::Failed(refusal)] {
            let stop = Stop {
                file: "b.sql".to_owned(),
                line: 1,
                within: true,
                outcome,
                differences: Vec::new(),
                invalid: Vec::new(),
            };
            let text = serde_json::to_string(&stop).expect("it can be written");
            assert_eq!(serde_json::from_str::<Stop>(&text).expect("it can be read"), stop, "{text}");
        }
        let file = FileRef { path: "a.sql".to_owned(), version: None, fingerprint: fingerprint("SELECT 1") };
        let report = MigrationReport::of(vec![file], Outcome::Ran);
        let text = serde_json::to_string(&report).expect("it can be written");
        assert_eq!(serde_json::from_str::<MigrationReport>(&text).expect("it can be read"), report);
    }
}
