//! A schedule: when its sources are backed up and proven, how long backups are kept, and what was promised.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::diagnose::Problem;
use super::duration::HumanDuration;
use super::name::SourceName;
use crate::schedule::{Pause, PauseError};

/// When sources are backed up and proven, how long backups are kept, and what was promised.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(title = "schedules/NAME.toml", extend("required" = ["sources", "timezone", "backup"]))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleFile {
    /// Names of the sources it covers; `["*"]` is all of them. Required.
    pub sources: Vec<String>,
    /// Time zone of every time in this file, as in the IANA database: `Europe/Kyiv`, `UTC`. Required. A time that the clock
    /// skips in spring runs at the end of the gap; one that comes twice in autumn runs once. What runs every hour goes on
    /// every hour.
    pub timezone: Option<String>,
    /// When to back up: a cron expression of five fields (minute, hour, day, month, weekday), or of six with seconds first.
    /// Required.
    pub backup: Option<String>,
    /// A delay of at most this long before each run, so that not everything starts at once: another for each run, the same
    /// after a restart, and never more than half of the way to the next run.
    pub jitter: Option<HumanDuration>,
    /// How late a missed run is made up for. Of several that were missed only the newest is.
    pub catch_up: HumanDuration,
    /// When no run begins: `"Mon-Fri 08:00-18:00"`, `"22:00-06:00"`, `"2026-12-24..2026-12-27"`. A run that was due then is
    /// missed, and made up for at the window's end.
    pub pause: Vec<String>,
    /// Which backups are kept. A backup is kept if any rule keeps it; with no rule at all, every backup is kept.
    pub retention: RetentionFile,
    /// When a backup is restored to scratch and compared.
    pub test_restore: TestRestoreFile,
    /// When stored bytes are read and compared with their manifests.
    pub verify: VerifyFile,
    /// When old backups and leftovers are removed.
    pub prune: PruneFile,
    /// What was promised; each proof is measured against it.
    pub target: TargetFile,
}

/// Which backups are kept.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionFile {
    /// The newest so many.
    pub last: Option<NonZeroU32>,
    /// All that are younger than this.
    pub within: Option<HumanDuration>,
    /// The newest of each of the last so many days that have one.
    pub daily: Option<NonZeroU32>,
    /// The newest of each of the last so many weeks that have one.
    pub weekly: Option<NonZeroU32>,
    /// The newest of each of the last so many months that have one.
    pub monthly: Option<NonZeroU32>,
    /// The newest of each of the last so many years that have one.
    pub yearly: Option<NonZeroU32>,
}

/// When a backup is restored to scratch and compared.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestRestoreFile {
    /// A cron expression, as for `backup`. When absent: no test restores by this schedule.
    pub cron: Option<String>,
    /// Which backup is restored: the newest, or any of those that are kept.
    pub choose: Choice,
    /// How late a missed test restore is made up for.
    pub catch_up: HumanDuration,
}

/// When stored bytes are read and compared with their manifests.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VerifyFile {
    /// A cron expression, as for `backup`. When absent: stored bytes are read by test restores alone.
    pub cron: Option<String>,
    /// How late a missed verification is made up for.
    pub catch_up: HumanDuration,
}

/// When old backups and leftovers are removed.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PruneFile {
    /// A cron expression, as for `backup`. When absent: after each backup that succeeded.
    pub cron: Option<String>,
}

/// Which backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The newest: what a recovery would use.
    #[default]
    Newest,
    /// Any, another each time: over the months all of them have their turn.
    Random,
}

impl Default for ScheduleFile {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            timezone: None,
            backup: None,
            jitter: None,
            catch_up: HumanDuration::seconds(24 * 3600),
            pause: Vec::new(),
            retention: RetentionFile::default(),
            test_restore: TestRestoreFile::default(),
            verify: VerifyFile::default(),
            prune: PruneFile::default(),
            target: TargetFile::default(),
        }
    }
}

impl Default for TestRestoreFile {
    fn default() -> Self {
        Self { cron: None, choose: Choice::default(), catch_up: HumanDuration::seconds(7 * 24 * 3600) }
    }
}

impl Default for VerifyFile {
    fn default() -> Self {
        Self { cron: None, catch_up: HumanDuration::seconds(7 * 24 * 3600) }
    }
}

/// What was promised.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TargetFile {
    /// The most that may be lost: how old the newest backup may be.
    pub rpo: Option<HumanDuration>,
    /// The longest that a recovery may take.
    pub rto: Option<HumanDuration>,
}

/// A schedule, checked.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Which sources it covers.
    pub sources: Coverage,
    /// The zone of its times and of the days, weeks and months of its retention.
    pub timezone: Tz,
    /// When to back up.
    pub backup: Cron,
    /// The longest delay before a run.
    pub jitter: Duration,
    /// How late a missed backup is made up for.
    pub catch_up: Duration,
    /// When no run begins.
    pub pauses: Vec<Pause>,
    /// Which backups are kept.
    pub retention: RetentionRules,
    /// When to prove, and what.
    pub test_restore: Option<TestRestore>,
    /// When to read the stored bytes.
    pub verify: Option<Verify>,
    /// When to prune, unless it is after each backup.
    pub prune: Option<Cron>,
    /// What was promised.
    pub target: Target,
}

/// When to prove, and what.
#[derive(Debug, Clone)]
pub struct TestRestore {
    /// When.
    pub cron: Cron,
    /// Which backup.
    pub choose: Choice,
    /// How late a missed one is made up for.
    pub catch_up: Duration,
}

/// When to read the stored bytes.
#[derive(Debug, Clone)]
pub struct Verify {
    /// When.
    pub cron: Cron,
    /// How late a missed one is made up for.
    pub catch_up: Duration,
}

/// Which sources a schedule covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Every source.
    All,
    /// These.
    Named(BTreeSet<SourceName>),
}

/// How many backups of each kind are kept; no rule at all keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionRules {
    /// The newest so many.
    pub last: Option<NonZeroU32>,
    /// All younger than this.
    pub within: Option<Duration>,
    /// One for each of so many days.
    pub daily: Option<NonZeroU32>,
    /// One for each of so many weeks.
    pub weekly: Option<NonZeroU32>,
    /// One for each of so many months.
    pub monthly: Option<NonZeroU32>,
    /// One for each of so many years.
    pub yearly: Option<NonZeroU32>,
}

/// What was promised for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Target {
    /// How old the newest backup may be.
    pub rpo: Option<Duration>,
    /// How long a recovery may take.
    pub rto: Option<Duration>,
}

impl Coverage {
    /// Whether a source is covered.
    pub fn covers(&self, source: &SourceName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(source),
        }
    }
}

impl Target {
    /// Both promises at once: the shorter of each.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        let shorter = |one: Option<Duration>, two: Option<Duration>| one.into_iter().chain(two).min();
        Self { rpo: shorter(self.rpo, other.rpo), rto: shorter(self.rto, other.rto) }
    }
}

/// Reads a cron expression of five fields, or of six with seconds first. One that never comes, such as the 30th of February,
/// is refused.
pub fn parse_cron(text: &str) -> Result<Cron, String> {
    let n_fields = text.split_whitespace().count();
    if !(5..=6).contains(&n_fields) && !text.starts_with('@') {
        return Err(format!("it has {n_fields} fields instead of 5 or 6"));
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let cron = parser.parse(text).map_err(|error| match error {
        CronError::InvalidPattern(reason)
        | CronError::IllegalCharacters(reason)
        | CronError::ComponentError(reason) => lower_first(&reason),
        other => lower_first(&other.to_string()),
    })?;
    // Any instant will do: a leap year follows within eight years.
    let next = cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false);
    next.map(|_| cron).map_err(|_| "it names a day that never comes".to_owned())
}

/// Checks a schedule against itself and the names of the sources. `sources` is `None` where they are not known.
pub(super) fn convert(file: ScheduleFile, sources: Option<&BTreeSet<SourceName>>) -> Result<Schedule, Vec<Problem>> {
    let ScheduleFile {
        sources: covered,
        timezone,
        backup,
        jitter,
        catch_up,
        pause,
        retention,
        test_restore,
        verify,
        prune,
        target,
    } = file;
    let mut problems = Vec::new();
    let coverage = coverage(&covered, sources, &mut problems);
    let timezone = required(timezone, "timezone", "timezone = \"Europe/Kyiv\"", &mut problems)
        .and_then(|text| zone(&text).map_err(|problem| problems.push(problem)).ok());
    let backup = required(backup, "backup", "backup = \"0 2 * * *\"", &mut problems)
        .and_then(|text| cron(&text, &["backup"], &mut problems));
    let pauses = pauses(&pause, &mut problems);
    let TestRestoreFile { cron: proof, choose, catch_up: proof_catch_up } = test_restore;
    let proof = proof.and_then(|text| cron(&text, &["test-restore", "cron"], &mut problems));
    let VerifyFile { cron: reading, catch_up: verify_catch_up } = verify;
    let reading = reading.and_then(|text| cron(&text, &["verify", "cron"], &mut problems));
    let prune = prune.cron.and_then(|text| cron(&text, &["prune", "cron"], &mut problems));
    let TargetFile { rpo, rto } = target;
    let (Some(timezone), Some(backup), true) = (timezone, backup, problems.is_empty()) else { return Err(problems) };
    Ok(Schedule {
        sources: coverage,
        timezone,
        backup,
        jitter: jitter.map_or(Duration::ZERO, |jitter| jitter.0),
        catch_up: catch_up.0,
        pauses,
        retention: rules(&retention),
        test_restore: proof.map(|cron| TestRestore { cron, choose, catch_up: proof_catch_up.0 }),
        verify: reading.map(|cron| Verify { cron, catch_up: verify_catch_up.0 }),
        prune,
        target: Target { rpo: rpo.map(|rpo| rpo.0), rto: rto.map(|rto| rto.0) },
    })
}

fn pauses(texts: &[String], problems: &mut Vec<Problem>) -> Vec<Pause> {
    let mut pauses = Vec::new();
    for (item_idx, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(pause) => pauses.push(pause),
            Err(error) => {
                let error: PauseError = error;
                let help = "write \"08:00-18:00\", \"Mon-Fri 08:00-18:00\", or days as \"2026-12-24..2026-12-27\"";
                problems.push(Problem::new(&["pause", &item_idx.to_string()], error.to_string()).help(help));
            }
        }
    }
    pauses
}

fn rules(file: &RetentionFile) -> RetentionRules {
    let RetentionFile { last, within, daily, weekly, monthly, yearly } = *file;
    RetentionRules { last, within: within.map(|within| within.0), daily, weekly, monthly, yearly }
}

fn coverage(covered: &[String], known: Option<&BTreeSet<SourceName>>, problems: &mut Vec<Problem>) -> Coverage {
    if covered.is_empty() {
        problems.push(Problem::missing("sources", "sources = [\"*\"]"));
    }
    if covered.iter().any(|name| name == "*") {
        return Coverage::All;
    }
    let mut names = BTreeSet::new();
    for (item_idx, text) in covered.iter().enumerate() {
        let path = ["sources", &item_idx.to_string()];
        match text.parse::<SourceName>() {
            Ok(name) if known.is_none_or(|known| known.contains(&name)) => drop(names.insert(name)),
            Ok(name) => {
                let known = known.into_iter().flatten().map(SourceName::as_str).collect::<Vec<_>>();
                let problem = Problem::new(&path, format!("there is no source named `{name}`"));
                problems.push(problem.suggest(name.as_str(), &known));
            }
            Err(error) => problems.push(Problem::new(&path, error.to_string())),
        }
    }
    Coverage::Named(names)
}

fn required<T>(value: Option<T>, key: &str, example: &str, problems: &mut Vec<Problem>) -> Option<T> {
    if value.is_none() {
        problems.push(Problem::missing(key, example));
    }
    value
}

fn zone(text: &str) -> Result<Tz, Problem> {
    text.parse().map_err(|_| {
        let problem = Problem::new(&["timezone"], format!("`{text}` is not a time zone of the IANA database"));
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect::<Vec<_>>();
        problem.suggest_or(text, &names, "names look like `Europe/Kyiv`, `America/New_York`, `UTC`")
    })
}

fn cron(text: &str, path: &[&str], problems: &mut Vec<Problem>) -> Option<Cron> {
    let parsed = parse_cron(text);
    parsed
        .map_err(|reason| {
            let help = "five fields: minute hour day month weekday; `0 2 * * *` is every day at 02:00";
            problems.push(Problem::new(path, format!("`{text}` is not a cron expression: {reason}")).help(help));
        })
        .ok()
}

fn lower_first(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
