//! The undo export: what a migration will take away, as a small backup of its own, taken right before.
//!
//! It is an ordinary backup of a source called `<source>-undo`: complete, encrypted as the others, and proven like them. It holds
//! every definition that data may need and the rows of the tables that lose something; no indexes and no foreign keys, whose
//! other ends it does not have. A note beside it says what it is for. Retention keeps what no configured source covers.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::{BackupKeys, CatalogError, Manifest, SourceName};
use crate::contents::loss::{TableRule, Tolerance, Vigilance};
use crate::progress::Progress;
use crate::rehearse::record::Rehearsal;
use crate::source::Source;
use crate::source::postgres::session::{SessionError, connect};
use crate::source::postgres::{PostgresSource, Selection};

/// What migrations take away, as a rehearsal saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losing {
    /// Tables that lose rows, columns or values, as `schema.table`, quoted where needed.
    pub tables: BTreeSet<String>,
    /// Each loss in a sentence.
    pub losses: Vec<String>,
    /// The migrations, by the paths that were shown.
    pub migrations: Vec<String>,
}

/// The note beside an undo export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoNote {
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// The source whose tables these are.
    pub source: String,
    /// What it is for.
    #[serde(flatten)]
    pub losing: Losing,
}

/// Why there is no export. The migration must not run then.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// Only SQL databases have migrations.
    #[error("{0} is not a PostgreSQL database: nothing of it can be exported before a migration")]
    NotPostgres(SourceName),
    /// The tables beside those to export could not be listed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The backup failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The note could not be kept.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Losing {
    /// What a rehearsal's migrations take away.
    pub fn of(record: &Rehearsal) -> Self {
        let mut losing = Self::default();
        for migration in &record.migrations {
            let before = losing.losses.len();
            for table in &migration.tables {
                let n_rows = table.rows_lost();
                if n_rows > 0 {
                    losing.losses.push(format!("{n_rows} rows of {}", table.table));
                    losing.tables.insert(table.table.clone());
                }
                let columns = table.values_lost().chain(table.values_changed());
                for column in columns {
                    losing.losses.push(format!("values of {}.{}", table.table, column.column));
                    losing.tables.insert(table.table.clone());
                }
            }
            if losing.losses.len() > before {
                losing.migrations.extend(migration.files.iter().map(|file| file.path.clone()));
            }
        }
        losing
    }
}

/// Where the note of an undo export lies beside it.
pub const NOTES: &str = "notes";

/// The name under which the undo exports of a source lie.
pub fn name_of(source: &SourceName) -> SourceName {
    SourceName::nearest(&format!("{source}-undo"))
}

/// Exports what migrations take away, from the source of `order`; `None` if they take nothing away.
pub async fn export_before(
    order: &BackupOrder<'_>,
    losing: &Losing,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<Option<Manifest>, UndoError> {
    if losing.tables.is_empty() {
        return Ok(None);
    }
    let Source::Postgres(database) = order.source else {
        return Err(UndoError::NotPostgres(order.source.name().clone()));
    };
    let source = Source::Postgres(PostgresSource {
        name: name_of(&database.name),
        selection: selection(database, losing).await?,
        globals: false,
        ..database.clone()
    });
    // Each export holds other tables than the one before it.
    let everything = TableRule { pattern: "*".to_owned(), tolerance: Tolerance::Everything };
    let vigilance = Vigilance { size: Tolerance::Everything, rules: vec![everything], ..Vigilance::default() };
    let order = BackupOrder {
        source: &source,
        environment: order.environment.clone(),
        source_lock: order.source_lock.clone(),
        vigilance: &vigilance,
        ..*order
    };
    let manifest = backup(&order, progress, cancel).await?;
    let keys = BackupKeys::new(&manifest.source, &manifest.id).map_err(CatalogError::from)?;
    let note = UndoNote { at: (order.clock)(), source: database.name.to_string(), losing: losing.clone() };
    order.catalog.add_note(&keys, NOTES, note.at, &note).await?;
    Ok(Some(manifest))
}

/// All definitions before data, and the data of nothing but these tables. `--table` would leave out the types and functions
/// that they need.
async fn selection(database: &PostgresSource, losing: &Losing) -> Result<Selection, SessionError> {
    let (mut session, connection) = connect(&database.connection, "guard undo export").await?;
    let found: Result<Vec<String>, sqlx::Error> = sqlx::query_scalar(OTHER_TABLES).fetch_all(&mut session).await;
    let _ = session.close().await;
    let attempt = "listing tables";
    let tables = found.map_err(|reason| SessionError::Query { target: connection.to_string(), attempt, reason })?;
    Ok(Selection {
        exclude_data: tables.into_iter().filter(|table| !losing.tables.contains(table)).collect(),
        sections: vec!["pre-data".to_owned(), "data".to_owned()],
        ..database.selection.clone()
    })
}

const OTHER_TABLES: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%'
      AND n.nspname <> 'information_schema' ORDER BY 1";
