//! How tables grow from backup to backup.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::history::{Recorded, TableFigures};

/// One table in the newest backup, or one that was in the backup before and is gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableGrowth {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub name: Arc<str>,
    /// Its rows in the newest backup.
    pub rows: u64,
    /// Its bytes in the newest backup.
    pub bytes: u64,
    /// Rows more than in the backup before; none if that had no such table.
    pub rows_change: Option<i64>,
    /// Bytes more than in the backup before.
    pub bytes_change: Option<i64>,
    /// Whether the newest backup has no such table while the one before had.
    pub vanished: bool,
    /// Its bytes in the newest backups, oldest first; only for the tables that are shown.
    pub series: Vec<Point>,
}

/// A table's size at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// The moment of the backup's data.
    pub at: DateTime<Utc>,
    /// Bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
}

/// How many backups a table's series goes back.
const SERIES: usize = 60;

/// The tables of the newest backup (`history` is newest first): those that vanished, then the largest, at most `limit`
/// of them, and besides those whatever grew most.
pub fn tables(history: &[Arc<Recorded>], limit: usize) -> Vec<TableGrowth> {
    let Some(newest) = history.first() else { return Vec::new() };
    let before = history.get(1).filter(|before| !before.tables.is_empty() || before.n_tables == 0);
    let mut tables = compared(newest, before.map(|before| before.tables.as_slice()));
    tables.sort_by(|one, two| {
        let rank = |table: &TableGrowth| (!table.vanished, std::cmp::Reverse(table.bytes));
        rank(one).cmp(&rank(two)).then_with(|| one.name.cmp(&two.name))
    });
    let others = tables.split_off(limit.min(tables.len()));
    tables.extend(fastest(others, limit / 3));
    for table in &mut tables {
        table.series = series(history, &table.name);
    }
    tables
}

fn compared(newest: &Recorded, before: Option<&[TableFigures]>) -> Vec<TableGrowth> {
    let earlier: HashMap<&str, &TableFigures> =
        before.unwrap_or_default().iter().map(|table| (&*table.name, table)).collect();
    let growth = |table: &TableFigures| {
        let earlier = earlier.get(&*table.name);
        TableGrowth {
            name: Arc::clone(&table.name),
            rows: table.rows,
            bytes: table.bytes,
            rows_change: earlier.map(|earlier| change(earlier.rows, table.rows)),
            bytes_change: earlier.map(|earlier| change(earlier.bytes, table.bytes)),
            vanished: false,
            series: Vec::new(),
        }
    };
    let there: HashSet<&str> = newest.tables.iter().map(|table| &*table.name).collect();
    let is_gone = |table: &&TableFigures| !there.contains(&*table.name);
    let gone = before.unwrap_or_default().iter().filter(is_gone).map(|table| TableGrowth {
        name: Arc::clone(&table.name),
        rows: 0,
        bytes: 0,
        rows_change: Some(change(table.rows, 0)),
        bytes_change: Some(change(table.bytes, 0)),
        vanished: true,
        series: Vec::new(),
    });
    newest.tables.iter().map(growth).chain(gone).collect()
}

/// Of the tables that are not among the largest, those that grew most.
fn fastest(mut others: Vec<TableGrowth>, limit: usize) -> Vec<TableGrowth> {
    others.retain(|table| table.bytes_change.is_none_or(|change| change > 0));
    others.sort_by_key(|table| std::cmp::Reverse(table.bytes_change.unwrap_or_else(|| change(0, table.bytes))));
    others.truncate(limit);
    others
}

fn series(history: &[Arc<Recorded>], name: &str) -> Vec<Point> {
    let point = |backup: &Arc<Recorded>| {
        // A manifest lists its tables in the order of their names.
        let idx = backup.tables.binary_search_by(|table| (*table.name).cmp(name)).ok()?;
        let table = &backup.tables[idx];
        Some(Point { at: backup.data_at, bytes: table.bytes, rows: table.rows })
    };
    let mut points: Vec<Point> = history.iter().take(SERIES).filter_map(point).collect();
    points.reverse();
    points
}

fn change(before: u64, after: u64) -> i64 {
    i64::try_from(i128::from(after) - i128::from(before)).unwrap_or(if after > before { i64::MAX } else { i64::MIN })
}

fn as_text<S: serde::Serializer>(name: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}
