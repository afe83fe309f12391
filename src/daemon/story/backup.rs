//! A scheduled backup: every database of the source that this slot has no backup of yet, tried again after passing failures,
//! and what is no longer kept removed afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::super::promise::is_first_to_tell;
use super::super::run::Run;
use super::super::telling;
use super::{Break, Reason, Told, hold, in_repository, let_go, prune, shown};
use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::{BackupId, CatalogError, Manifest, SourceName};
use crate::cli::workbench::{self, ConfiguredSource};
use crate::cli::{CliError, Exit};
use crate::config;
use crate::lease::Subject;
use crate::notify::Beat;
use crate::progress::Progress;
use crate::schedule::Kind;
use crate::stream::SealError;
use crate::window;

pub(super) async fn tell(run: Run<'_>) -> Result<Told, Break> {
    run.place.notifier.beat(&run.due.job.source, Beat::Start);
    let mut made = made_before(run).await?;
    let (retries, delay) = persistence(run);
    let mut retries_left = retries;
    loop {
        let missed = match Box::pin(back_up_the_rest(run, &mut made)).await {
            Ok(()) => break,
            Err(missed) => missed,
        };
        if !missed.is_passing || (retries_left == 0 && !missed.gave_way) || run.token.is_cancelled() {
            return Err(missed.error.into());
        }
        // Who made way for a migration has not failed.
        retries_left -= u32::from(!missed.gave_way);
        let delay = if missed.gave_way { delay.min(window::STAND_BACK) } else { delay };
        let CliError { message, .. } = &missed.error;
        tracing::warn!(error = message, delay = %humantime::format_duration(delay), "the backup is tried again");
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = run.token.cancelled() => return Err(Break::Stopped),
        }
        // A manifest whose answer was lost may have appeared in the meantime.
        made = made_before(run).await?;
    }
    for (source, id) in &made {
        tell_alarm(run, source, id).await;
    }
    prune::after_backup(run).await;
    // A server of several databases has several; none of them is the slot's.
    let backup = if made.len() == 1 { made.into_values().next() } else { None };
    Ok(Told::Done { backup })
}

/// Tells of data that is missing, once, whoever made the backup: the daemon that did may have died before it could.
async fn tell_alarm(run: Run<'_>, source: &SourceName, id: &BackupId) {
    let loaded = run.place.catalog.load(source, id).await;
    if let Ok(Some(backup)) = &loaded
        && let Some(alarm) = backup.open_alarm()
    {
        tracing::error!(%source, backup = %id, missing = alarm.summary(), "ALARM: the backup holds much less than the one before");
        if is_first_to_tell(run.place, &format!("alarm-{source}-{id}")).await {
            telling::of_alarm(run, &backup.manifest, alarm);
        }
    }
}

/// Why not every database was backed up.
struct Missed {
    error: CliError,
    /// Whether trying again may help.
    is_passing: bool,
    /// Whether it was asked to make way for a migration.
    gave_way: bool,
}

/// Backs up what has no backup of this slot. One database that fails must not keep the others from being backed up.
async fn back_up_the_rest(run: Run<'_>, made: &mut BTreeMap<SourceName, BackupId>) -> Result<(), Missed> {
    let config = &run.place.config;
    // A server that is restarted, and a secret store too, answers a little later.
    let passing = |error: CliError| Missed { error, is_passing: true, gave_way: false };
    let names = [run.due.job.source.clone()];
    let sources = workbench::sources(config, &names).await.map_err(passing)?;
    let mut missed = None;
    for configured in &sources {
        let name = configured.source.name().clone();
        if made.contains_key(&name) {
            continue;
        }
        match under_lease(run, configured).await {
            Ok(manifest) => drop(made.insert(name, manifest.id)),
            Err(failed) if failed.error.exit == Exit::Interrupted => return Err(failed),
            Err(mut failed) => {
                failed.error.message = format!("{name}: {}", failed.error.message);
                missed.get_or_insert(failed);
            }
        }
    }
    missed.map_or(Ok(()), Err)
}

impl Reason for Missed {
    fn reason(&self) -> Option<String> {
        (self.error.exit != Exit::Interrupted).then(|| self.error.message.clone())
    }
}

async fn under_lease(run: Run<'_>, configured: &ConfiguredSource) -> Result<Manifest, Missed> {
    let name = configured.source.name().clone();
    let lease = hold(run, Subject::Source(name)).await.map_err(|broken| match broken {
        Break::Stopped => Missed { error: BackupError::Interrupted.into(), is_passing: false, gave_way: false },
        Break::Failed(failure) => {
            let error = CliError { help: failure.help, ..CliError::unable(failure.code, failure.message) };
            Missed { error, is_passing: true, gave_way: false }
        }
    })?;
    let outcome = take(run, configured, lease.token()).await;
    let asked = lease.asked_to_yield().map(str::to_owned);
    let_go(lease).await;
    match (outcome, asked) {
        (Err(missed), Some(why)) if missed.error.exit == Exit::Interrupted && !run.token.is_cancelled() => {
            let error = CliError::unable("gave-way", format!("the dump gave way to a migration ({why})"));
            Err(Missed { error, is_passing: true, gave_way: true })
        }
        (outcome, _) => outcome,
    }
}

async fn take(run: Run<'_>, configured: &ConfiguredSource, token: &CancellationToken) -> Result<Manifest, Missed> {
    let (compression, recipients) =
        workbench::sealing(&run.place.config).map_err(|error| Missed { error, is_passing: false, gave_way: false })?;
    let order = BackupOrder {
        source: &configured.source,
        catalog: &run.place.catalog,
        compression,
        recipients: &recipients,
        environment: configured.environment.clone(),
        run: run.note,
        vigilance: &configured.vigilance,
        source_lock: workbench::source_lock(&run.place.exclusion, &run.place.catalog, configured.source.name()),
        clock: run.place.clock,
    };
    let progress = Arc::new(Progress::default());
    shown(run, Kind::Backup, configured.source.name(), &progress, async {
        Box::pin(backup(&order, &progress, token)).await.map_err(|error| {
            let is_passing = is_passing(&error);
            Missed { error: error.into(), is_passing, gave_way: false }
        })
    })
    .await
}

/// Whether trying again may help. At night nobody else tries: what is not known to be final is taken for passing.
fn is_passing(error: &BackupError) -> bool {
    match error {
        BackupError::Interrupted => false,
        BackupError::Seal(SealError::Store(error))
        | BackupError::Catalog(CatalogError::Store(error))
        | BackupError::Manifest(CatalogError::Store(error)) => !error.is_permanent(),
        _ => true,
    }
}

fn persistence(run: Run<'_>) -> (u32, Duration) {
    let of_name = |name: &config::SourceName| name.as_str() == run.due.job.source;
    let found = run.place.config.sources.iter().find(|(name, _)| of_name(name));
    found.map_or((0, Duration::ZERO), |(_, source)| source.persistence())
}

/// Backups that were already made for this slot, by a daemon that died before it could say so.
async fn made_before(run: Run<'_>) -> Result<BTreeMap<SourceName, BackupId>, Break> {
    let mut made = BTreeMap::new();
    let store = run.place.catalog.store();
    for source in in_repository(run).await? {
        for folder in store.list_folders(Some(&source.key())).await?.iter().rev() {
            let Ok(id) = folder.parse::<BackupId>() else { continue };
            // Ids sort by time, and nothing was made for a slot before it was due; clocks may differ a little.
            if id.time() < run.due.slot.at - TimeDelta::minutes(2) {
                break;
            }
            let Ok(Some(found)) = run.place.catalog.load(&source, &id).await else { continue };
            let of_slot = found.manifest.run.is_some_and(|note| note.slot.is_some() && note.slot == run.note.slot);
            if of_slot {
                tracing::info!(backup = %id, "this slot has its backup already");
                made.insert(source, id);
                break;
            }
        }
    }
    Ok(made)
}
