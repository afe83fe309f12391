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
    /// The keys that lead to it, and the position in a list.
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
    settings: &'a [Setting],
}

impl<'a> Document<'a> {
    /// Parses a file. `settings` tells which values may be shown in reports: all others are masked, unknown ones included.
    pub fn parse(path: &Path, text: &'a str, settings: &'a [Setting]) -> (Self, Vec<Report>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { path: path.to_owned(), text, root, settings };
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

    /// What stands in the brackets of the last table's header before a line.
    fn header_above(&self, begin: usize) -> &str {
        let header = |line: &'a str| line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next());
        self.text[..begin].lines().rev().find_map(header).unwrap_or_default()
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
        Report { place, message, help, excerpt: Some(excerpt.masked(self.header_above(begin), self.settings)) }
    }
}

impl Report {
    /// Where it stands, if it is about a line of a file.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        self.excerpt.as_ref().map(|excerpt| (excerpt.line, excerpt.marked.start))
    }
}

impl Excerpt {
    /// Masks the value unless the line sets a setting that is known to be no secret. A line that sets nothing, as in the
    /// middle of a text of several lines, is masked whole unless it is a table's header.
    fn masked(mut self, header: &str, settings: &[Setting]) -> Self {
        let bare = |letter: char| letter.is_alphanumeric() || " \t_-.\"'".contains(letter);
        let Some((key, value)) = self.text.split_once('=').filter(|(key, _)| key.chars().all(bare)) else {
            if !self.text.trim_start().starts_with('[') {
                self = Self { line: self.line, text: "***".to_owned(), marked: 0..3 };
            }
            return self;
        };
        let suspicious = value.contains("AGE-SECRET-KEY-") || (value.contains("://") && value.contains('@'));
        if suspicious || !is_plain(header, key.trim(), settings) {
            let begin = key.chars().count() + 2;
            self.text = format!("{key}= ***");
            if self.marked.start >= begin {
                self.marked = begin..begin + 3;
            }
        }
        self
    }
}

/// Whether a key under a table's header is a setting, and no secret.
fn is_plain(header: &str, key: &str, settings: &[Setting]) -> bool {
    let path =
        header.split('.').chain(key.split('.')).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    settings.iter().filter(|setting| setting.kind != Kind::Secret && setting.path.len() == path.len()).any(|setting| {
        setting.path.iter().zip(&path).all(|(known, written)| known == "*" || known == written.trim_matches('"'))
    })
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
        DeValue::Array(items) if !rest.is_empty() => {
            let item = rest[0].parse::<usize>().ok().and_then(|item_idx| items.get(item_idx));
            Some(item.map_or((value.span(), false), |item| (item.span(), true)))
        }
        DeValue::Table(inner) if !rest.is_empty() => locate_value(inner, rest).or_else(|| Some((key.span(), false))),
        DeValue::Table(_) => Some((key.span(), true)),
        _ => Some((value.span(), rest.is_empty())),
    }
}

/// Removes the entry that an error is about: the one whose key or value it names, else the innermost one around it.
fn remove_at(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let around = |range: &Range<usize>| range.contains(&span.start);
    remove_first(table, &|key, _| key == span)
        || remove_first(table, &|_, value| value == span)
        || remove_first(table, &|key, value| around(key) || around(value))
}

type Wanted<'a> = dyn Fn(&Range<usize>, &Range<usize>) -> bool + 'a;

/// Removes the first entry, innermost first, whose key's and value's places are wanted.
fn remove_first(table: &mut DeTable<'_>, wanted: &Wanted<'_>) -> bool {
    for value in table.iter_mut().map(|(_, value)| value.get_mut()) {
        if let DeValue::Table(inner) = value
            && remove_first(inner, wanted)
        {
            return true;
        }
    }
    let found = table.iter().find(|(key, value)| wanted(&key.span(), &value.span())).map(|(key, _)| key.clone());
    found.is_some_and(|key| table.remove(&key).is_some())
}
