//! The undo export: what a migration will take away, as a small backup of its own, taken right before.
//!
//! It is an ordinary backup of a source called `<source>-undo`: complete, encrypted as the others, and proven like them. It holds
//! every definition that data may need and the rows of the tables that lose something; no indexes and no foreign keys, whose
//! other ends it does not have. A note beside it says what it is for. Retention keeps what no configured source covers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::{BackupId, BackupKeys, Catalog, CatalogError, Manifest, SourceName};
use crate::contents::loss::{TableRule, Tolerance, Vigilance};
use crate::progress::Progress;
use crate::source::Source;
use crate::source::postgres::session::{SessionError, connect};
use crate::source::postgres::{PostgresSource, Selection};

mod losing;

pub use losing::{Losing, Upcoming, foresee};

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
    /// Nobody has seen what migrations take away that take something away.
    #[error("what {files} will take away is not known: these very files were not rehearsed")]
    NotRehearsed {
        /// Their paths.
        files: String,
    },
    /// The rehearsal was of another schema than the source has.
    #[error("{database} has no table {tables}, which loses data by the rehearsal")]
    NoSuchTable {
        /// The source's database.
        database: String,
        /// Their names.
        tables: String,
    },
    /// The source's configuration leaves out what will be lost.
    #[error("the undo export {id} holds nothing of {tables}: the source's configuration leaves it out")]
    LeftOut {
        /// The export.
        id: BackupId,
        /// Their names.
        tables: String,
    },
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

/// Where the note of an undo export lies beside it.
pub const NOTES: &str = "notes";

/// The name under which the undo exports of a source lie.
pub fn name_of(source: &SourceName) -> SourceName {
    // A name has at most 100 characters; cut at its end it would be the source's own.
    let beginning: String = source.as_str().chars().take(95).collect();
    SourceName::nearest(&format!("{beginning}-undo"))
}

/// The source that an undo export was taken of; none of a backup that is no export.
pub async fn origin_of(catalog: &Catalog, keys: &BackupKeys) -> Result<Option<SourceName>, CatalogError> {
    let notes: Vec<UndoNote> = catalog.notes(keys, NOTES).await?;
    Ok(notes.into_iter().find_map(|note| note.source.parse().ok()))
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
    let Selected { selection, must_hold } = select(database, losing).await?;
    let name = name_of(&database.name);
    let source = Source::Postgres(PostgresSource { name, selection, globals: false, ..database.clone() });
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
    let is_missing = |table: &&String| !manifest.contents.tables.contains_key(*table);
    let missing: Vec<String> = must_hold.iter().filter(is_missing).cloned().collect();
    if !missing.is_empty() {
        return Err(UndoError::LeftOut { id: manifest.id, tables: missing.join(", ") });
    }
    Ok(Some(manifest))
}

/// What the dump of an export selects.
struct Selected {
    selection: Selection,
    /// Tables whose names must be in the result. The rows of some partitions are dumped under their root's name.
    must_hold: Vec<String>,
}

/// All definitions before data, and the data of nothing but these tables. `--table` would leave out the types and functions
/// that they need.
async fn select(database: &PostgresSource, losing: &Losing) -> Result<Selected, UndoError> {
    let (mut session, connection) = connect(&database.connection, "guard undo export").await?;
    let found: Result<Vec<(String, bool)>, sqlx::Error> = sqlx::query_as(TABLES).fetch_all(&mut session).await;
    let _ = session.close().await;
    let attempt = "listing tables";
    let failed = |reason| SessionError::Query { target: connection.to_string(), attempt, reason };
    let (wanted, others): (Vec<_>, Vec<_>) =
        found.map_err(failed)?.into_iter().partition(|(table, _)| losing.tables.contains(table));
    let is_there = |table: &&String| wanted.iter().any(|(found, _)| found == *table);
    let missing: Vec<String> = losing.tables.iter().filter(|table| !is_there(table)).cloned().collect();
    if !missing.is_empty() {
        return Err(UndoError::NoSuchTable { database: database.connection.database(), tables: missing.join(", ") });
    }
    let selection = Selection {
        exclude_data: others.into_iter().map(|(table, _)| table).collect(),
        sections: vec!["pre-data".to_owned(), "data".to_owned()],
        ..database.selection.clone()
    };
    let must_hold = wanted.into_iter().filter(|(_, is_partition)| !is_partition).map(|(table, _)| table).collect();
    Ok(Selected { selection, must_hold })
}

const TABLES: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relispartition
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%'
      AND n.nspname <> 'information_schema' ORDER BY 1";
