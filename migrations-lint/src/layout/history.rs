//! What a database says was applied: the frameworks' tracking tables, and what follows from them for a set.

use std::collections::HashMap;

use super::{FoundSet, Layout, drizzle, flyway, liquibase, prisma, refinery, sqlx};
use crate::migration::{Direction, MigrationFile};

/// A framework's table of applied migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracking {
    /// Where the table may be, the usual place first.
    pub tables: &'static [&'static str],
    /// A query with `{table}` in it whose rows are version, checksum and failed: `text, text, boolean`.
    pub query: &'static str,
}

/// One row of a tracking table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The version as the framework stores it.
    pub version: String,
    /// The checksum as the framework stores it, as text.
    pub checksum: Option<String>,
    /// Whether the row says that it did not run to its end.
    pub failed: bool,
}

pub(super) fn tracking(layout: Layout) -> Option<Tracking> {
    let (tables, query): (&[&str], _) = match layout {
        Layout::Prisma => (
            &["_prisma_migrations"],
            "select migration_name::text, checksum::text, finished_at is null from {table} where rolled_back_at is null",
        ),
        Layout::Drizzle => (
            &["drizzle.__drizzle_migrations", "__drizzle_migrations"],
            "select created_at::text, hash::text, false from {table}",
        ),
        Layout::Supabase => {
            (&["supabase_migrations.schema_migrations"], "select version::text, null::text, false from {table}")
        }
        Layout::Sqlx => {
            (&["_sqlx_migrations"], "select version::text, encode(checksum, 'hex'), not success from {table}")
        }
        Layout::GolangMigrate => (&["schema_migrations"], "select version::text, null::text, dirty from {table}"),
        Layout::Flyway => (
            &["flyway_schema_history", "schema_version"],
            "select coalesce(version, description)::text, checksum::text, not success from (select distinct on \
             (coalesce(version, description)) * from {table} order by coalesce(version, description), installed_rank desc) \
             as latest where type not like 'UNDO%' and type <> 'DELETE'",
        ),
        Layout::Refinery => (&["refinery_schema_history"], "select version::text, checksum::text, false from {table}"),
        Layout::Diesel => (&["__diesel_schema_migrations"], "select version::text, null::text, false from {table}"),
        Layout::Goose => (
            &["goose_db_version"],
            "select version_id::text, null::text, false from (select distinct on (version_id) * from {table} order by \
             version_id, id desc) as latest where is_applied and version_id > 0",
        ),
        Layout::Dbmate => (&["schema_migrations"], "select version::text, null::text, false from {table}"),
        Layout::Atlas => (
            &["atlas_schema_revisions.atlas_schema_revisions", "atlas_schema_revisions"],
            "select version::text, null::text, applied < total from {table} where version not like '.%'",
        ),
        Layout::Liquibase => (
            &["databasechangelog"],
            "select author || ':' || id, null::text, coalesce(exectype, '') = 'FAILED' from {table}",
        ),
        Layout::Plain => return None,
    };
    Some(Tracking { tables, query })
}

/// Says of each file whether it is still to run, and returns the files that were edited after they ran.
///
/// Afterwards `reported` holds exactly for pending files (and was true for them before). A repeatable file that was
/// edited is pending, not wrong.
pub fn mark_pending(found: &mut FoundSet, applied: &[Applied]) -> Vec<usize> {
    let layout = found.layout;
    let rows: HashMap<String, &Applied> = applied.iter().map(|row| (normal(layout, &row.version), row)).collect();
    let newest = applied.iter().filter_map(|row| row.version.parse::<i128>().ok()).max();
    let mut edited = Vec::new();
    for (idx, file) in found.set.files.iter_mut().enumerate() {
        let is_repeatable = file.version.is_none() && is_repeatable(file);
        let row = rows.get(&normal(layout, file.version.as_deref().unwrap_or(&file.name)));
        let is_applied = match layout {
            // Both keep only how far they came: everything up to there counts as applied.
            Layout::GolangMigrate | Layout::Drizzle => up_to(file, newest),
            Layout::Liquibase => all_changesets(file, &rows),
            _ => row.is_some_and(|row| !row.failed),
        };
        let is_edited = is_applied && row.is_some_and(|row| is_edited(layout, file, row));
        if is_edited && !is_repeatable && file.reported {
            edited.push(idx);
        }
        file.reported &= !is_applied || (is_edited && is_repeatable);
    }
    edited
}

fn up_to(file: &MigrationFile, newest: Option<i128>) -> bool {
    let version = file.version.as_deref().and_then(|version| version.parse::<i128>().ok());
    version.zip(newest).is_some_and(|(version, newest)| version <= newest)
}

fn all_changesets(file: &MigrationFile, rows: &HashMap<String, &Applied>) -> bool {
    let ids = liquibase::changeset_ids(file.source.text());
    !ids.is_empty() && ids.iter().all(|id| rows.get(id).is_some_and(|row| !row.failed))
}

fn is_repeatable(file: &MigrationFile) -> bool {
    file.parts.iter().any(|part| part.direction == Direction::Repeatable)
}

fn is_edited(layout: Layout, file: &MigrationFile, row: &Applied) -> bool {
    let Some(stored) = row.checksum.as_deref().filter(|checksum| !checksum.is_empty()) else { return false };
    if file.parts.iter().all(|part| part.direction == Direction::Down) {
        return false;
    }
    let accepted = match layout {
        Layout::Prisma => prisma::checksums(file),
        Layout::Drizzle => drizzle::checksums(file),
        Layout::Sqlx => sqlx::checksums(file),
        Layout::Flyway => flyway::checksums(file),
        Layout::Refinery => refinery::checksums(file),
        _ => return false,
    };
    !accepted.iter().any(|checksum| checksum == stored)
}

/// The version in the form in which files carry it.
fn normal(layout: Layout, version: &str) -> String {
    match layout {
        Layout::Flyway if version.starts_with(|first: char| first.is_ascii_digit()) => flyway::normal_version(version),
        _ => version.to_owned(),
    }
}
