//! Sources without a configuration file: what the deployment's own variables already say.

use tracing::info;

use super::diagnose::{Problem, Report};
use super::environment::Environment;
use super::twin::report_at;
use super::{RedisConfig, SecretSource};
use crate::source::postgres::connection::{Connection, ConnectionError};
use crate::source::redis::address;

/// A connection found in the environment, and the variable that gave it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) connection: Connection,
    pub(super) variable: &'static str,
}

/// The connection that the environment describes, if it describes one: `DATABASE_URL`, else parts (`DB_HOST`, `DB_NAME`, …),
/// else libpq's own variables.
pub(super) fn connection(environment: &Environment) -> Result<Option<Found>, Report> {
    if let Some(url) = environment.get("DATABASE_URL") {
        return from_url(url, environment).map(Some);
    }
    if environment.get("DB_HOST").is_some() && parts_are_postgres(environment) {
        return from_parts(environment).map(Some);
    }
    let named = ["PGHOST", "PGDATABASE", "PGSERVICE"].into_iter().find(|name| environment.get(name).is_some());
    let Some(variable) = named else { return Ok(None) };
    complete(Connection::new(), variable, environment).map(Some)
}

/// The Redis server that the environment names, if it names one: `REDIS_URL`, with `REDIS_PASSWORD` beside it.
pub(super) fn redis(environment: &Environment) -> Result<Option<RedisConfig>, Report> {
    let Some(url) = environment.get(REDIS_URL) else { return Ok(None) };
    // Read when it is needed; what cannot be read is told now.
    address::Address::parse(url).map_err(|error| report_at(REDIS_URL, Problem::new(&[], error.to_string())))?;
    let password = environment.get(REDIS_PASSWORD).map(|_| SecretSource::Env(REDIS_PASSWORD.to_owned()));
    Ok(Some(RedisConfig::at(SecretSource::Env(REDIS_URL.to_owned()), password)))
}

pub(super) const REDIS_URL: &str = "REDIS_URL";
const REDIS_PASSWORD: &str = "REDIS_PASSWORD";

/// Where frameworks put the direct URL beside a pooled `DATABASE_URL`: Prisma, Neon, Vercel.
const DIRECT: [&str; 4] = ["DIRECT_URL", "DIRECT_DATABASE_URL", "DATABASE_URL_UNPOOLED", "POSTGRES_URL_NON_POOLING"];

fn from_url(url: &str, environment: &Environment) -> Result<Found, Report> {
    let pooled = match Connection::parse(url) {
        Ok(connection) => return complete(connection, "DATABASE_URL", environment),
        Err(ConnectionError::Pooled(pooled)) => pooled,
        Err(error) => return Err(report_at("DATABASE_URL", Problem::new(&[], error.to_string()))),
    };
    let Some((variable, url)) = DIRECT.into_iter().find_map(|name| Some((name, environment.get(name)?))) else {
        let help = "set GUARD_SOURCE_<NAME>_URL or DIRECT_URL to the direct URL";
        return Err(report_at("DATABASE_URL", Problem::new(&[], pooled.to_string()).help(help)));
    };
    info!(variable, "DATABASE_URL leads to a transaction pooler; using the direct URL beside it");
    let connection =
        Connection::parse(url).map_err(|error| report_at(variable, Problem::new(&[], error.to_string())))?;
    complete(connection, variable, environment)
}

/// Frameworks for several databases say which one the parts are for.
fn parts_are_postgres(environment: &Environment) -> bool {
    let kind = ["DB_CONNECTION", "DB_ENGINE", "DB_TYPE"].into_iter().find_map(|name| environment.get(name));
    let postgres =
        kind.is_none_or(|kind| ["postgres", "pgsql", "psycopg", "postgis"].iter().any(|name| kind.contains(name)));
    if !postgres {
        info!("DB_HOST is set, but for another kind of database: it is not backed up");
    }
    postgres
}

fn from_parts(environment: &Environment) -> Result<Found, Report> {
    let parts: [(&str, &[&str]); 6] = [
        ("host", &["DB_HOST"]),
        ("port", &["DB_PORT"]),
        ("dbname", &["DB_NAME", "DB_DATABASE"]),
        ("user", &["DB_USER", "DB_USERNAME"]),
        ("password", &["DB_PASSWORD", "DB_PASS"]),
        ("sslmode", &["DB_SSLMODE", "DB_SSL_MODE"]),
    ];
    let mut connection = Connection::new();
    for (keyword, variables) in parts {
        let Some((name, value)) = variables.iter().find_map(|name| Some((*name, environment.get(name)?))) else {
            continue;
        };
        connection.set(keyword, value).map_err(|error| report_at(name, Problem::new(&[], error.to_string())))?;
    }
    complete(connection, "DB_HOST", environment)
}

fn complete(connection: Connection, variable: &'static str, environment: &Environment) -> Result<Found, Report> {
    let connection = connection.or_environment(|name| environment.get(name).map(ToOwned::to_owned));
    let connection = connection.and_then(Connection::refuse_pooler);
    let connection = connection.map_err(|error| report_at(variable, Problem::new(&[], error.to_string())))?;
    Ok(Found { connection, variable })
}
