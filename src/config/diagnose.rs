//! What is wrong with a configuration: where, which line, and the way out. All problems of a file are reported together.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::setting::{Kind, Setting};

mod message;

/// A wrong setting, before it is known where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// A problem with its place, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `guard.toml:3:7`, or the name of a variable or flag.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line it stands on.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A line of a file with the part that is meant. Values that may be secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    line: usize,
    text: String,
    marked: Range<usize>,
}

impl Problem {
    /// A problem with the setting at `path`.
    pub fn new(path: &[&str], message: impl Into<String>) -> Self {
        Self { path: path.iter().map(|&key| key.to_owned()).collect(), message: message.into(), help: None }
    }

    /// A setting at the top of a file that is missing.
    pub fn missing(key: &str, example: &str) -> Self {
        Self::new(&[key], format!("`{key}` is missing")).help(format!("add it, for example: {example}"))
    }

    /// The same with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with the known name that is nearest to what was written, or all of them.
    #[must_use]
    pub fn suggest(self, written: &str, known: &[&str]) -> Self {
        let all =
            if known.is_empty() { "none is configured".to_owned() } else { format!("known: {}", known.join(", ")) };
        self.suggest_or(written, known, &all)
    }

    /// The same with the known name that is nearest to what was written, or another text.
    #[must_use]
    pub fn suggest_or(self, written: &str, known: &[&str], otherwise: &str) -> Self {
        let help = nearest(written, known).map_or(otherwise.to_owned(), |nearest| format!("did you mean `{nearest}`?"));
        self.help(help)
    }
}

/// The known name that a mistyped one most resembles, if any does.
pub fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|name| (strsim::jaro_winkler(written, name), *name));
    let best = scored.max_by(|one, two| one.0.total_cmp(&two.0))?;
    (best.0 >= 0.8).then_some(best.1)
}

/// What serde says of a value without a place in a file, with its help.
pub(super) fn explain(error: &toml::de::Error) -> (String, Option<String>) {
    message::of_shape(error.message())
}

/// A TOML file, parsed as far as possible.
pub struct Document<'a> {
    path: PathBuf,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    /// Keys whose values may be shown.
    plain: Vec<String>,
}

impl<'a> Document<'a> {
    /// Parses a file. `settings` tells which values may be shown in reports: all others are masked, unknown ones included.
    pub fn parse(path: &Path, text: &'a str, settings: &[Setting]) -> (Self, Vec<Report>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let secret = |key: &str| {
            settings.iter().any(|one| one.kind == Kind::Secret && one.path.last().is_some_and(|last| last == key))
        };
        let plain =
            settings.iter().filter_map(|setting| setting.path.last()).filter(|key| !secret(key)).cloned().collect();
        let document = Self { path: path.to_owned(), text, root, plain };
        let report = |error: &toml::de::Error| {
            let (message, help) = message::of_syntax(error.message());
            document.report(error.span(), message, help)
        };
        let reports = errors.iter().map(report).collect();
        (document, reports)
    }

    /// Reads the shape `T`, taking out each wrong entry and going on, so that one mistake does not hide the next. The table is
    /// what was left.
    pub fn read<T: Deserialize<'a>>(&self) -> (toml::Table, Vec<Report>) {
        let mut root = self.root.clone();
        let mut reports = Vec::new();
        while let Err(error) = T::deserialize(Deserializer::from(root.clone())) {
            let span = error.span();
            let (message, help) = message::of_shape(error.message());
            reports.push(self.report(span.clone(), message, help));
            let removed = span.is_some_and(|span| remove_at(root.get_mut(), &span));
            if !removed {
                return (toml::Table::new(), reports);
            }
        }
        let table = toml::Table::deserialize(Deserializer::from(root)).unwrap_or_default();
        (table, reports)
    }

    /// Gives a problem its place: the value of its setting, or the nearest table around it.
    pub fn place(&self, problem: &Problem) -> Report {
        let span = locate(self.root.get_ref(), &problem.path);
        self.report(span, problem.message.clone(), problem.help.clone())
    }

    /// Where a setting stands, as `guard.toml:3`, if it stands in this file.
    pub fn place_of(&self, path: &[String]) -> Option<String> {
        let (span, complete) = locate_value(self.root.get_ref(), path)?;
        let line = self.text[..span.start].matches('\n').count() + 1;
        complete.then(|| format!("{}:{line}", self.path.display()))
    }

    fn report(&self, span: Option<Range<usize>>, message: String, help: Option<String>) -> Report {
        let Some(span) = span.filter(|span| span.start <= self.text.len()) else {
            return Report { place: self.path.display().to_string(), message, help, excerpt: None };
        };
        let begin = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[..begin].matches('\n').count() + 1;
        let text = self.text[begin..].lines().next().unwrap_or_default();
        let column = self.text[begin..span.start].chars().count();
        let length = self.text[span.start..span.end.clamp(span.start, begin + text.len().max(span.start - begin))]
            .chars()
            .count();
        let excerpt = Excerpt { line, text: text.to_owned(), marked: column..column + length.max(1) };
        let place = format!("{}:{line}:{}", self.path.display(), column + 1);
        Report { place, message, help, excerpt: Some(excerpt.masked(&self.plain)) }
    }
}

impl Report {
    /// The line it stands on, from 1, if it is about a line of a file.
    pub fn line(&self) -> Option<usize> {
        self.excerpt.as_ref().map(|excerpt| excerpt.line)
    }
}

impl Excerpt {
    /// Masks what follows the first `=` unless the key before it is known to be no secret. A line without a key, as in the
    /// middle of a text of several lines, is masked whole unless it is a table's header.
    fn masked(mut self, plain: &[String]) -> Self {
        let Some((before, _)) = self.text.split_once('=') else {
            if !self.text.trim_start().starts_with('[') {
                "***".clone_into(&mut self.text);
                self.marked = 0..3;
            }
            return self;
        };
        let key = before.rsplit(['.', ' ', '{']).find(|part| !part.trim().is_empty()).unwrap_or_default();
        if !plain.iter().any(|known| known == key.trim().trim_matches('"')) {
            let value = before.chars().count() + 1;
            self.text = format!("{before}= ***");
            if self.marked.start >= value {
                self.marked = value + 1..value + 4;
            }
        }
        self
    }
}

/// A report as a compiler would show it, without colour.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(Excerpt { line, text, marked }) = &self.excerpt {
            let margin = " ".repeat(line.to_string().len());
            let indent: String = text.chars().take(marked.start).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            let indent = format!("{indent}{}", " ".repeat(marked.start.saturating_sub(text.chars().count())));
            write!(f, "\n {margin} |\n {line} | {text}\n {margin} | {indent}{}", "^".repeat(marked.len()))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// The place of the longest part of a path that exists: its value, or the header of the table that lacks the rest.
fn locate(table: &DeTable<'_>, path: &[String]) -> Option<Range<usize>> {
    locate_value(table, path).map(|(span, _)| span)
}

/// The same, and whether the whole path exists.
fn locate_value(table: &DeTable<'_>, path: &[String]) -> Option<(Range<usize>, bool)> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    match value.get_ref() {
        DeValue::Table(inner) if !rest.is_empty() => locate_value(inner, rest).or_else(|| Some((key.span(), false))),
        DeValue::Table(_) => Some((key.span(), true)),
        _ => Some((value.span(), rest.is_empty())),
    }
}

/// Removes the innermost entry whose key or value an error's span begins in.
fn remove_at(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    for value in table.iter_mut().map(|(_, value)| value.get_mut()) {
        if let DeValue::Table(inner) = value
            && remove_at(inner, span)
        {
            return true;
        }
    }
    let holds = |range: Range<usize>| range.contains(&span.start) || range == *span;
    let found = table.iter().find(|(key, value)| holds(key.span()) || holds(value.span())).map(|(key, _)| key.clone());
    found.is_some_and(|key| table.remove(&key).is_some())
}
