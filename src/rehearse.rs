//! The rehearsal: a backup is restored, the migrations that its database has not run are run there as their framework would,
//! and what they did is measured: time, locks, rewrites, what was lost, whether they can be repeated, and the way back.
//!
//! Reading order: `plan` says what is run, `stage` where, `run` how; `meter` measures from within; `inspect` looks at one
//! migration from all sides with `schema`, `data`, `loss`, `trial` and `load`; `judge` says what speaks against it; `record`
//! is the answer, kept beside the backup for the gate.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use migrations_lint::Options;
use migrations_lint::layout::{FoundSet, mark_pending};
use migrations_lint::migration::Direction;
use migrations_lint::report::{Class, Finding};
use migrations_lint::suppress::{Suppressed, take_out};

use crate::catalog::{CompleteBackup, PostgresFacts, RunNote};
use crate::progress::Progress;
use crate::restore::{Reading, RestoreOrder, spool};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::scratch::{Scratch as Copy, ScratchPlace};
use crate::source::scratch::{Scratch, ScratchSettings};

mod data;
mod error;
pub mod history;
pub mod inspect;
pub mod judge;
mod load;
mod loss;
pub mod mask;
pub mod measure;
mod meter;
pub mod place;
pub mod plan;
pub mod record;
pub mod report;
mod run;
mod schema;
pub mod stage;
mod trial;

pub use error::RehearseError;

use inspect::{Trials, inspect};
use judge::{Limits, accept, problems};
use mask::Mask;
use plan::{Migration, pending};
use record::{FileRef, MigrationReport, Outcome, Problem, ProblemCode, ProblemSeverity, Rehearsal, RehearsalVerdict};
use stage::{Manner, Role, Stage};

/// On which backup, where, and how.
#[derive(Debug, Clone, Copy)]
pub struct RehearsalOrder<'a> {
    /// The backup and what it takes to open it.
    pub restore: RestoreOrder<'a>,
    /// Where the copy is made.
    pub place: &'a ScratchPlace,
    /// A copy that an earlier rehearsal left, to be used instead.
    pub kept: Option<&'a Connection>,
    /// How the framework's sessions are.
    pub manner: &'a Manner,
    /// What is tried beside.
    pub trials: Trials,
    /// What is too much.
    pub limits: Limits,
    /// From which severity on the answer is no; never if there is none.
    pub fail_on: Option<ProblemSeverity>,
    /// Problems that are as they should be: they are told, and do not make the answer no.
    pub accepted: &'a [ProblemCode],
    /// Columns that whoever gets the copy must not see.
    pub masks: &'a [Mask],
    /// Who or what started it.
    pub started_by: &'a str,
    /// Which run this is a part of.
    pub run: &'a RunNote,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
}

/// The answer, and the copy that it was found on.
#[derive(Debug)]
pub struct Rehearsed {
    /// The answer.
    pub record: Rehearsal,
    /// The copies.
    pub stage: Stage,
    /// The restored database, if it was made for this; the caller stops or keeps it.
    pub copy: Option<Box<Copy>>,
}

/// Restores a backup and rehearses on it what is pending of a set.
pub async fn rehearse(
    order: &RehearsalOrder<'_>,
    set: &mut FoundSet,
    progress: &Arc<Progress>,
) -> Result<Rehearsed, RehearseError> {
    let backup = order.restore.backup;
    let facts = backup.manifest.postgres();
    let facts = facts.ok_or_else(|| RehearseError::NotPostgres(backup.manifest.id.clone()))?;
    let (stage, copy) = match order.kept {
        Some(kept) => (stage::adopt(kept, backup, order.manner).await?, None),
        None => {
            let mut copy = restored(order, progress).await?;
            let stage = match prepared(order, &mut copy).await {
                Ok(stage) => stage,
                Err(error) => {
                    copy.stop().await;
                    return Err(error);
                }
            };
            (stage, Some(copy))
        }
    };
    match on_stage(order, set, (&stage, facts), progress).await {
        Ok(record) => Ok(Rehearsed { record, stage, copy }),
        Err(error) => {
            clear(&stage, copy).await;
            Err(error)
        }
    }
}

/// Removes everything that a rehearsal made.
pub async fn clear(stage: &Stage, copy: Option<Box<Copy>>) {
    if let Err(error) = stage.clear(&[]).await {
        tracing::warn!(%error, "copies of the rehearsal could not be dropped");
    }
    if let Some(copy) = copy {
        copy.stop().await;
    }
}

/// A scratch database with the backup in it.
async fn restored(order: &RehearsalOrder<'_>, progress: &Arc<Progress>) -> Result<Box<Copy>, RehearseError> {
    let RestoreOrder { backup, client, temp_dir, jobs, .. } = order.restore;
    let settings = ScratchSettings { place: order.place, client, dir: temp_dir };
    let (spooled, scratch) =
        tokio::join!(spool(&order.restore, Reading::Recorded, progress), Scratch::make(settings, &backup.manifest));
    let scratch = scratch?;
    progress.begin("restoring", 0);
    let loaded = match spooled {
        Ok(spooled) => scratch.load(&backup.manifest, &spooled.files, jobs).await.map_err(RehearseError::from),
        Err(error) => Err(error.into()),
    };
    let refused = match (loaded, scratch) {
        (Ok(Ok(_)), Scratch::Postgres(copy)) => return Ok(copy),
        (Ok(Err(detail)), scratch) => {
            scratch.stop().await;
            RehearseError::NotRestored { backup: backup.manifest.id.clone(), detail }
        }
        (Err(error), scratch) => {
            scratch.stop().await;
            error
        }
        (Ok(Ok(_)), scratch @ Scratch::Redis(_)) => {
            scratch.stop().await;
            RehearseError::NotPostgres(backup.manifest.id.clone())
        }
    };
    Err(refused)
}

/// What a restored database needs before anything is tried on it. Masks come first: nothing later may see what they hide.
async fn prepared(order: &RehearsalOrder<'_>, copy: &mut Copy) -> Result<Stage, RehearseError> {
    mask::apply(copy.connection(), order.masks).await?;
    copy.log_for_replicas().await?;
    let pristine = copy.connection().database();
    let stage = Stage::new(copy.beside()?, &pristine, order.manner.clone());
    stage::mark(&stage, order.restore.backup).await?;
    Ok(stage)
}

async fn on_stage(
    order: &RehearsalOrder<'_>,
    set: &mut FoundSet,
    (stage, facts): (&Stage, &PostgresFacts),
    progress: &Arc<Progress>,
) -> Result<Rehearsal, RehearseError> {
    let started = (order.clock)();
    stage.begin().await?;
    mark(stage, set).await?;
    let migrations = pending(set);
    assert_own_server(order, &migrations)?;
    let mut done = rehearse_on(stage, &migrations, (order.trials, order.limits), progress).await?;
    let linted = Linted::of(set);
    accept(&mut done.problems, |problem| order.accepts(problem) || linted.is_announced(problem));
    let CompleteBackup { manifest, .. } = order.restore.backup;
    let fails = |problem: &Problem| order.fail_on.is_some_and(|level| problem.severity <= level);
    let verdict = if done.problems.iter().any(fails) { RehearsalVerdict::Failed } else { RehearsalVerdict::Passed };
    Ok(Rehearsal {
        backup: manifest.id.clone(),
        source: manifest.source.to_string(),
        manifest: manifest.digest().to_owned(),
        data_at: manifest.consistent.at,
        started_by: order.started_by.to_owned(),
        run: order.run.clone(),
        started,
        finished: (order.clock)(),
        guard: env!("CARGO_PKG_VERSION").to_owned(),
        layout: set.layout.as_str().to_owned(),
        verdict,
        covered_findings: linted.covered(set, &done.reports),
        problems: done.problems,
        migrations: done.reports,
        not_reached: done.not_reached,
        place: place::of(stage, facts, order).await?,
    })
}

/// On a server that others use, nothing is rehearsed that reaches beyond the copy.
fn assert_own_server(order: &RehearsalOrder<'_>, migrations: &[Migration]) -> Result<(), RehearseError> {
    let is_shared = order.kept.is_some() || matches!(order.place, ScratchPlace::Server(_));
    let mut statements = migrations.iter().flat_map(Migration::statements);
    match statements.find(|statement| is_shared && statement.is_server_wide()) {
        None => Ok(()),
        Some(statement) => Err(RehearseError::ServerWide { file: statement.file(), line: statement.line() }),
    }
}

/// Leaves those files reported that the copy's own table does not say have run.
async fn mark(stage: &Stage, set: &mut FoundSet) -> Result<(), RehearseError> {
    let mut session = stage.as_framework(Role::Main).await?;
    let histories = history::history(&mut session).await;
    run::drop_session(session).await;
    if let Some(applied) = histories?.of(set.layout) {
        mark_pending(set, applied);
    }
    Ok(())
}

/// What was found about migrations.
#[derive(Debug, Default)]
pub struct Done {
    /// Each that was reached.
    pub reports: Vec<MigrationReport>,
    /// What speaks against them.
    pub problems: Vec<Problem>,
    /// Those behind one that failed.
    pub not_reached: Vec<FileRef>,
}

/// Runs migrations one after the other on a stage that has begun. One that fails is the last.
pub async fn rehearse_on(
    stage: &Stage,
    migrations: &[Migration],
    (trials, limits): (Trials, Limits),
    progress: &Arc<Progress>,
) -> Result<Done, RehearseError> {
    let mut done = Done::default();
    for migration in migrations {
        if done.reports.last().is_some_and(|last| last.outcome != Outcome::Ran) {
            done.not_reached.extend(migration.files.iter().cloned());
            continue;
        }
        progress.begin(&format!("rehearsing {}", migration.name()), 0);
        let report = inspect(stage, migration, trials).await?;
        done.problems.extend(problems(&report, limits));
        done.reports.push(report);
    }
    done.problems.sort_by_key(|problem| problem.severity);
    Ok(done)
}

impl RehearsalOrder<'_> {
    /// Whether whoever asked said that this is as it should be.
    fn accepts(&self, problem: &Problem) -> bool {
        self.accepted.contains(&problem.code)
    }
}

/// What the linter says of the same files.
struct Linted {
    findings: Vec<Finding>,
    /// Files in which somebody has signed for a finding about loss (`guard:ignore`); the gate asks who.
    announced: Vec<String>,
}

impl Linted {
    fn of(set: &FoundSet) -> Self {
        let mut report = migrations_lint::lint(&set.set, &Options::default());
        let suppressed = take_out(&mut report, &set.set.files, &Options::default());
        let is_about_loss = |one: &&Suppressed| one.finding.class == Class::Destructive;
        let file = |one: &Suppressed| one.finding.file.display().to_string();
        let announced = suppressed.iter().filter(is_about_loss).map(file).collect();
        let mut findings = report.findings;
        findings.extend(suppressed.into_iter().map(|one| one.finding));
        Self { findings, announced }
    }

    fn is_announced(&self, problem: &Problem) -> bool {
        problem.code == ProblemCode::DataLost && self.announced.contains(&problem.migration)
    }

    /// The findings about what ran here, by the names that the linter gives them.
    fn covered(self, set: &FoundSet, reports: &[MigrationReport]) -> Vec<String> {
        let done = reports.iter().filter(|report| report.outcome == Outcome::Ran);
        let ran: BTreeSet<PathBuf> =
            done.flat_map(|report| report.files.iter().map(|file| PathBuf::from(&file.path))).collect();
        let is_up = |finding: &Finding| {
            let file = set.set.files.iter().find(|file| file.source.path() == finding.file);
            let mut ups =
                file.into_iter().flat_map(|file| &file.parts).filter(|part| part.direction != Direction::Down);
            ups.any(|part| part.span.start <= finding.span.start && finding.span.end <= part.span.end)
        };
        let is_covered = |finding: &Finding| ran.contains(&finding.file) && is_up(finding);
        self.findings.into_iter().filter(is_covered).map(|finding| finding.fingerprint).collect()
    }
}
