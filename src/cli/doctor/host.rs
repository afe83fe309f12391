//! This host: keys, room and programs for test restores, schedules, and whether anybody hears when something fails.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Uid, User, access};

use super::source::Needs;
use super::{Check, Checks, bytes};
use crate::cli::workbench;
use crate::config::{Config, Way};
use crate::daemon;
use crate::daemon::plan;
use crate::schedule::{Job, Kind};
use crate::source::postgres::scratch::ScratchPlace;
use crate::source::postgres::session::connect;
use crate::source::redis::format;
use crate::source::redis::server::ServerProgram;
use crate::status::words;

pub(super) async fn encryption(config: &Config) -> Vec<Check> {
    let mut checks = Checks::about("encryption", "");
    let recipients = &config.encryption.recipients;
    if recipients.is_empty() {
        let help = "`age-keygen` makes a key pair; put the public half into encryption.recipients";
        checks.warn("encrypted", "backups are not encrypted: whoever reads the store reads the data", help);
        return checks.found;
    }
    checks.ok("encrypted", format!("backups are encrypted to {}", words::counted(recipients.len(), "recipient")));
    let proves = config.schedules.values().any(|schedule| schedule.test_restore.is_some());
    match workbench::identities(config, None).await {
        Err(error) => checks.error("identity", error),
        Ok(identities) if identities.is_empty() && proves => checks.fail(
            "identity",
            "test restores are scheduled, and there is no key to open encrypted backups with",
            Some("set encryption.identity on the host that proves, or leave test restores to another host".to_owned()),
        ),
        Ok(identities) if identities.is_empty() => {
            checks.ok("identity", "this host cannot read backups, only take them");
        }
        Ok(identities) if identities.open_any_of(recipients) => {
            checks.ok("identity", "the key opens what is encrypted here");
        }
        Ok(_) => checks.fail(
            "identity",
            "the key of encryption.identity opens nothing that is encrypted to these recipients",
            Some("add its public half (`age-keygen -y`) to encryption.recipients, or use the other key".to_owned()),
        ),
    }
    checks.found
}

/// Where test restores happen, and whether there is room.
pub(super) async fn scratch(config: &Config, needs: &Needs) -> Vec<Check> {
    let mut checks = Checks::about("scratch", "");
    let dir = config.scratch.dir.clone().unwrap_or_else(std::env::temp_dir);
    room(&mut checks, &dir, needs.largest);
    match workbench::scratch_place(config).await {
        Err(error) => checks.error("server", error),
        Ok(ScratchPlace::Server(connection)) => match connect(&connection, "guard doctor").await {
            Ok((session, connection)) => {
                let _ = sqlx::Connection::close(session).await;
                checks.ok("server", format!("scratch databases are made on {connection}"));
            }
            Err(error) => checks.error("server", error.into()),
        },
        Ok(ScratchPlace::Cluster(settings, _)) => cluster(&mut checks, &settings.user, needs),
    }
    for (server, version) in &needs.servers {
        let format = format::newest(server, version);
        match ServerProgram::find(config.scratch.bin_dir.as_deref(), server, format).await {
            Ok(program) => checks.ok("server", format!("{} {} for test restores", program.name(), program.version)),
            Err(error) => checks.warn(
                "server",
                format!("backups of {server} {version} cannot be proven here: {error}"),
                &error.help().unwrap_or_else(|| format!("install {server}-server")),
            ),
        }
    }
    checks.found
}

fn room(checks: &mut Checks, dir: &Path, largest: u64) {
    let shown = dir.display();
    if let Err(error) = access(dir, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK) {
        let help = "set scratch.dir to a directory that guard may write into";
        checks.fail("directory", format!("{shown} cannot be used for test restores: {error}"), Some(help.to_owned()));
        return;
    }
    let Ok(stats) = statvfs(dir) else { return };
    let free = stats.blocks_available() * stats.fragment_size();
    // The dump as a file, and the copy with its indexes.
    let needed = largest.saturating_mul(2);
    let message = format!("{} are free in {shown}, and a test restore may need {}", bytes(free), bytes(needed));
    if free < needed {
        checks.warn("room", message, "set scratch.dir to a directory with enough space");
    } else {
        checks.ok("room", message);
    }
}

fn cluster(checks: &mut Checks, user: &str, needs: &Needs) {
    if Uid::effective().is_root() && !User::from_name(user).is_ok_and(|user| user.is_some()) {
        let help = "set scratch.user to an unprivileged user, or run guard as one";
        let message = format!("PostgreSQL does not run as root, and the user `{user}` does not exist");
        checks.fail("user", message, Some(help.to_owned()));
    }
    for tools in &needs.tools {
        let major = tools.major();
        if tools.has_server() {
            checks.ok("server", format!("PostgreSQL {major} has its server programs here"));
        } else {
            let message =
                format!("backups of PostgreSQL {major} cannot be proven here: there is no initdb beside its pg_dump");
            let help =
                format!("install postgresql-{major}, or set scratch.url to a server where guard may create databases");
            checks.warn("server", message, &help);
        }
    }
}

/// How many slots of a timetable are looked at for the longest gap.
const SLOTS: usize = 500;

pub(super) fn schedules(config: &Config, now: DateTime<Utc>) -> Vec<Check> {
    let mut found = Vec::new();
    for name in config.sources.keys() {
        let mut checks = Checks::about("schedule", name.as_str());
        let jobs = plan::jobs_of_source(config, name);
        let of_kind = |kind: Kind| jobs.iter().filter(move |job| job.id.kind == kind);
        if of_kind(Kind::Backup).next().is_none() {
            let help = "put a schedule, such as the shipped schedules/daily.toml, into the directory `schedules`";
            checks.warn("covered", "no schedule covers it: it is backed up by hand alone", help);
            found.extend(checks.found);
            continue;
        }
        let next = of_kind(Kind::Backup).filter_map(|job| job.timetable.next_due(now)).map(|slot| slot.at).min();
        let next = next.map_or("never".to_owned(), words::minute);
        checks.ok("covered", format!("the next backup is due at {next}"));
        promise(&mut checks, config, name, &of_kind(Kind::Backup).collect::<Vec<_>>(), now);
        if of_kind(Kind::TestRestore).next().is_none() {
            let help = "add [test-restore] with a cron expression: once a month at least";
            checks.warn(
                "proof",
                "no test restore is scheduled: nobody knows whether its backups are worth anything",
                help,
            );
        }
        found.extend(checks.found);
    }
    found
}

/// A promise that the schedule itself breaks.
fn promise(checks: &mut Checks, config: &Config, name: &crate::config::SourceName, jobs: &[&Job], now: DateTime<Utc>) {
    let Some(rpo) = config.target_of(name).rpo else { return };
    let mut slots: Vec<DateTime<Utc>> =
        jobs.iter().flat_map(|job| job.timetable.slots_after(now).take(SLOTS).map(|slot| slot.at)).collect();
    slots.sort();
    // Of several timetables only the time that all of them cover counts.
    let ends =
        jobs.iter().filter_map(|job| job.timetable.slots_after(now).take(SLOTS).last().map(|slot| slot.at)).min();
    slots.retain(|at| ends.is_none_or(|end| *at <= end));
    let longest = slots.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(TimeDelta::zero());
    let words = |delta: TimeDelta| words::seconds(delta.as_seconds_f64());
    let target = TimeDelta::from_std(rpo).unwrap_or(TimeDelta::MAX);
    if longest >= target {
        let message =
            format!("up to {} lie between two backups, and {} are promised (RPO)", words(longest), words(target));
        checks.warn("rpo", message, "back up more often, or promise less: target.rpo needs room for the run itself");
    } else {
        checks.ok("rpo", format!("at most {} lie between two backups; {} are promised", words(longest), words(target)));
    }
}

pub(super) async fn notify(config: &Config) -> Vec<Check> {
    let mut checks = Checks::about("notify", "");
    if config.notify.is_empty() {
        let help = "add [notify.NAME] with webhook, slack, ping, heartbeat, smtp or program";
        checks.warn("configured", "nobody is told when a backup fails", help);
        return checks.found;
    }
    match daemon::notifier(config).await {
        Err(error) => checks.error("configured", error),
        Ok(_) => {
            let names: Vec<&str> = config.notify.keys().map(String::as_str).collect();
            checks.ok("configured", format!("{} are told; `guard notify test` sends a message", names.join(", ")));
        }
    }
    let is_missed = |way: &Way| matches!(way, Way::Heartbeat { .. } | Way::Ping { .. });
    if !config.notify.values().flat_map(|notify| &notify.ways).any(is_missed) {
        let help = "add heartbeat or ping with the address of a check that raises the alarm when nothing comes";
        checks.warn("silence", "nobody notices when guard itself falls silent", help);
    }
    checks.found
}

pub(super) async fn http(config: &Config) -> Vec<Check> {
    let mut checks = Checks::about("http", "");
    let Some(address) = config.http.listen else { return checks.found };
    match &config.http.token {
        Some(token) => match token.resolve(&config.environment).await {
            Ok(_) => checks.ok("access", format!("the status page on {address} asks for a token")),
            Err(error) => checks.error("access", error.into()),
        },
        None if address.ip().is_loopback() => {
            checks.ok("access", format!("the status page is on {address}, for this host"));
        }
        None => {
            let message = format!("whoever reaches {address} can read the status page");
            checks.warn("access", message, "set http.token, or listen on 127.0.0.1");
        }
    }
    checks.found
}
