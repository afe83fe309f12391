//! `--pending`: the database whose frameworks' own tables say what has run.

use anyhow::Context;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use url::Url;

pub(super) use crate::rehearse::history::{Histories, history};
use crate::source::postgres::connection::Connection;

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
