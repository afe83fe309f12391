//! Files that hold several parts, told apart by marker lines: goose, dbmate, sql-migrate and their kin.

use crate::migration::{Direction, Part, TransactionMode};
use crate::source_text::Span;

/// What a marker line opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) direction: Direction,
    pub(super) transaction: TransactionMode,
}

/// Cuts `text` at the lines for which `marker` knows a section. What stands before the first one belongs to none.
pub(super) fn split(text: &str, marker: impl Fn(&str) -> Option<Section>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (start, line) in lines(text) {
        if let Some(Section { direction, transaction }) = marker(line) {
            if let Some(open) = parts.last_mut() {
                open.span.end = start;
            }
            let after = (start + line.len() + 1).min(text.len());
            parts.push(Part { direction, span: Span::new(after, text.len()), transaction });
        }
    }
    parts
}

/// The lines of `text` with their offsets, without `\n` but with a `\r` before it.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |n| start + n);
        let line = (start, &text[start..end]);
        start = end + 1;
        Some(line)
    })
}

/// The `--` lines that a file begins with, blank lines between them allowed, each without its dashes and trimmed.
pub(super) fn header(text: &str) -> impl Iterator<Item = &str> {
    lines(text)
        .map(|(_, line)| line.trim())
        .take_while(|line| line.is_empty() || line.starts_with("--"))
        .filter_map(|line| line.strip_prefix("--"))
        .map(str::trim)
}

/// `line` without `word` at its front, whatever the case of either.
pub(super) fn strip_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let front = line.get(..word.len())?;
    front.eq_ignore_ascii_case(word).then(|| &line[word.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_run_from_marker_to_marker_and_cover_exact_text() {
        let text = "-- hello\n--up\nselect 1;\r\n--down\nselect 2;";
        let marker = |line: &str| {
            let direction = match line.trim_end() {
                "--up" => Direction::Up,
                "--down" => Direction::Down,
                _ => return None,
            };
            Some(Section { direction, transaction: TransactionMode::PerPart })
        };
        let parts = split(text, marker);
        let texts: Vec<_> = parts.iter().map(|part| (part.direction, &text[part.span.range()])).collect();
        assert_eq!(texts, [(Direction::Up, "select 1;\r\n"), (Direction::Down, "select 2;")]);
    }

    #[test]
    fn a_marker_on_the_last_line_opens_an_empty_part() {
        let section = Section { direction: Direction::Down, transaction: TransactionMode::None };
        let parts = split("--x", |line| (line == "--x").then_some(section));
        assert_eq!(parts[0].span, Span::new(3, 3));
    }

    #[test]
    fn the_header_ends_at_the_first_line_of_sql() {
        assert_eq!(header("\u{feff}-- a\n\n--b\nselect 1; -- c\n-- d").collect::<Vec<_>>(), ["a", "b"]);
    }
}
