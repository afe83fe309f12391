//! Text that differs from what ran or was hashed.

use super::Subject;
use crate::layout::{Layout, Observation};
use crate::migration::{Direction, MigrationFile};
use crate::options::RuleSeverity;
use crate::report::{Class, Finding, Severity};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "edited-after-apply",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Error,
    summary: "A migration was changed after it ran, or after it was hashed.",
    docs: "Databases that have run it keep what the old text made, new ones get what the new text makes, and most frameworks refuse to go on when the checksum differs.\n\nPut the old text back and write a new migration for the change. If the file has run nowhere, hash it again (`atlas migrate hash`).",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for idx in subject.history.edited {
        let message = "this migration was edited after the database ran it: its checksum differs".to_owned();
        findings.extend(subject.about(&RULE, &subject.files()[*idx], message));
    }
    for idx in subject.history.changed {
        findings.extend(changed(subject, &subject.files()[*idx]));
    }
    for observation in &subject.found.observations {
        if let Observation::SumMismatch { file, what } = observation {
            findings.extend(subject.about_path(&RULE, file, format!("atlas.sum does not fit this file: {what}")));
        }
    }
}

/// A file that the base of the comparison has, with other text: whatever was deployed from there has run the old one.
fn changed(subject: &Subject<'_>, file: &MigrationFile) -> Option<Finding> {
    let runs_once = file.parts.iter().any(|part| part.direction == Direction::Up);
    // Changesets are appended to Liquibase's files; each has a checksum of its own.
    if file.version.is_none() || !runs_once || subject.found.layout == Layout::Liquibase {
        return None;
    }
    let message = "this migration is not new but was changed; databases that have run it keep the old one".to_owned();
    let mut finding = subject.about(&RULE, file, message)?;
    let is_verified = matches!(
        subject.found.layout,
        Layout::Prisma | Layout::Sqlx | Layout::Flyway | Layout::Refinery | Layout::Atlas
    );
    if !is_verified && !subject.options.severities.contains_key(RULE.id) {
        finding.severity = Severity::Warning;
    }
    Some(finding)
}
