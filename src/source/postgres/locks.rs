//! While a dump holds its ACCESS SHARE locks: does it make somebody with a stronger lock wait, and everybody behind them?
//!
//! An `ALTER TABLE` queues behind the dump's lock, and every reader queues behind the `ALTER`. A dump can be taken again;
//! an outage cannot be taken back. So a dump that blocks such a waiter for longer than a bound gives way. Who waits for the
//! dump's transaction and keeps nobody waiting meanwhile, as `CREATE INDEX CONCURRENTLY` does, may wait for its end.

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

/// Watches until somebody has waited longer than `max_block` for sessions called `dump`, or until nobody could watch for as
/// long; never returns otherwise. That a server is gone is for the dump itself to tell.
pub async fn watch(connection: &Connection, dump: &str, max_block: Duration) -> Result<BlockedOthers, SessionError> {
    let (mut session, _) = connect(connection, WATCH_NAME).await?;
    let mut waiting: Vec<(BlockedOthers, Instant)> = Vec::new();
    let poll = POLL.min(max_block / 4).max(Duration::from_millis(50));
    let mut watched = Instant::now();
    loop {
        match waiters(&mut session, dump, max_block).await {
            Ok(waiters) => {
                watched = Instant::now();
                waiting.retain(|(known, _)| waiters.contains(known));
                for waiter in waiters {
                    if waiting.iter().all(|(known, _)| *known != waiter) {
                        waiting.push((waiter, Instant::now()));
                    }
                }
            }
            Err(reason) => {
                tracing::debug!(%reason, "the session that watches locks was lost; opening another");
                match connect(connection, WATCH_NAME).await {
                    Ok((another, _)) => session = another,
                    Err(error) if watched.elapsed() > max_block.max(BLIND) => return Err(error),
                    Err(_) => {}
                }
            }
        }
        if let Some((blocked, _)) = waiting.iter().find(|(_, since)| since.elapsed() >= max_block) {
            let _ = session.close().await;
            return Ok(blocked.clone());
        }
        tokio::time::sleep(poll).await;
    }
}

/// For so long at least a dump may go on unwatched.
const BLIND: Duration = Duration::from_secs(10);

const WATCH_NAME: &str = "guard lock watch";

/// Those who wait for an exclusive lock on a relation that the dump itself has locked. `pg_blocking_pids` alone would name
/// the dump as well where it is but ahead in the queue behind a third session, which it cannot shorten by giving way.
const WAITERS: &str = "
    SELECT w.pid, w.mode,
        coalesce((SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
                  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = w.relation), w.relation::text) AS relation
    FROM pg_catalog.pg_locks w
    WHERE NOT w.granted AND w.locktype = 'relation' AND w.mode = 'AccessExclusiveLock' AND EXISTS (
        SELECT FROM pg_catalog.pg_locks h JOIN pg_catalog.pg_stat_activity d ON d.pid = h.pid
        WHERE d.application_name = $1 AND h.granted AND h.locktype = 'relation'
          AND h.database IS NOT DISTINCT FROM w.database AND h.relation = w.relation)";

async fn waiters(
    session: &mut PgConnection,
    dump: &str,
    max_block: Duration,
) -> Result<Vec<BlockedOthers>, sqlx::Error> {
    let rows = sqlx::query(WAITERS).bind(dump).fetch_all(session).await?;
    let waiter = |row: sqlx::postgres::PgRow| {
        let (pid, mode, relation) = (row.try_get("pid")?, row.try_get("mode")?, row.try_get("relation")?);
        Ok(BlockedOthers { pid, mode, relation, max_block })
    };
    rows.into_iter().map(waiter).collect()
}
