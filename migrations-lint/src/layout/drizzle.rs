//! Drizzle: `<tag>.sql` files listed in `meta/_journal.json`, or, in its newer layout, `<timestamp>_<name>/migration.sql`.
//!
//! Read in `drizzle-orm/src/{migrator.ts,pg-core/dialect.ts}`. All pending files run in one transaction. A file runs if
//! its journal entry's `when` is above the newest applied one, so an entry out of order is skipped in silence; a file
//! that the journal does not list never runs. Statements are parted by `--> statement-breakpoint`, which is a comment.

use std::path::Path;

use serde::Deserialize;

use super::tree::{Tree, folder_of, name_of};
use super::{Observation, SetBuilder, Title, checksum, engine_named, name};
use crate::migration::{Direction, MigrationFile, TransactionMode};

const JOURNAL: &str = "meta/_journal.json";

#[derive(Debug, Default, Deserialize)]
struct Journal {
    #[serde(default)]
    dialect: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    when: i64,
    tag: String,
}

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.has(folder, JOURNAL) || migration_folders(tree, folder).next().is_some()
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    match tree.file(folder, JOURNAL) {
        Some(journal) => {
            let path = journal.path.clone();
            let journal: Journal = serde_json::from_str(&journal.text).unwrap_or_default();
            read_journal(tree, folder, set, &journal, &path);
        }
        None => read_folders(tree, folder, set),
    }
    let rest: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    for file in rest.into_iter().filter_map(|idx| tree.take(idx)) {
        set.not_run(file, "Drizzle runs only the files that meta/_journal.json lists");
    }
}

/// SHA-256 of the file; since line ends were normalised upstream, also of its form with LF.
pub(super) fn checksums(file: &MigrationFile) -> Vec<String> {
    let text = file.source.text();
    vec![checksum::sha256_hex(text.as_bytes()), checksum::sha256_hex(text.replace("\r\n", "\n").as_bytes())]
}

fn read_journal(tree: &mut Tree, folder: &Path, set: &mut SetBuilder, journal: &Journal, path: &Path) {
    set.engine = engine_named(&journal.dialect);
    let mut newest = i64::MIN;
    for entry in &journal.entries {
        let file_name = format!("{}.sql", entry.tag);
        let Some(file) = tree.locate(folder, &file_name).and_then(|idx| tree.take(idx)) else {
            set.observations.push(Observation::Missing { listing: path.to_owned(), name: file_name });
            continue;
        };
        if entry.when <= newest {
            let why = "its \"when\" in meta/_journal.json is not above that of the entries before it, and Drizzle \
                       runs only entries above the newest one applied";
            set.observations.push(Observation::Skipped { file: file.path.clone(), why: why.to_owned() });
        }
        newest = newest.max(entry.when);
        let name = entry.tag.split_once('_').map_or(entry.tag.as_str(), |(_, name)| name);
        let title = Title::new(entry.when.to_string(), name);
        set.add_whole(file, title, Direction::Up, TransactionMode::WholeSet);
    }
}

fn read_folders(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let folders: Vec<_> = migration_folders(tree, folder).map(Path::to_owned).collect();
    for sub in folders {
        if let Some(file) = tree.locate(&sub, "migration.sql").and_then(|idx| tree.take(idx)) {
            let (version, name) = name_of(&sub).split_once('_').unwrap_or((name_of(&sub), ""));
            let title = Title::new(version, name);
            set.add_whole(file, title, Direction::Up, TransactionMode::WholeSet);
        }
    }
}

/// `<14 digits>_<name>/` with `migration.sql` and `snapshot.json`, in the order of their names.
fn migration_folders<'a>(tree: &'a Tree, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
    tree.folders_below(folder).filter(move |sub| {
        folder_of(sub) == folder
            && name::leading_digits(name_of(sub)).0.len() == 14
            && tree.has(sub, "snapshot.json")
            && tree.file(sub, "migration.sql").is_some()
    })
}
