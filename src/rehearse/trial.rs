//! What is tried on further copies once a migration has run: again at once, again after a stop, and the way back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;

use super::data::{State, state};
use super::error::{RehearseError, asked};
use super::meter::locks_of;
use super::plan::{Migration, Mode, Resume, Statement, Unit};
use super::record::{Outcome, Repeat, Stop, WayBack};
use super::run::{Range, Unwatched, drop_session, run, send};
use super::schema::{Schema, schema};
use super::stage::{Role, Stage, run as run_own};

/// A migration that has run on the main copy, and how the states before and after are.
pub(super) struct Scene<'a> {
    pub(super) stage: &'a Stage,
    pub(super) migration: &'a Migration,
    pub(super) schema_before: &'a Schema,
    pub(super) schema_after: &'a Schema,
    /// Tables whose data is compared, by every name that they have.
    pub(super) tables: &'a BTreeSet<String>,
    /// What these hold afterwards.
    pub(super) after: &'a State,
    /// Statements after which something was committed.
    pub(super) commits: &'a [usize],
}

/// Runs it a second time at once.
pub(super) async fn repeat(scene: &Scene<'_>) -> Result<Repeat, RehearseError> {
    scene.stage.copy(Role::Main, Role::Trial).await?;
    let outcome = forward(scene, Range::default()).await?;
    // A transaction that was refused has changed nothing.
    let changes = match (&outcome, scene.commits.len()) {
        (Outcome::Failed(_), 0 | 1) => Vec::new(),
        _ => scene.changes_since_after(&BTreeSet::new()).await?,
    };
    Ok(Repeat { outcome, changes })
}

/// Stops it after each statement that is not the last to commit, and within each concurrent build; runs it again each time.
/// Also returns locks that such builds were seen with: `(statement, relation, mode)`.
pub(super) async fn stops(scene: &Scene<'_>, seen: &mut Vec<(usize, i64, String)>) -> Result<Vec<Stop>, RehearseError> {
    let statements: Vec<(usize, &Unit, &Statement)> = numbered(&scene.migration.up).collect();
    let between = scene.commits.split_last().map_or(&[][..], |(_, earlier)| earlier);
    let concurrent: Vec<usize> = statements
        .iter()
        .filter(|(_, unit, statement)| unit.mode == Mode::EachStatement && statement.has_word("concurrently"))
        .map(|(idx, ..)| *idx)
        .collect();
    if between.is_empty() && concurrent.is_empty() {
        return Ok(Vec::new());
    }
    let noise = noise(scene).await?;
    let mut found = Vec::new();
    for idx in between.iter().take(MAX_STOPS) {
        scene.stage.copy(Role::Before, Role::Trial).await?;
        forward(scene, Range { from: 0, last: Some(*idx) }).await?;
        found.push(after_stop(scene, (*idx, false), &noise).await?);
    }
    for idx in concurrent {
        scene.stage.copy(Role::Before, Role::Trial).await?;
        if interrupt(scene, idx, seen).await? {
            found.push(after_stop(scene, (idx, true), &noise).await?);
        }
    }
    found.sort_by_key(|stop| (stop.line, stop.within));
    Ok(found)
}

/// How many stops are tried: each is a copy of the database.
pub(super) const MAX_STOPS: usize = 30;

/// What the trial copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// The state after the migration: what was tried on it was rolled back as a whole.
    AsAfter,
    /// Anything.
    Used,
}

/// Goes back, forward again, and back twice.
pub(super) async fn way_back(
    scene: &Scene<'_>,
    before: &State,
    ground: Ground,
) -> Result<Option<WayBack>, RehearseError> {
    let Some(down) = &scene.migration.down else { return Ok(None) };
    if ground == Ground::Used {
        scene.stage.copy(Role::Main, Role::Trial).await?;
    }
    let outcome = once(scene.stage, down, Range::default()).await?;
    let mut found = WayBack {
        outcome,
        schema_differences: Vec::new(),
        data_differences: Vec::new(),
        up_again: None,
        down_again: None,
    };
    if found.outcome != Outcome::Ran {
        return Ok(Some(found));
    }
    let mut observer = scene.stage.as_observer(Role::Trial).await?;
    found.schema_differences = scene.schema_before.differences(&schema(&mut observer).await?);
    let back = state(&mut observer, scene.tables).await?;
    found.data_differences = before.differences(&back).into_iter().map(|difference| difference.text).collect();
    drop_session(observer).await;
    let up_again = forward(scene, Range::default()).await?;
    if up_again == Outcome::Ran && once(scene.stage, down, Range::default()).await? == Outcome::Ran {
        found.down_again = Some(once(scene.stage, down, Range::default()).await?);
    }
    found.up_again = Some(up_again);
    Ok(Some(found))
}

impl Scene<'_> {
    /// In what the trial differs from the state after the migration, subjects that differ by themselves left out.
    async fn changes_since_after(&self, noise: &BTreeSet<String>) -> Result<Vec<String>, RehearseError> {
        let mut observer = self.stage.as_observer(Role::Trial).await?;
        let mut changes = self.schema_after.differences(&schema(&mut observer).await?);
        let data = self.after.differences(&state(&mut observer, self.tables).await?);
        drop_session(observer).await;
        let is_told = |subject: &String| !noise.contains(subject);
        changes.extend(
            data.into_iter().filter(|difference| is_told(&difference.subject)).map(|difference| difference.text),
        );
        Ok(changes)
    }
}

/// What differs between two runs of the very same migration: random values, the time of day.
async fn noise(scene: &Scene<'_>) -> Result<BTreeSet<String>, RehearseError> {
    scene.stage.copy(Role::Before, Role::Trial).await?;
    forward(scene, Range::default()).await?;
    let mut observer = scene.stage.as_observer(Role::Trial).await?;
    let again = state(&mut observer, scene.tables).await?;
    drop_session(observer).await;
    Ok(scene.after.differences(&again).into_iter().map(|difference| difference.subject).collect())
}

async fn after_stop(
    scene: &Scene<'_>,
    (idx, within): (usize, bool),
    noise: &BTreeSet<String>,
) -> Result<Stop, RehearseError> {
    let outcome = forward(scene, Range { from: resumes_at(scene.migration, idx, within), last: None }).await?;
    let mut observer = scene.stage.as_observer(Role::Trial).await?;
    let found = schema(&mut observer).await?;
    drop_session(observer).await;
    let invalid = found.invalid_indexes().difference(scene.schema_after.invalid_indexes()).cloned().collect();
    let differences = match outcome {
        Outcome::Ran => scene.changes_since_after(noise).await?,
        Outcome::Failed(_) => Vec::new(),
    };
    let (file, line) = numbered(&scene.migration.up)
        .find(|(number, ..)| *number == idx)
        .map(|(_, _, statement)| (statement.file(), statement.line()))
        .unwrap_or_default();
    Ok(Stop { file, line, within, outcome, differences, invalid })
}

/// Where the framework begins again.
fn resumes_at(migration: &Migration, idx: usize, within: bool) -> usize {
    match migration.resume {
        Resume::Start => 0,
        Resume::Statement => idx + usize::from(!within),
        Resume::Unit => {
            let mut start = 0;
            for unit in &migration.up {
                let end = start + unit.statements.len();
                if idx < end {
                    // A unit that was left at its last statement is recorded as done.
                    return if !within && idx + 1 == end { end } else { start };
                }
                start = end;
            }
            start
        }
    }
}

async fn forward(scene: &Scene<'_>, range: Range) -> Result<Outcome, RehearseError> {
    once(scene.stage, &scene.migration.up, range).await
}

async fn once(stage: &Stage, units: &[Unit], range: Range) -> Result<Outcome, RehearseError> {
    let mut session = stage.as_framework(Role::Trial).await?;
    let outcome = run(&mut session, units, range, &mut Unwatched).await;
    drop_session(session).await;
    outcome
}

/// Every statement with its position over all units.
pub(super) fn numbered(units: &[Unit]) -> impl Iterator<Item = (usize, &Unit, &Statement)> {
    let all = units.iter().flat_map(|unit| unit.statements.iter().map(move |statement| (unit, statement)));
    all.enumerate().map(|(idx, (unit, statement))| (idx, unit, statement))
}

/// Runs up to a concurrent build and cancels it where it waits for an open transaction, as each of them does; `false` if
/// it did not wait. The transaction is guard's own: it holds what a write holds on every table.
async fn interrupt(scene: &Scene<'_>, idx: usize, seen: &mut Vec<(usize, i64, String)>) -> Result<bool, RehearseError> {
    let Some((_, _, statement)) = numbered(&scene.migration.up).find(|(number, ..)| *number == idx) else {
        return Ok(false);
    };
    if let Some(last) = idx.checked_sub(1) {
        forward(scene, Range { from: 0, last: Some(last) }).await?;
    }
    let mut writer = scene.stage.as_observer(Role::Trial).await?;
    let mut observer = scene.stage.as_observer(Role::Trial).await?;
    run_own(&mut writer, LOCK_ALL.to_owned(), "holding tables as a writer does").await?;
    let mut session = scene.stage.as_framework(Role::Trial).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_catalog.pg_backend_pid()")
        .fetch_one(&mut session)
        .await
        .map_err(asked("asking for the session's number"))?;
    let cancelled = {
        let sent = send(&mut session, statement);
        tokio::pin!(sent);
        tokio::select! {
            biased;
            _ = &mut sent => false,
            waiting = await_lock(&mut observer, pid) => {
                waiting?;
                seen.extend(locks_of(&mut observer, pid).await?.into_iter().map(|(oid, mode)| (idx, oid, mode)));
                let cancel = "SELECT pg_catalog.pg_cancel_backend($1)";
                sqlx::query(cancel).bind(pid).execute(&mut observer).await.map_err(asked("cancelling a statement"))?;
                sent.await.is_err()
            }
        }
    };
    for session in [session, writer, observer] {
        drop_session(session).await;
    }
    Ok(cancelled)
}

/// Views cannot be locked so without their tables, and no build waits for those that only read.
const LOCK_ALL: &str = "BEGIN; DO $guard$
    DECLARE t regclass;
    BEGIN
        FOR t IN SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        LOOP EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', t); END LOOP;
    END $guard$";

/// Returns once a session waits for a lock.
async fn await_lock(observer: &mut PgConnection, pid: i32) -> Result<(), RehearseError> {
    let waits = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted)";
    let began = Instant::now();
    loop {
        let is_waiting: bool =
            sqlx::query_scalar(waits).bind(pid).fetch_one(&mut *observer).await.map_err(asked("reading locks"))?;
        if is_waiting {
            return Ok(());
        }
        let pause = if began.elapsed() < Duration::from_secs(1) { 1 } else { 20 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
