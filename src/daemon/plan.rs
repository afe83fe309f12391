//! From the configuration to jobs: each schedule, with each source that it covers, for each thing that it says when to do.

use std::time::Duration;

use chrono::TimeDelta;
use croner::Cron;

use crate::config::schedule::Schedule;
use crate::config::{Config, SourceName};
use crate::schedule::{Job, JobId, Kind, Timetable};

/// Every job of a configuration.
pub fn jobs(config: &Config) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (name, schedule) in &config.schedules {
        for source in config.sources.keys().filter(|source| schedule.sources.covers(source)) {
            jobs.extend(jobs_of(name, schedule, source));
        }
    }
    jobs
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
