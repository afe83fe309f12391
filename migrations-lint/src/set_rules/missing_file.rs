//! A listed migration without its file.

use super::Subject;
use crate::layout::Observation;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "missing-file",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Error,
    summary: "A journal or sum lists a migration that is not there.",
    docs: "The framework stops at the missing file, on new databases and old ones.\n\nBring the file back, or take its line out of the list if it ran nowhere.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for observation in &subject.found.observations {
        if let Observation::Missing { listing, name } = observation {
            findings.extend(subject.about_path(&RULE, listing, format!("{name} is listed but does not exist")));
        }
    }
}
