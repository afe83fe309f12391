//! golang-migrate: `<version>_<title>.up.sql` and `.down.sql`.
//!
//! Read in `source/parse.go` and `database/postgres`. A file is sent as one simple query: one implicit transaction,
//! unless it holds a single statement or its own BEGIN and COMMIT. Only the newest version is recorded, so a file with
//! a lower number that is added later never runs.

use std::path::Path;

use super::name::numbered;
use super::sqlx::{Naming, read_numbered};
use super::tree::Tree;
use super::{FoundSet, SetBuilder, engine_named};
use crate::engine::Engine;
use crate::migration::{MigrationFile, MigrationSet, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    let (mut n_directed, mut n_files) = (0_usize, 0_usize);
    for (_, file) in tree.sql_in(folder) {
        n_files += 1;
        n_directed += usize::from(numbered(file.file_name()).is_some_and(|name| name.says_direction));
    }
    n_directed > 0 && n_directed * 2 >= n_files
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    read_numbered(
        tree,
        folder,
        set,
        &Naming {
            transaction: |_| TransactionMode::ImplicitPerPart,
            needs_direction: true,
            complaint: "golang-migrate runs only files named <version>_<title>.up.sql and .down.sql",
        },
    );
}

/// Pop's files have golang-migrate's names and some of them a dialect before the direction (`1_a.mysql.up.sql`): each dialect
/// is a set of its own, and the first of them has the files for all dialects.
pub(super) fn by_dialect(mut whole: FoundSet) -> Vec<FoundSet> {
    let dialect = |file: &MigrationFile| file.name.rsplit_once('.').and_then(|(_, word)| engine_named(word));
    let mut engines: Vec<Engine> = Vec::new();
    for engine in whole.set.files.iter().filter_map(dialect) {
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    engines.sort_by_key(|engine| *engine != Engine::PostgreSql);
    let files = std::mem::take(&mut whole.set.files);
    let Some((first, others)) = engines.split_first() else {
        whole.set.files = files;
        return vec![whole];
    };
    let of = |engine: Engine, found: FoundSet| {
        let own = files.iter().filter(|file| dialect(file).unwrap_or(*first) == engine).cloned().collect();
        let set = MigrationSet { engine: Some(engine), files: own, ..found.set };
        FoundSet { set, foreign: None, is_engine_guessed: false, ..found }
    };
    let bare = FoundSet { observations: Vec::new(), ..whole.clone() };
    let mut sets = vec![of(*first, whole)];
    sets.extend(others.iter().map(|engine| of(*engine, bare.clone())));
    sets
}
