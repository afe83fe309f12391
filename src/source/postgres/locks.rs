//! While a dump holds its ACCESS SHARE locks: does it make somebody with a stronger lock wait, and everybody behind them?
//!
//! An `ALTER TABLE` queues behind the dump's lock, and every reader queues behind the `ALTER`. A dump can be taken again;
//! an outage cannot be taken back. So a dump that blocks a waiter for longer than a bound gives way.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tokio::time::Instant;

use super::connection::Connection;
use super::session::{SessionError, connect};

/// Somebody waited too long for a lock that the dump holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the dump made another session (pid {pid}, {mode} on {relation}) wait longer than max_block = {}; it was cancelled \
     so that the database keeps working", humantime::format_duration(*max_block)
)]
pub struct BlockedOthers {
    /// The waiting session.
    pub pid: i32,
    /// The lock it asked for.
    pub mode: String,
    /// What it wanted to lock.
    pub relation: String,
    /// The bound.
    pub max_block: Duration,
}

const POLL: Duration = Duration::from_millis(500);

/// Watches until somebody has waited longer than `max_block` for sessions called `dump`; never returns otherwise.
pub async fn watch(connection: &Connection, dump: &str, max_block: Duration) -> Result<BlockedOthers, SessionError> {
    let (mut session, _) = connect(connection, "guard lock watch").await?;
    let mut waiting: BTreeMap<i32, Instant> = BTreeMap::new();
    let poll = POLL.min(max_block / 4).max(Duration::from_millis(50));
    loop {
        let waiters = match waiters(&mut session, dump).await {
            Ok(waiters) => waiters,
            Err(reason) => {
                tracing::warn!(%reason, "the session that watches locks was lost; opening another");
                let _ = session.close_hard().await;
                (session, _) = connect(connection, "guard lock watch").await?;
                continue;
            }
        };
        waiting.retain(|pid, _| waiters.iter().any(|waiter| waiter.pid == *pid));
        for waiter in waiters {
            let since = *waiting.entry(waiter.pid).or_insert_with(Instant::now);
            if since.elapsed() >= max_block {
                let _ = session.close().await;
                return Ok(BlockedOthers { max_block, ..waiter });
            }
        }
        tokio::time::sleep(poll).await;
    }
}

async fn waiters(session: &mut PgConnection, dump: &str) -> Result<Vec<BlockedOthers>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT w.pid, w.mode, coalesce(w.relation::pg_catalog.regclass::text, w.locktype) AS relation
         FROM pg_catalog.pg_locks w
         WHERE NOT w.granted AND EXISTS (
             SELECT FROM pg_catalog.pg_stat_activity d
             WHERE d.application_name = $1 AND d.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)))",
    )
    .bind(dump)
    .fetch_all(session)
    .await?;
    let waiter = |row: sqlx::postgres::PgRow| {
        Ok(BlockedOthers {
            pid: row.try_get("pid")?,
            mode: row.try_get("mode")?,
            relation: row.try_get("relation")?,
            max_block: Duration::ZERO,
        })
    };
    rows.into_iter().map(waiter).collect()
}
