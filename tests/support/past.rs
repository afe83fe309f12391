//! A repository with a past: months of manifests and evidence, written in a moment. The bytes they speak of are not there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{
    BackupId, BackupKeys, Catalog, Compared, ConsistentPoint, Evidence, EvidenceRung, FORMAT_VERSION, Manifest,
    PostgresFacts, SourceFacts, SourceName, StoredObject, StoredStreamEntry, Tool, Verdict,
};
use guard::contents::{Contents, Difference, DifferenceCode, TableContents};
use guard::store::{FsStore, Store};
use guard::stream::Hashed;
use tempfile::TempDir;

/// A repository in a directory.
#[derive(Debug)]
pub struct Past {
    /// The directory.
    pub dir: TempDir,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// The repository.
    pub catalog: Catalog,
}

/// What a backup of the past held.
#[derive(Debug, Clone)]
pub struct Taken<'a> {
    /// Its source.
    pub source: &'a str,
    /// When its data was as it is.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub seconds: i64,
    /// Bytes in the store.
    pub stored: u64,
    /// Tables with rows and bytes.
    pub tables: Vec<(String, u64, u64)>,
}

impl Past {
    /// An empty repository.
    pub async fn begin(at: DateTime<Utc>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store: Arc<dyn Store> = Arc::new(FsStore::open(&dir.path().join("store")).expect("a store"));
        let catalog = Catalog::open_or_create(Arc::clone(&store), at).await.expect("a repository");
        Self { dir, store, catalog }
    }

    /// Writes a manifest as if this had been taken.
    pub async fn take(&self, taken: &Taken<'_>) -> Manifest {
        let manifest = self.manifest(taken);
        self.catalog.commit(&manifest).await.expect("the manifest is written");
        manifest
    }

    /// A manifest that is not written yet.
    pub fn manifest_of(&self, source: &str, at: DateTime<Utc>) -> Manifest {
        self.manifest(&Taken { source, at, seconds: 1, stored: 4, tables: Vec::new() })
    }

    /// The manifest of what would have been taken, not written yet.
    pub fn manifest(&self, Taken { source, at, seconds, stored, tables }: &Taken<'_>) -> Manifest {
        let (id, source): (_, SourceName) = (BackupId::new(*at), source.parse().expect("a name"));
        let keys = BackupKeys::new(&source, &id).expect("keys");
        let hashed = |bytes| Hashed { bytes, sha256: Hashed::of(b"").sha256 };
        let key = keys.stream("dump.pgdump.zst").expect("a key").to_string();
        let dump = StoredStreamEntry {
            name: "dump".to_owned(),
            file: "dump.pgdump".to_owned(),
            codec: "zstd:3".to_owned(),
            recipients: Vec::new(),
            plain: hashed(tables.iter().map(|(_, _, bytes)| bytes).sum()),
            objects: vec![StoredObject { key, stored: hashed(*stored) }],
        };
        let table = |(name, rows, bytes): &(String, u64, u64)| {
            (name.clone(), TableContents { rows: *rows, bytes: *bytes, ..TableContents::default() })
        };
        let facts = PostgresFacts {
            database: source.to_string(),
            server_version: "18.6 (Debian 18.6-1)".to_owned(),
            major: 18,
            ..PostgresFacts::default()
        };
        Manifest {
            format: FORMAT_VERSION,
            repository: self.catalog.repository().id.clone(),
            id,
            source,
            environment: Some("production".to_owned()),
            started: *at,
            finished: *at + TimeDelta::seconds(*seconds),
            consistent: ConsistentPoint { at: *at, position: None },
            guard: env!("CARGO_PKG_VERSION").to_owned(),
            tools: vec![Tool { name: "pg_dump".to_owned(), version: "pg_dump (PostgreSQL) 18.6".to_owned() }],
            run: None,
            facts: SourceFacts::Postgres(facts),
            streams: vec![dump],
            contents: Contents { tables: tables.iter().map(table).collect::<BTreeMap<_, _>>(), ..Contents::default() },
            alarm: None,
            sha256: String::new(),
        }
        .sealed()
    }

    /// Writes evidence as if this backup had been restored to scratch.
    pub async fn prove(&self, manifest: &Manifest, at: DateTime<Utc>, restore_seconds: f64, failed: bool) -> Evidence {
        let evidence = evidence(manifest, at, restore_seconds, failed);
        let keys = BackupKeys::new(&manifest.source, &manifest.id).expect("keys");
        self.catalog.add_evidence(&keys, &evidence).await.expect("the evidence is written");
        evidence
    }
}

/// Evidence of a test restore that ended at this moment.
pub fn evidence(manifest: &Manifest, at: DateTime<Utc>, restore_seconds: f64, failed: bool) -> Evidence {
    let rung = |name: &str, ok, detail: &str, seconds| EvidenceRung {
        name: name.to_owned(),
        ok,
        detail: detail.to_owned(),
        seconds,
    };
    let rows = manifest.contents.tables.values().map(|table| table.rows).sum();
    let mut rungs = vec![
        rung("stored-bytes", true, "every stored byte matches, and opens to its end", restore_seconds / 3.0),
        rung("table-of-contents", true, "the archive lists what the manifest lists", 0.0),
        rung("restore", true, "pg_restore ended without an error", restore_seconds / 1.5),
    ];
    let difference = Difference {
        code: DifferenceCode::RowsDiffer,
        object: "table public.orders".to_owned(),
        expected: "41 rows".to_owned(),
        found: "40 rows".to_owned(),
        message: "table public.orders has 40 rows, expected 41 rows".to_owned(),
    };
    if failed {
        rungs.push(rung("contents", false, &difference.message, 12.5));
    } else {
        rungs.push(rung("contents", true, &format!("all tables with {rows} rows are equal"), 12.5));
        rungs.push(rung("structure", true, "214 constraints and 388 indexes are valid", 4.1));
        rungs.push(rung("freshness", true, "within the targets", 0.0));
    }
    Evidence {
        backup: manifest.id.clone(),
        source: manifest.source.to_string(),
        manifest: manifest.digest().to_owned(),
        environment: manifest.environment.clone(),
        started_by: "schedule daily".to_owned(),
        run: None,
        verdict: if failed { Verdict::Failed } else { Verdict::Proven },
        reason: failed.then(|| "contents-differ".to_owned()),
        rungs,
        differences: if failed { vec![difference] } else { Vec::new() },
        started: at
            - TimeDelta::seconds(17)
            - TimeDelta::from_std(Duration::from_secs_f64(restore_seconds)).expect("a test's restore is short"),
        finished: at,
        restore_seconds,
        proof_seconds: 16.6,
        rpo_seconds: (at - manifest.consistent.at).as_seconds_f64(),
        rpo_target_seconds: Some(93_600.0),
        rto_target_seconds: Some(900.0),
        guard: env!("CARGO_PKG_VERSION").to_owned(),
        scratch: Some("a throw-away cluster of PostgreSQL 18.6".to_owned()),
        compared: Compared {
            tables: manifest.contents.tables.len() as u64,
            rows,
            sequences: 41,
            large_objects: 0,
            objects: 913,
            keys: 0,
        },
    }
}
