//! Two migrations with one version.

use std::collections::BTreeMap;

use super::Subject;
use crate::migration::Direction;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "duplicate-version",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Error,
    summary: "Two migrations have the same version.",
    docs: "The framework refuses the set, or runs only one of the two and takes the other for applied.\n\nGive the newer one a version of its own, above every version that has been deployed.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut by_version: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for (idx, file) in subject.files().iter().enumerate() {
        let is_down = !file.parts.is_empty() && file.parts.iter().all(|part| part.direction == Direction::Down);
        if let Some(version) = &file.version {
            by_version.entry((version, is_down)).or_default().push(idx);
        }
    }
    for ((version, _), idxs) in by_version.into_iter().filter(|(_, idxs)| idxs.len() > 1) {
        for (n, idx) in idxs.iter().enumerate().skip(1).filter(|(_, idx)| subject.files()[**idx].reported) {
            let other = subject.files()[idxs[n - 1]].source.path().display();
            let message = format!("version {version} is taken by {other} already");
            findings.extend(subject.about(&RULE, &subject.files()[*idx], message));
        }
    }
}
