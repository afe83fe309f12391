//! A migration without a way back.

use std::collections::BTreeSet;

use super::Subject;
use crate::layout::Layout;
use crate::migration::{Direction, MigrationFile};
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "missing-down",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A migration has no way back although others of its set have one.",
    docs: "A roll-back stops here: the migrations after it can be undone, this one cannot.\n\nWrite the down part, or say that there is none: an empty one with a comment.",
    bad: &[],
    good: &[],
};

/// Speaks only in sets that use downs at all: a team that only goes forward is not told so at every file.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let with_down: BTreeSet<&str> = subject
        .files()
        .iter()
        .filter(|file| has(file, Direction::Down))
        .filter_map(|file| file.version.as_deref())
        .collect();
    // For Prisma a down.sql is a private custom, for Flyway and Liquibase a matter of the single migration.
    let is_optional = matches!(subject.found.layout, Layout::Prisma | Layout::Flyway | Layout::Liquibase);
    if is_optional || (with_down.is_empty() && subject.found.layout != Layout::Dbmate) {
        return;
    }
    for file in subject.reported().filter(|file| has(file, Direction::Up)) {
        if file.version.as_deref().is_some_and(|version| !with_down.contains(version)) {
            findings.extend(subject.about(&RULE, file, "this migration has no down".to_owned()));
        }
    }
}

fn has(file: &MigrationFile, direction: Direction) -> bool {
    file.parts.iter().any(|part| part.direction == direction)
}
