//! The configuration as status, page and metrics see it: what is expected of each source, and whether it answers.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use futures_util::future::join_all;

use crate::catalog::SourceName;
use crate::config::{self, Config, RedisConfig, Schedule, SourceConfig};
use crate::http::{Reached, Watch};
use crate::schedule::Timetable;
use crate::source::postgres::session::connect;
use crate::source::redis::RedisSource;
use crate::status::live::Job;
use crate::status::{Expected, Upcoming};

/// A configuration that is watched.
#[derive(Debug)]
pub struct Configured(pub Config);

#[async_trait]
impl Watch for Configured {
    fn expected(&self, now: DateTime<Utc>) -> Vec<Expected> {
        expected(&self.0, now)
    }

    async fn reach(&self) -> Vec<Reached> {
        let reach = self.0.sources.iter().map(|(name, source)| async move {
            let failure = reach(&self.0, source).await.err();
            Reached { source: name.to_string(), failure }
        });
        join_all(reach).await
    }
}

/// What is expected of every configured source at this moment.
pub fn expected(config: &Config, now: DateTime<Utc>) -> Vec<Expected> {
    let sources = config.sources.iter();
    sources.filter_map(|(name, source)| of_source(config, name, source, now)).collect()
}

fn of_source(
    config: &Config,
    name: &config::SourceName,
    source: &SourceConfig,
    now: DateTime<Utc>,
) -> Option<Expected> {
    let (kind, environment) = match source {
        SourceConfig::Postgres(postgres) => ("PostgreSQL", postgres.environment.clone()),
        SourceConfig::Redis(redis) => ("Redis", redis.environment.clone()),
    };
    let target = config.target_of(name);
    let covering = || config.schedules.iter().filter(|(_, schedule)| schedule.sources.covers(name));
    let mut upcoming: Vec<Upcoming> =
        covering().flat_map(|(schedule_name, schedule)| upcoming(schedule_name, schedule, now)).collect();
    upcoming.sort_by_key(|upcoming| upcoming.at);
    Some(Expected {
        // A configured name that cannot be a folder's was refused when the configuration was read.
        name: name.as_str().parse::<SourceName>().ok()?,
        kind,
        environment,
        rpo: target.rpo,
        rto: target.rto,
        upcoming,
        proof_due: covering().filter_map(|(_, schedule)| proof_due(schedule, now)).max(),
    })
}

fn upcoming(name: &str, schedule: &Schedule, now: DateTime<Utc>) -> Vec<Upcoming> {
    let crons = [
        (Job::Backup, Some(&schedule.backup)),
        (Job::TestRestore, schedule.test_restore.as_ref().map(|proof| &proof.cron)),
        (Job::Verify, schedule.verify.as_ref().map(|verify| &verify.cron)),
        (Job::Prune, schedule.prune.as_ref()),
    ];
    let next = |(job, cron): (Job, Option<&Cron>)| {
        let at = timetable(schedule, cron?).slots_after(now).next()?.at;
        Some(Upcoming { job, at, schedule: name.to_owned() })
    };
    crons.into_iter().filter_map(next).collect()
}

/// A test restore that was due longer ago than this belongs to another configuration.
const PROOFS_AGO: TimeDelta = TimeDelta::days(400);

fn proof_due(schedule: &Schedule, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let proof = schedule.test_restore.as_ref()?;
    Some(timetable(schedule, &proof.cron).newest_due(now, PROOFS_AGO)?.at)
}

/// The slots as the schedule names them, without the jitter of the runs.
fn timetable(schedule: &Schedule, cron: &Cron) -> Timetable {
    Timetable::new(cron.clone(), schedule.timezone, TimeDelta::zero(), String::new())
}

/// Connects as a backup would. The reason of a failure names no secret: connections print without their passwords.
async fn reach(config: &Config, source: &SourceConfig) -> Result<(), String> {
    let postgres = match source {
        SourceConfig::Postgres(postgres) => postgres,
        SourceConfig::Redis(redis) => return reach_redis(config, redis).await,
    };
    let connection = postgres.connection(&config.environment).await.map_err(|error| error.to_string())?;
    let (session, _) = connect(&connection, "guard status").await.map_err(|error| error.to_string())?;
    let _ = sqlx::Connection::close(session).await;
    Ok(())
}

async fn reach_redis(config: &Config, redis: &RedisConfig) -> Result<(), String> {
    let address = redis.address(&config.environment).await.map_err(|error| error.to_string())?;
    let name = SourceName::nearest("redis");
    let source = RedisSource { name, address, sentinel: redis.sentinel.clone(), prefer_replica: false, max_silence: redis.max_silence };
    source.reach().await.map_err(|error| error.to_string())
}
