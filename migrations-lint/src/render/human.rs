//! Annotated source for people: place, excerpt with carets, why, and the safe way, within the terminal's width.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Document, Look, severity_name, summary};
use crate::report::{Finding, Severity};
use crate::source_text::{SourceText, Span};

const IN_MEMORY: &str = "writing to a string does not fail";

/// Lines of a longer span that are shown before the rest is only counted.
const MAX_LINES: usize = 4;

/// Narrower than this nothing is readable, so the text overflows instead.
const MIN_WIDTH: usize = 40;

pub(super) fn render(document: &Document<'_>, look: Look) -> String {
    let look = Look { width: look.width.max(MIN_WIDTH), ..look };
    let mut page = Page { text: String::new(), look };
    for finding in &document.report.findings {
        page.finding(finding, document.sources.find(&finding.file));
    }
    page.summary(document);
    page.text
}

/// Whether a help text is SQL rather than a sentence.
pub(super) fn is_sql(help: &str) -> bool {
    let last = help.trim_end();
    last.ends_with(';') || last.starts_with("--")
}

#[derive(Debug, Clone, Copy)]
enum Ink {
    Error,
    Warning,
    Bold,
    Frame,
}

/// One line of source and what of it is marked.
#[derive(Debug, Clone, Copy)]
struct Line {
    number: usize,
    /// The line on which the span begins.
    first: usize,
    whole: Span,
    marked: Span,
}

struct Page {
    text: String,
    look: Look,
}

impl Page {
    fn finding(&mut self, finding: &Finding, source: Option<&SourceText>) {
        let ink = if finding.severity == Severity::Error { Ink::Error } else { Ink::Warning };
        self.ink(ink, &format!("{}[{}]", severity_name(finding.severity), finding.rule));
        self.ink(Ink::Bold, &format!(": {}", clean(&finding.message)));
        let gutter = finding.end.line.to_string().len() + 1;
        let indent = " ".repeat(gutter);
        write!(self.text, "\n{}", &indent[1..]).expect(IN_MEMORY);
        self.ink(Ink::Frame, "-->");
        let place = format!("{}:{}:{}", finding.file.display(), finding.start.line, finding.start.column);
        writeln!(self.text, " {}", clean(&place)).expect(IN_MEMORY);
        if let Some(source) = source {
            self.excerpt(finding, source, gutter, ink);
        }
        self.note(gutter, "why", &finding.why);
        self.note(gutter, "help", &finding.help);
        self.text.push('\n');
    }

    fn excerpt(&mut self, finding: &Finding, source: &SourceText, gutter: usize, ink: Ink) {
        let (first, last) = (finding.start.line, last_line(finding));
        self.frame(gutter, "", "|");
        self.text.push('\n');
        let shown = if last - first < MAX_LINES { last } else { first + MAX_LINES - 2 };
        for number in first..=shown {
            let whole = source.line_span(number);
            let bound = |offset: usize| offset.clamp(whole.start, whole.end);
            let marked = Span::new(bound(finding.span.start), bound(finding.span.end));
            self.source_line(source.text(), Line { number, first, whole, marked }, gutter, ink);
        }
        if shown < last {
            self.frame(gutter, "...", "|");
            writeln!(self.text, " to line {last}").expect(IN_MEMORY);
        }
    }

    /// One line of source, with carets below it if it is the first; a line that is too long is cut around what is marked.
    fn source_line(&mut self, text: &str, Line { number, first, whole, marked }: Line, gutter: usize, ink: Ink) {
        let room = self.look.width.saturating_sub(gutter + 3);
        let window = window(text, whole, marked, room);
        let before = if window.start > whole.start { "…" } else { "" };
        let after = if window.end < whole.end { "…" } else { "" };
        let start = marked.start.max(window.start);
        let end = marked.end.min(window.end).max(start);
        self.frame(gutter, &number.to_string(), "|");
        let visible = clean(&text[window.range()]);
        writeln!(self.text, " {before}{}{after}", visible.trim_end()).expect(IN_MEMORY);
        // The carets show where it begins; under every line of a long statement they would be all one sees.
        if number > first {
            return;
        }
        self.frame(gutter, "", "|");
        let offset = before.width() + clean(&text[window.start..start]).width();
        // Blanks that indent a continued line are not part of what is wrong.
        let marked_text = clean(&text[start..end]);
        let blank = marked_text.width() - marked_text.trim_start().width();
        let carets = marked_text.trim().width().max(1);
        write!(self.text, " {}", " ".repeat(offset + blank)).expect(IN_MEMORY);
        self.ink(ink, &"^".repeat(carets));
        self.text.push('\n');
    }

    /// `= why: …`, wrapped and hanging; SQL keeps its lines.
    fn note(&mut self, gutter: usize, label: &str, note: &str) {
        if note.trim().is_empty() {
            return;
        }
        self.frame(gutter, "", "=");
        self.ink(Ink::Bold, &format!(" {label}:"));
        let hang = gutter + label.len() + 4;
        if note.contains('\n') {
            for line in note.trim_end().lines() {
                write!(self.text, "\n{}{}", " ".repeat(gutter + 4), clean(line)).expect(IN_MEMORY);
            }
        } else {
            let mut column = hang;
            for word in clean(note).split_whitespace() {
                if column > hang && column + word.width() > self.look.width {
                    write!(self.text, "\n{}", " ".repeat(hang - 1)).expect(IN_MEMORY);
                    column = hang;
                }
                write!(self.text, " {word}").expect(IN_MEMORY);
                column += word.width() + 1;
            }
        }
        self.text.push('\n');
    }

    fn summary(&mut self, document: &Document<'_>) {
        let mut line = summary(document.report);
        let left_out = [(document.n_suppressed, "suppressed"), (document.n_baselined, "in the baseline")];
        let left_out: Vec<_> = left_out.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if !left_out.is_empty() {
            write!(line, " ({})", left_out.join(", ")).expect(IN_MEMORY);
        }
        self.ink(Ink::Bold, &line);
        self.text.push('\n');
    }

    fn frame(&mut self, gutter: usize, number: &str, mark: &str) {
        let margin = format!("{number:>width$} {mark}", width = gutter - 1);
        self.ink(Ink::Frame, &margin);
    }

    fn ink(&mut self, ink: Ink, text: &str) {
        if !self.look.color {
            self.text.push_str(text);
            return;
        }
        let code = match ink {
            Ink::Error => "1;31",
            Ink::Warning => "1;33",
            Ink::Bold => "1",
            Ink::Frame => "34",
        };
        write!(self.text, "\x1b[{code}m{text}\x1b[0m").expect(IN_MEMORY);
    }
}

/// The last line of which the span covers something.
fn last_line(finding: &Finding) -> usize {
    let ends_before_text = finding.end.column == 1 && finding.end.line > finding.start.line;
    finding.end.line - usize::from(ends_before_text)
}

/// The part of a line that fits into `room` columns and shows where `marked` begins. Looks only near it, however long
/// the line is.
fn window(text: &str, whole: Span, marked: Span, room: usize) -> Span {
    if whole.end - whole.start <= room && text[whole.range()].width() <= room {
        return whole;
    }
    let context = room / 4;
    let start = if marked.start - whole.start <= context {
        whole.start
    } else {
        floor_char_boundary(text, marked.start - context)
    };
    let budget = room.saturating_sub(2);
    let mut used = 0;
    let fits = |(_, character): &(usize, char)| {
        used += width_of(*character);
        used <= budget
    };
    let end = text[start..whole.end].char_indices().take_while(fits).last();
    Span::new(start, end.map_or(start, |(at, character)| start + at + character.len_utf8()))
}

fn floor_char_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn width_of(character: char) -> usize {
    match character {
        '\t' => 4,
        _ => character.width().unwrap_or(1),
    }
}

/// Text that is safe on a terminal: tabs as blanks, control characters (which could move the cursor) as signs.
fn clean(text: &str) -> String {
    if !text.chars().any(|character| character.is_control() || is_bidi(character)) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => safe.push_str("    "),
            _ if character.is_control() || is_bidi(character) => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

/// Characters that reorder what follows, so that a statement can be shown as another one.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
