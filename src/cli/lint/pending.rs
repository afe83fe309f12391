//! `--pending`: what the frameworks' own tables say has run.

use std::collections::HashMap;
use std::str::FromStr;

use anyhow::Context;
use migrations_lint::layout::{Applied, Layout, Tracking};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use url::Url;

/// Rows of the tracking tables that the database has.
#[derive(Debug, Default)]
pub(super) struct Histories {
    by_layout: HashMap<Layout, Vec<Applied>>,
}

impl Histories {
    /// What ran of a layout; `None` if it keeps no history. A table that is not there yet means that nothing ran.
    pub(super) fn of(&self, layout: Layout) -> Option<&[Applied]> {
        layout.tracking().map(|_| self.by_layout.get(&layout).map_or(&[][..], Vec::as_slice))
    }
}

/// Opens the database of `url`.
pub(super) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options = options(url).context("the database URL cannot be used")?;
    options.connect().await.with_context(|| {
        format!("cannot connect to {} on {}", options.get_database().unwrap_or("the database"), options.get_host())
    })
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

/// Reads URLs as ORMs write them: a driver's suffix in the scheme is dropped, `schema` becomes the search path, and what
/// only an ORM understands is left out.
fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    const KNOWN: [&str; 8] =
        ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "application_name", "options"];
    let mut url = Url::parse(url.strip_prefix("jdbc:").unwrap_or(url)).context("it is no URL")?;
    if let Some((scheme, _)) = url.scheme().to_owned().split_once('+') {
        // `set_scheme` refuses nothing here: both are schemes of the same kind.
        let _ = url.set_scheme(scheme);
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let schema = pairs.iter().find(|(key, _)| key == "schema").map(|(_, schema)| schema.clone());
    let kept: Vec<_> = pairs.iter().filter(|(key, _)| KNOWN.contains(&key.as_str())).collect();
    url.query_pairs_mut().clear().extend_pairs(kept);
    let options = PgConnectOptions::from_str(url.as_str()).context("it is no PostgreSQL URL")?;
    let options = options.disable_statement_logging();
    Ok(match schema {
        Some(schema) => options.options([("search_path", schema)]),
        None => options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_as_orms_write_them_are_understood() {
        let prisma = options("postgresql://u:p%40ss@h:5433/d?schema=app&connection_limit=5&pgbouncer=true").unwrap();
        assert_eq!((prisma.get_host(), prisma.get_port(), prisma.get_database()), ("h", 5433, Some("d")));
        assert_eq!(prisma.get_options(), Some("-c search_path=app"));
        for url in ["postgresql+asyncpg://u@h/d", "jdbc:postgresql://h/d", "postgres://h/d?pool=5"] {
            assert_eq!(options(url).unwrap().get_host(), "h", "{url}");
        }
        assert!(options("not a url").is_err());
    }
}
