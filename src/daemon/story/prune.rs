//! Removing what is no longer kept, and what unfinished backups left behind.

use std::sync::Arc;

use super::super::run::Run;
use super::{Break, Told, hold, in_repository, let_go, shown};
use crate::catalog::SourceName;
use crate::cli::workbench;
use crate::lease::{HeldLease, Subject};
use crate::prune::{LEFTOVER_GRACE, carry_out, decide, leftovers, sweep};
use crate::schedule::Kind;

pub(super) async fn tell(run: Run<'_>) -> Result<Told, Break> {
    for source in in_repository(run).await? {
        let lease = hold(run, Subject::Backups(source.clone())).await?;
        let pruned = shown(run, Kind::Prune, &source, &Arc::default(), prune(run, &source, &lease)).await;
        let_go(lease).await;
        pruned?;
    }
    remove_leftovers(run).await?;
    Ok(Told::Done { backup: None })
}

/// The same after a backup, unless the schedule has a time of its own for it. What cannot be removed now is removed next
/// time; the backup is none the worse.
pub(super) async fn after_backup(run: Run<'_>) {
    let schedule = run.place.config.schedules.get(&run.due.job.schedule);
    if schedule.is_none_or(|schedule| schedule.prune.is_some()) || run.token.is_cancelled() {
        return;
    }
    if let Err(Break::Failed(failure)) = tell(run).await {
        tracing::warn!(error = failure.message, "nothing was pruned after this backup");
    }
}

async fn prune(run: Run<'_>, source: &SourceName, lease: &HeldLease) -> Result<(), Break> {
    let catalog = &run.place.catalog;
    let rules = workbench::retention_rules(&run.place.config, source);
    let now = run.place.leases.now().await?;
    let plan = decide(catalog, source, &rules, now).await?;
    let freeze = plan.decisions.iter().flat_map(|decision| &decision.reasons).find(|reason| reason.is_freeze());
    if let Some(freeze) = freeze {
        tracing::info!(%source, why = %freeze, "nothing of this source is removed");
    }
    let pruned = carry_out(catalog, &plan, now, lease.token()).await?;
    if let Some(first) = pruned.locked.first() {
        tracing::warn!(%source, n_locked = pruned.locked.len(), key = %first.key, reason = first.reason,
            "the store refuses to delete; it is tried again with the next prune");
    }
    if !pruned.removed.is_empty() {
        let n_removed = pruned.removed.len();
        tracing::info!(%source, n_removed, bytes = pruned.freed_bytes, "backups that no rule keeps were removed");
        run.place.live.count(|counts| {
            *counts.deleted_backups.entry(source.clone()).or_default() += n_removed as u64;
        });
    }
    Ok(())
}

async fn remove_leftovers(run: Run<'_>) -> Result<(), Break> {
    let catalog = &run.place.catalog;
    let found = leftovers(catalog, run.place.leases.now().await?, LEFTOVER_GRACE).await?;
    if !found.is_empty() {
        sweep(catalog, &found).await?;
        run.place.live.count(|counts| {
            counts.swept_objects += found.objects.len() as u64;
            counts.aborted_uploads += found.uploads.len() as u64;
        });
        tracing::info!(objects = found.objects.len(), uploads = found.uploads.len(), "leftovers were removed");
    }
    Ok(())
}
