//! Removing what is no longer kept, and what unfinished backups left behind.

use chrono::TimeDelta;

use super::super::run::Run;
use super::{Break, Told, hold, in_repository, let_go};
use crate::lease::Subject;
use crate::prune::{leftovers, sweep};

/// How old a leftover must be: a backup that runs right now must not be mistaken for one.
const GRACE: TimeDelta = TimeDelta::hours(24);

pub(super) async fn tell(run: Run<'_>) -> Result<Told, Break> {
    for source in in_repository(run).await? {
        let lease = hold(run, Subject::Backups(source)).await?;
        let swept = remove(run).await;
        let_go(lease).await;
        swept?;
    }
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

async fn remove(run: Run<'_>) -> Result<(), Break> {
    let catalog = &run.place.catalog;
    let found = leftovers(catalog, run.place.leases.now().await?, GRACE).await?;
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
