//! sqlx: `<version>_<description>.sql`, or `.up.sql` with `.down.sql`, in a project that depends on sqlx.
//!
//! Read in `sqlx-core/src/migrate/{source,migration,migration_type}.rs`. Its names are golang-migrate's, so a Cargo
//! dependency, `sqlx.toml` or `.sqlx` decides. Files run by number, each in a transaction unless its very first bytes
//! are `-- no-transaction`.

use std::path::Path;

use super::tree::{InputFile, Tree};
use super::{SetBuilder, Title, cargo, checksum, name};
use crate::migration::{MigrationFile, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    let has_files = tree.sql_in(folder).any(|(_, file)| name::numbered(file.file_name()).is_some());
    let has_marker = |name| folder.ancestors().any(|ancestor| tree.has(ancestor, name));
    has_files
        && (has_marker("sqlx.toml")
            || has_marker(".sqlx")
            || cargo::dependency_features(tree, folder, "sqlx").is_some())
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = cargo::dependency_features(tree, folder, "sqlx").and_then(|features| cargo::engine(&features));
    read_numbered(
        tree,
        folder,
        set,
        &Naming {
            transaction: |file| {
                if file.text.starts_with("-- no-transaction") {
                    TransactionMode::None
                } else {
                    TransactionMode::PerPart
                }
            },
            needs_direction: false,
            complaint: "sqlx runs only files named <version>_<description>.sql",
        },
    );
}

/// SHA-384 of the file's bytes.
pub(super) fn checksums(file: &MigrationFile) -> Vec<String> {
    vec![checksum::sha384_hex(file.source.text().as_bytes())]
}

/// How a framework with `<digits>_<description>.sql` names differs from its kin.
pub(super) struct Naming {
    pub(super) transaction: fn(&InputFile) -> TransactionMode,
    /// Whether a name without `.up` or `.down` is passed over.
    pub(super) needs_direction: bool,
    pub(super) complaint: &'static str,
}

/// Reads the numbered files of `folder` in the order of their numbers, each up before its down.
pub(super) fn read_numbered(tree: &mut Tree, folder: &Path, set: &mut SetBuilder, naming: &Naming) {
    let mut files: Vec<_> = tree
        .sql_in(folder)
        .map(|(idx, file)| {
            let parsed = name::numbered(file.file_name()).filter(|n| n.says_direction || !naming.needs_direction);
            (idx, parsed.map(|n| (name::number(n.version), n.direction, n.name.to_owned())))
        })
        .collect();
    files.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => {
            let is_down = |direction| direction == crate::migration::Direction::Down;
            name::compare_numbers(&a.0, &b.0).then(is_down(a.1).cmp(&is_down(b.1))).then_with(|| a.2.cmp(&b.2))
        }
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    for (idx, parsed) in files {
        let Some(file) = tree.take(idx) else { continue };
        match parsed {
            Some((version, direction, name)) => {
                let transaction = (naming.transaction)(&file);
                set.add_whole(file, Title::new(version, name), direction, transaction);
            }
            None => set.not_run(file, naming.complaint),
        }
    }
}
