//! A journal entry out of order.

use super::Subject;
use crate::layout::Observation;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "skipped-version",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Error,
    summary: "The journal puts a migration where it is skipped.",
    docs: "Drizzle runs only journal entries whose time is above that of the newest one applied. This entry is listed after a newer one, so every database that has run that one skips it, without a word.\n\nGive the entry in meta/_journal.json a \"when\" above all before it, or generate the migration again.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for observation in &subject.found.observations {
        let Observation::Skipped { file, why } = observation else { continue };
        if let Some(file) = subject.reported().find(|reported| reported.source.path() == file) {
            findings.extend(subject.about(&RULE, file, format!("this migration is skipped: {why}")));
        }
    }
}
