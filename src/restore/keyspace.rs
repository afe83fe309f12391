//! A Redis backup into a running server or cluster: asked, spooled, asked again, loaded, compared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task;

use super::error::of_kind;
use super::{Confirmation, Reading, RestoreError, RestoreOrder, spool};
use crate::catalog::RedisFacts;
use crate::contents::keyspace::Keyspace;
use crate::contents::{Contents, differences};
use crate::progress::Progress;
use crate::source::redis::address::Address;
use crate::source::redis::connection::Lines;
use crate::source::redis::load::{LoadError, LoadOptions, Loaded, Target, expected_after};
use crate::source::redis::rdb::RdbOptions;
use crate::source::redis::{OpenKeyspace, RedisSource};

/// A server to restore into, and what may be done to it.
#[derive(Debug)]
pub struct KeyspaceTarget {
    /// Where it is.
    pub address: Address,
    /// How long it may send nothing.
    pub max_silence: Duration,
    /// Replace keys that are there; everything else stays. Without this a server that is not empty is refused.
    pub clean: Option<Confirmation>,
    /// Restore over the very server that the backup was taken of.
    pub over_source: Option<Confirmation>,
    /// Only keys whose names match one of these patterns; empty for all keys and the functions.
    pub patterns: Vec<String>,
    /// Put all keys into this database.
    pub database: Option<u32>,
    /// Compare what came back with the backup. Only what an empty server holds afterwards can be compared.
    pub compare: bool,
}

/// What a restore into a server did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoredKeys {
    /// How much was sent.
    pub loaded: Loaded,
    /// Whether it was compared.
    pub compared: bool,
    /// Keys of which something expired, or may have, since the backup: they are not missed.
    pub expired: u64,
}

/// Restores into a server that is empty, or that the user gave up.
pub async fn restore_to_server(
    order: &RestoreOrder<'_>,
    target: &KeyspaceTarget,
    progress: &Arc<Progress>,
) -> Result<RestoredKeys, RestoreError> {
    let facts = of_kind(order, order.backup.manifest.redis(), &target.address.to_string())?.clone();
    progress.begin("checking the target", 0);
    let options =
        LoadOptions { replace: target.clean.is_some(), patterns: target.patterns.clone(), database: target.database };
    let is_picky = options.replace || !options.patterns.is_empty();
    let over_source = target.over_source.is_some();
    // Asked before a byte is fetched, and again when every byte is known to be good.
    let check = Check { facts, options: options.clone(), is_picky, over_source };
    let found = at_server(target, check.clone(), |target, check| check.run(target)).await?;
    let spooled = spool(order, Reading::Matched, progress).await?;
    let files = Arc::new(spooled.files.clone());
    let databases =
        order.backup.manifest.contents.keyspace.iter().flat_map(|keyspace| keyspace.databases.keys().copied());
    let work =
        Work { check, files: Arc::clone(&files), databases: databases.collect(), progress: Arc::clone(progress) };
    progress.begin("restoring", order.backup.manifest.data_bytes());
    let loaded = at_server(target, work, |target, work| work.run(target)).await?;
    if !target.compare || found.is_some() {
        return Ok(RestoredKeys { loaded, compared: false, expired: 0 });
    }
    let expired = compare(order, target, (files, options), progress).await?;
    Ok(RestoredKeys { loaded, compared: true, expired })
}

/// Runs something on a thread that may block, with the target; given up, its connections end.
async fn at_server<W: Send + 'static, T: Send + 'static>(
    target: &KeyspaceTarget,
    work: W,
    run: impl FnOnce(&mut ConnectedTarget, W) -> Result<T, LoadError> + Send + 'static,
) -> Result<T, RestoreError> {
    let lines = Lines::default();
    let _hang_up = lines.guard();
    let (address, patience) = (target.address.clone(), target.max_silence);
    let worked = task::spawn_blocking(move || {
        let target = Target::connect(&address, patience, &lines)?;
        run(&mut ConnectedTarget { target, address }, work)
    });
    Ok(worked.await.map_err(|panic| RestoreError::Thread(panic.to_string()))??)
}

struct ConnectedTarget {
    target: Target,
    address: Address,
}

#[derive(Clone)]
struct Check {
    facts: RedisFacts,
    options: LoadOptions,
    is_picky: bool,
    over_source: bool,
}

impl Check {
    /// What was found in the target, if anything; an error if that is in the way.
    fn run(self, at: &mut ConnectedTarget) -> Result<Option<String>, LoadError> {
        let ConnectedTarget { target, address } = at;
        if !self.over_source && target.is_source(&self.facts, address) {
            return Err(LoadError::IsSource { target: address.to_string() });
        }
        target.assert_ready(&self.facts)?;
        let found = target.found(&self.options)?;
        match found {
            Some(found) if !self.is_picky => Err(LoadError::NotEmpty { target: address.to_string(), found }),
            found => Ok(found),
        }
    }
}

struct Work {
    check: Check,
    files: Arc<Vec<PathBuf>>,
    databases: Vec<u64>,
    progress: Arc<Progress>,
}

impl Work {
    fn run(self, at: &mut ConnectedTarget) -> Result<Loaded, LoadError> {
        let options = self.check.options.clone();
        self.check.run(at)?;
        at.target.assert_room(&self.files, &self.databases, &options)?;
        at.target.load(&self.files, &options, |n_bytes| self.progress.add(n_bytes))
    }
}

/// Reads what was restored by the same code as the source was, and compares the records: of all keys that have not
/// expired by now. Returns how many may have.
async fn compare(
    order: &RestoreOrder<'_>,
    target: &KeyspaceTarget,
    (files, options): (Arc<Vec<PathBuf>>, LoadOptions),
    progress: &Arc<Progress>,
) -> Result<u64, RestoreError> {
    let manifest = &order.backup.manifest;
    progress.begin("comparing", manifest.data_bytes());
    let copy = RedisSource::for_comparison(manifest.source.clone(), target.address.clone(), target.max_silence);
    let copy = copy.open(&manifest.id).await.map_err(LoadError::from)?;
    let read = read_still(&copy, progress).await;
    copy.close();
    let (mut found, rdb) = read?;
    options.leave_out_the_rest(&mut found);
    let expected = task::spawn_blocking(move || expected_after(&files, &options, rdb)).await;
    let expected = expected.map_err(|panic| RestoreError::Thread(panic.to_string()))??;
    let expired = expected.passing_keys();
    let whole = |keyspace| Contents { keyspace: Some(keyspace), ..Contents::default() };
    let found = differences(&whole(expected), &whole(found));
    match found.first() {
        None => Ok(expired),
        Some(first) => Err(RestoreError::ContentsDiffer {
            target: target.address.to_string(),
            first: first.to_string(),
            n_differences: found.len(),
        }),
    }
}

/// Reads the copy. What may have expired by the time it was read is counted apart, so that moment is chosen beforehand and
/// looked at afterwards.
async fn read_still(copy: &OpenKeyspace, progress: &Arc<Progress>) -> Result<(Keyspace, RdbOptions), LoadError> {
    for margin in MARGINS {
        let until = copy.clock().await? + margin;
        let options = RdbOptions { passing_until: Some(until), ..RdbOptions::default() };
        let found = copy.record(options, progress).await?;
        if copy.clock().await? <= until {
            return Ok((found, options));
        }
    }
    let options = RdbOptions { passing_until: Some(i64::MAX), ..RdbOptions::default() };
    Ok((copy.record(options, progress).await?, options))
}

/// How many milliseconds the reading may take; the fewer, the more keys are compared.
const MARGINS: [i64; 3] = [10_000, 120_000, 3_600_000];
