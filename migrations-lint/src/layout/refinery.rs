//! refinery: `V<version>__<name>.sql` (contiguous) and `U<version>__<name>.sql` (not), in a project that depends on it.
//!
//! Read in `refinery_core/src/{util,runner,migration}.rs`. Its names are Flyway's, so a Cargo dependency decides. Files
//! are found in subfolders too; each runs in a transaction (a program may group them, which `--transaction set` says).

use std::path::Path;

use super::tree::Tree;
use super::{SetBuilder, Title, cargo, checksum, flyway, name};
use crate::migration::{Direction, MigrationFile, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    let has_files = tree.sql_in(folder).any(|(_, file)| parse(file.file_name()).is_some());
    has_files && cargo::dependency_features(tree, folder, "refinery").is_some()
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = cargo::dependency_features(tree, folder, "refinery").and_then(|features| cargo::engine(&features));
    let mut files: Vec<_> = tree.sql_below(folder).map(|(idx, file)| (idx, parse(file.file_name()).map(own))).collect();
    files.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some((a, _)), Some((b, _))) => name::compare_numbers(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    for (idx, title) in files {
        let Some(file) = tree.take(idx) else { continue };
        match title {
            Some((version, name)) => {
                set.add_whole(file, Title::new(version, name), Direction::Up, TransactionMode::PerPart);
            }
            None => {
                set.not_run(file, "refinery runs only files named V<version>__<name>.sql or U<version>__<name>.sql");
            }
        }
    }
}

/// The hash of name, version and SQL, with the version as refinery's default and as its `int8-versions` hash it.
pub(super) fn checksums(file: &MigrationFile) -> Vec<String> {
    let sql = file.source.text();
    let Some(version) = file.version.as_deref().and_then(|version| version.parse::<i64>().ok()) else {
        return Vec::new();
    };
    let default = i32::try_from(version).map(|version| checksum::refinery_siphash_i32(&file.name, version, sql));
    let wide = checksum::refinery_siphash_i64(&file.name, version, sql);
    default.into_iter().chain([wide]).map(|hash| hash.to_string()).collect()
}

/// `(U|V)<digits>__<word>.sql` gives version and name.
fn parse(file_name: &str) -> Option<(&str, &str)> {
    let (version, name) = name::stem(file_name).strip_prefix(['U', 'V'])?.split_once("__")?;
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = !name.is_empty() && name.chars().all(flyway::is_word);
    (is_number && is_word).then_some((version, name))
}

fn own((version, name): (&str, &str)) -> (String, String) {
    (name::number(version), name.to_owned())
}
