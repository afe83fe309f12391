//! Evidence: what a test restore or a verification found, append-only beside the backup.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog::{BackupId, RunNote};
use crate::contents::Difference;

/// The evidence of one test restore. Fields are only added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The backup.
    pub backup: BackupId,
    /// Its source.
    pub source: String,
    /// The hash of the manifest that was proven: evidence is stale once the manifest is another.
    pub manifest: String,
    /// The environment's name, if the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Who or what started it.
    pub started_by: String,
    /// The run that found it; absent in evidence of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunNote>,
    /// The outcome.
    pub verdict: Verdict,
    /// Why it failed, as a stable code.
    pub reason: Option<String>,
    /// The rungs that were climbed, in order; the first that fails is the last.
    pub rungs: Vec<EvidenceRung>,
    /// What differs, table by table.
    pub differences: Vec<Difference>,
    /// When the test began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    /// From the first stored byte read to the last index built.
    pub restore_seconds: f64,
    /// Dumping and comparing the restored copy, and the checks of its structure.
    pub proof_seconds: f64,
    /// Age of the data when the test began: what would have been lost.
    pub rpo_seconds: f64,
    /// The target for it, if one is set.
    pub rpo_target_seconds: Option<f64>,
    /// The target for `restore_seconds`, if one is set.
    pub rto_target_seconds: Option<f64>,
    /// guard's version.
    pub guard: String,
    /// The server it was restored into.
    pub scratch: Option<String>,
    /// Tables, rows and bytes that were compared.
    pub compared: Compared,
}

/// How much a comparison covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Tables with data.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Sequences.
    pub sequences: u64,
    /// Large objects.
    pub large_objects: u64,
    /// Definitions.
    pub objects: u64,
    /// Keys.
    #[serde(default)]
    pub keys: u64,
}

/// One rung of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRung {
    /// Its stable name.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What was found, with figures.
    pub detail: String,
    /// How long it took.
    pub seconds: f64,
}

/// The outcome of a test restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that was dumped came back.
    Proven,
    /// It did not.
    Failed,
}

/// What `list` shows of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofSummary {
    /// When it was found.
    pub at: DateTime<Utc>,
    /// What was found.
    pub verdict: Verdict,
}

impl From<&Evidence> for ProofSummary {
    fn from(evidence: &Evidence) -> Self {
        Self { at: evidence.finished, verdict: evidence.verdict }
    }
}
