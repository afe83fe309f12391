//! A small load of reads and writes on the tables that a migration touches, and what it feels meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::error::RehearseError;
use super::plan::Migration;
use super::record::LoadReport;
use super::run::{Range, Unwatched, drop_session, run};
use super::stage::{Role, Stage};

/// A table and a column of it that may be written.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// With its schema, quoted where needed.
    pub(super) table: String,
    /// Quoted; none if every column is the server's own to write.
    pub(super) column: Option<String>,
}

/// Runs a migration on a fresh copy while two sessions read and write.
pub(super) async fn under_load(
    stage: &Stage,
    migration: &Migration,
    targets: &[Target],
) -> Result<LoadReport, RehearseError> {
    stage.copy(Role::Before, Role::Trial).await?;
    let (reader, writer) = (stage.as_observer(Role::Trial).await?, stage.as_observer(Role::Trial).await?);
    let mut session = stage.as_framework(Role::Trial).await?;
    let reads: Vec<String> = targets.iter().map(|target| format!("SELECT FROM {} LIMIT 1", target.table)).collect();
    let writes: Vec<String> = targets.iter().filter_map(write).collect();
    let is_over = AtomicBool::new(false);
    let (read, written) = (Felt::default(), Felt::default());
    let both_done = async || {
        while !((reads.is_empty() || read.n_done() > 0) && (writes.is_empty() || written.n_done() > 0)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let migrate = async {
        // Both are at work before the migration begins, and what they were at when it ended is felt as well.
        both_done().await;
        read.forget();
        written.forget();
        let outcome = run(&mut session, &migration.up, Range::default(), &mut Unwatched).await;
        both_done().await;
        is_over.store(true, Ordering::Relaxed);
        outcome
    };
    let (outcome, read_errors, write_errors) =
        tokio::join!(migrate, go_on(reader, &reads, &is_over, &read), go_on(writer, &writes, &is_over, &written));
    drop_session(session).await;
    let mut errors: Vec<String> = read_errors.into_iter().chain(write_errors).collect();
    errors.sort();
    errors.dedup();
    Ok(LoadReport {
        reads: read.n_done(),
        longest_read: read.longest(),
        writes: written.n_done(),
        longest_write: written.longest(),
        errors,
        outcome: Some(outcome?),
    })
}

/// One row, written as it was and rolled back: the locks and triggers of a write, and nothing changed.
fn write(target: &Target) -> Option<String> {
    let Target { table, column } = target;
    let column = column.as_ref()?;
    let row = format!("(SELECT ctid FROM ONLY {table} LIMIT 1)");
    Some(format!("BEGIN; UPDATE ONLY {table} SET {column} = {column} WHERE ctid = {row}; ROLLBACK"))
}

/// What a session felt.
#[derive(Default)]
struct Felt {
    n_done: AtomicU64,
    longest_micros: AtomicU64,
}

impl Felt {
    fn add(&self, took: Duration) {
        self.n_done.fetch_add(1, Ordering::Relaxed);
        self.longest_micros.fetch_max(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn n_done(&self) -> u64 {
        self.n_done.load(Ordering::Relaxed)
    }

    fn longest(&self) -> f64 {
        self.longest_micros.load(Ordering::Relaxed) as f64 / 1e6
    }

    fn forget(&self) {
        self.n_done.store(0, Ordering::Relaxed);
        self.longest_micros.store(0, Ordering::Relaxed);
    }
}

/// Sends requests in turn until it is over; returns what was refused. A column that is gone is refused for good.
async fn go_on(mut session: PgConnection, requests: &[String], is_over: &AtomicBool, felt: &Felt) -> Vec<String> {
    let mut refused = Vec::new();
    let mut turn = requests.iter().cycle();
    while !is_over.load(Ordering::Relaxed) {
        let Some(request) = turn.next() else { break };
        let began = Instant::now();
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(request.clone())).execute(&mut session).await {
            let said = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
            if !refused.contains(&said) && refused.len() < 20 {
                refused.push(said);
            }
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut session).await;
        }
        felt.add(began.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop_session(session).await;
    refused
}
