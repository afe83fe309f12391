//! A version below one that has been deployed.

use std::cmp::Ordering;

use super::Subject;
use crate::layout::Layout;
use crate::migration::{Direction, MigrationFile};
use crate::options::RuleSeverity;
use crate::report::{Class, Finding, Severity};
use crate::rule::RuleInfo;

pub(super) const RULE: RuleInfo = RuleInfo {
    id: "out-of-order-version",
    class: Class::MigrationSet,
    default_severity: RuleSeverity::Error,
    summary: "A new migration has a version below one that is already there.",
    docs: "Databases that have run the later version skip or refuse this one, or run it in another order than a new database does.\n\nRename the new migration so that its version is above every other.",
    bad: &[],
    good: &[],
};

/// Speaks only where it is known which files are older: a file that merely gives context says nothing about order.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.history.is_known {
        return;
    }
    let mut newest_old: Option<&MigrationFile> = None;
    let files = subject.files().iter().enumerate().rev();
    for (idx, file) in files.filter(|(_, file)| file.version.is_some() && runs_forward(file)) {
        let is_new = file.reported && !subject.history.changed.contains(&idx);
        match newest_old {
            None if !is_new => newest_old = Some(file),
            Some(old) if is_new && old.version.cmp(&file.version) != Ordering::Equal => {
                findings.extend(out_of_order(subject, file, old));
            }
            _ => {}
        }
    }
}

fn runs_forward(file: &MigrationFile) -> bool {
    file.parts.iter().any(|part| part.direction == Direction::Up)
}

fn out_of_order(subject: &Subject<'_>, file: &MigrationFile, old: &MigrationFile) -> Option<Finding> {
    let message = format!("this migration comes before {}, which is older", old.source.path().display());
    let mut finding = subject.about(&RULE, file, message)?;
    let (why, is_certain) = consequence(subject.found.layout);
    why.clone_into(&mut finding.why);
    if !is_certain && !subject.options.severities.contains_key(RULE.id) {
        finding.severity = Severity::Warning;
    }
    Some(finding)
}

/// What the framework does with it, and whether that is sure to hurt.
fn consequence(layout: Layout) -> (&'static str, bool) {
    match layout {
        Layout::GolangMigrate => ("golang-migrate records only the newest version, so a lower one never runs", true),
        Layout::Drizzle => ("Drizzle runs only entries above the newest one applied, so this one never runs", true),
        Layout::Goose => ("goose refuses to run a missing migration unless -allow-missing is given", true),
        Layout::Flyway => ("Flyway refuses or ignores it unless outOfOrder is set", true),
        Layout::Supabase => ("supabase db push refuses it unless --include-all is given", true),
        Layout::Atlas => ("atlas migrate apply refuses a set that is not linear", true),
        Layout::Refinery => ("refinery refuses a V migration below the newest one applied", true),
        Layout::Prisma | Layout::Sqlx | Layout::Diesel | Layout::Dbmate | Layout::Liquibase | Layout::Plain => (
            "where the later migration has run, this one runs after it; on a new database it runs before: the two may \
             end up different",
            false,
        ),
    }
}
