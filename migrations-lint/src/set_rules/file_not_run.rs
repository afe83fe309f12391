//! A file that lies among the migrations and never runs.

use super::Subject;
use crate::layout::Observation;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "file-not-run",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A file among the migrations is one that the framework never runs.",
    docs: "It looks deployed and is not: the framework passes over it without a word.\n\nRename it to the form that the framework runs, or move it out of the migrations.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for observation in &subject.found.observations {
        if let Observation::NotRun { file, why } = observation {
            findings.extend(subject.about_path(&RULE, file, format!("this file is never run: {why}")));
        }
    }
}
