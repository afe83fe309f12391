//! What a rule is: its name, class, default severity, documentation and examples.

use crate::options::RuleSeverity;
use crate::report::Class;

/// One rule as the outside sees it: `--list-rules`, `--explain`, the generated page.
#[derive(Debug, Clone)]
pub struct RuleInfo {
    /// Stable kebab-case name, public API.
    pub id: &'static str,
    /// The kind of harm.
    pub class: Class,
    /// How its findings count unless the options say otherwise.
    pub default_severity: RuleSeverity,
    /// One sentence.
    pub summary: &'static str,
    /// Markdown: why it matters and what to do instead.
    pub docs: &'static str,
    /// SQL that the rule reports.
    pub bad: &'static [Example],
    /// The safe counterparts, about which no rule says anything at warning level.
    pub good: &'static [Example],
}

/// SQL that shows a rule.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What stands in the database before: run first, never linted with the example.
    pub setup: &'static str,
    /// The migration.
    pub sql: &'static str,
}
