//! Findings that a comment in the file asks to leave out, and findings about such comments.
//!
//! `-- guard:ignore rule[, rule] -- reason` speaks for the statement that follows, that it stands in, or behind which it
//! stands on one line; `-- guard:ignore-file [rules] -- reason` for the file. Without a reason nothing is left out.
//! `squawk-ignore` and `atlas:nolint` comments are honoured as their own tools do, and never complained about.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::migration::MigrationFile;
use crate::options::Options;
use crate::report::{Finding, Report};
use crate::rules;
use crate::scan::{Scan, scan};
use crate::set_rules::{self, draft};
use crate::source_text::{SourceText, Span};

mod comment;
mod foreign;

use comment::{Comment, Scope};

/// Takes out of `report` what comments in `files` suppress, and adds what is wrong with those comments.
///
/// Returns the number of findings taken out. The report is in the order of `files` afterwards, findings about other files
/// last. Comments in files that are not reported on count, and are not complained about.
pub fn suppress<'a>(
    report: &mut Report,
    files: impl IntoIterator<Item = &'a MigrationFile>,
    options: &Options,
) -> usize {
    take_out(report, files, options).len()
}

/// The same, for whoever must know what was taken out and by whose word.
pub fn take_out<'a>(
    report: &mut Report,
    files: impl IntoIterator<Item = &'a MigrationFile>,
    options: &Options,
) -> Vec<Suppressed> {
    let files: Vec<_> = files.into_iter().collect();
    let order: HashMap<&Path, usize> = files.iter().enumerate().map(|(idx, file)| (file.source.path(), idx)).collect();
    let commented = files.iter().filter(|file| comment::may_have_any(file.source.text()));
    let mut by_path: HashMap<&Path, (&MigrationFile, Vec<Suppression>)> =
        commented.map(|file| (file.source.path(), (*file, read(&file.source)))).collect();
    let mut suppressed = Vec::new();
    report.findings.retain(|finding| {
        let suppressions = by_path.get_mut(finding.file.as_path()).map(|(_, suppressions)| suppressions);
        let mut reasons = Vec::new();
        // Every suppression that fits is used, so that none of two is called unused.
        for suppression in suppressions.into_iter().flatten() {
            if suppression.takes(finding) {
                reasons.push(suppression.comment.reason.clone());
            }
        }
        let is_left = reasons.is_empty();
        if !is_left {
            suppressed.push(Suppressed { finding: finding.clone(), reasons });
        }
        is_left
    });
    for (file, suppressions) in by_path.values().filter(|(file, _)| file.reported) {
        report
            .findings
            .extend(suppressions.iter().flat_map(|suppression| suppression.complaints(&file.source, options)));
    }
    let place = |finding: &Finding| order.get(finding.file.as_path()).copied().unwrap_or(usize::MAX);
    report.findings.sort_by(|a, b| (place(a), &a.file, a.span).cmp(&(place(b), &b.file, b.span)));
    suppressed
}

/// A finding that comments took out, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// The reasons of the comments that fit; one in another tool's syntax gives none, which is an empty text.
    pub reasons: Vec<String>,
}

/// A comment, where it counts, and what it has taken out so far.
#[derive(Debug)]
struct Suppression {
    comment: Comment,
    /// The statement it speaks for; the whole file for [`Scope::File`]; nothing if no statement follows.
    reach: Option<Span>,
    used: BTreeSet<usize>,
}

impl Suppression {
    fn takes(&mut self, finding: &Finding) -> bool {
        if !self.comment.is_valid() || !self.reach.is_some_and(|reach| contains(reach, finding.span.start)) {
            return false;
        }
        let mut takes = false;
        for (idx, target) in self.comment.targets.iter().enumerate() {
            if target.matches(finding) {
                self.used.insert(idx);
                takes = true;
            }
        }
        takes
    }

    fn complaints(&self, source: &SourceText, options: &Options) -> Vec<Finding> {
        if self.comment.is_foreign {
            return Vec::new();
        }
        let place = self.comment.place;
        let mut found = Vec::new();
        let mut complain = |rule, message: String| found.extend(draft(rule, source, place, message, options));
        for name in &self.comment.unknown {
            complain(&set_rules::suppression::UNKNOWN_RULE, unknown_message(name));
        }
        if !self.comment.has_reason() {
            let message = "a suppression gives no reason, so it suppresses nothing".to_owned();
            complain(&set_rules::suppression::WITHOUT_REASON, message);
            return found;
        }
        for (idx, target) in self.comment.targets.iter().enumerate() {
            if !self.used.contains(&idx) && !target.is_off(options) {
                complain(&set_rules::suppression::UNUSED, format!("{target} is suppressed here but not found"));
            }
        }
        found
    }
}

fn unknown_message(name: &str) -> String {
    if name.is_empty() {
        return "a suppression names no rule".to_owned();
    }
    let nearest = rules().iter().map(|rule| rule.id).filter(|id| id.contains(name) || name.contains(id)).min();
    match nearest {
        Some(nearest) => format!("there is no rule {name:?}; did you mean {nearest:?}?"),
        None => format!("there is no rule {name:?}"),
    }
}

fn contains(reach: Span, offset: usize) -> bool {
    reach.start <= offset && offset <= reach.end
}

fn read(source: &SourceText) -> Vec<Suppression> {
    let text = source.text();
    let found = scan(text);
    let comments = found.comments.iter().filter_map(|span| comment::read(text, *span));
    comments
        .map(|comment| Suppression { reach: reach(text, &found, &comment), comment, used: BTreeSet::new() })
        .collect()
}

fn reach(text: &str, found: &Scan, comment: &Comment) -> Option<Span> {
    if comment.scope == Scope::File {
        return Some(Span::new(0, text.len()));
    }
    let place = comment.place;
    let next = found.statements.partition_point(|statement| statement.end <= place.start);
    let before = next.checked_sub(1).map(|idx| found.statements[idx]);
    if let Some(before) = before.filter(|before| !text[before.end..place.start].contains('\n')) {
        return Some(before);
    }
    found.statements.get(next).copied()
}

#[cfg(test)]
mod tests;
