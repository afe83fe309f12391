//! Liquibase formatted SQL: files that begin with `--liquibase formatted sql` and hold changesets.
//!
//! Read in `AbstractFormattedChangeLogParser.java`. A changeset runs in its own transaction unless it says
//! `runInTransaction:false`, again when edited if it says `runOnChange:true`, and only on the engines that `dbms:` names.
//! Rollbacks stand in `--rollback` lines or in `/* liquibase rollback … */`.

use std::path::Path;

use super::section::{self, strip_word};
use super::tree::{InputFile, Tree};
use super::{SetBuilder, Title, engine_named, name};
use crate::engine::Engine;
use crate::migration::{Direction, Part, TransactionMode};
use crate::source_text::Span;

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.sql_in(folder).any(|(_, file)| is_formatted(file))
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let mut idxs: Vec<_> = tree.sql_in(folder).filter(|(_, file)| is_formatted(file)).map(|(idx, _)| idx).collect();
    idxs.sort_by_key(|idx| tree.peek(*idx).map(|file| name::natural_key(file.file_name())));
    for file in idxs.into_iter().filter_map(|idx| tree.take(idx)) {
        let headers: Vec<_> = changesets(&file.text).collect();
        set.engine = set.engine.or_else(|| headers.iter().find_map(|(_, header)| engine_of(header)));
        let parts = parts(&file.text, set.engine);
        let name = name::stem(file.file_name()).to_owned();
        set.add(file, Title { version: None, name }, parts);
    }
}

/// The `author:id` of each changeset of a file, as its history table keys them.
pub(super) fn changeset_ids(text: &str) -> Vec<String> {
    changesets(text).filter_map(|(_, header)| Some(header.split_whitespace().next()?.to_owned())).collect()
}

fn is_formatted(file: &InputFile) -> bool {
    let first = file.text.trim_start_matches('\u{feff}').trim_start().lines().next().unwrap_or("");
    let comment = first.strip_prefix("--").map(str::trim_start);
    comment
        .and_then(|line| strip_word(line, "liquibase"))
        .is_some_and(|rest| strip_word(rest.trim_start(), "formatted").is_some())
}

/// Offset and text after `--changeset` of each changeset's header line.
fn changesets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    section::lines(text).filter_map(|(start, line)| Some((start, changeset_header(line)?)))
}

fn changeset_header(line: &str) -> Option<&str> {
    directive(line, "changeset").filter(|header| header.starts_with(char::is_whitespace)).map(str::trim)
}

/// What follows `--word` on a line, blanks allowed before the word.
fn directive<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    strip_word(line.trim_start().strip_prefix("--")?.trim_start(), word)
}

fn attribute<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    header.split_whitespace().skip(1).find_map(|word| strip_word(word, key)?.strip_prefix(':'))
}

fn engine_of(header: &str) -> Option<Engine> {
    attribute(header, "dbms")?.split(',').find_map(engine_named)
}

fn parts(text: &str, engine: Option<Engine>) -> Vec<Part> {
    let headers: Vec<_> = changesets(text).collect();
    let mut parts = Vec::new();
    for (idx, (start, header)) in headers.iter().enumerate() {
        let end = headers.get(idx + 1).map_or(text.len(), |(next, _)| *next);
        let is_foreign = attribute(header, "dbms").is_some_and(|dbms| {
            let mut engines = dbms.split(',').filter(|word| !word.starts_with('!'));
            engines.clone().next().is_some()
                && !engines.any(|word| engine_named(word).is_some_and(|e| Some(e) == engine))
        });
        let is_ignored = attribute(header, "ignore").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !is_foreign && !is_ignored {
            changeset_parts(text, Span::new(*start, end), header, &mut parts);
        }
    }
    parts
}

/// The SQL of one changeset, cut at its rollbacks and delimiter lines, and the rollbacks themselves.
fn changeset_parts(text: &str, changeset: Span, header: &str, parts: &mut Vec<Part>) {
    let is_true = |key| attribute(header, key).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let direction = if is_true("runOnChange") || is_true("runAlways") { Direction::Repeatable } else { Direction::Up };
    let is_false = attribute(header, "runInTransaction").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let transaction = if is_false { TransactionMode::None } else { TransactionMode::PerPart };
    let delimiter =
        attribute(header, "endDelimiter").map(|text| text.trim_start_matches("\\n")).filter(|text| *text != ";");
    let mut open: Option<usize> = None;
    let mut rollback: Vec<Span> = Vec::new();
    let mut skip_until = 0;
    let mut is_ignored = false;
    for (offset, line) in section::lines(&text[changeset.range()]).skip(1) {
        let start = changeset.start + offset;
        let end = start + line.len();
        if start < skip_until {
            continue;
        }
        let what = line_of(line, delimiter);
        is_ignored = matches!(what, Line::IgnoreStart) || (is_ignored && !matches!(what, Line::IgnoreEnd));
        if let (Line::Sql, false) = (&what, is_ignored) {
            push_rollback(text, &mut rollback, transaction, parts);
            open.get_or_insert(start);
            continue;
        }
        if let Some(from) = open.take().filter(|from| !text[*from..start].trim().is_empty()) {
            parts.push(Part { direction, span: Span::new(from, start), transaction });
        }
        match what {
            Line::Rollback(sql) => rollback.push(Span::new(end - sql.len(), end)),
            Line::RollbackBlock(sql) => {
                let from = end - sql.len();
                let until = text[from..changeset.end].find("*/").map_or(changeset.end, |n| from + n);
                rollback.push(Span::new(from, until));
                skip_until = until + 2;
            }
            Line::Sql | Line::Delimiter | Line::IgnoreStart | Line::IgnoreEnd => {}
        }
    }
    push_rollback(text, &mut rollback, transaction, parts);
    if let Some(from) = open.filter(|from| !text[*from..changeset.end].trim().is_empty()) {
        parts.push(Part { direction, span: Span::new(from, changeset.end), transaction });
    }
}

/// What a line of a changeset is.
enum Line<'a> {
    Sql,
    Rollback(&'a str),
    RollbackBlock(&'a str),
    Delimiter,
    IgnoreStart,
    IgnoreEnd,
}

fn line_of<'a>(line: &'a str, delimiter: Option<&str>) -> Line<'a> {
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(char::is_whitespace);
    if let Some(sql) = directive(line, "rollback").filter(|rest| is_end(rest)) {
        return Line::Rollback(sql);
    }
    if let Some(sql) = rollback_block(line) {
        return Line::RollbackBlock(sql);
    }
    match directive(line, "ignoreLines:").map(str::trim) {
        Some(word) if word.eq_ignore_ascii_case("start") => Line::IgnoreStart,
        Some(word) if word.eq_ignore_ascii_case("end") => Line::IgnoreEnd,
        _ if delimiter.is_some_and(|delimiter| line.trim() == delimiter) => Line::Delimiter,
        _ => Line::Sql,
    }
}

/// What follows `/* liquibase rollback`.
fn rollback_block(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix("/*")?.trim_start();
    strip_word(strip_word(comment, "liquibase")?.trim_start(), "rollback")
}

/// Makes parts of rollback lines that follow each other. A statement over several of them is not contiguous text, so such
/// a rollback is left alone rather than called broken.
fn push_rollback(text: &str, lines: &mut Vec<Span>, transaction: TransactionMode, parts: &mut Vec<Part>) {
    let is_statement = |span: &Span| text[span.range()].trim_end().ends_with(';');
    let is_whole = lines.split_last().is_none_or(|(_, before)| before.iter().all(is_statement));
    for span in lines.drain(..).filter(|_| is_whole) {
        let sql = text[span.range()].trim();
        // `--rollback empty` and `--rollback not required` say that there is nothing to undo.
        if !sql.is_empty() && !sql.eq_ignore_ascii_case("empty") && !sql.eq_ignore_ascii_case("not required") {
            parts.push(Part { direction: Direction::Down, span, transaction });
        }
    }
}
