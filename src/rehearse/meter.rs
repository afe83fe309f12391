//! Measures a run from within its own transactions: what each statement locks, rewrites, reads, writes and logs.
//!
//! Locks and counters of a transaction are only there until it ends, so they are asked for after each statement, in the
//! session itself. What cannot run in a transaction is watched from a second session while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Deserialize;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::error::{RehearseError, asked};
use super::measure::{LockHeld, LockMode, Measured, Rewrite, RowCounts};
use super::plan::Statement;
use super::record::{Refusal, StatementReport};
use super::run::{At, Sent, Watch, send};

/// What was there before a migration, by number.
pub(super) type Known = BTreeMap<i64, Relation>;

/// One relation as it was before.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Relation {
    /// With its schema, quoted where needed.
    pub(super) name: String,
    /// `r`, `m`, `i` and so on, as in `pg_class`.
    pub(super) kind: String,
    file: i64,
    /// Its size in bytes.
    pub(super) bytes: i64,
}

/// Reads what is there.
pub(super) async fn known(session: &mut PgConnection) -> Result<Known, RehearseError> {
    let text: String = sqlx::query_scalar(KNOWN).fetch_one(session).await.map_err(asked("listing relations"))?;
    parse(&text, "listing relations")
}

const KNOWN: &str = "
    SELECT coalesce(pg_catalog.json_object_agg(c.oid, pg_catalog.json_build_object(
        'name', pg_catalog.format('%I.%I', n.nspname, c.relname), 'kind', c.relkind, 'file', c.relfilenode::int8,
        'bytes', CASE WHEN c.relkind IN ('r', 'm', 'i') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END)), '{}')::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND c.relkind IN ('r', 'p', 'm', 'v', 'f', 'i', 'I', 'S')";

/// Measures.
pub(super) struct Meter<'a> {
    known: &'a Known,
    /// Beside the copy, for what cannot be seen from within.
    observer: PgConnection,
    /// The server process of the run.
    pid: i32,
    before: Reading,
    began: Instant,
    /// The strongest lock that the open transaction has on each relation.
    held: BTreeMap<i64, LockMode>,
    /// Locks whose end has not come: of which statement, which of its locks, since when.
    open: Vec<(usize, usize, Instant)>,
    /// Files as last seen.
    files: BTreeMap<i64, i64>,
    /// What was found, by the statement's position.
    pub(super) found: BTreeMap<usize, StatementReport>,
    /// Rows deleted, by table.
    pub(super) deleted: BTreeMap<i64, u64>,
    /// What was locked for writing or changing.
    pub(super) touched: BTreeSet<i64>,
    /// Positions of statements at which a transaction ended.
    pub(super) ends: Vec<usize>,
    /// Whether a statement ran whose traces only a look at everything can find.
    pub(super) went_unseen: bool,
}

/// One look at the session's own counters.
#[derive(Debug, Clone, Default, Deserialize)]
struct Reading {
    lsn: f64,
    stats: [f64; 4],
    #[serde(default)]
    locks: Vec<(i64, String)>,
    #[serde(default)]
    files: BTreeMap<i64, i64>,
    /// Rows deleted so far in this transaction, by table.
    #[serde(default)]
    deleted: BTreeMap<i64, u64>,
}

/// Everything in one answer, in a form that no prepared statement is needed for: a migration may discard those. A rewrite
/// needs the strongest lock, so only what is locked so is looked at.
const READING: &str = "
    WITH lock AS MATERIALIZED (
        SELECT relation::int8 AS oid, mode FROM pg_catalog.pg_locks
        WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted AND relation >= 16384)
    SELECT pg_catalog.json_build_object(
        'lsn', pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn,
        'stats', (SELECT pg_catalog.json_build_array(
            coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0), coalesce(sum(n_tup_ins), 0),
            coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_del), 0)) FROM pg_catalog.pg_stat_xact_user_tables),
        'deleted', coalesce((SELECT pg_catalog.json_object_agg(relid, n_tup_del)
            FROM pg_catalog.pg_stat_xact_user_tables WHERE n_tup_del > 0), '{}'),
        'locks', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(oid, mode)) FROM lock), '[]'),
        'files', coalesce((SELECT pg_catalog.json_object_agg(c.oid, c.relfilenode::int8) FROM pg_catalog.pg_class c
            WHERE c.relkind IN ('r', 'm', 'i')
              AND c.oid IN (SELECT oid FROM lock WHERE mode = 'AccessExclusiveLock')), '{}'))::text";

impl<'a> Meter<'a> {
    /// For a run in `session`, with another one beside the copy.
    pub(super) async fn new(
        session: &mut PgConnection,
        observer: PgConnection,
        known: &'a Known,
    ) -> Result<Self, RehearseError> {
        let pid = sqlx::query_scalar("SELECT pg_catalog.pg_backend_pid()").fetch_one(session).await;
        Ok(Self {
            known,
            observer,
            pid: pid.map_err(asked("asking for the session's number"))?,
            before: Reading::default(),
            began: Instant::now(),
            held: BTreeMap::new(),
            open: Vec::new(),
            files: known.iter().map(|(oid, relation)| (*oid, relation.file)).collect(),
            found: BTreeMap::new(),
            deleted: BTreeMap::new(),
            touched: BTreeSet::new(),
            ends: Vec::new(),
            went_unseen: false,
        })
    }

    fn measured(&mut self, idx: usize) -> &mut Measured {
        &mut self.found.get_mut(&idx).expect("a report is made before its statement is sent").measured
    }

    /// Locks that are new or stronger than those that the transaction had.
    fn add_locks(&mut self, idx: usize, locks: &[(i64, String)]) {
        let mut strongest: BTreeMap<i64, LockMode> = BTreeMap::new();
        for (oid, mode) in locks {
            let Some(mode) = LockMode::from_catalog(mode) else { continue };
            let found = strongest.entry(*oid).or_insert(mode);
            *found = mode.max(*found);
        }
        for (oid, mode) in strongest {
            let Some(relation) = self.known.get(&oid) else { continue };
            if mode >= LockMode::RowExclusive {
                self.touched.insert(oid);
            }
            let is_detail = matches!(relation.kind.as_str(), "i" | "I" | "S") && mode < LockMode::ShareUpdateExclusive;
            if is_detail || self.held.get(&oid).is_some_and(|held| *held >= mode) {
                continue;
            }
            self.held.insert(oid, mode);
            let (relation, began) = (relation.name.clone(), self.began);
            let lock = LockHeld { relation, mode, seconds: 0.0, blocks: mode.blocks() };
            let locks = &mut self.measured(idx).locks;
            locks.push(lock);
            let lock_idx = locks.len() - 1;
            self.open.push((idx, lock_idx, began));
        }
    }

    fn add_rewrites(&mut self, idx: usize, statement: &Statement, files: &BTreeMap<i64, i64>) {
        for (oid, file) in files {
            let before = self.files.insert(*oid, *file);
            let Some(relation) = self.known.get(oid).filter(|_| before.is_some_and(|before| before != *file)) else {
                continue;
            };
            // TRUNCATE gives a table a new file as well, and writes nothing into it.
            if statement.begins_with(&["truncate"]) {
                continue;
            }
            let kind = match relation.kind.as_str() {
                "r" => "table",
                "m" => "materialized view",
                _ => "index",
            };
            let bytes = u64::try_from(relation.bytes).unwrap_or_default();
            let rewrite = Rewrite { relation: relation.name.clone(), kind: kind.to_owned(), bytes };
            self.measured(idx).rewrites.push(rewrite);
        }
    }

    /// Looks again and again, as long as a statement runs that cannot be seen from within.
    async fn watch_locks(observer: &mut PgConnection, pid: i32, seen: &mut BTreeSet<(i64, String)>) {
        const EAGER: Duration = Duration::from_millis(200);
        let began = Instant::now();
        loop {
            // Whatever is wrong with the second session is no fault of the statement.
            if let Ok(locks) = locks_of(observer, pid).await {
                seen.extend(locks);
            }
            if began.elapsed() > EAGER {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// What another session has locked, or waits for.
pub(super) async fn locks_of(observer: &mut PgConnection, pid: i32) -> Result<Vec<(i64, String)>, RehearseError> {
    let locks = "SELECT relation::int8, mode FROM pg_catalog.pg_locks
        WHERE pid = $1 AND locktype = 'relation' AND relation >= 16384";
    sqlx::query_as(locks).bind(pid).fetch_all(observer).await.map_err(asked("reading locks"))
}

impl Watch for Meter<'_> {
    const WRAPS: bool = true;

    async fn before(&mut self, session: &mut PgConnection, at: At<'_>) -> Result<(), RehearseError> {
        let report = StatementReport {
            file: at.statement.file(),
            line: at.statement.line(),
            sql: shown(at.statement.sql()),
            measured: Measured::default(),
        };
        self.found.insert(at.idx, report);
        self.before = read(session).await?;
        self.began = Instant::now();
        Ok(())
    }

    async fn within(&mut self, session: &mut PgConnection, at: At<'_>) -> Result<(), RehearseError> {
        let seconds = self.began.elapsed().as_secs_f64();
        let reading = read(session).await?;
        let rows = reading.rows_since(&self.before);
        let wal_bytes = (reading.lsn - self.before.lsn).max(0.0);
        let measured = self.measured(at.idx);
        measured.seconds = seconds;
        measured.rows = Some(rows);
        measured.wal_bytes = whole(wal_bytes);
        self.add_locks(at.idx, &reading.locks);
        self.add_rewrites(at.idx, at.statement, &reading.files);
        for (oid, n_rows) in &reading.deleted {
            let earlier = self.before.deleted.get(oid).copied().unwrap_or_default();
            *self.deleted.entry(*oid).or_default() += n_rows.saturating_sub(earlier);
        }
        Ok(())
    }

    async fn alone(&mut self, session: &mut PgConnection, at: At<'_>) -> Result<Sent, RehearseError> {
        let mut seen = BTreeSet::new();
        let sent = tokio::select! {
            biased;
            sent = send(session, at.statement) => sent,
            () = Self::watch_locks(&mut self.observer, self.pid, &mut seen) => Ok(()),
        };
        let seconds = self.began.elapsed().as_secs_f64();
        self.went_unseen |= at.statement.begins_with(&["call"]) || at.statement.begins_with(&["do"]);
        self.measured(at.idx).seconds = seconds;
        let seen: Vec<(i64, String)> = seen.into_iter().collect();
        self.add_locks(at.idx, &seen);
        if sent.is_ok() {
            let reading = read(session).await?;
            let wal_bytes = whole((reading.lsn - self.before.lsn).max(0.0));
            self.measured(at.idx).wal_bytes = wal_bytes;
            let files = files_of(session).await?;
            self.add_rewrites(at.idx, at.statement, &files);
        }
        Ok(sent)
    }

    fn refused(&mut self, idx: usize, refusal: &Refusal) {
        if let Some(report) = self.found.get_mut(&idx) {
            report.measured.seconds = report.measured.seconds.max(self.began.elapsed().as_secs_f64());
            report.measured.error = Some(refusal.message.clone());
        }
        self.ended(idx);
    }

    fn ended(&mut self, idx: usize) {
        let now = Instant::now();
        for (report, lock, since) in std::mem::take(&mut self.open) {
            self.measured(report).locks[lock].seconds = (now - since).as_secs_f64();
        }
        self.held.clear();
        self.ends.push(idx);
    }
}

impl Reading {
    fn rows_since(&self, before: &Self) -> RowCounts {
        let since = |idx: usize| whole((self.stats[idx] - before.stats[idx]).max(0.0));
        RowCounts { read: since(0), inserted: since(1), updated: since(2), deleted: since(3) }
    }
}

async fn read(session: &mut PgConnection) -> Result<Reading, RehearseError> {
    let row = sqlx::raw_sql(READING).fetch_one(session).await.map_err(asked("measuring"))?;
    let text: String = row.try_get(0).map_err(asked("measuring"))?;
    parse(&text, "measuring")
}

/// Every file: after a statement that went by itself nothing is locked any more.
async fn files_of(session: &mut PgConnection) -> Result<BTreeMap<i64, i64>, RehearseError> {
    let row = sqlx::raw_sql(
        "SELECT coalesce(pg_catalog.json_object_agg(oid, relfilenode::int8), '{}')::text FROM pg_catalog.pg_class
         WHERE relkind IN ('r', 'm', 'i') AND oid >= 16384",
    );
    let row = row.fetch_one(session).await.map_err(asked("looking at files"))?;
    let text: String = row.try_get(0).map_err(asked("looking at files"))?;
    parse(&text, "looking at files")
}

/// An answer of guard's own making.
pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &str, attempt: &'static str) -> Result<T, RehearseError> {
    serde_json::from_str(text)
        .map_err(|error| RehearseError::Query { attempt, reason: sqlx::Error::Decode(Box::new(error)) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of rows and bytes, not negative")]
fn whole(figure: f64) -> u64 {
    figure as u64
}

const MAX_SHOWN: usize = 400;

fn shown(sql: &str) -> String {
    match sql.char_indices().nth(MAX_SHOWN) {
        None => sql.to_owned(),
        Some((end, _)) => format!("{} …", &sql[..end]),
    }
}
