//! The configuration as status, page and metrics see it: what is expected of each source, and whether it answers.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::workbench;
use crate::catalog::SourceName;
use crate::config::{self, Config, RedisConfig, SourceConfig};
use crate::daemon::plan;
use crate::http::{Reached, Watch};
use crate::schedule::{self, Kind};
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
    let jobs: Vec<schedule::Job> = plan::jobs_of_source(config, name);
    let mut upcoming: Vec<Upcoming> = jobs.iter().filter_map(|job| upcoming(job, now)).collect();
    upcoming.sort_by_key(|upcoming| upcoming.at);
    Some(Expected {
        // A configured name that cannot be a folder's was refused when the configuration was read.
        name: name.as_str().parse::<SourceName>().ok()?,
        kind,
        environment,
        rpo: target.rpo,
        rto: target.rto,
        upcoming,
        rules: workbench::retention_rules(config, &name.as_str().parse().ok()?),
        proof_due: jobs.iter().filter_map(|job| proof_due(job, now)).max(),
    })
}

fn upcoming(job: &schedule::Job, now: DateTime<Utc>) -> Option<Upcoming> {
    let at = job.timetable.slots_after(now).next()?.at;
    let kind = match job.id.kind {
        Kind::Backup => Job::Backup,
        Kind::Prune => Job::Prune,
        Kind::Verify => Job::Verify,
        Kind::TestRestore => Job::TestRestore,
    };
    Some(Upcoming { job: kind, at, schedule: job.id.schedule.clone() })
}

/// How long ago the newest slot of a test restore may lie: even one a year has one.
const LONGEST_CYCLE: TimeDelta = TimeDelta::days(400);

fn proof_due(job: &schedule::Job, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let newest = (job.id.kind == Kind::TestRestore).then(|| job.timetable.newest_due(now, LONGEST_CYCLE))?;
    newest.map(|slot| slot.at)
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
    let source = RedisSource {
        name,
        address,
        sentinel: redis.sentinel.clone(),
        prefer_replica: false,
        max_silence: redis.max_silence,
    };
    source.reach().await.map_err(|error| error.to_string())
}
