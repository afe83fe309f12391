//! What a migration did to data: which rows and values are gone, which are others, and which were only moved.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use super::data::{Holding, Table, Tables, Values, holding};
use super::error::RehearseError;
use super::record::{ColumnChange, ColumnFate, TableChange};

/// The data before and after, in two databases of which one is the copy of the other.
pub(super) struct Sides<'a> {
    /// A session with the state before.
    pub(super) before: &'a mut PgConnection,
    /// A session with the state afterwards.
    pub(super) after: &'a mut PgConnection,
    /// Tables before.
    pub(super) tables_before: &'a Tables,
    /// Tables afterwards.
    pub(super) tables_after: &'a Tables,
}

/// A table on both sides.
struct Pair {
    oid: i64,
    before: Option<(Table, Holding)>,
    after: Option<(Table, Holding)>,
}

/// Compares the touched tables, and those that are gone or new. `deleted` are rows that statements deleted, by table.
pub(super) async fn table_changes(
    sides: &mut Sides<'_>,
    touched: &BTreeSet<i64>,
    deleted: &BTreeMap<i64, u64>,
) -> Result<Vec<TableChange>, RehearseError> {
    let oids: BTreeSet<i64> = sides.tables_before.keys().chain(sides.tables_after.keys()).copied().collect();
    let is_touched = |oid: &i64, sides: &Sides<'_>| {
        touched.contains(oid) || sides.tables_before.get(oid) != sides.tables_after.get(oid)
    };
    let mut pairs = Vec::new();
    for oid in oids.into_iter().filter(|oid| is_touched(oid, sides)).collect::<Vec<_>>() {
        let (before, after) = (sides.tables_before.get(&oid).cloned(), sides.tables_after.get(&oid).cloned());
        let together = common_columns(before.as_ref(), after.as_ref());
        let before = match before {
            Some(table) => Some((table.clone(), holding(sides.before, &table, &together).await?)),
            None => None,
        };
        let after = match after {
            Some(table) => Some((table.clone(), holding(sides.after, &table, &together).await?)),
            None => None,
        };
        pairs.push(Pair { oid, before, after });
    }
    let gains = Gains::of(&pairs);
    let changes = pairs.iter().filter_map(|pair| change(pair, &gains, deleted));
    Ok(changes.filter(|change| !change.is_nothing()).collect())
}

impl TableChange {
    /// Whether the data is as it was.
    fn is_nothing(&self) -> bool {
        !self.dropped
            && self.renamed_to.is_none()
            && self.rows_before == self.rows_after
            && self.rows_deleted == 0
            && self.columns.is_empty()
            && !self.rows_changed
    }

    /// Rows that are gone and were not moved elsewhere: all of their values are in another table now.
    pub fn rows_lost(&self) -> u64 {
        let gone = if self.dropped { self.rows_before } else { self.rows_deleted };
        let is_moved = self.columns.iter().any(|column| column.kept_in.is_some())
            && self
                .columns
                .iter()
                .all(|column| column.kept_in.is_some() || column.values_before == column.values_after);
        if is_moved { 0 } else { gone }
    }

    /// Columns that lost values which are nowhere else, while their rows stayed.
    pub fn values_lost(&self) -> impl Iterator<Item = &ColumnChange> {
        let rows_stayed = !self.dropped && self.rows_before <= self.rows_after && self.rows_deleted == 0;
        self.columns.iter().filter(move |column| {
            let is_gone = column.fate == ColumnFate::Dropped && column.values_before > 0
                || rows_stayed && column.values_after < column.values_before;
            !self.dropped && is_gone && column.kept_in.is_none()
        })
    }

    /// Columns whose values are others.
    pub fn values_changed(&self) -> impl Iterator<Item = &ColumnChange> {
        let rows_stayed = self.rows_before <= self.rows_after && self.rows_deleted == 0;
        self.columns.iter().filter(move |column| {
            rows_stayed
                && column.fate == ColumnFate::Changed
                && column.values_after >= column.values_before
                && column.values_before > 0
                && column.kept_in.is_none()
        })
    }
}

/// Columns that are on both sides with one type: rows can be compared by them.
fn common_columns(before: Option<&Table>, after: Option<&Table>) -> BTreeSet<i16> {
    let (Some(before), Some(after)) = (before, after) else { return BTreeSet::new() };
    let is_common = |number: &&i16| {
        after.columns.get(number).map(|column| &column.kind) == before.columns.get(number).map(|column| &column.kind)
    };
    before.columns.keys().filter(is_common).copied().collect()
}

/// What columns gained, by how much: what was lost elsewhere may have come here.
struct Gains {
    by_values: BTreeMap<Values, String>,
}

impl Gains {
    fn of(pairs: &[Pair]) -> Self {
        let mut by_values = BTreeMap::new();
        for pair in pairs {
            let Some((table, after)) = &pair.after else { continue };
            for (number, column) in &table.columns {
                let had = pair.before.as_ref().and_then(|(_, before)| before.columns.get(number)).copied();
                let has = after.columns.get(number).copied().unwrap_or_default();
                let place = || format!("{}.{}", table.name, column.name);
                let gained = has.less(had.unwrap_or_default());
                for found in [gained, has] {
                    if found.count > 0 && Some(has) != had {
                        by_values.entry(found).or_insert_with(place);
                    }
                }
            }
        }
        Self { by_values }
    }

    fn place_of(&self, lost: Values) -> Option<String> {
        if lost.count == 0 { None } else { self.by_values.get(&lost).cloned() }
    }
}

impl Values {
    fn less(self, other: Self) -> Self {
        Self { count: self.count.saturating_sub(other.count), sum: self.sum - other.sum }
    }
}

fn change(pair: &Pair, gains: &Gains, deleted: &BTreeMap<i64, u64>) -> Option<TableChange> {
    let (table, before) = pair.before.as_ref()?;
    let after = pair.after.as_ref();
    let rows_after = after.map_or(0, |(_, holding)| holding.rows);
    let renamed_to = after.map(|(after, _)| after.name.clone()).filter(|name| *name != table.name);
    // Deletions that were rolled back were counted all the same.
    let is_as_it_was = after.is_some_and(|(_, after)| after == before);
    let counted = if is_as_it_was { 0 } else { deleted.get(&pair.oid).copied().unwrap_or_default() };
    let columns: Vec<ColumnChange> = table
        .columns
        .iter()
        .filter_map(|(number, column)| {
            let had = before.columns.get(number).copied().unwrap_or_default();
            let there =
                after.and_then(|(table, holding)| Some((table.columns.get(number)?, holding.columns.get(number)?)));
            let has = there.map(|(_, values)| *values).unwrap_or_default();
            let fate = match there {
                None => ColumnFate::Dropped,
                Some((_, values)) if *values != had => ColumnFate::Changed,
                Some((after, _)) if after.name != column.name => ColumnFate::Renamed,
                Some(_) => return None,
            };
            let kept_in = match fate {
                ColumnFate::Renamed => there.map(|(after, _)| after.name.clone()),
                _ => gains.place_of(had.less(has)).or_else(|| gains.place_of(had)),
            };
            // New rows bring new values; the old ones may all be there.
            let is_growth = fate == ColumnFate::Changed && rows_after > before.rows && counted == 0;
            (!is_growth).then(|| ColumnChange {
                column: column.name.clone(),
                fate,
                values_before: had.count,
                values_after: has.count,
                kept_in,
            })
        })
        .collect();
    let is_same_otherwise = columns.iter().all(|column| column.fate != ColumnFate::Changed);
    Some(TableChange {
        table: table.name.clone(),
        renamed_to,
        dropped: after.is_none(),
        rows_before: before.rows,
        rows_after,
        rows_deleted: counted.max(before.rows.saturating_sub(rows_after)),
        rows_changed: is_same_otherwise
            && before.rows == rows_after
            && after.is_some_and(|(_, after)| after.whole != before.whole),
        columns,
    })
}
