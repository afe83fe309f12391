//! A down part without a statement.

use super::{Subject, draft};
use crate::migration::Direction;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;
use crate::scan::is_blank;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "empty-down",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A down part does nothing.",
    docs: "A roll-back passes over this migration and reports success, and the schema is not the one that the framework believes it to be.\n\nUndo what the up does; if it cannot be undone, let the down fail with a message (`DO $$ BEGIN RAISE EXCEPTION ... END $$`).",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for file in subject.reported() {
        let runs_something =
            file.parts.iter().any(|part| part.direction != Direction::Down && !is_blank(file.source.slice(part.span)));
        let is_down_file = file.parts.iter().all(|part| part.direction == Direction::Down);
        for part in file.parts.iter().filter(|part| part.direction == Direction::Down) {
            if (runs_something || is_down_file) && is_blank(file.source.slice(part.span)) {
                let message = "this down does nothing".to_owned();
                let place = crate::source_text::Span::new(part.span.start, part.span.start);
                findings.extend(draft(&RULE, &file.source, place, message, subject.options));
            }
        }
    }
}
