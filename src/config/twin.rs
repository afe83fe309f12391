//! Settings from the environment and from flags, laid over what the file says: flag, then variable, then file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

use super::diagnose::{Problem, Report};
use super::environment::Environment;
use super::file::ConfigFile;
use super::setting::{Kind, Setting, twin};

/// A setting given on the command line.
#[derive(Debug, Clone)]
pub struct Override {
    /// The setting's dotted key: `store.url`.
    pub key: String,
    /// Its value as text, as a variable would hold it.
    pub value: String,
    /// The flag, for messages: `--store`.
    pub flag: String,
}

/// Where a setting came from, if it is not a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File {
        /// `guard.toml:3`.
        place: String,
    },
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

/// Which settings came from elsewhere than the file, by dotted key.
pub(super) type Origins = BTreeMap<String, Origin>;

/// Variables with the prefix that are not settings.
const NOT_SETTINGS: [&str; 3] = ["GUARD_CONFIG", "GUARD_LOG", "GUARD_LOG_FORMAT"];

/// Lays the variables over `table`.
pub(super) fn overlay(table: &mut Table, settings: &[Setting], environment: &Environment) -> (Origins, Vec<Report>) {
    let mut origins = Origins::new();
    let mut reports = Vec::new();
    for name in environment.names("GUARD_").filter(|name| !NOT_SETTINGS.contains(name)) {
        let report = |problem: Problem| report_at(name, problem);
        let Some(found) = find(name, settings, table) else {
            let known = settings.iter().map(Setting::variable).collect::<Vec<_>>();
            let known = known.iter().map(String::as_str).collect::<Vec<_>>();
            let help = super::diagnose::nearest(name, &known).unwrap_or("see `guard config schema`");
            tracing::warn!(variable = name, nearest = help, "ignored a variable that is not a setting");
            continue;
        };
        let key = found.path.join(".");
        if let Some(Origin::Variable(other)) = origins.get(&key) {
            let problem = Problem::new(&[], format!("{other} sets the same")).help("set one of the two");
            reports.push(report(problem));
            continue;
        }
        let value = found.value(name, environment.get(name).unwrap_or_default());
        match value.and_then(|value| insert(table, &found.path, value)) {
            Ok(()) => drop(origins.insert(key, Origin::Variable(name.to_owned()))),
            Err(problem) => reports.push(report(problem)),
        }
    }
    (origins, reports)
}

/// Lays flags over `table`.
pub(super) fn apply_flags(
    table: &mut Table,
    settings: &[Setting],
    flags: &[Override],
    origins: &mut Origins,
) -> Vec<Report> {
    let mut reports = Vec::new();
    for Override { key, value, flag } in flags {
        let path: Vec<String> = key.split('.').map(ToOwned::to_owned).collect();
        let fits = |setting: &&Setting| {
            setting.path.len() == path.len()
                && setting.path.iter().zip(&path).all(|(known, key)| known == "*" || known == key)
        };
        let setting = settings.iter().find(fits).expect("a flag names a setting that exists");
        let inserted = read_value(&setting.kind, value).and_then(|value| insert(table, &path, value));
        match inserted {
            Ok(()) => drop(origins.insert(key.clone(), Origin::Flag(flag.clone()))),
            Err(problem) => reports.push(report_at(flag, problem)),
        }
    }
    reports
}

/// A problem of a variable or flag.
pub(super) fn report_at(place: &str, problem: Problem) -> Report {
    Report { place: place.to_owned(), message: problem.message, help: problem.help, excerpt: None }
}

/// A variable recognised as a setting.
struct Found<'a> {
    setting: &'a Setting,
    path: Vec<String>,
    form: Form,
}

/// How a variable gives its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    File,
    Command,
}

impl Found<'_> {
    fn value(&self, name: &str, text: &str) -> Result<Value, Problem> {
        let secret = |key: &str, value: Value| Ok(Value::Table(Table::from_iter([(key.to_owned(), value)])));
        match (self.form, &self.setting.kind) {
            (Form::File, _) => secret("file", text.into()),
            (Form::Command, _) => {
                secret("command", Value::Array(words(text)?.into_iter().map(Value::String).collect()))
            }
            // The secret stays in the environment until it is needed.
            (Form::Plain, Kind::Secret) => secret("env", name.into()),
            (Form::Plain, kind) => read_value(kind, text),
        }
    }
}

/// The setting that a variable names. Where a name that the user chose makes it ambiguous, the longest key wins:
/// `GUARD_SOURCE_SHOP_EXCLUDE_TABLES` is `exclude_tables` of `shop`.
fn find<'a>(variable: &str, settings: &'a [Setting], table: &Table) -> Option<Found<'a>> {
    let mut found: Option<(usize, Found<'a>)> = None;
    for setting in settings {
        for (suffix, form) in [("", Form::Plain), ("_FILE", Form::File), ("_COMMAND", Form::Command)] {
            if form != Form::Plain && setting.kind != Kind::Secret {
                continue;
            }
            let pattern = format!("{}{suffix}", setting.variable());
            let (length, path) = match pattern.split_once("<NAME>") {
                None if pattern == variable => (usize::MAX, setting.path.clone()),
                None => continue,
                Some((prefix, key)) => {
                    let name = variable.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(key));
                    let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
                    (key.len(), named(&setting.path, name, table))
                }
            };
            if found.as_ref().is_none_or(|(longest, _)| length > *longest) {
                found = Some((length, Found { setting, path, form }));
            }
        }
    }
    found.map(|(_, found)| found)
}

/// Puts the name into the path: the one in the file that is spelled so in a variable, else the variable's in small letters.
fn named(path: &[String], name: &str, table: &Table) -> Vec<String> {
    let known = path.first().and_then(|section| table.get(section)).and_then(Value::as_table);
    let written = known.into_iter().flat_map(Table::keys).find(|key| twin(key) == name).cloned();
    let name = written.unwrap_or_else(|| name.to_ascii_lowercase());
    path.iter().map(|key| if key == "*" { name.clone() } else { key.clone() }).collect()
}

fn read_value(kind: &Kind, text: &str) -> Result<Value, Problem> {
    match kind {
        Kind::Text | Kind::Duration | Kind::Choice(_) | Kind::Secret => Ok(text.into()),
        Kind::Integer => text.trim().parse::<i64>().map(Value::Integer).map_err(|_| expected("a whole number")),
        Kind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true.into()),
            "false" | "0" | "no" | "off" => Ok(false.into()),
            _ => Err(expected("true or false")),
        },
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(Value::from).collect()))
        }
    }
}

fn expected(what: &str) -> Problem {
    Problem::new(&[], format!("expected {what}"))
}

/// The words of a command: `["program", "argument"]`, or words between blanks. No shell is involved.
fn words(text: &str) -> Result<Vec<String>, Problem> {
    if !text.trim_start().starts_with('[') {
        return Ok(text.split_whitespace().map(ToOwned::to_owned).collect());
    }
    serde_json::from_str(text).map_err(|_| expected("a list of texts in double quotes, or words between blanks"))
}

/// Inserts a value and keeps it only if the whole still has the file's shape.
fn insert(table: &mut Table, path: &[String], value: Value) -> Result<(), Problem> {
    let mut changed = table.clone();
    let (last, sections) = path.split_last().expect("a setting has a key");
    let mut inner = &mut changed;
    for section in sections {
        let entry = inner.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        inner = entry.as_table_mut().ok_or_else(|| expected("a table in the configuration file"))?;
    }
    inner.insert(last.clone(), value);
    if let Err(error) = ConfigFile::deserialize(Value::Table(changed.clone())) {
        let (message, help) = super::diagnose::explain(&error);
        return Err(Problem { path: Vec::new(), message, help });
    }
    *table = changed;
    Ok(())
}
