//! Prisma: `prisma/migrations/<timestamp>_<name>/migration.sql` beside `migration_lock.toml`.
//!
//! Read in prisma-engines `schema-connector/src/{migrations_directory,checksum}.rs`. Folders run in the order of their
//! names. The whole script is one multi-statement query, so one implicit transaction unless it holds one statement.
//! Prisma knows no way back; a `down.sql` in a migration's folder is a custom of its users, made with `migrate diff`.

use std::path::Path;

use super::tree::{Tree, folder_of, name_of};
use super::{SetBuilder, Title, checksum, engine_named};
use crate::migration::{Direction, MigrationFile, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.has(folder, "migration_lock.toml")
        || (name_of(folder) == "migrations" && subfolders(tree, folder).any(|sub| is_migration(tree, sub)))
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let provider = tree.file(folder, "migration_lock.toml").and_then(|lock| lock.text.parse::<toml::Table>().ok());
    set.engine = provider.and_then(|lock| engine_named(lock.get("provider")?.as_str()?));
    let folders: Vec<_> = subfolders(tree, folder).map(Path::to_owned).collect();
    for sub in folders {
        let version = name_of(&sub).to_owned();
        let name = version.split_once('_').map_or("", |(_, name)| name).to_owned();
        let idxs: Vec<_> = tree.sql_in(&sub).map(|(idx, _)| idx).collect();
        let mut files: Vec<_> = idxs.into_iter().filter_map(|idx| tree.take(idx)).collect();
        files.sort_by_key(|file| file.file_name() != "migration.sql");
        for file in files {
            let title = Title::new(version.clone(), name.clone());
            match file.file_name() {
                "migration.sql" => set.add_whole(file, title, Direction::Up, TransactionMode::ImplicitPerPart),
                "down.sql" => set.add_whole(file, title, Direction::Down, TransactionMode::ImplicitPerPart),
                _ => set.not_run(file, "Prisma runs only the file named migration.sql of each migration's folder"),
            }
        }
    }
    let loose: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    for file in loose.into_iter().filter_map(|idx| tree.take(idx)) {
        set.not_run(file, "Prisma runs only migration.sql in a folder for each migration");
    }
}

/// SHA-256 of the script as it is, with LF and with CRLF line ends; the oldest rows lack leading zeros.
pub(super) fn checksums(file: &MigrationFile) -> Vec<String> {
    let text = file.source.text();
    let lf = text.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    let forms = [text, &lf, &crlf];
    let padded = forms.iter().map(|form| checksum::sha256_hex(form.as_bytes()));
    padded.chain(forms.iter().map(|form| checksum::sha256_unpadded_hex(form.as_bytes()))).collect()
}

fn subfolders<'a>(tree: &'a Tree, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
    tree.folders_below(folder).filter(move |sub| folder_of(sub) == folder && *sub != folder)
}

/// A folder named by 14 digits with a `migration.sql` and without the snapshot that Drizzle puts beside it.
fn is_migration(tree: &Tree, folder: &Path) -> bool {
    let digits = super::name::leading_digits(name_of(folder)).0;
    digits.len() == 14 && tree.file(folder, "migration.sql").is_some() && !tree.has(folder, "snapshot.json")
}
