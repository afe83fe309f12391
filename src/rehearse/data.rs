//! What tables hold: rows, and for each column the values that are not null and the sum of their hashes.
//!
//! Sums can be subtracted: what a table lost has a sum of its own, and where a column gained just that, the values were
//! moved, not lost. All of it is computed by the server, in one scan a table.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::error::{RehearseError, asked};
use super::meter::parse;
use crate::source::postgres::load::quoted;

/// A table and its columns, by their numbers: a copy keeps these, and so does a rename.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Table {
    /// With its schema, quoted where needed.
    pub(super) name: String,
    /// By `attnum`.
    pub(super) columns: BTreeMap<i16, Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Its type, written out.
    pub(super) kind: String,
    /// Whether an UPDATE may set it.
    pub(super) is_writable: bool,
}

/// Tables by `oid`.
pub(super) type Tables = BTreeMap<i64, Table>;

/// What a table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// Its rows.
    pub(super) rows: u64,
    /// The sum of the hashes of whole rows, as far as they were asked for.
    pub(super) whole: i128,
    /// By `attnum`.
    pub(super) columns: BTreeMap<i16, Values>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Values {
    /// How many are not null.
    pub(super) count: u64,
    /// The sum of their hashes.
    pub(super) sum: i128,
}

/// Every table that holds rows of its own: no views, no partitioned parents, nothing of an extension.
pub(super) async fn tables(session: &mut PgConnection) -> Result<Tables, RehearseError> {
    let attempt = "listing tables";
    let text: String = sqlx::query_scalar(TABLES).fetch_one(session).await.map_err(asked(attempt))?;
    parse(&text, attempt)
}

const TABLES: &str = "
    SELECT coalesce(pg_catalog.json_object_agg(c.oid, pg_catalog.json_build_object(
        'name', pg_catalog.format('%I.%I', n.nspname, c.relname),
        'columns', coalesce((SELECT pg_catalog.json_object_agg(a.attnum, pg_catalog.json_build_object(
                'name', a.attname, 'kind', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'is_writable', a.attgenerated = '' AND a.attidentity <> 'a'))
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}'))),
        '{}')::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')";

/// Reads a table, and the sum over rows of these columns together.
pub(super) async fn holding(
    session: &mut PgConnection,
    table: &Table,
    together: &BTreeSet<i16>,
) -> Result<Holding, RehearseError> {
    let attempt = "reading a table";
    // Collation C: the hash of a text must be that of its bytes.
    let sum =
        |value: &str| format!("coalesce(sum(hashtextextended(({value})::text COLLATE \"C\", 0)::numeric), 0)::text");
    let whole: Vec<String> = together.iter().filter_map(|number| table.columns.get(number)).map(quoted_name).collect();
    let mut selected = vec!["count(*)::text".to_owned()];
    selected.push(if whole.is_empty() { "'0'".to_owned() } else { sum(&format!("ROW({})", whole.join(", "))) });
    for column in table.columns.values() {
        let name = quoted_name(column);
        selected.push(format!("count(t.{name})::text"));
        selected.push(sum(&format!("t.{name}")));
    }
    let query = format!("SELECT ARRAY[{}] FROM ONLY {} AS t", selected.join(", "), table.name);
    let found: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(session).await.map_err(asked(attempt))?;
    let mut figures = found.iter().map(|figure| figure.parse::<i128>().unwrap_or_default());
    let mut next = || figures.next().unwrap_or_default();
    let (rows, whole) = (count(next()), next());
    let columns = table.columns.keys().map(|number| (*number, Values { count: count(next()), sum: next() })).collect();
    Ok(Holding { rows, whole, columns })
}

fn count(figure: i128) -> u64 {
    u64::try_from(figure).unwrap_or_default()
}

fn quoted_name(column: &Column) -> String {
    quoted(&column.name)
}

/// What tables hold, by their names: for two states that were not copied from one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    tables: BTreeMap<String, (Holding, BTreeMap<i16, String>)>,
}

/// Reads those of the named tables that are there.
pub(super) async fn state(session: &mut PgConnection, names: &BTreeSet<String>) -> Result<State, RehearseError> {
    let mut found = State::default();
    for table in tables(session).await?.into_values().filter(|table| names.contains(&table.name)) {
        let all = table.columns.keys().copied().collect();
        let holding = holding(session, &table, &all).await?;
        let columns = table.columns.into_iter().map(|(number, column)| (number, column.name)).collect();
        found.tables.insert(table.name, (holding, columns));
    }
    Ok(found)
}

/// One difference between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataDifference {
    /// What it is about, so that it can be left out of another comparison.
    pub(super) subject: String,
    /// For people.
    pub(super) text: String,
}

impl State {
    /// In what another state differs; a table that only one has is a matter of the schema.
    pub(super) fn differences(&self, other: &Self) -> Vec<DataDifference> {
        let mut found = Vec::new();
        for (name, (was, columns)) in &self.tables {
            let Some((is, other_columns)) = other.tables.get(name) else { continue };
            if was.rows != is.rows {
                let text = format!("{name} has {} rows instead of {}", is.rows, was.rows);
                found.push(DataDifference { subject: name.clone(), text });
                continue;
            }
            let before = found.len();
            let number_of =
                |wanted: &String| other_columns.iter().find(|(_, name)| *name == wanted).map(|(number, _)| number);
            for (number, column) in columns {
                let (Some(was), Some(is)) =
                    (was.columns.get(number), number_of(column).and_then(|number| is.columns.get(number)))
                else {
                    continue;
                };
                let subject = format!("{name}.{column}");
                if was.count != is.count {
                    let text = format!("{subject} has {} values instead of {}", is.count, was.count);
                    found.push(DataDifference { subject, text });
                } else if was.sum != is.sum {
                    let text = format!("{subject} has other values");
                    found.push(DataDifference { subject, text });
                }
            }
            let same_columns = columns.values().eq(other_columns.values());
            if found.len() == before && same_columns && was.whole != is.whole {
                let text = format!("{name} has its values in other rows");
                found.push(DataDifference { subject: name.clone(), text });
            }
        }
        found
    }
}

/// Sequences by `oid`: name and last value.
pub(super) async fn sequences(
    session: &mut PgConnection,
) -> Result<BTreeMap<i64, (String, Option<i64>)>, RehearseError> {
    let query = "SELECT c.oid::int8, pg_catalog.format('%I.%I', n.nspname, c.relname),
            pg_catalog.pg_sequence_last_value(c.oid)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'S' AND c.relpersistence <> 't'";
    let rows: Vec<(i64, String, Option<i64>)> =
        sqlx::query_as(query).fetch_all(session).await.map_err(asked("reading sequences"))?;
    Ok(rows.into_iter().map(|(oid, name, value)| (oid, (name, value))).collect())
}
