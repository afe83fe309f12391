//! Finding the configuration and reading it: the file, the schedules beside it, the environment, the flags.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::convert::{self, Converted, Surroundings};
use super::diagnose::{Document, Problem, Report};
use super::file::ConfigFile;
use super::setting::{self, Kind};
use super::twin::{self, Origin, Origins, Override};
use super::{Address, Config, Environment, PostgresConfig, SourceConfig, SourceName, zero};

mod policy;
mod schedules;

pub use policy::load_policies;

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
    /// Every value that was said, without its defaults. A secret that was written out is `***`.
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
        reports.sort_by_key(|report| report.line_and_column().unwrap_or((usize::MAX, 0)));
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
    let read = path.as_deref().map(|path| read_file(path, &request.current_dir)).transpose()?.unwrap_or_default();
    let settings = setting::settings::<ConfigFile>();
    let (document, mut reports) = Document::parse(&read.shown, &read.text, &settings);
    // A file that is no TOML has no settings to check: its syntax comes first.
    stop_at(&mut reports)?;
    let (mut said, wrong) = document.read::<ConfigFile>();
    reports.extend(wrong);
    let (mut elsewhere, wrong) = twin::overlay(&mut said, &settings, &request.environment);
    reports.extend(wrong);
    reports.extend(twin::apply_flags(&mut said, &settings, &request.flags, &mut elsewhere));
    let file = ConfigFile::deserialize(Value::Table(said.clone())).expect("each part was accepted before");

    let around = Surroundings {
        file_dir: path.as_deref().and_then(Path::parent).unwrap_or(&request.current_dir),
        current_dir: &request.current_dir,
        origins: &elsewhere,
        others_can_read: read.shared,
        no_file: path.is_none(),
    };
    let converted = convert::convert(file, &around).map_err(|problems| {
        let place = |problem: &Problem| match around.elsewhere(problem) {
            Some(name) => twin::report_at(name, problem.clone()),
            // Something that a variable began and nothing completed has no place but its own key.
            None if around.no_file => twin::report_at(&problem.path.join("."), problem.clone()),
            None => document.place(problem),
        };
        reports.extend(worth_telling(problems, !reports.is_empty()).iter().map(place));
    });
    let converted = match converted {
        Ok(converted) if reports.is_empty() => converted,
        _ => return Err(ConfigError::of_file(reports)),
    };
    let mut origins = Origins::new();
    note_file(&document, &said, "", &mut Vec::new(), &mut origins);
    origins.extend(elsewhere);
    for setting in settings.iter().filter(|setting| setting.kind == Kind::Secret) {
        conceal(&mut said, &setting.path);
    }
    finish(request, path, converted, Said { said, origins })
}

/// What was taken out of a file as wrong, or stands under a mistyped key, is not missing as well.
fn worth_telling(mut problems: Vec<Problem>, others: bool) -> Vec<Problem> {
    problems.retain(|problem| !(others && problem.message.ends_with("is missing")));
    problems
}

/// A file as it was read.
#[derive(Debug, Default)]
struct Read {
    /// Its path as it is shown.
    shown: PathBuf,
    text: String,
    /// Whether others than its owner may read it.
    shared: bool,
}

/// Reads a file. It is shown relative to the current directory where it lies below it.
fn read_file(path: &Path, current_dir: &Path) -> Result<Read, ConfigError> {
    let shown = path.strip_prefix(current_dir).unwrap_or(path).to_owned();
    let failed = |reason: std::io::Error| {
        let problem = Problem::new(&[], format!("cannot read this file: {reason}"));
        ConfigError { reports: vec![twin::report_at(&shown.display().to_string(), problem)] }
    };
    let text = fs::read_to_string(path).map_err(failed)?;
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    Ok(Read { shown, text, shared: mode & 0o077 != 0 })
}

fn stop_at(reports: &mut Vec<Report>) -> Result<(), ConfigError> {
    if reports.is_empty() { Ok(()) } else { Err(ConfigError::of_file(std::mem::take(reports))) }
}

/// Notes where each value of a file stands. A secret's place (`{ env = … }`) is one value; what stands nowhere in the file
/// came from elsewhere.
fn note_file(document: &Document<'_>, said: &Table, prefix: &str, path: &mut Vec<String>, origins: &mut Origins) {
    for (key, value) in said {
        path.push(key.clone());
        match value {
            Value::Table(inner) if !is_secret_place(inner) => note_file(document, inner, prefix, path, origins),
            _ => {
                let origin = document.place_of(path).map(|place| Origin::File { place });
                origins.extend(origin.map(|origin| (format!("{prefix}{}", path.join(".")), origin)));
            }
        }
        path.pop();
    }
}

/// Whether a table is `{ env | file | command = … }`. No section of a file has such a key.
fn is_secret_place(table: &Table) -> bool {
    table.len() == 1 && ["env", "file", "command"].iter().any(|key| table.contains_key(*key))
}

/// Replaces a secret that was written out, so that what was said can be printed.
fn conceal(table: &mut Table, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    for (_, value) in table.iter_mut().filter(|(key, _)| first == "*" || *key == first) {
        match value {
            Value::Table(inner) => conceal(inner, rest),
            Value::String(text) if rest.is_empty() => "***".clone_into(text),
            _ => {}
        }
    }
}

/// What was said, and where.
struct Said {
    said: Table,
    origins: Origins,
}

/// A source that the environment describes.
struct ZeroSource {
    name: SourceName,
    variable: &'static str,
    /// Unless it is the default.
    kind: Option<&'static str>,
    config: SourceConfig,
}

/// The database, then the cache. A database that is called `redis` keeps its name.
fn zero_sources(environment: &Environment) -> Result<Vec<ZeroSource>, Report> {
    let mut found = Vec::new();
    if let Some(zero::Found { connection, variable }) = zero::connection(environment)? {
        let name = SourceName::of_database(&connection.database());
        let config = SourceConfig::Postgres(Box::new(PostgresConfig::at(Address::Known(connection))));
        found.push(ZeroSource { name, variable, kind: None, config });
    }
    if let Some(redis) = zero::redis(environment)? {
        let taken = found.iter().any(|source| source.name.as_str() == "redis");
        let name = SourceName::of_database(if taken { "redis-cache" } else { "redis" });
        let config = SourceConfig::Redis(Box::new(redis));
        found.push(ZeroSource { name, variable: zero::REDIS_URL, kind: Some("redis"), config });
    }
    Ok(found)
}

/// Adds the sources of the environment and the schedules.
fn finish(
    request: &Request,
    path: Option<PathBuf>,
    converted: Converted,
    Said { mut said, mut origins }: Said,
) -> Result<Loaded, ConfigError> {
    let Converted {
        schedules: directory,
        store,
        encryption,
        compression,
        mut sources,
        scratch,
        restore,
        masks,
        run,
        http,
        notify,
        gates,
    } = converted;
    if sources.is_empty() {
        let found = zero_sources(&request.environment).map_err(|report| ConfigError { reports: vec![report] })?;
        let nest = |key: &str, value: Value| Value::Table(Table::from_iter([(key.to_owned(), value)]));
        let mut shown = Table::new();
        for ZeroSource { name, variable, kind, config } in found {
            origins.insert(format!("source.{name}.url"), Origin::Variable(variable.to_owned()));
            let Value::Table(mut table) = nest("url", nest("env", variable.into())) else { continue };
            table.extend(kind.map(|kind| ("kind".to_owned(), Value::from(kind))));
            shown.insert(name.as_str().to_owned(), Value::Table(table));
            sources.insert(name, config);
        }
        if !shown.is_empty() {
            said.insert("source".to_owned(), Value::Table(shown));
        }
    }
    let named = directory.is_some();
    let beside = || path.as_deref().and_then(Path::parent).map(|parent| parent.join("schedules"));
    // A directory that was named must exist; the one beside the file need not.
    let schedules = match directory.or_else(beside).filter(|directory| named || directory.is_dir()) {
        Some(directory) => {
            let names = sources.keys().cloned().collect();
            schedules::read(&directory, &names, &request.current_dir, &mut origins)?
        }
        None => schedules::Schedules::default(),
    };
    let environment = request.environment.clone();
    let schedules::Schedules { checked, said: schedules } = schedules;
    let config = Config {
        file: path,
        environment,
        store,
        encryption,
        compression,
        sources,
        scratch,
        restore,
        masks,
        run,
        http,
        notify,
        gates,
        schedules: checked,
    };
    Ok(Loaded { config, said, origins, schedules })
}
