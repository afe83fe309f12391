//! The shape of `[gate.ENV]`: what must hold before migrations may run in an environment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::duration::HumanDuration;

/// The policies of `guard gate`, in a file of their own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(title = "a policy file of guard gate")]
#[serde(default, deny_unknown_fields)]
pub struct PolicyFile {
    /// What must hold before migrations may run, by environment.
    pub gate: BTreeMap<String, GateFile>,
}

/// What must hold before migrations may run in this environment (`guard gate --env NAME`, `guard migrate --env NAME`).
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GateFile {
    /// The source whose backups count. When absent: what --source says, or the only one.
    pub source: Option<String>,
    /// From which severity on a finding of the linter closes the gate.
    pub fail_on: FailOn,
    /// How old the data of the newest backup may be.
    pub backup_max_age: HumanDuration,
    /// How long ago the newest test restore may have been.
    pub proof_max_age: HumanDuration,
    /// What must have been restored: any backup of the `source`, or the very `backup` that is newest.
    pub proof_of: ProofOf,
    /// Whether the backup must be of the schema that the migrations change: `when-known` closes the gate only if it is known
    /// to be of another, `required` also if that cannot be told.
    pub schema: SchemaRule,
    /// Findings of these classes must have been rehearsed on a restored copy. Empty: nothing must.
    pub rehearsal_for: Vec<Harm>,
    /// How long ago that may have been.
    pub rehearsal_max_age: HumanDuration,
    /// Findings of these classes need a `guard:ignore` with an owner and an expiry. Empty: nothing does.
    pub approval_for: Vec<Harm>,
    /// Who may be that owner. Empty: anybody.
    pub approvers: Vec<String>,
    /// How far ahead an approval may expire.
    pub approval_max_term: HumanDuration,
    /// What to do about a dump that runs when a migration window is to open: `wait` for its end, `cancel` it, or `refuse`.
    pub running_backup: RunningBackup,
    /// How long to wait for its end.
    pub max_wait: HumanDuration,
    /// Whether a backup is taken before the migrations run, as with --backup.
    pub backup: bool,
}

impl Default for GateFile {
    fn default() -> Self {
        Self {
            source: None,
            fail_on: FailOn::Error,
            backup_max_age: HumanDuration::seconds(26 * 3600),
            proof_max_age: HumanDuration::seconds(35 * 86_400),
            proof_of: ProofOf::Source,
            schema: SchemaRule::WhenKnown,
            rehearsal_for: vec![Harm::Destructive, Harm::Lock],
            rehearsal_max_age: HumanDuration::seconds(7 * 86_400),
            approval_for: vec![Harm::Destructive],
            approvers: Vec::new(),
            approval_max_term: HumanDuration::seconds(180 * 86_400),
            running_backup: RunningBackup::Wait,
            max_wait: HumanDuration::seconds(600),
            backup: false,
        }
    }
}

/// From which severity on a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Errors only.
    Error,
    /// Warnings too.
    Warning,
    /// Nothing.
    Never,
}

/// What must have been restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofOf {
    /// Any backup of the source.
    Source,
    /// The newest backup itself.
    Backup,
}

/// Whether the backup must be of this schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaRule {
    /// It must be known to be.
    Required,
    /// It must not be known to be of another.
    WhenKnown,
    /// Nobody asks.
    Off,
}

/// What to do about a dump that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunningBackup {
    /// Wait for its end.
    Wait,
    /// Ask it to give way.
    Cancel,
    /// Stay closed.
    Refuse,
}

/// The classes of the linter's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Data or objects are lost.
    Destructive,
    /// A second run fails, or changes data again.
    NonIdempotent,
    /// Reads or writes are blocked for long, or a table is rewritten.
    Lock,
    /// Running application code breaks.
    Breaking,
    /// Fails on data that may exist.
    MayFail,
    /// Cannot run in the way the framework runs it.
    Transaction,
    /// There is no way back.
    Irreversible,
    /// Weakens access control or exposes a secret.
    Security,
    /// A matter of taste.
    Style,
    /// The set as a whole.
    MigrationSet,
}
