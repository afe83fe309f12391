//! A set of migrations in the order in which they run: what a layout makes of files, and what the linter walks.

use crate::engine::{Engine, ServerVersion};
use crate::source_text::{SourceText, Span};

/// Whether a part moves the schema forward or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Applied on deploy.
    Up,
    /// Undoes an up; dropping what the up made is the point of it.
    Down,
    /// Run again whenever its text changes (Flyway `R__`, Liquibase `runOnChange`): must be re-runnable.
    Repeatable,
}

/// How the framework runs one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionMode {
    /// The framework opens one transaction per part and commits it at the end.
    PerPart,
    /// All pending migrations run in one transaction (Drizzle, refinery `set_grouped`).
    WholeSet,
    /// The whole part is sent as one simple query: implicitly one transaction, unless it holds a single statement
    /// or its own BEGIN/COMMIT (golang-migrate, Prisma).
    ImplicitPerPart,
    /// Each statement commits by itself.
    None,
}

/// A contiguous piece of a file that runs as a unit in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Forward, back, or repeatable.
    pub direction: Direction,
    /// Where in the file its SQL lies.
    pub span: Span,
    /// How it is run.
    pub transaction: TransactionMode,
}

/// One file of a migration set. A migration whose down lies in a file of its own has two of these with one version.
#[derive(Debug, Clone)]
pub struct MigrationFile {
    /// The text and its path.
    pub source: SourceText,
    /// The version as the framework compares it, as text; `None` for files outside any versioned set.
    pub version: Option<String>,
    /// The description part of the name.
    pub name: String,
    /// Its parts in file order.
    pub parts: Vec<Part>,
    /// Whether findings are reported for it; files that only give context (before `--since`) say no.
    pub reported: bool,
}

/// Files of one directory in the order in which the framework runs them, and what the layout knows about how.
#[derive(Debug, Clone)]
pub struct MigrationSet {
    /// The layout's stable name, such as `prisma` or `plain`.
    pub layout: &'static str,
    /// The engine that the layout's own files name, if they do.
    pub engine: Option<Engine>,
    /// The version that the layout's own files name, if they do.
    pub server_version: Option<ServerVersion>,
    /// In order of execution.
    pub files: Vec<MigrationFile>,
}
