//! The edits that findings bring, applied to a text, and what they change as a unified diff. Writes nothing itself.

use std::fmt::Write as _;
use std::path::Path;

use crate::report::{Edit, Finding};
use crate::source_text::SourceText;

/// Unchanged lines around a change in a diff.
const CONTEXT: usize = 3;

/// A text after its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// Findings whose edits are in it.
    pub n_applied: usize,
    /// The edits in order, without overlaps.
    pub edits: Vec<Edit>,
}

/// Applies the edits of all `findings` in `source`; `None` if there are none.
///
/// A finding's edits are applied together or not at all; of two findings that want to change the same place the first
/// wins, and the other is found again in the new text.
pub fn apply<'a>(source: &SourceText, findings: impl IntoIterator<Item = &'a Finding>) -> Option<Fixed> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut n_applied = 0;
    let mut candidates: Vec<&Finding> =
        findings.into_iter().filter(|f| !f.fix.is_empty() && is_sound(source, f)).collect();
    candidates.sort_by_key(|finding| finding.fix.iter().map(|edit| edit.span).min());
    for finding in candidates {
        if let Some(new) = compatible(&edits, &finding.fix) {
            let is_behind = new.is_sorted_by_key(|edit| edit.span)
                && new.first().map(|edit| edit.span) >= edits.last().map(|edit| edit.span);
            edits.extend(new);
            if !is_behind {
                edits.sort_by_key(|edit| edit.span);
            }
            n_applied += 1;
        }
    }
    (n_applied > 0).then(|| Fixed { text: edited(source.text(), &edits), n_applied, edits })
}

/// A unified diff of what `edits` (in order, without overlaps) change in `source`.
pub fn diff(source: &SourceText, edits: &[Edit]) -> String {
    let blocks = blocks(source, edits);
    let path = unix(source.path());
    let mut text = format!("--- a/{path}\n+++ b/{path}\n");
    let n_lines = source.n_lines();
    let mut shift: isize = 0;
    for hunk in blocks.chunk_by(|a, b| b.first <= a.last + 2 * CONTEXT + 1) {
        let first = hunk[0].first.saturating_sub(CONTEXT).max(1);
        let last = (hunk[hunk.len() - 1].last + CONTEXT).min(n_lines);
        let n_old = last + 1 - first;
        let growth: isize = hunk.iter().map(|block| block.growth(n_lines)).sum();
        let (new_first, n_new) = (first.saturating_add_signed(shift), n_old.saturating_add_signed(growth));
        writeln!(text, "@@ -{first},{n_old} +{new_first},{n_new} @@").expect(IN_MEMORY);
        let mut line = first;
        for block in hunk {
            (line..block.first).for_each(|line| push_line(&mut text, ' ', source.line_with_end(line)));
            (block.first..=block.last.min(n_lines))
                .for_each(|line| push_line(&mut text, '-', source.line_with_end(line)));
            block.new.split_inclusive('\n').for_each(|line| push_line(&mut text, '+', line));
            line = block.last + 1;
        }
        (line..=last).for_each(|line| push_line(&mut text, ' ', source.line_with_end(line)));
        shift += growth;
    }
    text
}

const IN_MEMORY: &str = "writing to a string does not fail";

/// Lines that change together.
struct Block {
    first: usize,
    last: usize,
    new: String,
}

impl Block {
    /// Lines more than before. Text that is added behind the last line's end changes no line.
    fn growth(&self, n_lines: usize) -> isize {
        let n_new = self.new.split_inclusive('\n').count();
        n_new.cast_signed() - (self.last.min(n_lines) + 1 - self.first).cast_signed()
    }
}

fn is_sound(source: &SourceText, finding: &Finding) -> bool {
    let text = source.text();
    finding.file == source.path() && finding.fix.iter().all(|edit| text.get(edit.span.range()).is_some())
}

/// Those of `wanted` that `chosen` does not hold already, unless one of them touches a chosen one.
fn compatible(chosen: &[Edit], wanted: &[Edit]) -> Option<Vec<Edit>> {
    let mut new = Vec::new();
    for edit in wanted {
        let from = chosen.partition_point(|other| other.span.end < edit.span.start);
        let touched = chosen[from..].iter().take_while(|other| other.span.start <= edit.span.end);
        let touched: Vec<_> = touched.filter(|other| touches(other, edit)).collect();
        match touched[..] {
            [] => new.push(edit.clone()),
            [other] if other == edit => {}
            _ => return None,
        }
    }
    Some(new)
}

/// Overlapping, or both inserting at one place: their order would be a guess.
fn touches(a: &Edit, b: &Edit) -> bool {
    let overlap = a.span.start < b.span.end && b.span.start < a.span.end;
    let inserts_inside =
        |a: &Edit, b: &Edit| a.span.start == a.span.end && b.span.start <= a.span.start && a.span.start <= b.span.end;
    overlap || inserts_inside(a, b) || inserts_inside(b, a)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut new = String::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        new.push_str(&text[at..edit.span.start]);
        new.push_str(&edit.text);
        at = edit.span.end;
    }
    new.push_str(&text[at..]);
    new
}

fn blocks(source: &SourceText, edits: &[Edit]) -> Vec<Block> {
    let line_of = |offset| source.position(offset).line;
    edits
        .chunk_by(|a, b| line_of(b.span.start) <= line_of(a.span.end))
        .map(|edits| {
            let (first, last) = (line_of(edits[0].span.start), line_of(edits[edits.len() - 1].span.end));
            let start = source.line_span(first).start;
            let local: Vec<_> = edits
                .iter()
                .map(|edit| Edit {
                    span: crate::source_text::Span::new(edit.span.start - start, edit.span.end - start),
                    text: edit.text.clone(),
                })
                .collect();
            let old: String = (first..=last).map(|line| source.line_with_end(line)).collect();
            Block { first, last, new: edited(&old, &local) }
        })
        .collect()
}

fn push_line(text: &mut String, mark: char, line: &str) {
    text.push(mark);
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

fn unix(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Class, Severity};
    use crate::source_text::{Position, Span};

    fn finding(edits: &[(usize, usize, &str)]) -> Finding {
        let start = Position { line: 1, column: 1 };
        let fix =
            edits.iter().map(|(start, end, text)| Edit { span: Span::new(*start, *end), text: (*text).to_owned() });
        Finding {
            rule: "a",
            class: Class::Lock,
            severity: Severity::Error,
            file: "m/1.sql".into(),
            span: Span::default(),
            start,
            end: start,
            statement: String::new(),
            message: String::new(),
            why: String::new(),
            help: String::new(),
            fix: fix.collect(),
            fingerprint: String::new(),
        }
    }

    fn check(text: &str, findings: &[Finding], expected: &str, n_applied: usize) {
        let fixed = apply(&SourceText::new("m/1.sql", text), findings).unwrap();
        assert_eq!((fixed.text.as_str(), fixed.n_applied), (expected, n_applied));
    }

    #[test]
    fn edits_of_several_findings_are_applied_in_place() {
        check("abcdef", &[finding(&[(4, 5, "E")]), finding(&[(0, 1, "A"), (2, 2, "-")])], "Ab-cdEf", 2);
    }

    #[test]
    fn of_two_findings_at_one_place_the_first_wins_whole() {
        check("abcdef", &[finding(&[(0, 3, "X")]), finding(&[(2, 4, "Y"), (5, 6, "Z")])], "Xdef", 1);
        check("abcdef", &[finding(&[(3, 3, "X")]), finding(&[(3, 3, "Y")])], "abcXdef", 1);
    }

    #[test]
    fn two_findings_that_want_the_same_edit_both_get_it() {
        check("abcdef", &[finding(&[(3, 3, "X")]), finding(&[(3, 3, "X")])], "abcXdef", 2);
    }

    #[test]
    fn an_edit_outside_the_text_or_inside_a_character_is_not_applied() {
        let source = SourceText::new("m/1.sql", "é");
        assert_eq!(apply(&source, &[finding(&[(1, 2, "X")]), finding(&[(0, 9, "X")])]), None);
    }

    #[test]
    fn text_added_at_the_end_takes_nothing_away() {
        let source = SourceText::new("m/1.sql", "1\n2\n");
        let edits = [Edit { span: Span::new(4, 4), text: "3\n".to_owned() }];
        assert_eq!(diff(&source, &edits), "--- a/m/1.sql\n+++ b/m/1.sql\n@@ -1,2 +1,3 @@\n 1\n 2\n+3\n");
    }

    #[test]
    fn the_diff_shows_changed_lines_in_their_context() {
        let source = SourceText::new("./m/1.sql", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\nlast");
        let edits = [(8, 9, "five\nmore"), (30, 34, "LAST")]
            .map(|(start, end, text)| Edit { span: Span::new(start, end), text: text.to_owned() });
        assert_eq!(
            diff(&source, &edits),
            "--- a/m/1.sql\n+++ b/m/1.sql\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+more\n 6\n 7\n 8\n\
             @@ -11,4 +12,4 @@\n 11\n 12\n 13\n-last\n\\ No newline at end of file\n+LAST\n\\ No newline at end of file\n"
        );
    }
}
