//! What a run does: the same stories as the commands, under the leases of what they work on.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::record::purpose;
use super::run::Run;
use crate::catalog::{BackupId, SourceName};
use crate::cli::CliError;
use crate::lease::{Claim, Claimed, HeldLease, LeaseError, Record, Subject};
use crate::progress::Progress;
use crate::schedule::Kind;
use crate::status::live;
use crate::store::StoreError;

mod backup;
mod proof;
mod prune;
mod verify;

/// How a run went.
pub(super) enum Told {
    /// Well.
    Done {
        /// The backup that was made or proven, if it was one.
        backup: Option<BackupId>,
    },
    /// Badly.
    Failed(Failure),
    /// There is nothing yet to work on.
    NothingYet,
    /// It was told to stop, and left nothing behind.
    Stopped,
}

/// Why a run failed, as it is told.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Whether everybody has been told already, with more details than this has.
    pub(super) is_told: bool,
}

/// Why a phase did not come to its end.
pub(super) enum Break {
    Stopped,
    Failed(Failure),
}

/// Does what the job's kind says.
pub(super) async fn tell(run: Run<'_>) -> Told {
    let told = match run.due.job.kind {
        Kind::Backup => Box::pin(backup::tell(run)).await,
        Kind::TestRestore => Box::pin(proof::tell(run)).await,
        Kind::Verify => verify::tell(run).await,
        Kind::Prune => prune::tell(run).await,
    };
    match told {
        Ok(told) => told,
        Err(Break::Stopped) => Told::Stopped,
        // What fails because it was told to stop has not failed.
        Err(Break::Failed(failure)) if run.token.is_cancelled() => {
            tracing::debug!(error = failure.message, "stopped");
            Told::Stopped
        }
        Err(Break::Failed(failure)) => Told::Failed(failure),
    }
}

/// How long to wait for whoever works on the same before asking again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Waits until the subject is ours: a backup by hand may be under way, or a migration's window open. Whom it waits for is
/// told once in the log, and by the metrics as long as it waits.
async fn hold(run: Run<'_>, subject: Subject) -> Result<HeldLease, Break> {
    let name = subject.key().map_err(LeaseError::from)?.to_string();
    let held = hold_after_others(run, &name, subject).await;
    run.place.live.lease(&name, None);
    held
}

async fn hold_after_others(run: Run<'_>, name: &str, subject: Subject) -> Result<HeldLease, Break> {
    let reason = format!("schedule {}", run.due.job.schedule);
    let claim = Claim { subject, purpose: purpose(run.due.job.kind), reason };
    let mut is_told = false;
    loop {
        let held = match run.place.leases.claim(&claim, run.token).await? {
            Claimed::Won(lease) => return Ok(lease),
            Claimed::Held(record) | Claimed::Finished(record) => record,
        };
        let (holder, until) = (held.holder.to_string(), held.expires());
        run.place.live.lease(name, Some(live::Lease { held: false, holder, until }));
        if !std::mem::replace(&mut is_told, true) {
            let Record { holder, purpose, reason, .. } = &held;
            tracing::info!(%holder, %purpose, reason, "waiting: somebody is at work on it");
        }
        let left = (until - run.place.leases.now().await?).max(TimeDelta::zero());
        let wait = left.to_std().unwrap_or(ASK_AGAIN).clamp(ASK_AGAIN / 20, ASK_AGAIN);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = run.token.cancelled() => return Err(Break::Stopped),
        }
    }
}

/// Does a piece of work that page and metrics show as long as it lasts, and by its outcome afterwards.
async fn shown<T, E: Reason>(
    run: Run<'_>,
    kind: Kind,
    source: &SourceName,
    progress: &Arc<Progress>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let (live, kind) = (&run.place.live, shown_as(kind));
    live.began(source, kind, (run.place.clock)(), Arc::clone(progress));
    let outcome = work.await;
    let failure = outcome.as_ref().err().map(|error| error.reason().unwrap_or_else(|| "interrupted".to_owned()));
    live.ended(source, kind, (run.place.clock)(), failure.map_or(Ok(()), Err));
    outcome
}

/// What page and metrics call a kind of job.
fn shown_as(kind: Kind) -> live::Job {
    match kind {
        Kind::Backup => live::Job::Backup,
        Kind::Prune => live::Job::Prune,
        Kind::Verify => live::Job::Verify,
        Kind::TestRestore => live::Job::TestRestore,
    }
}

/// Why something did not come to its end; none if it was stopped.
trait Reason {
    fn reason(&self) -> Option<String>;
}

impl Reason for Break {
    fn reason(&self) -> Option<String> {
        match self {
            Self::Stopped => None,
            Self::Failed(failure) => Some(failure.message.clone()),
        }
    }
}

/// Gives a lease back; one that cannot be given back runs out.
async fn let_go(lease: HeldLease) {
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "a lease was not given back");
    }
}

/// The sources of the repository that a configured source stands for: itself, or the databases of its server.
async fn in_repository(run: Run<'_>) -> Result<Vec<SourceName>, Break> {
    let prefix = format!("{}.", run.due.job.source);
    let mut names = run.place.catalog.sources().await.map_err(CliError::from)?;
    names.retain(|name| name.as_str() == run.due.job.source || name.as_str().starts_with(&prefix));
    Ok(names)
}

impl From<CliError> for Break {
    fn from(error: CliError) -> Self {
        let CliError { code, message, help, .. } = error;
        Self::Failed(Failure { code, message, help, is_told: false })
    }
}

impl From<LeaseError> for Break {
    fn from(error: LeaseError) -> Self {
        CliError::from(error).into()
    }
}

impl From<StoreError> for Break {
    fn from(error: StoreError) -> Self {
        CliError::from(error).into()
    }
}

impl From<crate::catalog::CatalogError> for Break {
    fn from(error: crate::catalog::CatalogError) -> Self {
        CliError::from(error).into()
    }
}
