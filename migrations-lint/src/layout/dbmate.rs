//! dbmate: `<version>_<name>.sql` with `-- migrate:up` and `-- migrate:down`, of which a file may hold several pairs.
//!
//! Read in `pkg/dbmate/migration.go`. Files run in the order of their names. A part runs in a transaction unless its
//! marker line says `transaction:false`.

use std::path::Path;

use super::section::{self, Section};
use super::tree::Tree;
use super::{SetBuilder, Title, name};
use crate::migration::{Direction, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.sql_in(folder).any(|(_, file)| section::header(&file.text).any(|line| line.starts_with("migrate:up")))
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let idxs: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    for file in idxs.into_iter().filter_map(|idx| tree.take(idx)) {
        let stem = name::stem(file.file_name()).to_owned();
        let (version, rest) = name::leading_digits(&stem);
        if version.is_empty() {
            set.not_run(file, "dbmate runs only files whose name begins with a version number");
            continue;
        }
        let parts = section::split(&file.text, marker);
        set.add(file, Title::new(version, rest.trim_start_matches('_')), parts);
    }
}

/// `^--\s*migrate:(up|down)(\s*$|\s+\S+)`.
fn marker(line: &str) -> Option<Section> {
    let comment = line.strip_prefix("--")?.trim();
    let (word, options) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
    let direction = match word {
        "migrate:up" => Direction::Up,
        "migrate:down" => Direction::Down,
        _ => return None,
    };
    let no_transaction = options.split_whitespace().any(|option| option == "transaction:false");
    let transaction = if no_transaction { TransactionMode::None } else { TransactionMode::PerPart };
    Some(Section { direction, transaction })
}
