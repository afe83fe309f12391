//! Reading the directory of schedules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::super::diagnose::{Document, Problem};
use super::super::schedule::{self, Schedule, ScheduleFile};
use super::super::setting::{self, Setting};
use super::super::twin::{self, Origins};
use super::{ConfigError, Read, SourceName, note_file, read_file, stop_at, worth_telling};

/// What a directory of schedules says, by the files' names.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    pub(super) checked: BTreeMap<String, Schedule>,
    pub(super) said: BTreeMap<String, Table>,
}

/// Reads every `*.toml` of a directory as a schedule, and notes where each value stands.
pub(super) fn read(
    directory: &Path,
    sources: &BTreeSet<SourceName>,
    current_dir: &Path,
    origins: &mut Origins,
) -> Result<Schedules, ConfigError> {
    let settings = setting::settings::<ScheduleFile>();
    let mut schedules = Schedules::default();
    let mut reports = Vec::new();
    for path in toml_files(directory)? {
        let file = read_file(&path, current_dir)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match read_one(&name, &file, sources, &settings, origins) {
            Ok((said, schedule)) => {
                schedules.checked.insert(name.clone(), schedule);
                schedules.said.insert(name, said);
            }
            Err(error) => reports.extend(error.reports),
        }
    }
    if reports.is_empty() { Ok(schedules) } else { Err(ConfigError { reports }) }
}

fn toml_files(directory: &Path) -> Result<Vec<PathBuf>, ConfigError> {
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
    Ok(paths)
}

fn read_one(
    name: &str,
    file: &Read,
    sources: &BTreeSet<SourceName>,
    settings: &[Setting],
    origins: &mut Origins,
) -> Result<(Table, Schedule), ConfigError> {
    let (document, mut reports) = Document::parse(&file.shown, &file.text, settings);
    // A schedule's name is a folder of the store's leases, as a source's is one of its backups.
    if name.parse::<SourceName>().is_err() {
        let problem = Problem::new(&[], "this file's name is not a name for a schedule")
            .help("use ASCII letters, digits and ._-+=@");
        reports.push(twin::report_at(&file.shown.display().to_string(), problem));
    }
    stop_at(&mut reports)?;
    let (said, mut reports) = document.read::<ScheduleFile>();
    note_file(&document, &said, &format!("schedule.{name}."), &mut Vec::new(), origins);
    let shape = ScheduleFile::deserialize(Value::Table(said.clone())).expect("each part was accepted before");
    let schedule = schedule::convert(shape, Some(sources)).map_err(|problems| {
        let problems = worth_telling(problems, !reports.is_empty());
        reports.extend(problems.iter().map(|problem| document.place(problem)));
    });
    match schedule {
        Ok(schedule) if reports.is_empty() => Ok((said, schedule)),
        _ => Err(ConfigError::of_file(reports)),
    }
}
