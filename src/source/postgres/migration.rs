//! Which migrations a database has run, asked of the frameworks' own tracking tables inside somebody's transaction.

use std::collections::BTreeMap;

use migrations_lint::layout::{Layout, Tracking};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::catalog::AppliedMigration;

/// What each framework that has a table here says, by the layout's name; `None` if that could not be read soon, for somebody has
/// locked it. Works in a read-only transaction with an empty search path: the table is found by its name in whatever schema it
/// is (Prisma's `?schema=`), `public` first.
pub async fn applied(
    session: &mut PgConnection,
) -> Result<Option<BTreeMap<String, Vec<AppliedMigration>>>, sqlx::Error> {
    let mut found = BTreeMap::new();
    for layout in Layout::ALL {
        let Some(tracking) = layout.tracking() else { continue };
        let Some(table) = find_table(session, tracking).await? else { continue };
        match rows(session, tracking, &table).await {
            Ok(rows) => found.extend(rows.map(|rows| (layout.as_str().to_owned(), rows))),
            // lock_not_available: a migration is at work on it.
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("55P03") => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(found))
}

/// The quoted name of the first of the framework's tables that is there.
async fn find_table(session: &mut PgConnection, tracking: Tracking) -> Result<Option<String>, sqlx::Error> {
    for table in tracking.tables {
        let (schema, name) = table.split_once('.').map_or((None, *table), |(schema, name)| (Some(schema), name));
        let found = sqlx::query_scalar(FIND_TABLE).bind(name).bind(schema).fetch_optional(&mut *session).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

const FIND_TABLE: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = $1 AND c.relkind IN ('r', 'p') AND ($2::text IS NULL OR n.nspname = $2)
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY n.nspname <> 'public', n.nspname LIMIT 1";

/// Its rows; `None` if it is another framework's (several share a name and not the columns), or may not be read.
async fn rows(
    session: &mut PgConnection,
    tracking: Tracking,
    table: &str,
) -> Result<Option<Vec<AppliedMigration>>, sqlx::Error> {
    // A query that fails must not abort the transaction that the dump's snapshot belongs to.
    sqlx::raw_sql("SAVEPOINT tracking; SET LOCAL lock_timeout = '2s'").execute(&mut *session).await?;
    // The query is a constant of the layout, the name was quoted by the server.
    let query = AssertSqlSafe(tracking.query.replace("{table}", table));
    let outcome = sqlx::query(query).fetch_all(&mut *session).await;
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT tracking; RELEASE SAVEPOINT tracking").execute(&mut *session).await?;
    let rows = match outcome {
        Ok(rows) => rows,
        // Undefined column, function or operator (appendix A of the server's documentation), insufficient privilege.
        Err(sqlx::Error::Database(refusal)) if refusal.code().is_some_and(|code| code.starts_with("42")) => {
            tracing::debug!(table, reason = refusal.message(), "not a tracking table of this framework");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let migration = |row: &sqlx::postgres::PgRow| {
        Ok(AppliedMigration { version: row.try_get(0)?, checksum: row.try_get(1)?, failed: row.try_get(2)? })
    };
    rows.iter().map(migration).collect::<Result<_, sqlx::Error>>().map(Some)
}
