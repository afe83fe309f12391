//! Downs that are missing, empty, or undo something else.

use rustc_hash::FxHashSet;

use crate::migration::{Direction, MigrationFile, MigrationSet};
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Rule, RuleInfo, SetDraft};
use crate::source_text::Span;
use crate::statement::Statement;

pub(crate) static MISSING: Rule = Rule::of_set(
    RuleInfo {
        id: "missing-down",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Error,
        summary: "A migration has no down, or an empty one, in a set whose others have one.",
        docs: "Going back stops at this migration. If there is no way back, say so in the down with a comment and an error: \
               `DO $$ BEGIN RAISE EXCEPTION 'cannot be undone'; END $$;`. Silent in sets without any down.",
        bad: &[],
        good: &[],
    },
    missing,
);

pub(crate) static NOT_UNDONE: Rule = Rule::of_pair(
    RuleInfo {
        id: "down-does-not-undo",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Error,
        summary: "A down leaves behind what its up has made, or does not bring back what its up has dropped.",
        docs: "After up and down the schema must be what it was, or the next up meets what the first one left. Compared are tables, views, \
               sequences, types, functions and columns; a down of which nothing is understood is not judged.",
        bad: &[],
        good: &[],
    },
    not_undone,
);

/// Where an up and its down differ.
fn not_undone(up: &[Statement], down: &[Statement], found: &mut Vec<Draft>) {
    let left = crate::rerun::not_undone(up, down);
    let Some(last) = down.last().filter(|_| !left.is_empty()) else { return };
    let place = down.first().map_or(last.span.start, |first| first.span.start);
    found.push(
        Draft::new(Span::new(place, last.span.end), format!("this down does not undo its up: {}", left.join(", ")))
            .why("After up and down the schema is not what it was; the next up fails on what is left, or code misses what is gone.")
            .help("Undo each statement of the up, in the reverse order."),
    );
}

pub(super) fn is_empty_sql(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while !rest.is_empty() {
        rest = if rest.starts_with("--") {
            rest.find('\n').map_or("", |newline| rest[newline..].trim_start())
        } else if rest.starts_with("/*!") || rest.starts_with("/*M!") {
            // What MySQL and MariaDB run.
            return false;
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| rest[end + 2..].trim_start())
        } else if let Some(after) = rest.strip_prefix(';') {
            after.trim_start()
        } else {
            return false;
        };
    }
    true
}

/// For Prisma a down is a private custom, for Flyway and Liquibase a matter of the single migration.
fn missing(set: &MigrationSet, found: &mut Vec<SetDraft>) {
    let is_optional = matches!(set.layout, "prisma" | "flyway" | "liquibase");
    let down =
        |file: &MigrationFile| file.parts.iter().find(|part| part.direction == Direction::Down).map(|part| part.span);
    let undone: FxHashSet<&str> =
        set.files.iter().filter(|file| down(file).is_some()).filter_map(|file| file.version.as_deref()).collect();
    if undone.is_empty() {
        return;
    }
    for (file_idx, file) in set.files.iter().enumerate() {
        let has_up = file.parts.iter().any(|part| part.direction == Direction::Up);
        let problem = match down(file) {
            Some(span) if is_empty_sql(file.source.slice(span)) => Some((span, "its down is empty")),
            None if has_up
                && !is_optional
                && file.version.as_deref().is_some_and(|version| !undone.contains(version)) =>
            {
                Some((Span::default(), "it has no down"))
            }
            _ => None,
        };
        if let Some((span, problem)) = problem {
            let draft = Draft::new(
                Span::new(span.start, span.start),
                format!("there is no way back from this migration: {problem}"),
            )
            .why("A rollback stops here, or passes over it and leaves a schema that no migration describes.")
            .help(
                "Write the down, or let it fail with a reason: DO $$ BEGIN RAISE EXCEPTION 'cannot be undone'; END $$;",
            );
            found.push(SetDraft { file_idx, draft });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_empty_sql;

    #[test]
    fn comments_and_semicolons_are_no_sql() {
        assert!(is_empty_sql("-- nothing\n /* to */ ;\n"));
        assert!(!is_empty_sql("-- x\nSELECT 1;"));
        assert!(!is_empty_sql("/*!40101 SET NAMES utf8mb4 */;"));
    }
}
