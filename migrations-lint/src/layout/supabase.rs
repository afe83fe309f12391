//! The Supabase CLI: `supabase/migrations/<digits>_<name>.sql`.
//!
//! Read in `supabase/cli` `pkg/migration/{file,history,list}.go`. Files run in the order of their names; all statements
//! of one file and the row that records it are one batch, so one transaction that no file can leave.

use std::path::Path;

use super::tree::{Tree, folder_of, name_of};
use super::{SetBuilder, Title, name};
use crate::engine::{Engine, ServerVersion};
use crate::migration::{Direction, TransactionMode};

/// An `_init` older than this is from the CLI's first releases and is passed over.
const OLDEST_INIT: &str = "20211209000000";

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    folder.ends_with("supabase/migrations") && tree.sql_in(folder).next().is_some()
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = Some(Engine::PostgreSql);
    set.server_version = server_version(tree, folder);
    let idxs: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    let mut is_first = true;
    for file in idxs.into_iter().filter_map(|idx| tree.take(idx)) {
        let stem = name::stem(file.file_name()).to_owned();
        let (version, rest) = name::leading_digits(&stem);
        match rest.strip_prefix('_') {
            Some("init") if is_first && version.len() == 14 && version < OLDEST_INIT => {
                set.not_run(file, "the Supabase CLI passes over a first _init migration from before 2021-12-09");
            }
            Some(name) if !version.is_empty() => {
                set.add_whole(file, Title::new(version, name), Direction::Up, TransactionMode::PerPart);
            }
            _ => set.not_run(file, "the Supabase CLI runs only files named <timestamp>_<name>.sql"),
        }
        is_first = false;
    }
}

/// `major_version` of `[db]` in `supabase/config.toml`.
fn server_version(tree: &Tree, folder: &Path) -> Option<ServerVersion> {
    let project = folder_of(folder);
    let config = tree.file(project, "config.toml").filter(|_| name_of(project) == "supabase")?;
    let config: toml::Table = config.text.parse().ok()?;
    let major = config.get("db")?.get("major_version")?.as_integer()?;
    Some(ServerVersion { major: u16::try_from(major).ok()?, minor: 0 })
}
