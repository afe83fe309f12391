//! What a database says has run: the rows of the frameworks' own tables.

use std::collections::HashMap;

use migrations_lint::layout::{Applied, Layout, Tracking};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::error::RehearseError;

/// Rows of the tracking tables that the database has.
#[derive(Debug, Default)]
pub struct Histories {
    by_layout: HashMap<Layout, Vec<Applied>>,
}

impl Histories {
    /// Rows that were read elsewhere: from a manifest.
    pub fn of_layouts(by_layout: HashMap<Layout, Vec<Applied>>) -> Self {
        Self { by_layout }
    }

    /// What ran of a layout; `None` if it keeps no history. A table that is not there yet means that nothing ran.
    pub fn of(&self, layout: Layout) -> Option<&[Applied]> {
        layout.tracking().map(|_| self.by_layout.get(&layout).map_or(&[][..], Vec::as_slice))
    }
}

/// The history of every framework that has one in this database.
pub async fn history(connection: &mut PgConnection) -> Result<Histories, RehearseError> {
    let mut histories = Histories::default();
    for layout in Layout::ALL {
        let Some(tracking) = layout.tracking() else { continue };
        let unreadable = |reason| RehearseError::History { layout, reason };
        if let Some(table) = existing_table(connection, tracking).await.map_err(unreadable)? {
            match rows(connection, tracking, table).await {
                Ok(rows) => histories.by_layout.insert(layout, rows),
                // golang-migrate, dbmate, Rails and others share a table name; one with other columns is not this one's.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42703") => None,
                Err(reason) => return Err(unreadable(reason)),
            };
        }
    }
    Ok(histories)
}

async fn existing_table(
    connection: &mut PgConnection,
    tracking: Tracking,
) -> Result<Option<&'static str>, sqlx::Error> {
    for table in tracking.tables {
        let query = sqlx::query_scalar::<_, bool>("select to_regclass($1) is not null").bind(*table);
        if query.fetch_one(&mut *connection).await? {
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
