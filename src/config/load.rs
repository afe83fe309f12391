//! Finding the configuration and reading it: the file, the schedules beside it, the environment, the flags.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::convert::{self, Converted, Surroundings};
use super::diagnose::{Document, Problem, Report};
use super::file::{ConfigFile, SourceFile};
use super::schedule::{self, Schedule, ScheduleFile};
use super::setting::{self, Setting};
use super::twin::{self, Origin, Origins, Override};
use super::{Address, Config, Environment, PostgresConfig, Selection, SourceConfig, SourceName, zero};

/// What to read, and where to look for it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `--config`: the file to read.
    pub file: Option<PathBuf>,
    /// The current directory: `guard.toml` in it is found, and relative paths of variables and flags begin here.
    pub current_dir: PathBuf,
    /// The file that is read when there is none in the current directory.
    pub system_file: PathBuf,
    /// The environment.
    pub environment: Environment,
    /// Settings given as flags.
    pub flags: Vec<Override>,
}

/// A configuration, and what it was made of, for `guard config show`.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every value that was said, without its defaults.
    pub said: Table,
    /// Where each value came from, by dotted key.
    pub origins: BTreeMap<String, Origin>,
    /// The schedules as they were written, by name.
    pub schedules: BTreeMap<String, Table>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct ConfigError {
    /// One for each mistake, in the order of the files.
    pub reports: Vec<Report>,
}

impl Request {
    /// The usual places, with the process's own environment.
    pub fn of_process(file: Option<PathBuf>) -> std::io::Result<Self> {
        Ok(Self {
            file,
            current_dir: std::env::current_dir()?,
            system_file: "/etc/guard/guard.toml".into(),
            environment: Environment::of_process(),
            flags: Vec::new(),
        })
    }

    /// The file to read: the one that was named, else the first that exists.
    fn find(&self) -> Option<PathBuf> {
        let named = self.file.clone().or_else(|| self.environment.get("GUARD_CONFIG").map(PathBuf::from));
        named.map(|path| self.current_dir.join(path)).or_else(|| {
            let places = [self.current_dir.join("guard.toml"), self.system_file.clone()];
            places.into_iter().find(|path| path.is_file())
        })
    }
}

impl ConfigError {
    /// The reports of one file in the order of its lines; those about variables and flags follow.
    fn of_file(mut reports: Vec<Report>) -> Self {
        reports.sort_by_key(|report| report.line().unwrap_or(usize::MAX));
        Self { reports }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.reports.iter().map(ToString::to_string).collect::<Vec<_>>();
        f.write_str(&texts.join("\n\n"))
    }
}

impl std::error::Error for ConfigError {}

/// Reads and checks everything, or says everything that is wrong. No secret is fetched.
pub fn load(request: &Request) -> Result<Loaded, ConfigError> {
    let path = request.find();
    let read = path.as_deref().map(|path| read_file(path, &request.current_dir)).transpose()?;
    let settings = setting::settings::<ConfigFile>();
    let shown = read.as_ref().map_or(Path::new(""), |read| &read.shown);
    let text = read.as_ref().map_or("", |read| &read.text);
    let (document, mut reports) = Document::parse(shown, text, &settings);
    // A file that is no TOML has no settings to check: its syntax comes first.
    stop_at(&mut reports)?;
    let (mut said, wrong) = document.read::<ConfigFile>();
    reports.extend(wrong);
    let mut origins = Origins::new();
    mark_file(&said, &mut Vec::new(), &mut origins);
    let (variables, wrong) = twin::overlay(&mut said, &settings, &request.environment);
    origins.extend(variables);
    reports.extend(wrong);
    reports.extend(twin::apply_flags(&mut said, &settings, &request.flags, &mut origins));
    let file = ConfigFile::deserialize(Value::Table(said.clone())).expect("each part was accepted before");

    let file_dir = path.as_deref().and_then(Path::parent).unwrap_or(&request.current_dir);
    let elsewhere: Origins = origins
        .iter()
        .filter(|(_, origin)| **origin != Origin::File)
        .map(|(key, origin)| (key.clone(), origin.clone()))
        .collect();
    let around = Surroundings {
        file_dir,
        current_dir: &request.current_dir,
        origins: &elsewhere,
        others_can_read: read.as_ref().is_some_and(|read| read.shared),
        no_file: path.is_none(),
    };
    let converted = convert::convert(file, &around).map_err(|problems| {
        let place = |problem: &Problem| match around.elsewhere(problem) {
            Some(name) => twin::report_at(name, problem.clone()),
            None => document.place(problem),
        };
        let problems = worth_telling(problems, !reports.is_empty());
        reports.extend(problems.iter().map(place));
    });
    let converted = match converted {
        Ok(converted) if reports.is_empty() => converted,
        _ => return Err(ConfigError::of_file(reports)),
    };
    finish(request, path, converted, said, origins)
}

/// What was taken out of a file as wrong, or stands under a mistyped key, is not missing as well.
fn worth_telling(mut problems: Vec<Problem>, others: bool) -> Vec<Problem> {
    problems.retain(|problem| !(others && problem.message.ends_with("is missing")));
    problems
}

struct Read {
    shown: PathBuf,
    text: String,
    shared: bool,
}

/// Reads a file. It is shown relative to the current directory where it lies below it.
fn read_file(path: &Path, current_dir: &Path) -> Result<Read, ConfigError> {
    let shown = path.strip_prefix(current_dir).unwrap_or(path).to_owned();
    let failed = |reason: std::io::Error| ConfigError {
        reports: vec![twin::report_at(
            &shown.display().to_string(),
            Problem::new(&[], format!("cannot read this file: {reason}")),
        )],
    };
    let text = fs::read_to_string(path).map_err(failed)?;
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    Ok(Read { shown, text, shared: mode & 0o077 != 0 })
}

fn stop_at(reports: &mut Vec<Report>) -> Result<(), ConfigError> {
    if reports.is_empty() { Ok(()) } else { Err(ConfigError { reports: std::mem::take(reports) }) }
}

/// Notes every value of the file. A secret's place (`{ env = … }`) is one value.
fn mark_file(table: &Table, path: &mut Vec<String>, origins: &mut Origins) {
    for (key, value) in table {
        path.push(key.clone());
        match value {
            Value::Table(inner) if !is_secret_place(inner) => mark_file(inner, path, origins),
            _ => drop(origins.insert(path.join("."), Origin::File)),
        }
        path.pop();
    }
}

/// Whether a table is `{ env | file | command = … }`. No section of the file has such a key.
pub(super) fn is_secret_place(table: &Table) -> bool {
    table.len() == 1 && ["env", "file", "command"].iter().any(|key| table.contains_key(*key))
}

/// Adds the sources of the environment and the schedules.
fn finish(
    request: &Request,
    path: Option<PathBuf>,
    converted: Converted,
    mut said: Table,
    mut origins: Origins,
) -> Result<Loaded, ConfigError> {
    let Converted { schedules: directory, store, encryption, compression, mut sources, scratch, restore } = converted;
    if sources.is_empty() {
        let found = zero::connection(&request.environment).map_err(|report| ConfigError { reports: vec![report] })?;
        if let Some(zero::Found { connection, variable }) = found {
            let name = SourceName::of_database(&connection.database());
            let key = format!("source.{name}.url");
            origins.insert(key, Origin::Variable(variable.to_owned()));
            let url = Value::Table(Table::from_iter([("env".to_owned(), Value::from(variable))]));
            let source = Value::Table(Table::from_iter([("url".to_owned(), url)]));
            said.insert("source".to_owned(), Value::Table(Table::from_iter([(name.to_string(), source)])));
            sources.insert(name, SourceConfig::Postgres(Box::new(PostgresConfig::at(Address::Known(connection)))));
        }
    }
    let named = directory.is_some();
    let beside = || path.as_deref().and_then(Path::parent).map(|parent| parent.join("schedules"));
    let schedules = match directory.or_else(beside).filter(|directory| named || directory.is_dir()) {
        Some(directory) => read_schedules(&directory, &sources.keys().cloned().collect(), &request.current_dir)?,
        None => BTreeMap::new(),
    };
    let (written, schedules) =
        schedules.into_iter().map(|(name, (table, schedule))| ((name.clone(), table), (name, schedule))).unzip();
    let environment = request.environment.clone();
    let config =
        Config { file: path, environment, store, encryption, compression, sources, scratch, restore, schedules };
    Ok(Loaded { config, said, origins, schedules: written })
}

impl PostgresConfig {
    /// A server with every setting at its default.
    pub fn at(address: Address) -> Self {
        let file = SourceFile::default();
        Self {
            address,
            databases: Selection::default(),
            tables: Selection::default(),
            schemas: Selection::default(),
            globals: file.globals,
            lock_wait_timeout: file.lock_wait_timeout.0,
            max_block: file.max_block.0,
            retries: file.retries,
            retry_delay: file.retry_delay.0,
            client_dir: None,
            sslmode: None,
            sslrootcert: None,
            environment: None,
        }
    }
}

type Schedules = BTreeMap<String, (Table, Schedule)>;

/// Reads every `*.toml` of a directory as a schedule.
fn read_schedules(
    directory: &Path,
    sources: &BTreeSet<SourceName>,
    current_dir: &Path,
) -> Result<Schedules, ConfigError> {
    let failed = |reason: std::io::Error| {
        let problem = Problem::new(&[], format!("cannot read this directory of schedules: {reason}"));
        ConfigError { reports: vec![twin::report_at(&directory.display().to_string(), problem)] }
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let settings = setting::settings::<ScheduleFile>();
    let mut schedules = Schedules::new();
    let mut reports = Vec::new();
    for path in paths {
        match read_schedule(&path, sources, current_dir, &settings) {
            Ok((name, schedule)) => drop(schedules.insert(name, schedule)),
            Err(error) => reports.extend(error.reports),
        }
    }
    stop_at(&mut reports)?;
    Ok(schedules)
}

fn read_schedule(
    path: &Path,
    sources: &BTreeSet<SourceName>,
    current_dir: &Path,
    settings: &[Setting],
) -> Result<(String, (Table, Schedule)), ConfigError> {
    let Read { shown, text, .. } = read_file(path, current_dir)?;
    let (document, mut reports) = Document::parse(&shown, &text, settings);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if name.parse::<SourceName>().is_err() {
        let problem = Problem::new(&[], "this file's name is not a name for a schedule")
            .help("use ASCII letters, digits and ._-+=@");
        reports.push(twin::report_at(&shown.display().to_string(), problem));
    }
    stop_at(&mut reports)?;
    let (table, mut reports) = document.read::<ScheduleFile>();
    let file = ScheduleFile::deserialize(Value::Table(table.clone())).expect("each part was accepted before");
    let schedule = schedule::convert(file, Some(sources)).map_err(|problems| {
        let problems = worth_telling(problems, !reports.is_empty());
        reports.extend(problems.iter().map(|problem| document.place(problem)));
    });
    match schedule {
        Ok(schedule) if reports.is_empty() => Ok((name, (table, schedule))),
        _ => Err(ConfigError::of_file(reports)),
    }
}
