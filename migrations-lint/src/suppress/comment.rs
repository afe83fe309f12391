//! One suppression comment: whose syntax it is in, what it names, and whether it may count.

use std::fmt;

use super::foreign;
use crate::options::{Options, RuleSeverity};
use crate::report::{Class, Finding};
use crate::rules;
use crate::source_text::Span;

/// How far a suppression reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Statement,
    File,
}

/// What a suppression leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    All,
    Rule(&'static str),
    /// Atlas names analyzers, each of which is about one kind of harm.
    Class(Class),
}

#[derive(Debug)]
pub(super) struct Comment {
    pub(super) place: Span,
    pub(super) scope: Scope,
    pub(super) targets: Vec<Target>,
    /// Names in it that are no rule's; an empty one if it names nothing where it must.
    pub(super) unknown: Vec<String>,
    /// The words behind the second `--`; empty in another tool's syntax.
    pub(super) reason: String,
    /// In another tool's syntax, which asks for no reason.
    pub(super) is_foreign: bool,
}

impl Comment {
    pub(super) fn has_reason(&self) -> bool {
        !self.reason.is_empty()
    }

    pub(super) fn is_valid(&self) -> bool {
        self.is_foreign || self.has_reason()
    }
}

impl Target {
    pub(super) fn matches(self, finding: &Finding) -> bool {
        match self {
            Self::All => true,
            Self::Rule(id) => finding.rule == id,
            Self::Class(class) => finding.class == class,
        }
    }

    /// Whether the options turn off what is named, so that it cannot be found.
    pub(super) fn is_off(self, options: &Options) -> bool {
        let Self::Rule(id) = self else { return false };
        let default = rules().iter().find(|rule| rule.id == id).map(|rule| rule.default_severity);
        options.severities.get(id).copied().or(default) == Some(RuleSeverity::Off)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("everything"),
            Self::Rule(id) => f.write_str(id),
            Self::Class(class) => f.write_str(class.as_str()),
        }
    }
}

/// Whether a look at the comments of `text` can be spared.
pub(super) fn may_have_any(text: &str) -> bool {
    ["guard:ignore", "squawk-ignore", "atlas:nolint"]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Reads the comment at `place` if it is a suppression in any of the known syntaxes.
pub(super) fn read(text: &str, place: Span) -> Option<Comment> {
    let comment = &text[place.range()];
    let body = comment.strip_prefix("--").or_else(|| comment.strip_prefix("/*")?.strip_suffix("*/"))?.trim();
    let blank = Comment {
        place,
        scope: Scope::Statement,
        targets: Vec::new(),
        unknown: Vec::new(),
        reason: String::new(),
        is_foreign: true,
    };
    if let Some(rest) = body.strip_prefix("guard:ignore") {
        return own(rest, Comment { is_foreign: false, ..blank });
    }
    if let Some(rest) = body.strip_prefix("squawk-ignore") {
        return Some(foreign::squawk(rest, blank));
    }
    let scope = if stands_alone_at_the_top(text, place) { Scope::File } else { Scope::Statement };
    foreign::atlas(body.strip_prefix("atlas:nolint")?, Comment { scope, ..blank })
}

/// The part after `guard:ignore`: `[-file] [rule[, rule]] [-- reason]`.
fn own(rest: &str, blank: Comment) -> Option<Comment> {
    let (scope, rest) = match rest.strip_prefix("-file") {
        Some(rest) => (Scope::File, rest),
        None => (Scope::Statement, rest),
    };
    if !rest.is_empty() && !rest.starts_with(|next: char| next.is_whitespace() || next == ':') {
        return None;
    }
    let (names, reason) = rest.trim_start_matches(':').split_once("--").unwrap_or((rest.trim_start_matches(':'), ""));
    let mut comment = Comment { scope, reason: reason.trim().to_owned(), ..blank };
    for name in names.split([',', ' ', '\t']).map(str::trim).filter(|name| !name.is_empty()) {
        match rules().iter().find(|rule| rule.id == name) {
            Some(rule) => comment.targets.push(Target::Rule(rule.id)),
            None => comment.unknown.push(name.to_owned()),
        }
    }
    if comment.targets.is_empty() && comment.unknown.is_empty() {
        match scope {
            Scope::File => comment.targets.push(Target::All),
            Scope::Statement => comment.unknown.push(String::new()),
        }
    }
    Some(comment)
}

/// Atlas takes a comment in the lines at the top of a file, parted from the rest by an empty line, for the whole file.
fn stands_alone_at_the_top(text: &str, place: Span) -> bool {
    let mut offset = if text.starts_with('\u{feff}') { 3 } else { 0 };
    for line in text[offset..].split_inclusive('\n') {
        offset += line.len();
        let line = line.trim();
        if line.is_empty() {
            return place.end < offset;
        }
        if !line.starts_with("--") {
            return false;
        }
    }
    false
}
