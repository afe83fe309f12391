//! From files to migration sets: which framework runs them, in what order, in which transactions.
//!
//! Every framework has one file below this module that says how its migrations are recognised and read, what table it
//! keeps its history in and how it computes checksums, with the upstream source it was read from. Nothing here does I/O:
//! the caller lists and reads files ([`interest`] says which) and hands them over as [`InputFile`]s.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::{Engine, ServerVersion};
use crate::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use crate::source_text::{SourceText, Span};

mod atlas;
mod cargo;
mod checksum;
mod dbmate;
mod dialect;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod history;
mod liquibase;
mod name;
mod plain;
mod prisma;
mod refinery;
mod section;
mod sqlx;
mod supabase;
mod tree;

pub use history::{Applied, Tracking, mark_pending};
pub use tree::{InputFile, Interest, MARKERS, interest};

use tree::{Tree, folder_of};

/// The frameworks whose migrations are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// `prisma migrate`.
    Prisma,
    /// `drizzle-kit`.
    Drizzle,
    /// `atlas migrate`.
    Atlas,
    /// The Supabase CLI.
    Supabase,
    /// Diesel (and Hasura, whose folders look the same).
    Diesel,
    /// Rust's refinery.
    Refinery,
    /// Flyway.
    Flyway,
    /// Liquibase formatted SQL.
    Liquibase,
    /// goose.
    Goose,
    /// dbmate.
    Dbmate,
    /// Rust's sqlx.
    Sqlx,
    /// golang-migrate.
    GolangMigrate,
    /// SQL files in the order of their numbers, or alone; run by psql or by a tool that is not known here.
    Plain,
}

impl Layout {
    /// All layouts in the order in which they are tried: the surest signs first, names that several share last.
    pub const ALL: [Self; 13] = [
        Self::Prisma,
        Self::Drizzle,
        Self::Atlas,
        Self::Supabase,
        Self::Diesel,
        Self::Refinery,
        Self::Flyway,
        Self::Liquibase,
        Self::Goose,
        Self::Dbmate,
        Self::Sqlx,
        Self::GolangMigrate,
        Self::Plain,
    ];

    /// The stable name used by `--layout` and in [`MigrationSet::layout`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prisma => "prisma",
            Self::Drizzle => "drizzle",
            Self::Atlas => "atlas",
            Self::Supabase => "supabase",
            Self::Diesel => "diesel",
            Self::Refinery => "refinery",
            Self::Flyway => "flyway",
            Self::Liquibase => "liquibase",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::Sqlx => "sqlx",
            Self::GolangMigrate => "golang-migrate",
            Self::Plain => "plain",
        }
    }

    /// The layout of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.as_str() == name)
    }

    /// Where the framework keeps its history, if it keeps one in a table that can be asked.
    pub fn tracking(self) -> Option<Tracking> {
        history::tracking(self)
    }

    fn recognises(self, tree: &Tree, folder: &Path) -> bool {
        match self {
            Self::Prisma => prisma::recognises(tree, folder),
            Self::Drizzle => drizzle::recognises(tree, folder),
            Self::Atlas => atlas::recognises(tree, folder),
            Self::Supabase => supabase::recognises(tree, folder),
            Self::Diesel => diesel::recognises(tree, folder),
            Self::Refinery => refinery::recognises(tree, folder),
            Self::Flyway => flyway::recognises(tree, folder),
            Self::Liquibase => liquibase::recognises(tree, folder),
            Self::Goose => goose::recognises(tree, folder),
            Self::Dbmate => dbmate::recognises(tree, folder),
            Self::Sqlx => sqlx::recognises(tree, folder),
            Self::GolangMigrate => golang_migrate::recognises(tree, folder),
            Self::Plain => tree.sql_in(folder).next().is_some(),
        }
    }

    fn read(self, tree: &mut Tree, folder: &Path) -> Vec<FoundSet> {
        if self == Self::Plain {
            return plain::read(tree, folder);
        }
        let mut set = SetBuilder::new(self, folder);
        set.observations = atlas::check_sum(tree, folder, self);
        match self {
            Self::Prisma => prisma::read(tree, folder, &mut set),
            Self::Drizzle => drizzle::read(tree, folder, &mut set),
            Self::Atlas => atlas::read(tree, folder, &mut set),
            Self::Supabase => supabase::read(tree, folder, &mut set),
            Self::Diesel => diesel::read(tree, folder, &mut set),
            Self::Refinery => refinery::read(tree, folder, &mut set),
            Self::Flyway => flyway::read(tree, folder, &mut set),
            Self::Liquibase => liquibase::read(tree, folder, &mut set),
            Self::Goose => goose::read(tree, folder, &mut set),
            Self::Dbmate => dbmate::read(tree, folder, &mut set),
            Self::Sqlx => sqlx::read(tree, folder, &mut set),
            Self::GolangMigrate => golang_migrate::read(tree, folder, &mut set),
            Self::Plain => {}
        }
        match self {
            Self::GolangMigrate => golang_migrate::by_dialect(set.finish()),
            _ => vec![set.finish()],
        }
    }
}

/// The migrations of one folder, and what was seen while reading them that no single statement shows.
#[derive(Debug, Clone)]
pub struct FoundSet {
    /// The framework.
    pub layout: Layout,
    /// The absolute folder of the set.
    pub folder: PathBuf,
    /// The migrations in order.
    pub set: MigrationSet,
    /// What the rules about sets make findings of.
    pub observations: Vec<Observation>,
    /// The database that a folder's name says this is for, if it is one whose SQL is not understood here.
    pub foreign: Option<&'static str>,
    /// The engine was told by nothing but the SQL itself.
    pub is_engine_guessed: bool,
}

/// Something about a set that a layout saw.
#[derive(Debug, Clone)]
pub enum Observation {
    /// A file among the migrations that the framework passes over in silence.
    NotRun {
        /// The file.
        file: PathBuf,
        /// Why the framework does not run it.
        why: String,
    },
    /// A file that a journal or sum lists and that is not there.
    Missing {
        /// The list.
        listing: PathBuf,
        /// The name in the list.
        name: String,
    },
    /// A file whose place in the framework's own order makes it be skipped where later ones have run.
    Skipped {
        /// The file.
        file: PathBuf,
        /// Why it is skipped.
        why: String,
    },
    /// `atlas.sum` does not fit the files from this one on.
    SumMismatch {
        /// The first file that differs.
        file: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The bytes of a file are not UTF-8.
    NotUtf8 {
        /// The file.
        file: PathBuf,
    },
}

/// Sorts `files` into sets, each read by the framework that its surroundings show, or by `forced` where one is named.
///
/// Sets come in the order of their folders. Files that belong to no framework's set are plain: those of a folder whose
/// names begin with numbers are one ordered set, each other file is a set of its own.
pub fn find_sets(files: Vec<InputFile>, forced: Option<Layout>) -> Vec<FoundSet> {
    let mut tree = Tree::new(files);
    let folders = tree.folders();
    let roots: BTreeSet<&Path> = folders.iter().flat_map(|folder| [folder_of(folder), folder.as_path()]).collect();
    let layouts = forced.map_or(Layout::ALL.to_vec(), |layout| vec![layout]);
    let mut sets = Vec::new();
    for layout in layouts {
        for root in &roots {
            if layout.recognises(&tree, root) {
                sets.extend(layout.read(&mut tree, root));
            }
        }
    }
    if let Some(layout) = forced {
        for folder in &folders {
            if tree.sql_in(folder).next().is_some() {
                sets.extend(layout.read(&mut tree, folder));
            }
        }
    }
    sets.retain(|found| !found.set.files.is_empty() || !found.observations.is_empty());
    sets.sort_by(|a, b| a.folder.cmp(&b.folder));
    dialect::follow_neighbours(&mut sets);
    sets
}

/// A set under construction.
#[derive(Debug)]
struct SetBuilder {
    layout: Layout,
    folder: PathBuf,
    engine: Option<Engine>,
    server_version: Option<ServerVersion>,
    files: Vec<MigrationFile>,
    observations: Vec<Observation>,
}

/// What a file name tells.
#[derive(Debug, Clone, Default)]
struct Title {
    version: Option<String>,
    name: String,
}

impl Title {
    fn new(version: impl Into<String>, name: impl Into<String>) -> Self {
        Self { version: Some(version.into()), name: name.into() }
    }
}

impl SetBuilder {
    fn new(layout: Layout, folder: &Path) -> Self {
        Self {
            layout,
            folder: folder.to_owned(),
            engine: None,
            server_version: None,
            files: Vec::new(),
            observations: Vec::new(),
        }
    }

    /// Adds a file that runs as one part.
    fn add_whole(&mut self, file: InputFile, title: Title, direction: Direction, transaction: TransactionMode) {
        let parts = vec![Part { direction, span: whole_span(&file.text), transaction }];
        self.add(file, title, parts);
    }

    fn add(&mut self, file: InputFile, title: Title, parts: Vec<Part>) {
        if file.is_lossy {
            self.observations.push(Observation::NotUtf8 { file: file.path.clone() });
        }
        let source = SourceText::new(file.path, file.text);
        self.files.push(MigrationFile { source, version: title.version, name: title.name, parts, reported: true });
    }

    fn not_run(&mut self, file: InputFile, why: &str) {
        self.observations.push(Observation::NotRun { file: file.path, why: why.to_owned() });
    }

    fn finish(self) -> FoundSet {
        let Self { layout, folder, engine, server_version, files, observations } = self;
        let named = dialect::named(&folder);
        let told = engine.or(named.engine);
        let guessed = if told.is_none() && named.foreign.is_none() { dialect::guess(&files) } else { None };
        let engine = told.or(guessed);
        let set = MigrationSet { layout: layout.as_str(), engine, server_version, files };
        let foreign = named.foreign.filter(|_| engine.is_none());
        FoundSet { layout, folder, set, observations, foreign, is_engine_guessed: guessed.is_some() }
    }
}

/// Everything after a byte order mark, which is no SQL.
fn whole_span(text: &str) -> Span {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    Span::new(start, text.len())
}

/// The engine that a framework's own word for it names.
fn engine_named(word: &str) -> Option<Engine> {
    match word.to_ascii_lowercase().as_str() {
        "postgresql" | "postgres" | "pg" | "cockroachdb" | "cockroach" | "gel" => Some(Engine::PostgreSql),
        "mysql" | "singlestore" => Some(Engine::MySql),
        "mariadb" => Some(Engine::MariaDb),
        "sqlite" | "sqlite3" | "turso" | "libsql" => Some(Engine::Sqlite),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
