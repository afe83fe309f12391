//! Files that do nothing, or whose bytes differ by the machine that checked them out.

use crate::migration::{Direction, MigrationSet};
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Rule, RuleInfo, SetDraft};
use crate::source_text::Span;

pub(crate) static EMPTY: Rule = Rule::of_set(
    RuleInfo {
        id: "empty-migration",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Error,
        summary: "A migration has no statement: most often it was meant to.",
        docs: "The framework records it as done, and its content, added later, never runs. Silent if a comment says that it is meant to be: no-op, \
               nothing to do, on purpose, intentionally.",
        bad: &[],
        good: &[],
    },
    empty,
);

pub(crate) static LINE_ENDINGS: Rule = Rule::of_set(
    RuleInfo {
        id: "mixed-line-endings",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Warning,
        summary: "A file mixes line endings, so its checksum changes when an editor or git makes them uniform.",
        docs: "Frameworks that compare checksums then refuse the set as edited. Put `*.sql text eol=lf` into `.gitattributes`.",
        bad: &[],
        good: &[],
    },
    line_endings,
);

fn empty(set: &MigrationSet, found: &mut Vec<SetDraft>) {
    for (file_idx, file) in set.files.iter().enumerate() {
        let ups: Vec<Span> =
            file.parts.iter().filter(|part| part.direction != Direction::Down).map(|part| part.span).collect();
        let is_meant = || ups.iter().any(|span| says_it_is_meant(file.source.slice(*span)));
        if !ups.is_empty() && ups.iter().all(|span| super::down::is_empty_sql(file.source.slice(*span))) && !is_meant()
        {
            let draft = Draft::new(Span::default(), "the migration has no statement")
                .why("It is recorded as done; what is added to it later never runs where it was.")
                .help("Write it, or remove the file.");
            found.push(SetDraft { file_idx, draft });
        }
    }
}

/// Whether the comments of an empty file say that there is nothing to do.
fn says_it_is_meant(comments: &str) -> bool {
    const SAYINGS: [&str; 8] =
        ["noop", "no-op", "no op", "nothing to do", "on purpose", "intentional", "deliberate", "marker"];
    let comments = comments.to_ascii_lowercase();
    SAYINGS.iter().any(|saying| comments.contains(saying))
}

/// Flyway hashes lines without their ends, Prisma and Drizzle accept either; the others keep no checksum.
fn line_endings(set: &MigrationSet, found: &mut Vec<SetDraft>) {
    if !matches!(set.layout, "sqlx" | "refinery" | "atlas") {
        return;
    }
    for (file_idx, file) in set.files.iter().enumerate() {
        let text = file.source.text();
        let n_lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let n_carriage_returns = memchr::memmem::find_iter(text.as_bytes(), b"\r\n").count();
        if n_carriage_returns > 0 && n_carriage_returns < n_lines {
            let draft = Draft::new(
                Span::default(),
                format!("{n_carriage_returns} of {n_lines} lines end in CR LF, the others in LF"),
            )
            .why("An editor or git makes them uniform one day; the checksum changes and the framework refuses the set.")
            .help("Convert the file before it is applied anywhere, and put `*.sql text eol=lf` into .gitattributes.");
            found.push(SetDraft { file_idx, draft });
        }
    }
}
