//! What a gate decides by, as it was found; nothing here judges.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use migrations_lint::report::Finding;
use migrations_lint::suppress::Suppressed;
use serde::Serialize;

use crate::catalog::{
    AppliedMigration, BackupId, BackupKeys, Catalog, CatalogError, CompleteBackup, ListedBackup, SourceName, Verdict,
};
use crate::contents::SchemaEntry;
use crate::lease::{LeaseError, Leases, Record, State, Subject};
use crate::store::StoreError;

use super::reason::{Code, Reason};
use super::rehearsal::{self, Rehearsal};

/// Everything.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The migrations that are about to run.
    pub migrations: Migrations,
    /// What the repository holds, or why that could not be found out.
    pub repository: Result<Repository, Reason>,
    /// What the database itself says, if it was to be asked, or why it did not.
    pub database: Option<Result<Database, Reason>>,
    /// The migration window of this run, or why there is none; absent if none was asked for.
    pub window: Option<Result<DateTime<Utc>, Reason>>,
    /// Why the backup that was to be taken was not.
    pub backup_failure: Option<Reason>,
}

/// Which migrations will run, and what the linter says of them.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    /// How it is known which are pending.
    pub known_by: KnownBy,
    /// Those that will run.
    pub pending: Vec<PendingFile>,
    /// How many files there are.
    pub n_files: usize,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
    /// What comments in them leave out.
    pub suppressed: Vec<Suppressed>,
    /// Versions that have run after everything that is here.
    pub ahead: Vec<String>,
    /// Whether some of them belong to no framework that keeps a history.
    pub has_untracked: bool,
}

/// A migration that will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingFile {
    /// Its path as it was given.
    pub file: PathBuf,
    /// SHA-256 of its text.
    pub sha256: String,
}

/// How it is known which migrations are pending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KnownBy {
    /// The database's own tracking table.
    Database,
    /// The tracking table as the newest backup has it.
    Backup(BackupId),
    /// What changed since a git ref.
    Since(String),
    /// By nothing, for nobody keeps a history: all of them are taken for pending.
    #[default]
    Nothing,
    /// It cannot be found out: whoever keeps the history did not answer, or is not trusted.
    Unknown,
}

/// What a repository says about a source.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The store.
    pub location: String,
    /// The source.
    pub source: SourceName,
    /// What the two clocks showed at one moment; `None` where the store's cannot be read without writing.
    pub clocks: Option<Clocks>,
    /// The newest backup, or why its manifest is not trusted.
    pub newest: Option<Result<Backup, Reason>>,
    /// The newest piece of evidence about any backup of the source.
    pub proof: Option<Proof>,
    /// Who works on the source now.
    pub at_work: Option<Record>,
    /// What rehearsals are on record, newest last.
    pub rehearsals: Vec<Rehearsal>,
}

/// Two clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// This machine's.
    pub host: DateTime<Utc>,
    /// The store's.
    pub store: DateTime<Utc>,
}

/// The newest backup.
#[derive(Debug, Clone)]
pub struct Backup {
    /// Its keys.
    pub keys: BackupKeys,
    /// Its id.
    pub id: BackupId,
    /// The moment of its data.
    pub at: DateTime<Utc>,
    /// When it was complete.
    pub finished: DateTime<Utc>,
    /// The database that it is of.
    pub database: Option<Identity>,
    /// The server's major version.
    pub major: Option<u32>,
    /// What was picked or left out of it, as arguments of `pg_dump`.
    pub selection: Vec<String>,
    /// Which migrations had run, if the manifest says so.
    pub migrations: Option<BTreeMap<String, Vec<AppliedMigration>>>,
    /// What it defines.
    pub schema: Vec<SchemaEntry>,
    /// The newest evidence about this very backup.
    pub proof: Option<Proof>,
}

/// Which database something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// The cluster's identity, where the role may read it.
    pub system_identifier: Option<String>,
}

/// What a test restore found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Of which backup.
    pub backup: BackupId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub verdict: Verdict,
}

/// What the database says.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which it is.
    pub identity: Identity,
    /// What it defines.
    pub schema: Vec<SchemaEntry>,
}

/// Asks the repository. Whatever goes wrong is a reason to stay closed. `host` tells this machine's time.
pub async fn look(
    catalog: &Catalog,
    leases: &Leases,
    source: &SourceName,
    host: impl Fn() -> DateTime<Utc>,
) -> Result<Repository, Reason> {
    let store_time = store_time(leases).await?;
    let clocks = store_time.map(|store| Clocks { host: host(), store });
    let listed = catalog.backups(source).await.map_err(|error| of_catalog(&error))?;
    // Evidence and rehearsals lie beside backups that can be trusted; the newest must be one.
    let trusted = || listed.iter().filter_map(|found| found.backup.as_ref().ok());
    let proof = trusted().filter_map(newest_proof).max_by_key(|proof| proof.at);
    let rehearsals = rehearsal::on_record(catalog, trusted()).await.map_err(|error| of_catalog(&error))?;
    let newest = listed.last().map(newest_backup);
    let at_work = leases.look(&Subject::Source(source.clone())).await.map_err(|error| of_lease(&error))?;
    // A record that is over, or that nobody renews any more, keeps nobody out; where no clock tells, it may.
    let is_held = |record: &Record| store_time.map_or(record.state == State::Held, |now| record.is_held(now));
    let at_work = at_work.filter(is_held);
    let location = catalog.store().location();
    Ok(Repository { location, source: source.clone(), clocks, newest, proof, at_work, rehearsals })
}

/// The store's clock. Two clocks that do not agree make every age a guess.
async fn store_time(leases: &Leases) -> Result<Option<DateTime<Utc>>, Reason> {
    match leases.now().await {
        Ok(time) => Ok(Some(time)),
        // A directory shows its time by a file that is written.
        Err(LeaseError::Store(StoreError::Denied { .. })) => Ok(None),
        Err(error) => Err(of_lease(&error)),
    }
}

fn newest_proof(backup: &CompleteBackup) -> Option<Proof> {
    let summary = backup.proven()?;
    Some(Proof { backup: backup.manifest.id.clone(), at: summary.at, verdict: summary.verdict })
}

fn newest_backup(listed: &ListedBackup) -> Result<Backup, Reason> {
    let backup = listed.backup.as_ref().map_err(of_catalog)?;
    let manifest = &backup.manifest;
    let facts = manifest.postgres();
    Ok(Backup {
        keys: backup.keys.clone(),
        id: manifest.id.clone(),
        at: manifest.consistent.at,
        finished: manifest.finished,
        database: facts
            .map(|facts| Identity { name: facts.database.clone(), system_identifier: facts.system_identifier.clone() }),
        major: facts.map(|facts| facts.major),
        selection: facts.map(|facts| facts.selection.clone()).unwrap_or_default(),
        migrations: facts.and_then(|facts| facts.migrations.clone()),
        schema: manifest.contents.schema.clone(),
        proof: newest_proof(backup),
    })
}

/// What an error of the catalogue means to a gate.
pub fn of_catalog(error: &CatalogError) -> Reason {
    match error {
        CatalogError::Store(error) => of_store(error),
        CatalogError::NotARepository { .. } => Reason::new(
            Code::NoRepository,
            error.to_string(),
            "check the store's url and prefix (GUARD_STORE_URL); the first `guard backup` makes the repository",
        ),
        CatalogError::NewerFormat { .. } => {
            Reason::new(Code::BackupUntrusted, error.to_string(), "use a newer guard in this pipeline")
        }
        _ => Reason::new(
            Code::BackupUntrusted,
            error.to_string(),
            "find out who changed it (`guard verify` reads what is left); then take a backup: `guard backup`",
        ),
    }
}

fn of_store(error: &StoreError) -> Reason {
    let help = error.help().unwrap_or("check the store's url, the network and the credentials of this pipeline");
    Reason::new(Code::StoreUnreachable, error.to_string(), help)
}

fn of_lease(error: &LeaseError) -> Reason {
    match error {
        LeaseError::Store(error) => of_store(error),
        LeaseError::Clock { .. } => Reason::new(
            Code::ClockSkew,
            error.to_string(),
            "set this machine's clock (NTP); every age is counted by it",
        ),
        _ => Reason::new(
            Code::StoreUnreachable,
            error.to_string(),
            error.help().unwrap_or("`guard list` shows what the store holds"),
        ),
    }
}
