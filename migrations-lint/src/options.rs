//! What a caller may set: engine, version, transaction mode and severities; everything else follows from the files.

use std::collections::BTreeMap;

use crate::engine::{Engine, ServerVersion};
use crate::migration::TransactionMode;
use crate::report::Severity;

/// Settings of one run; the default leaves every choice to the layout and the rules.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Overrides the layout's engine.
    pub engine: Option<Engine>,
    /// Overrides the layout's server version.
    pub server_version: Option<ServerVersion>,
    /// Overrides how the layout says that parts are run.
    pub transaction: Option<TransactionMode>,
    /// Severity by rule id; a rule that is not named keeps its default.
    pub severities: BTreeMap<String, RuleSeverity>,
}

/// How a rule's findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleSeverity {
    /// Reported as an error.
    Error,
    /// Reported as a warning.
    Warning,
    /// Not reported.
    Off,
}

impl RuleSeverity {
    /// The severity of a finding, unless the rule is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Off => None,
        }
    }

    /// The name used by `--rule ID=…` and in the docs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Off => "off",
        }
    }
}
