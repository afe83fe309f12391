//! Diesel: `<version>_<name>/{up.sql,down.sql,metadata.toml}`; Hasura's migrations have the same shape.
//!
//! Read in `diesel_migrations/migrations_internals/src/lib.rs`. The version is what stands before the first `_`, without
//! dashes; versions run in text order, each in a transaction unless `metadata.toml` says otherwise. A `metadata.toml`
//! without the key means no transaction, for the field defaults to false.

use std::path::Path;

use super::tree::{Tree, folder_of, name_of};
use super::{SetBuilder, Title, cargo};
use crate::migration::{Direction, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    migration_folders(tree, folder).next().is_some()
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = cargo::dependency_features(tree, folder, "diesel").and_then(|features| cargo::engine(&features));
    let mut folders: Vec<_> = migration_folders(tree, folder).map(|sub| (version_of(sub), sub.to_owned())).collect();
    folders.sort();
    for (version, sub) in folders {
        let transaction = transaction_mode(tree, &sub);
        let name = name_of(&sub).split_once('_').map_or("", |(_, name)| name);
        let idxs: Vec<_> = tree.sql_in(&sub).map(|(idx, _)| idx).collect();
        let mut files: Vec<_> = idxs.into_iter().filter_map(|idx| tree.take(idx)).collect();
        files.sort_by_key(|file| file.file_name() != "up.sql");
        for file in files {
            let title = Title::new(version.clone(), name);
            match file.file_name() {
                "up.sql" => set.add_whole(file, title, Direction::Up, transaction),
                "down.sql" => set.add_whole(file, title, Direction::Down, transaction),
                _ => set.not_run(file, "Diesel runs only up.sql and down.sql of a migration's folder"),
            }
        }
    }
    let loose: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    for file in loose.into_iter().filter_map(|idx| tree.take(idx)) {
        set.not_run(file, "Diesel runs only up.sql in a folder for each migration");
    }
}

fn migration_folders<'a>(tree: &'a Tree, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
    tree.folders_below(folder).filter(move |sub| {
        folder_of(sub) == folder
            && *sub != folder
            && !name_of(sub).starts_with('.')
            && tree.file(sub, "up.sql").is_some()
    })
}

fn version_of(folder: &Path) -> String {
    let name = name_of(folder);
    name.split_once('_').map_or(name, |(version, _)| version).replace('-', "")
}

fn transaction_mode(tree: &Tree, folder: &Path) -> TransactionMode {
    let Some(metadata) = tree.file(folder, "metadata.toml") else { return TransactionMode::PerPart };
    let metadata: toml::Table = metadata.text.parse().unwrap_or_default();
    match metadata.get("run_in_transaction").and_then(toml::Value::as_bool) {
        Some(true) => TransactionMode::PerPart,
        Some(false) | None => TransactionMode::None,
    }
}
