//! The baseline: findings that were there when guard lint was adopted, each with an owner and a day on which it counts
//! again.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::{Finding, Report};

/// The name under which a baseline is looked for when none is named.
pub const FILE_NAME: &str = "guard-baseline.toml";

/// A day, as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

/// The rows of a baseline file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    rows: Vec<Row>,
}

/// Who answers for the rows of a new baseline, and until when they are left out.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The owner of rows that have none yet.
    pub owner: String,
    /// The first day on which such rows count again.
    pub expires: Date,
}

/// What a baseline did to a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Findings left out.
    pub matched: usize,
    /// Rows whose findings count again because their day has come.
    pub expired: usize,
    /// Rows whose findings are gone.
    pub stale: usize,
}

/// Why a baseline file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not TOML of the right shape.
    #[error("the baseline is not readable: {0}")]
    Malformed(String),
    /// It was written by a newer guard.
    #[error("the baseline has version {0}, this guard knows version 1")]
    Version(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    rule: String,
    file: String,
    fingerprint: String,
    owner: String,
    expires: Date,
}

impl Baseline {
    /// Reads the text of a baseline file.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let file: File = toml::from_str(text).map_err(|error| BaselineError::Malformed(error.to_string()))?;
        if file.version != 1 {
            return Err(BaselineError::Version(file.version));
        }
        let rows = file.finding.into_iter().map(Row::try_from).collect::<Result<_, _>>()?;
        Ok(Self { rows })
    }

    /// A baseline of everything in `findings`; what `old` lists already keeps its owner and day.
    pub fn of(findings: &[Finding], old: &Self, terms: &Terms) -> Self {
        let known: HashMap<Key<'_>, &Row> = old.rows.iter().map(|row| (row.key(), row)).collect();
        let rows = findings.iter().map(|finding| {
            let old = known.get(&key(finding));
            Row {
                rule: finding.rule.to_owned(),
                file: finding.file.to_string_lossy().replace('\\', "/"),
                fingerprint: finding.fingerprint.clone(),
                owner: old.map_or_else(|| terms.owner.clone(), |row| row.owner.clone()),
                expires: old.map_or(terms.expires, |row| row.expires),
            }
        });
        Self { rows: rows.collect() }
    }

    /// The number of findings listed.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let finding = self.rows.iter().map(FileRow::from).collect();
        let body = toml::to_string(&File { version: 1, finding }).expect("strings and days always serialise");
        format!(
            "# Findings that guard lint leaves out until the day they expire. Written by guard lint --write-baseline.\n{body}"
        )
    }

    /// Takes what is listed out of `report`. A row stands for one finding, and not from its day of expiry on.
    pub fn apply(&self, report: &mut Report, today: Date) -> Applied {
        let mut open: HashMap<Key<'_>, usize> = HashMap::new();
        let mut n_expired = 0;
        let found: HashMap<Key<'_>, usize> = count(report.findings.iter().map(key));
        for row in &self.rows {
            if row.expires > today {
                *open.entry(row.key()).or_default() += 1;
            } else if found.contains_key(&row.key()) {
                n_expired += 1;
            }
        }
        let n_open: usize = open.values().sum();
        let n_before = report.findings.len();
        let keeps: Vec<_> = report.findings.iter().map(|finding| !take_one(&mut open, key(finding))).collect();
        let mut keeps = keeps.into_iter();
        report.findings.retain(|_| keeps.next().unwrap_or(true));
        let n_matched = n_before - report.findings.len();
        Applied { matched: n_matched, expired: n_expired, stale: n_open - n_matched }
    }
}

/// Rule and fingerprint; the path is for people, and differs with the directory in which guard was started.
type Key<'a> = (&'a str, &'a str);

fn key(finding: &Finding) -> Key<'_> {
    (finding.rule, &finding.fingerprint)
}

fn count<'a>(keys: impl Iterator<Item = Key<'a>>) -> HashMap<Key<'a>, usize> {
    keys.fold(HashMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

fn take_one<'a>(open: &mut HashMap<Key<'a>, usize>, key: Key<'a>) -> bool {
    open.get_mut(&key).filter(|n| **n > 0).map(|n| *n -= 1).is_some()
}

impl Row {
    fn key(&self) -> Key<'_> {
        (&self.rule, &self.fingerprint)
    }
}

/// The file's shape.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u8,
    #[serde(default)]
    finding: Vec<FileRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    rule: String,
    file: String,
    fingerprint: String,
    owner: String,
    expires: toml::value::Datetime,
}

impl TryFrom<FileRow> for Row {
    type Error = BaselineError;

    fn try_from(row: FileRow) -> Result<Self, BaselineError> {
        let FileRow { rule, file, fingerprint, owner, expires } = row;
        let problem = || BaselineError::Malformed(format!("the expires of {rule} in {file} is not a day"));
        let expires = expires.date.map(Date::from).ok_or_else(problem)?;
        Ok(Self { rule, file, fingerprint, owner, expires })
    }
}

impl From<&Row> for FileRow {
    fn from(row: &Row) -> Self {
        let Row { rule, file, fingerprint, owner, expires } = row.clone();
        let date = toml::value::Date { year: expires.year, month: expires.month, day: expires.day };
        Self { rule, file, fingerprint, owner, expires: date.into() }
    }
}

impl From<toml::value::Date> for Date {
    fn from(date: toml::value::Date) -> Self {
        Self { year: date.year, month: date.month, day: date.day }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Class, Severity};
    use crate::source_text::{Position, Span};

    const DAY: Date = Date { year: 2027, month: 3, day: 1 };

    fn finding(rule: &'static str, fingerprint: &str) -> Finding {
        let start = Position { line: 1, column: 1 };
        Finding {
            rule,
            class: Class::Destructive,
            severity: Severity::Error,
            file: "m/1.sql".into(),
            span: Span::default(),
            start,
            end: start,
            statement: String::new(),
            message: String::new(),
            why: String::new(),
            help: String::new(),
            fix: Vec::new(),
            fingerprint: fingerprint.to_owned(),
        }
    }

    fn report(findings: &[Finding]) -> Report {
        Report { findings: findings.to_vec(), ..Report::default() }
    }

    fn baseline(findings: &[Finding]) -> Baseline {
        Baseline::of(findings, &Baseline::default(), &Terms { owner: "ann".to_owned(), expires: DAY })
    }

    #[test]
    fn what_is_listed_is_left_out_and_what_is_new_counts() {
        let baseline = baseline(&[finding("a", "1"), finding("b", "2")]);
        let mut report = report(&[finding("a", "1"), finding("a", "3")]);
        let applied = baseline.apply(&mut report, Date { day: 1, month: 1, year: 2027 });
        assert_eq!(applied, Applied { matched: 1, expired: 0, stale: 1 });
        assert_eq!(report.findings, [finding("a", "3")]);
    }

    #[test]
    fn a_row_counts_again_from_its_day_on() {
        let baseline = baseline(&[finding("a", "1")]);
        let mut report = report(&[finding("a", "1")]);
        assert_eq!(baseline.apply(&mut report, DAY), Applied { matched: 0, expired: 1, stale: 0 });
        assert_eq!(report.findings.len(), 1);
    }

    #[test]
    fn a_row_stands_for_one_finding_not_for_its_copies() {
        let baseline = baseline(&[finding("a", "1")]);
        let mut report = report(&[finding("a", "1"), finding("a", "1")]);
        baseline.apply(&mut report, Date { year: 2026, month: 1, day: 1 });
        assert_eq!(report.findings.len(), 1);
    }

    #[test]
    fn the_file_reads_back_as_written_and_a_rewrite_keeps_owners() {
        let first = baseline(&[finding("a", "1")]);
        let read = Baseline::parse(&first.to_toml()).unwrap();
        assert_eq!(read, first);
        let terms = Terms { owner: "ben".to_owned(), expires: Date { year: 2030, month: 1, day: 1 } };
        let second = Baseline::of(&[finding("a", "1"), finding("b", "2")], &read, &terms);
        let owners: Vec<_> = second.rows.iter().map(|row| (row.owner.as_str(), row.expires.year)).collect();
        assert_eq!(owners, [("ann", 2027), ("ben", 2030)]);
    }

    #[test]
    fn a_baseline_that_is_not_understood_is_an_error() {
        for text in
            ["version = 2", "finding = 3", "version = 1\nextra = true", "version = 1\n[[finding]]\nrule = \"a\""]
        {
            assert!(Baseline::parse(text).is_err(), "{text}");
        }
    }
}
