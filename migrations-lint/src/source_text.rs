//! Text and positions in it: byte spans inside, 1-based lines and character columns for people.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A half-open range of byte offsets into one file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset just past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span ends after it starts");
        Self { start, end }
    }

    /// This span moved right by `offset` bytes: from a part's coordinates to its file's.
    #[must_use]
    pub fn shifted(self, offset: usize) -> Self {
        Self::new(self.start + offset, self.end + offset)
    }

    /// The same as a standard range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A place as people count it: line and column from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters (Unicode scalar values), from 1.
    pub column: usize,
}

/// One file as it was read: its path as given, its text, and where its lines start.
#[derive(Debug, Clone)]
pub struct SourceText {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
    is_ascii: bool,
}

impl SourceText {
    /// Takes the text of `path`; the path is only a name here, nothing is read.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let is_ascii = text.is_ascii();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(idx, _)| idx + 1))
            .collect();
        Self { path: path.into(), text, line_starts, is_ascii }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under `span`.
    pub fn slice(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// The line and column of a byte offset (of the character it falls into).
    pub fn position(&self, offset: usize) -> Position {
        let line_idx = self.line_starts.partition_point(|start| *start <= offset) - 1;
        let line_start = self.line_starts[line_idx];
        if self.is_ascii {
            // Without this, a dump on one line with thousands of findings takes quadratic time.
            return Position { line: line_idx + 1, column: offset.min(self.text.len()) - line_start + 1 };
        }
        let column = self.text.as_bytes()[line_start..offset.min(self.text.len())]
            .iter()
            .filter(|byte| !matches!(**byte, 0x80..=0xBF))
            .count();
        Position { line: line_idx + 1, column: column + 1 }
    }

    /// The bytes of a line (from 1), without what ends it.
    pub fn line_span(&self, line: usize) -> Span {
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end };
        Span::new(start, end)
    }

    /// A line (from 1) with what ends it.
    pub fn line_with_end(&self, line: usize) -> &str {
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        &self.text[self.line_starts[line - 1]..end]
    }

    /// How many lines there are; a last one without any character does not count.
    pub fn n_lines(&self) -> usize {
        let is_last_empty = self.line_starts.last() == Some(&self.text.len());
        self.line_starts.len() - usize::from(is_last_empty)
    }
}
