//! What the repository holds, read into memory: each backup's figures and its evidence, and no more of it than a status needs.
//!
//! Manifests never change, so a refresh lists each source's keys (a request for a thousand of them) and reads only what is
//! new: a page that is asked for all day costs the store next to nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::catalog::{
    Alarm, BackupId, BackupKeys, Catalog, CatalogError, Evidence, Pin, Release, SourceFacts, SourceName, Tool,
};
use crate::contents::Contents;
use crate::contents::keyspace::{Keyspace, KindContents};
use crate::store::ObjectInfo;

/// Everything that is known of a repository at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// The store, for people.
    pub location: String,
    /// The repository's id; none if the store holds no repository yet.
    pub repository: Option<String>,
    /// The backups of each source, oldest first.
    pub sources: BTreeMap<SourceName, Vec<Listed>>,
}

/// A backup, or why it cannot be trusted.
#[derive(Debug, Clone)]
pub enum Listed {
    /// A backup.
    Backup(Arc<Recorded>),
    /// Its manifest is there and cannot be believed.
    Untrusted(Arc<Untrusted>),
}

/// A backup that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Untrusted {
    /// Its id.
    pub id: BackupId,
    /// Why.
    pub reason: String,
}

/// A backup's figures.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its id.
    pub id: BackupId,
    /// When guard began.
    pub started: DateTime<Utc>,
    /// When the last part was stored.
    pub finished: DateTime<Utc>,
    /// The moment of its data.
    pub data_at: DateTime<Utc>,
    /// Bytes in the store.
    pub stored_bytes: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// What it is a backup of: `PostgreSQL 15.20, database shop`.
    pub subject: String,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// The age public keys it is encrypted to.
    pub recipients: Vec<String>,
    /// guard's version.
    pub guard: String,
    /// What wrote its streams.
    pub tools: Vec<Tool>,
    /// The hash that evidence refers to.
    pub manifest: String,
    /// Who pinned it and why, if anybody.
    pub kept: Option<Pin>,
    /// What it holds much less of than the one before it, if anything.
    pub alarm: Option<Alarm>,
    /// Whether somebody said that this is as it should be.
    pub released: Option<Release>,
    /// Its evidence, oldest first.
    pub proofs: Vec<Arc<Evidence>>,
    /// Its tables by name; empty for a backup so old that nobody looks at single tables.
    pub tables: Vec<TableFigures>,
    /// How many tables it has.
    pub n_tables: u64,
}

/// One table's figures. The name is shared by all backups that have it.
#[derive(Debug, Clone)]
pub struct TableFigures {
    /// Qualified, quoted where need be.
    pub name: Arc<str>,
    /// Rows.
    pub rows: u64,
    /// Bytes of the rows as text.
    pub bytes: u64,
}

/// How many of the newest backups of a source keep the figures of each table.
const WITH_TABLES: usize = 120;

/// How many backups are read at once.
const CONCURRENT_READS: usize = 16;

/// A reader of one repository that remembers what it has read.
#[derive(Debug)]
pub struct History {
    catalog: Catalog,
    known: BTreeMap<SourceName, BTreeMap<BackupId, Remembered>>,
    names: HashSet<Arc<str>>,
}

#[derive(Debug)]
struct Remembered {
    /// The documents that it was read from: whatever adds, changes or removes one makes it be read again.
    documents: Vec<ObjectInfo>,
    listed: Listed,
}

impl History {
    /// Begins with nothing read.
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, known: BTreeMap::new(), names: HashSet::new() }
    }

    /// Reads what is new and forgets what is gone. An error leaves what was known.
    pub async fn refresh(&mut self, now: DateTime<Utc>) -> Result<Snapshot, CatalogError> {
        let sources = self.catalog.sources().await?;
        self.known.retain(|known, _| sources.contains(known));
        for source in sources {
            self.refresh_source(&source).await?;
        }
        Ok(self.snapshot(now))
    }

    async fn refresh_source(&mut self, source: &SourceName) -> Result<(), CatalogError> {
        let documents = self.documents(source).await?;
        let known = self.known.entry(source.clone()).or_default();
        known.retain(|id, _| documents.contains_key(id));
        let is_new = |(id, found): &(BackupId, Vec<ObjectInfo>)| {
            known.get(id).is_none_or(|remembered| remembered.documents != *found)
        };
        let to_read: Vec<_> = documents.into_iter().filter(is_new).collect();
        let catalog = &self.catalog;
        let read: Vec<_> = stream::iter(to_read)
            .map(|(id, found)| async move {
                let listed = read(catalog, source, &id).await?;
                Ok::<_, CatalogError>((id, found, listed))
            })
            .buffer_unordered(CONCURRENT_READS)
            .try_collect()
            .await?;
        for (id, documents, listed) in read {
            let Some(mut listed) = listed else { continue };
            if let Listed::Backup(backup) = &mut listed
                && let Some(backup) = Arc::get_mut(backup)
            {
                backup.tables.iter_mut().for_each(|table| table.name = intern(&mut self.names, &table.name));
            }
            known.insert(id, Remembered { documents, listed });
        }
        forget_tables(known);
        Ok(())
    }

    /// What lies in the folder of each complete backup and says something about it.
    async fn documents(&self, source: &SourceName) -> Result<BTreeMap<BackupId, Vec<ObjectInfo>>, CatalogError> {
        let mut documents: BTreeMap<BackupId, Vec<ObjectInfo>> = BTreeMap::new();
        for object in self.catalog.store().list(&source.key()).await? {
            let mut segments = object.key.as_str().split('/').skip(1);
            let Some(Ok(id)) = segments.next().map(str::parse::<BackupId>) else { continue };
            if matches!(segments.next(), Some("manifest.json" | "keep.json" | "released.json" | "proofs")) {
                documents.entry(id).or_default().push(object);
            }
        }
        documents.retain(|_, found| found.iter().any(|object| object.key.name() == "manifest.json"));
        Ok(documents)
    }

    fn snapshot(&self, now: DateTime<Utc>) -> Snapshot {
        let listed = |known: &BTreeMap<BackupId, Remembered>| known.values().map(|it| it.listed.clone()).collect();
        Snapshot {
            read_at: now,
            location: self.catalog.store().location(),
            repository: Some(self.catalog.repository().id.clone()),
            sources: self.known.iter().map(|(source, known)| (source.clone(), listed(known))).collect(),
        }
    }
}

impl Snapshot {
    /// A store without a repository: nothing was ever backed up.
    pub fn empty(location: String, read_at: DateTime<Utc>) -> Self {
        Self { read_at, location, repository: None, sources: BTreeMap::new() }
    }
}

impl Listed {
    /// Its id.
    pub fn id(&self) -> &BackupId {
        match self {
            Self::Backup(backup) => &backup.id,
            Self::Untrusted(untrusted) => &untrusted.id,
        }
    }

    /// The backup, if it can be trusted.
    pub fn backup(&self) -> Option<&Arc<Recorded>> {
        match self {
            Self::Backup(backup) => Some(backup),
            Self::Untrusted(_) => None,
        }
    }
}

impl Recorded {
    /// How long it took.
    pub fn seconds(&self) -> f64 {
        (self.finished - self.started).as_seconds_f64()
    }

    /// Its alarm, if nobody has released it.
    pub fn open_alarm(&self) -> Option<&Alarm> {
        self.alarm.as_ref().filter(|_| self.released.is_none())
    }

    /// A piece of its evidence, by the name of its document.
    pub fn proof(&self, name: &str) -> Option<&Evidence> {
        self.proofs.iter().map(|evidence| &**evidence).find(|evidence| moment_name(evidence) == name)
    }
}

/// What the document of a piece of evidence is called, without `.json`.
pub fn moment_name(evidence: &Evidence) -> String {
    evidence.finished.trunc_subsecs(3).format("%Y%m%dT%H%M%S%.3fZ").to_string()
}

/// A backup that was removed between the listing and the reading is none.
async fn read(catalog: &Catalog, source: &SourceName, id: &BackupId) -> Result<Option<Listed>, CatalogError> {
    let backup = match catalog.load(source, id).await {
        Ok(Some(backup)) => backup,
        Ok(None) => return Ok(None),
        Err(error @ CatalogError::Store(_)) => return Err(error),
        Err(error) => {
            let untrusted = Untrusted { id: id.clone(), reason: error.to_string() };
            return Ok(Some(Listed::Untrusted(Arc::new(untrusted))));
        }
    };
    let keys: &BackupKeys = &backup.keys;
    let evidence = match backup.proofs.as_slice() {
        [] => Vec::new(),
        _ => catalog.evidence_of(keys, &backup.manifest).await?,
    };
    let manifest = &backup.manifest;
    let tables = figures(&manifest.contents);
    let mut recipients: Vec<String> = manifest.streams.iter().flat_map(|stream| stream.recipients.clone()).collect();
    recipients.sort();
    recipients.dedup();
    Ok(Some(Listed::Backup(Arc::new(Recorded {
        id: manifest.id.clone(),
        started: manifest.started,
        finished: manifest.finished,
        data_at: manifest.consistent.at,
        stored_bytes: manifest.stored_bytes(),
        plain_bytes: manifest.plain_bytes(),
        rows: tables.iter().map(|table| table.rows).sum(),
        subject: subject(&manifest.facts),
        environment: manifest.environment.clone(),
        recipients,
        guard: manifest.guard.clone(),
        tools: manifest.tools.clone(),
        manifest: manifest.digest().to_owned(),
        kept: backup.kept,
        alarm: manifest.alarm.clone(),
        released: backup.released,
        proofs: evidence.into_iter().map(Arc::new).collect(),
        n_tables: tables.len() as u64,
        tables,
    }))))
}

fn figures(contents: &Contents) -> Vec<TableFigures> {
    if let Some(keyspace) = &contents.keyspace {
        return key_figures(keyspace);
    }
    let tables = contents.tables.iter();
    tables
        .map(|(name, table)| TableFigures { name: name.as_str().into(), rows: table.rows, bytes: table.bytes })
        .collect()
}

/// Of a keyspace, the keys of each kind in each database.
fn key_figures(keyspace: &Keyspace) -> Vec<TableFigures> {
    let kinds = keyspace.databases.iter().flat_map(|(database, kinds)| kinds.iter().map(move |kind| (database, kind)));
    let figures = kinds.map(|(database, (kind, KindContents { persistent, expiring, .. }))| TableFigures {
        name: format!("db{database} {}", kind.name()).into(),
        rows: persistent.keys + expiring.keys,
        bytes: persistent.bytes + expiring.bytes,
    });
    figures.collect()
}

fn subject(facts: &SourceFacts) -> String {
    let facts = match facts {
        SourceFacts::Postgres(facts) => facts,
        SourceFacts::Redis(facts) => return facts.subject(),
    };
    let version = facts.server_version.split(' ').next().unwrap_or_default();
    format!("PostgreSQL {version}, database {}", facts.database)
}

fn intern(names: &mut HashSet<Arc<str>>, name: &Arc<str>) -> Arc<str> {
    if let Some(known) = names.get(name) {
        return Arc::clone(known);
    }
    names.insert(Arc::clone(name));
    Arc::clone(name)
}

/// Old backups lose the figures of their single tables, so that memory is bounded by the newest.
fn forget_tables(known: &mut BTreeMap<BackupId, Remembered>) {
    let n_old = known.len().saturating_sub(WITH_TABLES);
    for remembered in known.values_mut().take(n_old) {
        if let Listed::Backup(backup) = &mut remembered.listed
            && !backup.tables.is_empty()
        {
            Arc::make_mut(backup).tables = Vec::new();
        }
    }
}
