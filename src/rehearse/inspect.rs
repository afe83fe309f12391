//! One migration looked at from all sides: run and measured on the main copy, then tried again on others.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;

use super::data::{self, State, Tables, state, tables};
use super::error::{RehearseError, asked};
use super::load::{Target, under_load};
use super::loss::{Sides, table_changes};
use super::measure::{LockHeld, LockMode};
use super::meter::{Known, Meter, known};
use super::plan::{Migration, Statement};
use super::record::{MigrationReport, Outcome, StatementReport};
use super::run::{Range, drop_session, run};
use super::schema::{Schema, schema};
use super::stage::{Role, Stage};
use super::trial::{Ground, MAX_STOPS, Scene, repeat, stops, way_back};
use crate::source::postgres::load::quoted;

/// What is tried beside the run itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trials {
    /// With a load of reads and writes.
    pub load: bool,
}

/// What was there before.
struct Before {
    known: Known,
    schema: Schema,
    tables: Tables,
    sequences: std::collections::BTreeMap<i64, (String, Option<i64>)>,
}

/// What a measured run left behind.
struct Ran {
    outcome: Outcome,
    seconds: f64,
    statements: std::collections::BTreeMap<usize, StatementReport>,
    touched: BTreeSet<i64>,
    deleted: std::collections::BTreeMap<i64, u64>,
    ends: Vec<usize>,
    temp_bytes: Option<u64>,
}

/// Runs a migration on the main copy, where it stays, and looks at everything that it did.
pub async fn inspect(stage: &Stage, migration: &Migration, trials: Trials) -> Result<MigrationReport, RehearseError> {
    let mut observer = stage.as_observer(Role::Main).await?;
    let before = Before {
        known: known(&mut observer).await?,
        schema: schema(&mut observer).await?,
        tables: tables(&mut observer).await?,
        sequences: data::sequences(&mut observer).await?,
    };
    drop_session(observer).await;
    stage.copy(Role::Main, Role::Before).await?;
    let ran = measured(stage, migration, &before).await?;
    let mut report = report(migration, &ran);
    let after = look(stage, &before, &ran, &mut report).await?;
    if report.outcome == Outcome::Ran {
        try_again(stage, migration, (&before, &after, &ran), trials, &mut report).await?;
    }
    Ok(report)
}

async fn measured(stage: &Stage, migration: &Migration, before: &Before) -> Result<Ran, RehearseError> {
    let mut beside = stage.beside().await?;
    let temp_before = temp_bytes(&mut beside, stage).await?;
    let mut session = stage.as_framework(Role::Main).await?;
    let mut meter = Meter::new(&mut session, stage.beside().await?, &before.known).await?;
    let began = Instant::now();
    let outcome = run(&mut session, &migration.up, Range::default(), &mut meter).await?;
    let seconds = began.elapsed().as_secs_f64();
    drop_session(session).await;
    // What ran unseen may have touched anything.
    let touched =
        if meter.went_unseen { before.tables.keys().copied().collect() } else { std::mem::take(&mut meter.touched) };
    let temp_after = temp_bytes(&mut beside, stage).await?;
    drop_session(beside).await;
    let temp_bytes = Some(temp_after.saturating_sub(temp_before));
    let Meter { found, deleted, mut ends, .. } = meter;
    ends.dedup();
    Ok(Ran { outcome, seconds, statements: found, touched, deleted, ends, temp_bytes })
}

/// Counters reach the server's statistics when a session ends, which takes it a moment.
async fn temp_bytes(beside: &mut PgConnection, stage: &Stage) -> Result<u64, RehearseError> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    let query = "SELECT coalesce(sum(temp_bytes), 0)::int8 FROM pg_catalog.pg_stat_database WHERE datname = $1";
    let found: i64 = sqlx::query_scalar(query)
        .bind(stage.name(Role::Main))
        .fetch_one(beside)
        .await
        .map_err(asked("reading the database's statistics"))?;
    Ok(u64::try_from(found).unwrap_or_default())
}

fn report(migration: &Migration, ran: &Ran) -> MigrationReport {
    MigrationReport {
        atomic: commits(ran).len() <= 1,
        statements: ran.statements.values().cloned().collect(),
        seconds: ran.seconds,
        temp_bytes: ran.temp_bytes,
        ..MigrationReport::of(migration.files.clone(), ran.outcome.clone())
    }
}

/// Ends of transactions that wrote something: only these can be told from outside.
fn commits(ran: &Ran) -> Vec<usize> {
    let mut from = 0;
    let mut found = Vec::new();
    for end in &ran.ends {
        let mut within = ran.statements.range(from..=*end);
        if within.any(|(_, statement)| statement.measured.wal_bytes > 0) {
            found.push(*end);
        }
        from = end + 1;
    }
    found
}

/// The state after a migration.
struct After {
    schema: Schema,
    names: BTreeSet<String>,
    state: State,
}

/// Compares before and after.
async fn look(stage: &Stage, before: &Before, ran: &Ran, report: &mut MigrationReport) -> Result<After, RehearseError> {
    let mut observer = stage.as_observer(Role::Main).await?;
    let mut earlier = stage.as_observer(Role::Before).await?;
    let (schema, tables) = (schema(&mut observer).await?, tables(&mut observer).await?);
    report.schema = before.schema.change_to(&schema);
    let mut sides =
        Sides { before: &mut earlier, after: &mut observer, tables_before: &before.tables, tables_after: &tables };
    report.tables = table_changes(&mut sides, &ran.touched, &ran.deleted).await?;
    report.sequences_moved = set_back(before, &data::sequences(&mut observer).await?);
    let is_concerned = |oid: &i64| ran.touched.contains(oid) || before.tables.get(oid) != tables.get(oid);
    let all = before.tables.iter().chain(&tables);
    let names: BTreeSet<String> =
        all.filter(|(oid, _)| is_concerned(oid)).map(|(_, table)| table.name.clone()).collect();
    let state = state(&mut observer, &names).await?;
    drop_session(observer).await;
    drop_session(earlier).await;
    Ok(After { schema, names, state })
}

/// Sequences that will give numbers again which they gave before.
fn set_back(before: &Before, after: &std::collections::BTreeMap<i64, (String, Option<i64>)>) -> Vec<String> {
    let is_back = |oid: &i64, value: Option<i64>| after.get(oid).is_some_and(|(_, now)| *now < value);
    let found = before.sequences.iter().filter(|(oid, (_, value))| is_back(oid, *value));
    found.map(|(_, (name, _))| name.clone()).collect()
}

async fn try_again(
    stage: &Stage,
    migration: &Migration,
    (before, after, ran): (&Before, &After, &Ran),
    trials: Trials,
    report: &mut MigrationReport,
) -> Result<(), RehearseError> {
    let commits = commits(ran);
    let scene = Scene {
        stage,
        migration,
        schema_before: &before.schema,
        schema_after: &after.schema,
        tables: &after.names,
        after: &after.state,
        commits: &commits,
    };
    let again = repeat(&scene).await?;
    let was_refused_whole = again.outcome != Outcome::Ran && commits.len() <= 1;
    report.repeat = Some(again);
    let mut seen = Vec::new();
    if migration.statements().any(Statement::is_server_wide) {
        report.not_tried.push("stops: roles and settings of the server are the same in every copy".to_owned());
    } else {
        report.stops = stops(&scene, &mut seen).await?;
    }
    add_seen_locks(before, ran, seen, report);
    // A build that is stopped within leaves something, though all of it is one statement.
    report.atomic &= report.stops.is_empty();
    if commits.len() > MAX_STOPS + 1 {
        report.not_tried.push(format!("stops after the first {MAX_STOPS} commits"));
    }
    if migration.down.is_some() {
        let mut observer = stage.as_observer(Role::Before).await?;
        let state_before = state(&mut observer, &after.names).await?;
        drop_session(observer).await;
        let ground = if was_refused_whole && report.stops.is_empty() { Ground::AsAfter } else { Ground::Used };
        report.way_back = way_back(&scene, &state_before, ground).await?;
    }
    if trials.load {
        let mut touched = ran.touched.clone();
        touched.extend(newly_indexed(stage, before).await?);
        let targets = targets(before, &touched);
        report.load = Some(under_load(stage, migration, &targets).await?);
    }
    Ok(())
}

/// Locks of concurrent builds, seen while they waited: a fast one may have ended before anybody looked.
fn add_seen_locks(before: &Before, ran: &Ran, seen: Vec<(usize, i64, String)>, report: &mut MigrationReport) {
    for (idx, oid, mode) in seen {
        let position = ran.statements.keys().position(|number| *number == idx);
        let statement = position.and_then(|position| report.statements.get_mut(position));
        let (Some(statement), Some(mode), Some(relation)) =
            (statement, LockMode::from_catalog(&mode), before.known.get(&oid))
        else {
            continue;
        };
        let is_table = matches!(relation.kind.as_str(), "r" | "p" | "m");
        let locks = &mut statement.measured.locks;
        if is_table && !locks.iter().any(|lock| lock.relation == relation.name && lock.mode >= mode) {
            locks.retain(|lock| lock.relation != relation.name);
            let (relation, seconds) = (relation.name.clone(), statement.measured.seconds);
            locks.push(LockHeld { relation, mode, seconds, blocks: mode.blocks() });
        }
    }
}

/// The tables of new indexes: what a concurrent build locks, it lets go before anybody looks.
async fn newly_indexed(stage: &Stage, before: &Before) -> Result<Vec<i64>, RehearseError> {
    let mut observer = stage.as_observer(Role::Main).await?;
    let known: Vec<i64> = before.known.keys().copied().collect();
    let query = "SELECT DISTINCT indrelid::int8 FROM pg_catalog.pg_index WHERE indexrelid::int8 <> ALL ($1)";
    let found = sqlx::query_scalar(query).bind(known).fetch_all(&mut observer).await;
    drop_session(observer).await;
    found.map_err(asked("listing new indexes"))
}

/// The tables that were there before and that the migration locks for more than reading.
fn targets(before: &Before, touched: &BTreeSet<i64>) -> Vec<Target> {
    let touched = touched.iter().filter_map(|oid| before.tables.get(oid));
    touched
        .map(|table| Target {
            table: table.name.clone(),
            column: table.columns.values().find(|column| column.is_writable).map(|column| quoted(&column.name)),
        })
        .collect()
}
