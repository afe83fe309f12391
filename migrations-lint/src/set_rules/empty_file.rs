//! A migration without a statement.

use super::Subject;
use crate::migration::Direction;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;
use crate::scan::is_blank;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "empty-file",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A migration holds no statement.",
    docs: "The framework records a migration that changed nothing; often the text was lost on the way.\n\nWrite the migration, or delete the file if it has run nowhere.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for file in subject.reported() {
        let is_down = |direction| direction == Direction::Down;
        if !file.parts.iter().any(|part| is_down(part.direction)) && is_blank(file.source.text()) {
            findings.extend(subject.about(&RULE, file, "this migration holds no statement".to_owned()));
        }
    }
}
