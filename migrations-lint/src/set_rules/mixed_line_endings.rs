//! Line ends that a checkout may change.

use super::Subject;
use crate::layout::Layout;
use crate::options::RuleSeverity;
use crate::report::{Class, Finding};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "mixed-line-endings",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Warning,
    summary: "A file has both CRLF and LF line ends, and its framework hashes bytes.",
    docs: "A checkout on another system, or an editor, changes the line ends, and with them the checksum that was stored when the migration ran: the framework then takes it for edited.\n\nUse one kind throughout, and fix it in `.gitattributes`: `*.sql text eol=lf`.",
    bad: &[],
    good: &[],
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // Flyway hashes lines without their ends, Prisma tries all forms; the others keep no checksum.
    if !matches!(subject.found.layout, Layout::Sqlx | Layout::Refinery | Layout::Atlas) {
        return;
    }
    for file in subject.reported() {
        let bytes = file.source.text().as_bytes();
        let mut n_lf = 0_usize;
        let mut n_crlf = 0_usize;
        for at in memchr::memchr_iter(b'\n', bytes) {
            if at > 0 && bytes[at - 1] == b'\r' { n_crlf += 1 } else { n_lf += 1 }
        }
        if n_lf > 0 && n_crlf > 0 {
            let message = format!("{n_crlf} lines end in CRLF and {n_lf} in LF");
            findings.extend(subject.about(&RULE, file, message));
        }
    }
}
