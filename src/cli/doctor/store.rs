//! The store: everything that guard will ever ask of it, asked now, and what the provider does otherwise than the others.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Check, Checks};
use crate::catalog::{Catalog, CatalogError, SourceName};
use crate::cli::{CliError, workbench};
use crate::config::Config;
use crate::lease::{Leases, MAX_CLOCK_SKEW, Record, Subject, probe as probe_conditions};
use crate::prune::{LEFTOVER_GRACE, leftovers};
use crate::store::probe::{Ability, Shortcoming, Trial, probe};
use crate::store::{Store, StoreError};

/// A host's clock that is off by more than this will soon be off by too much.
const SUSPICIOUS_SKEW: TimeDelta = TimeDelta::seconds(5);

pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let store = match workbench::open_impatient_store(config).await {
        Ok(store) => store,
        Err(error) => {
            let mut checks = Checks::about("store", "");
            checks.error("reachable", error);
            return checks.found;
        }
    };
    let mut checks = Checks::about("store", store.location());
    if let Err(error) = clock(&mut checks, &*store).await {
        checks.error("reachable", error.into());
        return checks.found;
    }
    let trials = probe(&*store).await;
    for trial in &trials {
        tell(&mut checks, trial);
    }
    // What cannot be written at all says nothing about conditions.
    if trials.iter().any(|trial| trial.ability == Ability::Keep && trial.outcome.is_ok()) {
        conditions(&mut checks, &*store).await;
    }
    versions(&mut checks, &*store).await;
    match Catalog::open(store).await {
        Ok(catalog) => repository(&mut checks, config, &catalog).await,
        Err(CatalogError::NotARepository { .. }) => {
            checks.ok("repository", "no repository yet; the first backup makes it");
        }
        Err(error) => checks.error("repository", error.into()),
    }
    checks.found
}

async fn clock(checks: &mut Checks, store: &dyn Store) -> Result<(), StoreError> {
    let asked = workbench::now();
    let clock = store.clock().await?;
    let answered = workbench::now();
    // The store read its clock somewhere between the question and the answer.
    let skew = clock.clamp(asked.min(answered), answered) - clock;
    let away = humantime::format_duration(std::time::Duration::from_secs(skew.num_seconds().unsigned_abs()));
    let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    let help = "set this machine's clock (NTP); leases and retention rest on it";
    let message = format!("this host's clock is {away} {direction} the store's");
    if skew.abs() > MAX_CLOCK_SKEW {
        checks.fail("clock", message, Some(help.to_owned()));
    } else if skew.abs() > SUSPICIOUS_SKEW {
        checks.warn("clock", message, help);
    } else {
        checks.ok("clock", "this host's clock and the store's agree");
    }
    Ok(())
}

fn tell(checks: &mut Checks, Trial { ability, outcome }: &Trial) {
    let (name, what) = match ability {
        Ability::Keep => ("write", "writes and reads"),
        Ability::List => ("list", "lists"),
        Ability::Parts => ("parts", "takes objects in parts and gives ranges of them"),
        Ability::Unfinished => ("unfinished-uploads", "tells of uploads that never ended, and removes them"),
        Ability::Delete => ("delete", "deletes"),
    };
    let shortcoming = match outcome {
        Ok(took) => return checks.ok(name, format!("it {what} ({} ms)", took.as_millis())),
        Err(shortcoming) => shortcoming,
    };
    let help = match shortcoming {
        Shortcoming::Refused(error) => error.help().map(str::to_owned),
        Shortcoming::Wrong(_) => None,
    };
    match (ability, shortcoming) {
        (Ability::Unfinished, _) => checks.warn(
            name,
            format!("quirk: it does not tell of uploads that never ended ({shortcoming})"),
            "what a killed backup leaves cannot be swept: give the bucket a lifecycle rule that aborts incomplete multipart \
             uploads after a few days",
        ),
        (Ability::Delete, Shortcoming::Refused(StoreError::Denied { .. })) => checks.warn(
            name,
            format!("these credentials may not delete: {shortcoming}"),
            "retention and prune need to; if the bucket is append-only on purpose, leave both to a lifecycle rule",
        ),
        (_, shortcoming) => checks.fail(name, format!("it does not work: it {what}: {shortcoming}"), help),
    }
}

async fn conditions(checks: &mut Checks, store: &dyn Store) {
    match probe_conditions(store).await {
        Ok(found) => match found.fault() {
            None => checks.ok("conditional-puts", "of several daemons one wins: conditional puts are honoured"),
            Some(fault) => checks.warn(
                "conditional-puts",
                format!("quirk: conditional puts mean nothing here: {fault}"),
                "run one daemon; backups of PostgreSQL are kept apart by a lock in the database instead. Several daemons need \
                 a store that honours them, such as AWS, Ceph or MinIO",
            ),
        },
        Err(error) => checks.error("conditional-puts", error.into()),
    }
}

async fn versions(checks: &mut Checks, store: &dyn Store) {
    match store.keeps_versions().await {
        Ok(false) => {}
        Ok(true) => checks.warn(
            "versions",
            "the bucket keeps older versions of what is deleted",
            "as Object Lock needs it; without a lifecycle rule that expires them, what retention removes is never freed",
        ),
        // Who may not ask may still write backups.
        Err(error) => {
            let help = "allow GetBucketVersioning, so that guard can say whether deleting frees anything";
            checks.warn("versions", format!("whether the bucket keeps older versions is not known: {error}"), help);
        }
    }
}

async fn repository(checks: &mut Checks, config: &Config, catalog: &Catalog) {
    let leases = workbench::leases(catalog);
    let now = match leases.now().await {
        Ok(now) => now,
        Err(error) => return checks.error("repository", error.into()),
    };
    let known = match catalog.sources().await {
        Ok(known) => known,
        Err(error) => return checks.error("repository", error.into()),
    };
    checks.ok("repository", format!("repository {}, with backups of {} sources", catalog.repository().id, known.len()));
    if let Err(error) = held(checks, config, &leases, &known, now).await {
        checks.error("leases", error);
    }
    match leftovers(catalog, now, LEFTOVER_GRACE).await {
        Ok(left) if left.is_empty() => checks.ok("leftovers", "nothing was left behind by backups that never ended"),
        Ok(left) => checks.warn(
            "leftovers",
            format!(
                "{} objects and {} uploads of backups that never ended are more than a day old",
                left.objects.len(),
                left.uploads.len()
            ),
            "the next prune removes them; `guard prune --confirm` does it now",
        ),
        // That uploads cannot be listed was told above.
        Err(CatalogError::Store(StoreError::Permanent { .. })) => {}
        Err(error) => checks.error("leftovers", error.into()),
    }
}

/// Who is at work.
async fn held(
    checks: &mut Checks,
    config: &Config,
    leases: &Leases,
    known: &[SourceName],
    now: DateTime<Utc>,
) -> Result<(), CliError> {
    let configured = config.sources.keys().filter_map(|name| name.as_str().parse::<SourceName>().ok());
    let mut names: Vec<SourceName> = known.iter().cloned().chain(configured).collect();
    names.sort();
    names.dedup();
    let mut subjects = vec![("the only daemon".to_owned(), Subject::Daemon)];
    for name in names {
        subjects.push((format!("source {name}"), Subject::Source(name.clone())));
        subjects.push((format!("the backups of {name}"), Subject::Backups(name)));
    }
    let mut n_held = 0;
    for (what, subject) in subjects {
        let Some(record) = leases.look(&subject).await? else { continue };
        if record.is_held(now) {
            n_held += 1;
            let Record { holder, purpose, reason, .. } = &record;
            let until = record.expires().format("%F %T UTC");
            checks.ok("leases", format!("{what} is taken by {holder} ({purpose}: {reason}), until {until} at least"));
        }
    }
    if n_held == 0 {
        checks.ok("leases", "nobody is at work");
    }
    Ok(())
}
