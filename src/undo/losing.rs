//! What migrations take away from a database as it is now, by the rehearsals that saw it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::UndoError;
use crate::catalog::{Catalog, CatalogError, SourceName};
use crate::rehearse::record::{FileRef, MigrationReport, Rehearsal, rehearsals_of};

/// What migrations take away, as a rehearsal saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losing {
    /// Tables that lose rows, columns or values, as `schema.table`, quoted where needed: by the names that they have before.
    pub tables: BTreeSet<String>,
    /// Each loss in a sentence.
    pub losses: Vec<String>,
    /// The migrations, by the paths that were shown.
    pub migrations: Vec<String>,
}

/// A migration that is about to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// Its path, for people.
    pub path: String,
    /// SHA-256 of its text, as a rehearsal's record has it.
    pub fingerprint: String,
    /// Whether its text alone shows that something is taken away.
    pub is_destructive: bool,
}

/// What pending migrations will take away: as the newest rehearsal of each very file saw it. One that takes something away
/// by its text, and that nobody rehearsed, is an error: which rows it will cost is not known then.
pub async fn foresee(catalog: &Catalog, source: &SourceName, pending: &[Upcoming]) -> Result<Losing, UndoError> {
    let mut losing = Losing::default();
    let is_pending = |file: &FileRef| pending.iter().any(|upcoming| upcoming.fingerprint == file.fingerprint);
    let mut unseen: BTreeSet<&str> = pending.iter().map(|upcoming| upcoming.fingerprint.as_str()).collect();
    if unseen.is_empty() {
        return Ok(losing);
    }
    for record in on_record(catalog, source).await?.iter().rev() {
        let seen: BTreeSet<&str> = unseen.iter().copied().filter(|fingerprint| record.ran(fingerprint)).collect();
        losing.add(record, is_pending, |file| seen.contains(file.fingerprint.as_str()));
        unseen.retain(|fingerprint| !seen.contains(fingerprint));
    }
    let is_unknown = |upcoming: &&Upcoming| upcoming.is_destructive && unseen.contains(upcoming.fingerprint.as_str());
    let unknown: Vec<&str> = pending.iter().filter(is_unknown).map(|upcoming| upcoming.path.as_str()).collect();
    if unknown.is_empty() { Ok(losing) } else { Err(UndoError::NotRehearsed { files: unknown.join(", ") }) }
}

/// Every rehearsal of a source, oldest first.
async fn on_record(catalog: &Catalog, source: &SourceName) -> Result<Vec<Rehearsal>, CatalogError> {
    let mut found = Vec::new();
    for backup in catalog.backups(source).await?.into_iter().filter_map(|listed| listed.backup.ok()) {
        found.extend(rehearsals_of(catalog, &backup.keys, &backup.manifest).await?);
    }
    found.sort_by_key(|record| record.finished);
    Ok(found)
}

impl Losing {
    /// What all of a rehearsal's migrations take away.
    pub fn of(record: &Rehearsal) -> Self {
        let mut losing = Self::default();
        losing.add(record, |_| true, |_| true);
        losing
    }

    /// Adds what those of a rehearsal's migrations take away that are counted. The database is as it is before the pending
    /// ones: what these call anew still has its old name there, and what they make is not there.
    fn add(&mut self, record: &Rehearsal, is_pending: impl Fn(&FileRef) -> bool, counts: impl Fn(&FileRef) -> bool) {
        let mut names = Names::default();
        for migration in record.migrations.iter().filter(|migration| migration.files.iter().any(&is_pending)) {
            if migration.files.iter().any(&counts) {
                self.add_migration(migration, &names);
            }
            names.pass(migration);
        }
    }

    fn add_migration(&mut self, migration: &MigrationReport, names: &Names) {
        let before = self.losses.len();
        for change in &migration.tables {
            let Some(table) = names.before(&change.table) else { continue };
            let n_rows = change.rows_lost();
            if n_rows > 0 {
                self.losses.push(format!("{n_rows} rows of {table}"));
                self.tables.insert(table.to_owned());
            }
            for column in change.values_lost().chain(change.values_changed()) {
                self.losses.push(format!("values of {table}.{}", column.column));
                self.tables.insert(table.to_owned());
            }
        }
        if self.losses.len() > before {
            self.migrations.extend(migration.files.iter().map(|file| file.path.clone()));
        }
    }
}

/// What tables were called before the migrations that have passed; none of one that they made.
#[derive(Default)]
struct Names(BTreeMap<String, Option<String>>);

impl Names {
    fn before<'a>(&'a self, table: &'a str) -> Option<&'a str> {
        self.0.get(table).map_or(Some(table), |before| before.as_deref())
    }

    fn pass(&mut self, migration: &MigrationReport) {
        // All at once: two tables may change their names with each other.
        let renamed = migration.tables.iter().filter_map(|change| Some((change.renamed_to.clone()?, &change.table)));
        let renamed: Vec<(String, Option<String>)> =
            renamed.map(|(now, was)| (now, self.before(was).map(str::to_owned))).collect();
        self.0.extend(renamed);
        for made in migration.schema.added.iter().filter_map(|object| object.strip_prefix("table ")) {
            self.0.entry(made.to_owned()).or_insert(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::catalog::{BackupId, RunNote};
    use crate::rehearse::record::{Outcome, Place, RehearsalVerdict, TableChange};

    fn change(table: &str, rows_deleted: u64, renamed_to: Option<&str>) -> TableChange {
        TableChange {
            table: table.to_owned(),
            renamed_to: renamed_to.map(str::to_owned),
            rows_before: 100,
            rows_after: 100 - rows_deleted,
            rows_deleted,
            ..TableChange::default()
        }
    }

    fn migration(file: &str, tables: Vec<TableChange>, added: &[&str]) -> MigrationReport {
        let file = FileRef { path: file.to_owned(), version: None, fingerprint: file.to_owned() };
        let mut report = MigrationReport::of(vec![file], Outcome::Ran);
        report.tables = tables;
        report.schema.added = added.iter().map(ToString::to_string).collect();
        report
    }

    fn rehearsal(migrations: Vec<MigrationReport>) -> Rehearsal {
        let now = Utc::now();
        Rehearsal {
            backup: BackupId::new(now),
            source: "shop".to_owned(),
            manifest: String::new(),
            data_at: now,
            started_by: String::new(),
            run: RunNote::new(None),
            started: now,
            finished: now,
            guard: String::new(),
            layout: "dbmate".to_owned(),
            verdict: RehearsalVerdict::Passed,
            problems: Vec::new(),
            migrations,
            not_reached: Vec::new(),
            covered_findings: Vec::new(),
            place: Place::default(),
        }
    }

    fn tables(losing: &Losing) -> Vec<&str> {
        losing.tables.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_table_is_called_as_it_is_before_the_pending_migrations() {
        let record = rehearsal(vec![
            migration("1", vec![change("public.a", 0, Some("public.b"))], &["table public.b"]),
            migration("2", vec![change("public.b", 0, Some("core.c"))], &["table core.c"]),
            migration("3", vec![change("core.c", 7, None)], &[]),
        ]);
        assert_eq!(tables(&Losing::of(&record)), ["public.a"]);
        // Once the first has run in the database, its table has the second name.
        let mut losing = Losing::default();
        losing.add(&record, |file| file.path != "1", |_| true);
        assert_eq!((tables(&losing), &*losing.losses), (vec!["public.b"], &["7 rows of public.b".to_owned()][..]));
    }

    #[test]
    fn two_tables_that_change_their_names_with_each_other_are_not_mixed_up() {
        let record = rehearsal(vec![
            migration("1", vec![change("public.a", 0, Some("public.b")), change("public.b", 0, Some("public.a"))], &[]),
            migration("2", vec![change("public.a", 1, None)], &[]),
        ]);
        assert_eq!(tables(&Losing::of(&record)), ["public.b"]);
    }

    #[test]
    fn what_the_pending_migrations_themselves_make_cannot_be_exported_before_them() {
        let record = rehearsal(vec![
            migration("1", Vec::new(), &["table public.seeds"]),
            migration("2", vec![change("public.seeds", 5, None), change("public.a", 1, None)], &[]),
        ]);
        assert_eq!(tables(&Losing::of(&record)), ["public.a"]);
        // Where the first one has run it is there.
        let mut losing = Losing::default();
        losing.add(&record, |file| file.path == "2", |_| true);
        assert_eq!(tables(&losing), ["public.a", "public.seeds"]);
    }
}
