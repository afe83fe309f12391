//! Bytes that are not UTF-8.

use super::Subject;
use crate::layout::Observation;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "wrong-encoding",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A file is not UTF-8 text.",
    docs: "Frameworks that read text refuse the file, the others send bytes that the server takes for other characters or refuses.\n\nSave the file as UTF-8.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for observation in &subject.found.observations {
        let Observation::NotUtf8 { file } = observation else { continue };
        if let Some(file) = subject.reported().find(|reported| reported.source.path() == file) {
            let message = "the bytes of this file are not UTF-8; it was read as nearly as possible".to_owned();
            findings.extend(subject.about(&RULE, file, message));
        }
    }
}
