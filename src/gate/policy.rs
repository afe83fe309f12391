//! What must hold before migrations may run: `[gate.ENV]` of the configuration, checked and with every default filled in.

use std::collections::BTreeSet;
use std::time::Duration;

use migrations_lint::report::{Class, Severity};
use serde::Serialize;

use crate::window::RunningBackup;

/// What one environment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The source whose backups count, if it was named.
    pub source: Option<String>,
    /// From which severity on a finding closes the gate; none is never.
    pub fail_on: Option<Severity>,
    /// How old the newest backup's data may be.
    pub backup_max_age: Duration,
    /// How old the newest test restore may be.
    pub proof_max_age: Duration,
    /// What must have been restored.
    pub proof_of: ProofOf,
    /// Whether the backup must be of the schema that the migrations are about to change.
    pub schema: SchemaRule,
    /// Findings of these classes need a rehearsal.
    pub rehearsal_for: BTreeSet<Class>,
    /// How old that may be.
    pub rehearsal_max_age: Duration,
    /// Findings of these classes need an approval.
    pub approval_for: BTreeSet<Class>,
    /// Who may give one; empty is anybody.
    pub approvers: Vec<String>,
    /// How far ahead an approval may expire.
    pub approval_max_term: Duration,
    /// What to do about a dump that runs.
    pub running_backup: RunningBackup,
    /// How long to wait for its end.
    pub max_wait: Duration,
    /// Whether a backup is taken before the migrations run.
    pub backup: bool,
}

/// What must have been restored recently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofOf {
    /// Any backup of the source: its backups can be restored.
    Source,
    /// The very backup that the gate decides by.
    Backup,
}

/// Whether the backup must be of this schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaRule {
    /// It must be known to be.
    Required,
    /// It must not be known to be of another.
    WhenKnown,
    /// Nobody asks.
    Off,
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

impl Default for Policy {
    fn default() -> Self {
        Self {
            source: None,
            fail_on: Some(Severity::Error),
            backup_max_age: Duration::from_secs(26 * HOUR),
            proof_max_age: Duration::from_secs(35 * DAY),
            proof_of: ProofOf::Source,
            schema: SchemaRule::WhenKnown,
            rehearsal_for: [Class::Destructive, Class::Lock].into(),
            rehearsal_max_age: Duration::from_secs(7 * DAY),
            approval_for: [Class::Destructive].into(),
            approvers: Vec::new(),
            approval_max_term: Duration::from_secs(180 * DAY),
            running_backup: RunningBackup::Wait,
            max_wait: Duration::from_mins(10),
            backup: false,
        }
    }
}
