//! `--pending`: what the frameworks' own tables say has run.

use std::collections::HashMap;

use anyhow::Context;
use migrations_lint::layout::{Applied, Layout, Tracking};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use url::Url;

use crate::source::postgres::connection::Connection;

/// Rows of the tracking tables that the database has.
#[derive(Debug, Default)]
pub(super) struct Histories {
    by_layout: HashMap<Layout, Vec<Applied>>,
}

impl Histories {
    /// Rows that were read elsewhere: from a manifest.
    pub(super) fn of_layouts(by_layout: HashMap<Layout, Vec<Applied>>) -> Self {
        Self { by_layout }
    }

    /// What ran of a layout; `None` if it keeps no history. A table that is not there yet means that nothing ran.
    pub(super) fn of(&self, layout: Layout) -> Option<&[Applied]> {
        layout.tracking().map(|_| self.by_layout.get(&layout).map_or(&[][..], Vec::as_slice))
    }
}

/// Opens the database of `url`, which may be written in any form that a source's url may have.
pub(super) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let variable = |name: &str| std::env::var(name).ok();
    let connection = Connection::parse(url).and_then(|connection| connection.or_environment(variable));
    let connection = connection.context("the database URL cannot be used")?;
    let mut failure = None;
    for candidate in connection.candidates() {
        match options(&candidate, url).connect().await {
            Ok(session) => return Ok(session),
            Err(reason) => failure = Some(reason),
        }
    }
    Err(failure.context("the database URL names no host")?).with_context(|| format!("cannot connect to {connection}"))
}

/// The history of every framework that has one in this database.
pub(super) async fn history(connection: &mut PgConnection) -> anyhow::Result<Histories> {
    let mut histories = Histories::default();
    for layout in Layout::ALL {
        let Some(tracking) = layout.tracking() else { continue };
        if let Some(table) = existing_table(connection, tracking).await? {
            let rows = rows(connection, tracking, table).await;
            match rows {
                Ok(rows) => histories.by_layout.insert(layout, rows),
                // golang-migrate, dbmate, Rails and others share a table name; one with other columns is not this one's.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42703") => None,
                Err(error) => return Err(error).with_context(|| format!("cannot read {table}")),
            };
        }
    }
    Ok(histories)
}

async fn existing_table(connection: &mut PgConnection, tracking: Tracking) -> anyhow::Result<Option<&'static str>> {
    for table in tracking.tables {
        let query = sqlx::query_scalar::<_, bool>("select to_regclass($1) is not null").bind(*table);
        if query.fetch_one(&mut *connection).await.with_context(|| format!("cannot look for {table}"))? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

async fn rows(connection: &mut PgConnection, tracking: Tracking, table: &str) -> Result<Vec<Applied>, sqlx::Error> {
    // Both parts are constants of the layouts.
    let query = AssertSqlSafe(tracking.query.replace("{table}", table));
    let rows: Vec<(String, Option<String>, bool)> = sqlx::query_as(query).fetch_all(&mut *connection).await?;
    Ok(rows.into_iter().map(|(version, checksum, failed)| Applied { version, checksum, failed }).collect())
}

/// Prisma's `schema` becomes the search path, for that is where it keeps its table.
fn options(connection: &Connection, url: &str) -> PgConnectOptions {
    let options = connection.sqlx_options().disable_statement_logging();
    match schema(url) {
        Some(schema) => options.options([("search_path", schema)]),
        None => options,
    }
}

fn schema(url: &str) -> Option<String> {
    let url = Url::parse(url.strip_prefix("jdbc:").unwrap_or(url)).ok()?;
    url.query_pairs().find(|(key, _)| key == "schema").map(|(_, schema)| schema.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_as_orms_write_them_are_understood() {
        let of = |url: &str| options(&Connection::parse(url).expect("it is a connection"), url);
        let prisma = of("postgresql://u:p%40ss@h:5433/d?schema=app&connection_limit=5");
        assert_eq!((prisma.get_host(), prisma.get_port(), prisma.get_database()), ("h", 5433, Some("d")));
        assert!(prisma.get_options().is_some_and(|options| options.contains("-c search_path=app")));
        for url in ["postgresql+asyncpg://u@h/d", "jdbc:postgresql://h/d", "postgres://h/d?pool=5"] {
            assert_eq!(of(url).get_host(), "h", "{url}");
        }
    }
}
