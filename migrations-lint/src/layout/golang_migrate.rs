//! golang-migrate: `<version>_<title>.up.sql` and `.down.sql`.
//!
//! Read in `source/parse.go` and `database/postgres`. A file is sent as one simple query: one implicit transaction,
//! unless it holds a single statement or its own BEGIN and COMMIT. Only the newest version is recorded, so a file with
//! a lower number that is added later never runs.

use std::path::Path;

use super::SetBuilder;
use super::name::numbered;
use super::sqlx::{Naming, read_numbered};
use super::tree::Tree;
use crate::migration::TransactionMode;

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
