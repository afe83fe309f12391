//! The test restore: a backup into a throw-away database, and the ladder that proves that what came back is what was
//! dumped. Each rung is recorded with its figures; the first that fails ends the climb.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::{Catalog, CatalogError, Compared, CompleteBackup, Evidence, RunNote, Verdict};
use crate::contents::keyspace::Keyspace;
use crate::contents::{Contents, Difference, differences};
use crate::progress::Progress;
use crate::restore::{Reading, RestoreError, RestoreOrder, Spooled, check_other_streams, spool};
use crate::source::postgres::scratch::ScratchPlace;
use crate::source::recorder::RecorderError;
use crate::source::scratch::{Scratch, ScratchError, ScratchSettings};

mod ladder;
pub mod sabotage;

use ladder::{Failure, Ladder, Outcome, Rung, Slip};

/// Which backup to prove, where, and against which targets.
#[derive(Debug, Clone, Copy)]
pub struct ProofOrder<'a> {
    /// The backup and what it takes to open it.
    pub restore: RestoreOrder<'a>,
    /// Where a PostgreSQL scratch database is made.
    pub place: &'a ScratchPlace,
    /// The targets to measure against.
    pub targets: Targets,
    /// Who or what started it.
    pub started_by: &'a str,
    /// Which run this is a part of.
    pub run: &'a RunNote,
    /// A statement run in the restored copy before it is compared: how the demo and the self-test damage it.
    pub damage: Option<&'a str>,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
}

/// How old the data may be and how long a restore may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Targets {
    /// Recovery point objective.
    pub rpo: Option<Duration>,
    /// Recovery time objective.
    pub rto: Option<Duration>,
}

/// Why a test restore could not give a verdict. Not the backup's fault.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The backup could not be fetched or opened, for reasons that are not damage.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// There is no scratch, or it could not be used.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The evidence could not be stored.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Restores to scratch and climbs the ladder. Returns the evidence and the scratch, which the caller stops or keeps.
pub async fn prove(order: &ProofOrder<'_>, progress: &Arc<Progress>) -> Result<(Evidence, Scratch), ProveError> {
    let started = (order.clock)();
    let backup = order.restore.backup;
    let mut ladder = Ladder::default();
    // Making the scratch takes no bytes of the backup, so both go on at once.
    let settings = ScratchSettings { place: order.place, client: order.restore.client, dir: order.restore.temp_dir };
    let (spooled, scratch) =
        tokio::join!(timed(read_back(&order.restore, progress)), Scratch::make(settings, &backup.manifest));
    let scratch = scratch?;
    let climbed = climb(order, &mut ladder, spooled, &scratch, progress).await;
    match climbed {
        Ok(()) | Err(Slip::Failed) => {}
        Err(Slip::Unable(error)) => {
            scratch.stop().await;
            return Err(*error);
        }
    }
    let evidence = evidence(order, ladder, started, &scratch);
    Ok((evidence, scratch))
}

/// Keeps the evidence beside its backup.
pub async fn keep_evidence(catalog: &Catalog, backup: &CompleteBackup, evidence: &Evidence) -> Result<(), ProveError> {
    catalog.add_evidence(&backup.keys, evidence).await?;
    Ok(())
}

/// Everything that was stored, read to its end. The dump comes first: its damage is told first.
async fn read_back(order: &RestoreOrder<'_>, progress: &Arc<Progress>) -> Result<Spooled, RestoreError> {
    let spooled = spool(order, Reading::Recorded, progress).await?;
    check_other_streams(order).await?;
    Ok(spooled)
}

async fn climb(
    order: &ProofOrder<'_>,
    ladder: &mut Ladder,
    (spooled, spool_time): (Result<Spooled, RestoreError>, Duration),
    scratch: &Scratch,
    progress: &Arc<Progress>,
) -> Result<(), Slip> {
    let manifest = &order.restore.backup.manifest;
    let read = ladder.rung(Rung::StoredBytes, spool_time, stored_bytes(order, spooled)?)?;
    let listed = table_of_contents(&manifest.contents, read);
    let spooled = ladder.rung(Rung::TableOfContents, Duration::ZERO, listed)?;
    progress.begin("restoring", 0);
    let (loaded, load_time) = timed(load(order, scratch, &spooled)).await;
    // Fetching and loading: what a recovery into a server that is already there would take.
    ladder.restore_seconds = (spool_time + load_time).as_secs_f64();
    ladder.rung(Rung::Restore, load_time, loaded?)?;
    drop(spooled);
    if let Some(damage) = order.damage {
        scratch.damage(damage).await?;
    }
    progress.begin("comparing", manifest.data_bytes());
    let began = Instant::now();
    let found = scratch.examine(manifest, progress).await?;
    let compared = compare(scratch, &manifest.contents, &found.contents);
    ladder.proof_seconds = began.elapsed().as_secs_f64();
    ladder.differences.clone_from(&compared.differences);
    ladder.compared = compared.covered;
    ladder.rung(Rung::Contents, found.record_time, compared.outcome(&manifest.contents))?;
    ladder.rung(Rung::Structure, found.structure_time, structure_outcome(found.structure?))?;
    ladder.rung(Rung::Freshness, Duration::ZERO, freshness(order, ladder.restore_seconds))
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (work.await, began.elapsed())
}

/// What reading everything back gave, if the stored bytes are as they were: an archive, or bytes that are none.
type ReadBack = Result<Spooled, RecorderError>;

fn stored_bytes(
    order: &ProofOrder<'_>,
    spooled: Result<Spooled, RestoreError>,
) -> Result<Outcome<ReadBack>, ProveError> {
    let manifest = &order.restore.backup.manifest;
    let read = match spooled {
        Ok(spooled) => Ok(spooled),
        // The objects were as promised, or that had been told instead.
        Err(RestoreError::Archive(error)) => Err(error),
        Err(RestoreError::Open(error)) if error.is_damage() => {
            return Ok(Err(Failure { reason: error.code(), detail: error.to_string() }));
        }
        Err(error) => return Err(error.into()),
    };
    let n_objects: usize = manifest.streams.iter().map(|stream| stream.objects.len()).sum();
    let (stored, plain) = (manifest.stored_bytes(), manifest.plain_bytes());
    Ok(Ok((read, format!("{stored} stored bytes in {n_objects} objects match, and open to {plain} bytes"))))
}

fn table_of_contents(listed: &Contents, read: ReadBack) -> Outcome<Spooled> {
    let spooled = match read {
        Ok(spooled) => spooled,
        Err(error) => return Err(Failure { reason: "archive-unreadable", detail: error.to_string() }),
    };
    let found = &spooled.recorded.contents;
    if listed == found {
        let detail = format!("{}, as listed", found.outline());
        return Ok((spooled, detail));
    }
    let differences = differences(listed, found);
    let detail = match differences.first() {
        Some(first) => {
            format!("the archive is not what the manifest lists: {first} ({} differences)", differences.len())
        }
        None => "the archive's definitions are not those that the manifest lists".to_owned(),
    };
    Err(Failure { reason: "manifest-differs", detail })
}

async fn load(order: &ProofOrder<'_>, scratch: &Scratch, spooled: &Spooled) -> Result<Outcome<()>, ScratchError> {
    let loaded = scratch.load(&order.restore.backup.manifest, &spooled.files, order.restore.jobs).await?;
    Ok(match loaded {
        Ok(detail) => Ok(((), detail)),
        Err(detail) => Err(Failure { reason: "restore-failed", detail }),
    })
}

struct Comparison {
    differences: Vec<Difference>,
    covered: Compared,
}

fn compare(scratch: &Scratch, expected: &Contents, found: &Contents) -> Comparison {
    let mut differences = differences(expected, found);
    if scratch.is_shared() {
        // Owners and grants were left out on purpose: the server has other roles.
        differences.retain(|difference| !difference.is_about_roles());
    }
    let covered = Compared {
        tables: expected.tables.len() as u64,
        rows: expected.tables.values().map(|table| table.rows).sum(),
        sequences: expected.sequences.len() as u64,
        large_objects: expected.large_objects.count,
        objects: expected.schema.len() as u64,
        keys: expected.keyspace.as_ref().map_or(0, Keyspace::keys),
    };
    Comparison { differences, covered }
}

impl Comparison {
    fn outcome(&self, expected: &Contents) -> Outcome<()> {
        match self.differences.first() {
            None => Ok(((), format!("{} are equal", expected.inventory()))),
            Some(first) => {
                let others = self.differences.len() - 1;
                let more = if others == 0 { String::new() } else { format!(" (and {others} more differences)") };
                Err(Failure { reason: "contents-differ", detail: format!("{first}{more}") })
            }
        }
    }
}

fn structure_outcome(structure: Result<String, String>) -> Outcome<()> {
    match structure {
        Ok(detail) => Ok(((), detail)),
        Err(detail) => Err(Failure { reason: "structure-unsound", detail }),
    }
}

fn freshness(order: &ProofOrder<'_>, restore_seconds: f64) -> Outcome<()> {
    let age = data_age(order);
    let Targets { rpo, rto } = order.targets;
    let age_text = humantime::format_duration(Duration::from_secs(age.num_seconds().unsigned_abs()));
    if let Some(rpo) = rpo
        && age > TimeDelta::from_std(rpo).unwrap_or(TimeDelta::MAX)
    {
        let detail = format!("the data is {age_text} old, the target is {}", humantime::format_duration(rpo));
        return Err(Failure { reason: "rpo-missed", detail });
    }
    if let Some(rto) = rto
        && restore_seconds > rto.as_secs_f64()
    {
        let detail =
            format!("the restore took {restore_seconds:.1} s, the target is {}", humantime::format_duration(rto));
        return Err(Failure { reason: "rto-missed", detail });
    }
    let target = if rpo.is_none() && rto.is_none() { ", no targets are set" } else { ", within the targets" };
    Ok(((), format!("the data is {age_text} old and was back in {restore_seconds:.1} s{target}")))
}

fn data_age(order: &ProofOrder<'_>) -> TimeDelta {
    (order.clock)() - order.restore.backup.manifest.consistent.at
}

fn evidence(order: &ProofOrder<'_>, ladder: Ladder, started: DateTime<Utc>, scratch: &Scratch) -> Evidence {
    let manifest = &order.restore.backup.manifest;
    let Ladder { rungs, reason, differences, compared, restore_seconds, proof_seconds } = ladder;
    Evidence {
        backup: manifest.id.clone(),
        source: manifest.source.to_string(),
        manifest: manifest.digest().to_owned(),
        environment: manifest.environment.clone(),
        started_by: order.started_by.to_owned(),
        run: Some(order.run.clone()),
        verdict: if reason.is_none() { Verdict::Proven } else { Verdict::Failed },
        reason: reason.map(str::to_owned),
        rungs,
        differences,
        started,
        finished: (order.clock)(),
        restore_seconds,
        proof_seconds,
        rpo_seconds: (started - manifest.consistent.at).as_seconds_f64(),
        rpo_target_seconds: order.targets.rpo.map(|target| target.as_secs_f64()),
        rto_target_seconds: order.targets.rto.map(|target| target.as_secs_f64()),
        guard: env!("CARGO_PKG_VERSION").to_owned(),
        scratch: Some(scratch.describe()),
        compared,
    }
}
