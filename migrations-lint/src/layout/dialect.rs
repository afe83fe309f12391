//! What the names of folders say about the database (`db/mysql/migrations`, `postgres-persistence`, `clickhouse`), what the SQL
//! itself says, and what the neighbours say.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::FoundSet;
use crate::engine::Engine;
use crate::migration::MigrationFile;
use crate::parse::Signs;

/// Folders above this many say nothing about the migrations: they are where somebody keeps projects.
const N_FOLDERS: usize = 7;

/// Databases that people keep migrations for and whose SQL is not read here.
const FOREIGN: [&str; 12] = [
    "clickhouse",
    "oracle",
    "mssql",
    "sqlserver",
    "db2",
    "h2",
    "hsqldb",
    "derby",
    "snowflake",
    "bigquery",
    "cassandra",
    "spanner",
];

/// What a path names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) engine: Option<Engine>,
    pub(super) foreign: Option<&'static str>,
}

/// The database named by the folder, or by the nearest one above it that names any. Two names in one folder say nothing.
pub(super) fn named(folder: &Path) -> Named {
    let names = folder.iter().rev().take(N_FOLDERS).filter_map(|name| name.to_str());
    names.map(named_in).find(|named| *named != Named::default()).unwrap_or_default()
}

fn named_in(name: &str) -> Named {
    let mut found = Named::default();
    let mut n_found = 0;
    for word in name.split(|character: char| !character.is_ascii_alphanumeric()) {
        let word = word.to_ascii_lowercase();
        let engine = match word.as_str() {
            "postgres" | "postgresql" | "pg" | "pgsql" | "psql" => Some(Engine::PostgreSql),
            "mysql" => Some(Engine::MySql),
            "mariadb" => Some(Engine::MariaDb),
            "sqlite" | "sqlite3" => Some(Engine::Sqlite),
            _ => None,
        };
        let foreign = FOREIGN.iter().find(|foreign| **foreign == word).copied();
        if engine.is_some() || foreign.is_some() {
            n_found += 1;
            found = Named { engine, foreign };
        }
    }
    if n_found == 1 { found } else { Named::default() }
}

/// What the SQL itself says where no framework and no folder does; nothing stands for PostgreSQL.
pub(super) fn guess(files: &[MigrationFile]) -> Option<Engine> {
    const MAX_FILES: usize = 100;
    let mut signs = Signs::default();
    for file in files.iter().take(MAX_FILES) {
        signs.add(Signs::of(file.source.text()));
    }
    signs.engine()
}

/// Gives sets of which nothing tells the engine (an `INSERT` alone in its file) that of all others in the nearest folder above
/// that has any, if they are of one.
pub(super) fn follow_neighbours(sets: &mut [FoundSet]) {
    let mut engines_below: HashMap<PathBuf, Vec<Engine>> = HashMap::new();
    for found in sets.iter() {
        let Some(engine) = found.set.engine else { continue };
        for folder in found.folder.ancestors().take(N_FOLDERS) {
            let engines = engines_below.entry(folder.to_owned()).or_default();
            if !engines.contains(&engine) {
                engines.push(engine);
            }
        }
    }
    if engines_below.is_empty() {
        return;
    }
    for found in sets.iter_mut().filter(|found| found.set.engine.is_none() && found.foreign.is_none()) {
        let nearest = found.folder.ancestors().take(N_FOLDERS).find_map(|folder| engines_below.get(folder));
        let is_postgresql = || found.set.files.iter().any(|file| Signs::all_of(file.source.text()).postgresql > 0);
        if let Some(&[engine]) = nearest.map(Vec::as_slice)
            && engine != Engine::PostgreSql
            && !is_postgresql()
        {
            found.set.engine = Some(engine);
            found.is_engine_guessed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, engine: Option<Engine>, foreign: Option<&'static str>) {
        assert_eq!(named(Path::new(path)), Named { engine, foreign }, "{path}");
    }

    #[test]
    fn the_nearest_folder_that_names_a_database_decides() {
        check("/app/mysql-persistence/src/main/resources/db/migration", Some(Engine::MySql), None);
        check("/app/mysql/db/migration_postgres", Some(Engine::PostgreSql), None);
        check("/app/db/clickhouse/migrations", None, Some("clickhouse"));
        check("/app/db/migrations", None, None);
    }

    #[test]
    fn parts_of_words_and_two_names_say_nothing() {
        check("/app/postgrest/mysqlish", None, None);
        check("/app/mysql-to-postgres/m", None, None);
        check("/mysql/2/3/4/5/6/7/8", None, None);
    }
}
