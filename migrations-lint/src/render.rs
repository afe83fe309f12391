//! A report as text: for people, for CI systems, for programs. One file below this module for each format.

use std::collections::HashMap;
use std::path::Path;

use crate::layout::FoundSet;
use crate::report::{Class, Report, Severity};
use crate::source_text::SourceText;

mod checkstyle;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
mod xml;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Annotated source for people.
    Human,
    /// The versioned document of the specification.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that become annotations in GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// `JUnit` XML.
    Junit,
    /// Checkstyle XML.
    Checkstyle,
    /// A summary for a pull request's comment.
    Markdown,
}

impl Format {
    /// All formats, in the order of the help text.
    pub const ALL: [Self; 8] = [
        Self::Human,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Checkstyle,
        Self::Markdown,
    ];

    /// The stable name used by `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Checkstyle => "checkstyle",
            Self::Markdown => "markdown",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// How the human format looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether ANSI colours are written.
    pub color: bool,
    /// Columns to fill.
    pub width: usize,
}

/// Everything a format may show.
#[derive(Debug)]
pub struct Document<'a> {
    /// What was found.
    pub report: &'a Report,
    /// The texts that were read.
    pub sources: Sources<'a>,
    /// Findings left out because a comment in the file says so.
    pub n_suppressed: usize,
    /// Findings left out because the baseline lists them.
    pub n_baselined: usize,
}

/// The texts by path.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    by_path: HashMap<&'a Path, &'a SourceText>,
}

impl<'a> Sources<'a> {
    /// The texts of all migrations in `sets`.
    pub fn of(sets: &'a [FoundSet]) -> Self {
        let files = sets.iter().flat_map(|found| &found.set.files);
        Self { by_path: files.map(|file| (file.source.path(), &file.source)).collect() }
    }

    fn find(&self, path: &Path) -> Option<&'a SourceText> {
        self.by_path.get(path).copied()
    }
}

/// Writes `document` in `format`; only the human format has a look.
pub fn render(document: &Document<'_>, format: Format, look: Look) -> String {
    match format {
        Format::Human => human::render(document, look),
        Format::Json => json::render(document),
        Format::Sarif => sarif::render(document),
        Format::Github => github::render(document),
        Format::Gitlab => gitlab::render(document),
        Format::Junit => junit::render(document),
        Format::Checkstyle => checkstyle::render(document),
        Format::Markdown => markdown::render(document),
    }
}

/// Where a rule's page is, from the root of this project.
fn rule_page(rule: &str) -> String {
    format!("docs/rules/{rule}.md")
}

/// A path for other systems: forward slashes, and not `./x`.
fn plain_path(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `3 errors, 1 warning`, or `no findings`.
fn tally(report: &Report) -> String {
    let n_errors = count(report, Severity::Error);
    let n_warnings = report.findings.len() - n_errors;
    match (n_errors, n_warnings) {
        (0, 0) => "no findings".to_owned(),
        (n_errors, 0) => plural(n_errors, "error"),
        (0, n_warnings) => plural(n_warnings, "warning"),
        (n_errors, n_warnings) => format!("{}, {}", plural(n_errors, "error"), plural(n_warnings, "warning")),
    }
}

/// `2 files, 7 statements: 1 error`.
fn summary(report: &Report) -> String {
    format!("{}, {}: {}", plural(report.n_files, "file"), plural(report.n_statements, "statement"), tally(report))
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn count(report: &Report, severity: Severity) -> usize {
    report.findings.iter().filter(|finding| finding.severity == severity).count()
}

/// How many findings each class has, in the order of the classes, without empty ones.
fn by_class(report: &Report) -> Vec<(Class, usize)> {
    let mut counts: Vec<(Class, usize)> = Vec::new();
    for finding in &report.findings {
        match counts.iter_mut().find(|(class, _)| *class == finding.class) {
            Some((_, n)) => *n += 1,
            None => counts.push((finding.class, 1)),
        }
    }
    counts.sort_unstable();
    counts
}
