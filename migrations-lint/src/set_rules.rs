//! Rules about a set that need more than its files: what a layout saw, which migrations are old, what a database ran; and
//! rules about suppressions.
//!
//! Each rule is one file below this module: its [`RuleInfo`] and its check. All other rules live in `rules`.

use crate::fingerprint::Fingerprints;
use crate::layout::FoundSet;
use crate::migration::MigrationFile;
use crate::options::Options;
use crate::report::Finding;
use crate::rule::RuleInfo;
use crate::source_text::{SourceText, Span};

mod edited_after_apply;
mod file_not_run;
mod missing_file;
mod out_of_order_version;
mod skipped_version;
pub(crate) mod suppression;
mod wrong_encoding;

/// Every rule of this module, for the table of all rules.
pub(crate) const RULES: [&RuleInfo; 9] = [
    &out_of_order_version::RULE,
    &skipped_version::RULE,
    &edited_after_apply::RULE,
    &missing_file::RULE,
    &file_not_run::RULE,
    &wrong_encoding::RULE,
    &suppression::WITHOUT_REASON,
    &suppression::UNKNOWN_RULE,
    &suppression::UNUSED,
];

/// What is known about a set beyond its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct History<'a> {
    /// Whether files that are not reported are known to be older (`--since`) or applied (`--pending`), not only given as
    /// context.
    pub is_known: bool,
    /// Indices of files that were edited after they ran.
    pub edited: &'a [usize],
    /// Indices of reported files that are not new but changed since the base (`--since`).
    pub changed: &'a [usize],
}

/// Everything that is wrong with `found` as a set, in no order.
pub fn check_set(found: &FoundSet, history: History<'_>, options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    let subject = Subject { found, history, options };
    out_of_order_version::check(&subject, &mut findings);
    skipped_version::check(&subject, &mut findings);
    edited_after_apply::check(&subject, &mut findings);
    missing_file::check(&subject, &mut findings);
    file_not_run::check(&subject, &mut findings);
    wrong_encoding::check(&subject, &mut findings);
    findings
}

/// What a check looks at.
struct Subject<'a> {
    found: &'a FoundSet,
    history: History<'a>,
    options: &'a Options,
}

impl Subject<'_> {
    fn files(&self) -> &[MigrationFile] {
        &self.found.set.files
    }

    fn reported(&self) -> impl Iterator<Item = &MigrationFile> {
        self.files().iter().filter(|file| file.reported)
    }

    /// A finding about a file as a whole, told at its beginning.
    fn about(&self, rule: &RuleInfo, file: &MigrationFile, message: String) -> Option<Finding> {
        draft(rule, &file.source, Span::default(), message, self.options)
    }

    /// A finding about a file of which only the path is known.
    fn about_path(&self, rule: &RuleInfo, path: &std::path::Path, message: String) -> Option<Finding> {
        draft(rule, &SourceText::new(path, ""), Span::default(), message, self.options)
    }
}

/// A finding of `rule` with its page's words for why and help, unless the options turn the rule off.
pub(crate) fn draft(
    rule: &RuleInfo,
    source: &SourceText,
    span: Span,
    message: String,
    options: &Options,
) -> Option<Finding> {
    let severity = options.severities.get(rule.id).copied().unwrap_or(rule.default_severity).severity()?;
    let (why, help) = rule.docs.split_once("\n\n").unwrap_or((rule.docs, ""));
    Some(Finding {
        rule: rule.id,
        class: rule.class,
        severity,
        file: source.path().to_owned(),
        span,
        start: source.position(span.start),
        end: source.position(span.end),
        statement: source.slice(span).to_owned(),
        fingerprint: Fingerprints::default().of(rule.id, source.path(), source.slice(span)),
        message,
        why: why.to_owned(),
        help: help.to_owned(),
        fix: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
