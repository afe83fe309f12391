//! From the configuration to jobs: each schedule, with each source that it covers, for each thing that it says when to do.

use std::time::Duration;

use chrono::TimeDelta;
use croner::Cron;

use crate::config::schedule::Schedule;
use crate::config::{Config, SourceName};
use crate::schedule::{Job, JobId, Kind, Timetable};

/// Every job of a configuration.
pub fn jobs(config: &Config) -> Vec<Job> {
    config.sources.keys().flat_map(|source| jobs_of_source(config, source)).collect()
}

/// Every job of one source.
pub fn jobs_of_source(config: &Config, source: &SourceName) -> Vec<Job> {
    let covering = config.schedules.iter().filter(|(_, schedule)| schedule.sources.covers(source));
    covering.flat_map(|(name, schedule)| jobs_of(name, schedule, source)).collect()
}

fn jobs_of(name: &str, schedule: &Schedule, source: &SourceName) -> Vec<Job> {
    let job = |kind, cron: &Cron, catch_up: Duration| {
        let id = JobId { schedule: name.to_owned(), source: source.to_string(), kind };
        let timetable = Timetable::new(cron.clone(), schedule.timezone, delta(schedule.jitter), id.to_string());
        Job { id, timetable, catch_up: delta(catch_up), pauses: schedule.pauses.clone() }
    };
    let mut jobs = vec![job(Kind::Backup, &schedule.backup, schedule.catch_up)];
    jobs.extend(schedule.test_restore.as_ref().map(|proof| job(Kind::TestRestore, &proof.cron, proof.catch_up)));
    jobs.extend(schedule.verify.as_ref().map(|verify| job(Kind::Verify, &verify.cron, verify.catch_up)));
    jobs.extend(schedule.prune.as_ref().map(|cron| job(Kind::Prune, cron, schedule.catch_up)));
    jobs
}

/// A length of time that people write fits.
pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
