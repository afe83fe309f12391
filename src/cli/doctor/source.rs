//! The sources: whether they answer, whether guard may read all of them, and whether the programs of their versions are here.

use super::{Check, Checks, bytes, some_of};
use crate::cli::{CliError, workbench};
use crate::config::{Config, SourceConfig, SourceName};
use crate::source::Source;
use crate::source::postgres::PostgresSource;
use crate::source::postgres::client::ClientTools;
use crate::source::postgres::privilege::Standing;
use crate::source::redis::RedisSource;

/// What the sources will ask of this host.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The largest database: a proof needs it twice, as a file and restored.
    pub(super) largest: u64,
    /// Client tools of each PostgreSQL major version, which have a server beside them or not.
    pub(super) tools: Vec<ClientTools>,
    /// Redis servers: the program and its version.
    pub(super) servers: Vec<(String, String)>,
}

/// Connections that a backup takes.
const CONNECTIONS: i64 = 3;

pub(super) async fn examine(config: &Config) -> (Vec<Check>, Needs) {
    let mut found = Vec::new();
    let mut needs = Needs::default();
    if config.sources.is_empty() {
        let mut checks = Checks::about("source", "");
        let help = "set DATABASE_URL or REDIS_URL, or name sources in guard.toml ([source.NAME] with url)";
        checks.warn("configured", "no source is configured; backups can be read, not taken", help);
        found.extend(checks.found);
    }
    for (name, source) in &config.sources {
        found.extend(examine_one(config, name, source, &mut needs).await);
    }
    (found, needs)
}

async fn examine_one(config: &Config, name: &SourceName, source: &SourceConfig, needs: &mut Needs) -> Vec<Check> {
    let mut checks = Checks::about("source", name.as_str());
    if let Err(error) = source.resolve(&config.environment).await {
        checks.error("reachable", error.into());
        return checks.found;
    }
    // A server of several databases is asked for their names, so this connects.
    let each = match workbench::sources(config, &[name.to_string()]).await {
        Ok(each) => each,
        Err(error) => {
            checks.error("reachable", error);
            return checks.found;
        }
    };
    let mut found = Vec::new();
    for configured in each {
        let mut checks = Checks::about("source", configured.source.name().as_str());
        match &configured.source {
            Source::Postgres(source) => postgres(&mut checks, source, needs).await,
            Source::Redis(source) => redis(&mut checks, source, needs).await,
        }
        found.extend(checks.found);
    }
    found
}

async fn postgres(checks: &mut Checks, source: &PostgresSource, needs: &mut Needs) {
    let standing = match Standing::ask(&source.connection).await {
        Ok(standing) => standing,
        Err(error) => return checks.error("reachable", error.into()),
    };
    needs.largest = needs.largest.max(standing.size);
    let role = if standing.superuser { " (superuser)" } else { "" };
    checks.ok(
        "reachable",
        format!("PostgreSQL {}, {}, as {}{role}", standing.version, bytes(standing.size), standing.role),
    );
    privileges(checks, &standing);
    surroundings(checks, &standing);
    match ClientTools::find(standing.major, &source.client).await {
        Ok(tools) => {
            checks.ok("client-tools", format!("pg_dump {} in {}", tools.version(), tools.program("").display()));
            if needs.tools.iter().all(|known| known.major() != tools.major()) {
                needs.tools.push(tools);
            }
        }
        Err(error) => checks.fail("client-tools", error.to_string(), Some(error.help())),
    }
}

fn privileges(checks: &mut Checks, standing: &Standing) {
    let Standing { role, unreadable, row_security, unreadable_objects, .. } = standing;
    if !unreadable.is_empty() {
        let message = format!("{role} may not read {}: {}", count(unreadable.len(), "table"), some_of(unreadable));
        checks.fail("privileges", message, Some(format!("GRANT pg_read_all_data TO {role} (PostgreSQL 14 and later)")));
    }
    if !row_security.is_empty() {
        let message =
            format!("row security would hide rows of {} from {role}; pg_dump refuses that", some_of(row_security));
        checks.fail("row-security", message, Some(format!("ALTER ROLE {role} BYPASSRLS")));
    }
    if *unreadable_objects > 0 {
        let message = format!("{role} may not read {unreadable_objects} large objects");
        let help = "grant SELECT on them, make the role a member of their owner's, or set lo_compat_privileges for it";
        checks.fail("large-objects", message, Some(help.to_owned()));
    }
    if unreadable.is_empty() && row_security.is_empty() && *unreadable_objects == 0 {
        checks.ok("privileges", format!("{role} may read everything"));
    }
    if !standing.identity {
        let message =
            format!("{role} may not read the cluster's identity; a restore over the source is recognised less surely");
        checks.warn("identity", message, &format!("GRANT EXECUTE ON FUNCTION pg_control_system() TO {role}"));
    }
}

fn surroundings(checks: &mut Checks, standing: &Standing) {
    if standing.free_connections < CONNECTIONS {
        let message = format!("{} connections are free, and a backup takes {CONNECTIONS}", standing.free_connections);
        checks.warn("connections", message, "raise max_connections, or let the applications have fewer");
    }
    match standing.standby_delay {
        Some(delay) if delay >= 0 => {
            let message =
                format!("a standby, which cancels a dump that holds up replay for more than {} s", delay / 1000);
            let help = "set max_standby_streaming_delay to -1 there, or hot_standby_feedback to on";
            checks.warn("standby", message, help);
        }
        Some(_) => checks.ok("standby", "a standby, which lets a dump hold up replay"),
        None => {}
    }
}

async fn redis(checks: &mut Checks, source: &RedisSource, needs: &mut Needs) {
    let standing = match source.standing().await {
        Ok(standing) => standing,
        Err(error) => {
            let help = error.help();
            return checks
                .error("reachable", CliError { help, ..CliError::unable("source-failed", error.to_string()) });
        }
    };
    needs.largest = needs.largest.max(standing.used_memory);
    let (program, used) = (&standing.program, bytes(standing.used_memory));
    checks.ok("reachable", format!("{program} {}, {used} of data in memory", standing.version));
    let server = (program.clone(), standing.version.clone());
    if !needs.servers.contains(&server) {
        needs.servers.push(server);
    }
    match standing.refusals.first() {
        None => checks.ok("privileges", "the user may replicate from it"),
        Some(refusal) => {
            let help = "ACL SETUSER the user with +sync +replconf +info, or use another user";
            checks.fail("privileges", format!("the user may not replicate from it: {refusal}"), Some(help.to_owned()));
        }
    }
}

fn count(number: usize, one: &str) -> String {
    crate::status::words::counted(number, one)
}
