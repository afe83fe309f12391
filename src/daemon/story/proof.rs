//! A scheduled test restore: one backup of each database of the source, restored to scratch and compared.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::super::run::Run;
use super::super::telling;
use super::{Break, Failure, Told, hold, in_repository, let_go, shown};
use crate::catalog::{CompleteBackup, SourceName, Verdict};
use crate::cli::{CliError, workbench};
use crate::config::schedule::Choice;
use crate::lease::Subject;
use crate::progress::Progress;
use crate::prove::{ProofOrder, keep_evidence, prove};
use crate::restore::RestoreOrder;
use crate::schedule::Kind;
use crate::source::postgres::scratch::discard;

pub(super) async fn tell(run: Run<'_>) -> Result<Told, Break> {
    let mut proven = Vec::new();
    let mut refuted = None;
    for source in in_repository(run).await? {
        let lease = hold(run, Subject::Backups(source.clone())).await?;
        let outcome = match choose(run, &source).await {
            Ok(Some(backup)) => {
                Box::pin(prove_one(run, &backup)).await.map(|failure| Some((backup.manifest.id, failure)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let_go(lease).await;
        match outcome? {
            None => {}
            Some((backup, None)) => proven.push(backup),
            Some((_, Some(failure))) => refuted = Some(failure),
        }
    }
    match (refuted, proven.len()) {
        (Some(failure), _) => Ok(Told::Failed(failure)),
        (None, 0) => Ok(Told::NothingYet),
        (None, 1) => Ok(Told::Done { backup: proven.pop() }),
        (None, _) => Ok(Told::Done { backup: None }),
    }
}

/// Which backup it is to be. Every daemon would choose the same: one that takes over goes on with what was begun.
async fn choose(run: Run<'_>, source: &SourceName) -> Result<Option<CompleteBackup>, Break> {
    let mut backups = run.place.catalog.backups(source).await?;
    let schedule = run.place.config.schedules.get(&run.due.job.schedule);
    let choice = schedule.and_then(|schedule| schedule.test_restore.as_ref()).map(|proof| proof.choose);
    let n_backups = backups.len();
    if n_backups == 0 {
        return Ok(None);
    }
    let idx = match choice {
        Some(Choice::Random) => {
            let hash = xxh3_64(format!("{} {source}", run.note.slot.as_deref().unwrap_or_default()).as_bytes());
            usize::try_from(hash % n_backups as u64).unwrap_or(0)
        }
        Some(Choice::Newest) | None => n_backups - 1,
    };
    // A backup that cannot be trusted is what a test restore is there to find.
    Ok(Some(backups.swap_remove(idx).backup?))
}

/// Restores and compares one backup, keeps the evidence and tells. None if it is proven.
async fn prove_one(run: Run<'_>, backup: &CompleteBackup) -> Result<Option<Failure>, Break> {
    let config = &run.place.config;
    let place = workbench::scratch_place(config).await?;
    let identities = workbench::identities(config, None).await?;
    let client = workbench::client_search(config, &backup.manifest.source);
    let order = ProofOrder {
        restore: RestoreOrder {
            catalog: &run.place.catalog,
            backup,
            identities: &identities,
            temp_dir: config.scratch.dir.as_deref(),
            client: &client,
            jobs: workbench::jobs(config, None),
        },
        place: &place,
        targets: workbench::targets(config, &backup.manifest.source),
        started_by: &format!("guard run, schedule {}", run.due.job.schedule),
        run: run.note,
        damage: None,
        clock: run.place.clock,
    };
    let progress = Arc::new(Progress::default());
    let proving = async { prove(&order, &progress).await.map_err(|error| Break::from(CliError::from(error))) };
    let proved = tokio::select! {
        proved = shown(run, Kind::TestRestore, &backup.manifest.source, &progress, proving) => proved,
        () = run.token.cancelled() => {
            // Clusters, children and files went with the work; only a database on a named server is still there.
            if let Err(error) = discard(&place, &backup.manifest.id).await {
                tracing::warn!(%error, "a scratch database remains until the janitor comes");
            }
            return Err(Break::Stopped);
        }
    };
    let (evidence, scratch) = proved?;
    scratch.stop().await;
    keep_evidence(&run.place.catalog, backup, &evidence).await.map_err(CliError::from)?;
    tracing::info!(backup = %evidence.backup, verdict = ?evidence.verdict, reason = evidence.reason, "tested by restoring");
    telling::of_proof(run, &evidence);
    if evidence.verdict == Verdict::Proven {
        return Ok(None);
    }
    let reason = evidence.reason.unwrap_or_default();
    let detail = evidence.rungs.last().map(|rung| rung.detail.as_str()).unwrap_or_default();
    let message = format!("{} of {}: the test restore failed ({reason}): {detail}", evidence.backup, evidence.source);
    Ok(Some(Failure { code: "proof-failed", message, help: None, is_told: true }))
}
