//! One PostgreSQL database as a source: opened at one snapshot, dumped by its own version's `pg_dump`.

use std::ffi::OsStr;
use std::io::PipeReader;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::{BackupId, PostgresFacts, SourceName, Tool};
use crate::contents::Contents;
use crate::progress::Progress;
use crate::source::child::{ChildCommand, ChildError, Ending, OwnedChild};
use crate::source::recorder::Recorder;
use crate::source::{Dump, StreamName, Writer};

pub mod archive;
pub mod client;
pub mod cluster;
pub mod connection;
pub mod load;
pub mod locks;
pub mod migration;
pub mod pick;
pub mod privilege;
pub mod record;
pub mod scratch;
pub mod session;
pub mod structure;

use archive::ArchiveOptions;
use client::{ClientError, ClientSearch, ClientTools};
use connection::Connection;
use locks::BlockedOthers;
use record::RecordError;
use session::{Session, SessionError};

/// One database to back up, and how.
#[derive(Debug, Clone)]
pub struct PostgresSource {
    /// Its name in the repository.
    pub name: SourceName,
    /// How to reach it.
    pub connection: Connection,
    /// Where its client programs may be.
    pub client: ClientSearch,
    /// What part of it.
    pub selection: Selection,
    /// How long `pg_dump` may wait for its own locks before it gives up.
    pub lock_wait_timeout: Duration,
    /// How long the dump may make another session wait for a lock before it gives way.
    pub max_block: Duration,
    /// Whether roles and tablespaces of the server are dumped beside it.
    pub globals: bool,
}

/// Tables and schemas to pick or leave out, as `pg_dump` patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--table`.
    pub tables: Vec<String>,
    /// `--exclude-table`.
    pub exclude_tables: Vec<String>,
    /// `--schema`.
    pub schemas: Vec<String>,
    /// `--exclude-schema`.
    pub exclude_schemas: Vec<String>,
    /// `--exclude-table-data`.
    pub exclude_data: Vec<String>,
    /// `--section`: with any, large objects are left out too, which belong to no table.
    pub sections: Vec<String>,
    /// `--no-unlogged-table-data`.
    pub without_unlogged_data: bool,
}

/// A database opened for a dump: its snapshot is held and its facts are known.
#[derive(Debug)]
pub struct OpenDatabase {
    source: PostgresSource,
    tools: ClientTools,
    session: Session,
    dump_name: String,
}

/// Why a database could not be dumped.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No client programs.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A client program failed.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The dump gave way.
    #[error(transparent)]
    BlockedOthers(#[from] BlockedOthers),
    /// Another session holds the source's lock.
    #[error("{database} is being backed up by another guard: a session of its holds the advisory lock `{lock}`")]
    Busy {
        /// The database.
        database: String,
        /// The lock's name.
        lock: String,
    },
    /// The dump ended well and yet lacks something that the catalogue names.
    #[error("the dump of {database} is incomplete: it holds no data for {missing}")]
    Incomplete {
        /// The database.
        database: String,
        /// What is missing.
        missing: String,
    },
}

impl PostgresSource {
    /// A restored database, to be dumped by the same code as its source was.
    pub fn for_comparison(
        name: SourceName,
        connection: Connection,
        tools: &ClientTools,
        facts: &PostgresFacts,
    ) -> Self {
        Self {
            name,
            connection,
            client: ClientSearch { dir: Some(tools.program("")) },
            selection: Selection::of_copy(facts),
            lock_wait_timeout: Duration::from_mins(1),
            // Nobody else is in it yet, or its owner waits for this very restore.
            max_block: Duration::MAX,
            globals: false,
        }
    }

    /// Connects, holds a snapshot and finds the client programs. `id` names the sessions on the server.
    pub async fn open(&self, id: &BackupId) -> Result<OpenDatabase, PostgresError> {
        let dump_name = format!("guard {id}");
        let session = Session::open(&self.connection, &format!("guard snapshot {id}")).await?;
        let tools = ClientTools::find(session.facts.major, &self.client).await?;
        Ok(OpenDatabase { source: self.clone(), tools, session, dump_name })
    }
}

impl Selection {
    /// Whether the whole database is meant.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// What a dump of a restored copy must select so that it can be compared with the dump it was restored from: the same
    /// patterns, and no unlogged tables if the source was a standby, which has none of their rows.
    pub fn of_copy(facts: &PostgresFacts) -> Self {
        let of = |flag: &str| {
            let patterns = facts.selection.iter().filter_map(|argument| argument.split_once('='));
            patterns.filter(|(name, _)| *name == flag).map(|(_, pattern)| pattern.to_owned()).collect()
        };
        Self {
            tables: of("--table"),
            exclude_tables: of("--exclude-table"),
            schemas: of("--schema"),
            exclude_schemas: of("--exclude-schema"),
            exclude_data: of("--exclude-table-data"),
            sections: of("--section"),
            without_unlogged_data: facts.replica,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let flag = |flag: &'static str, patterns: &[String]| {
            patterns.iter().map(|pattern| format!("{flag}={pattern}")).collect::<Vec<_>>()
        };
        let tables = |name: &'static str, patterns: &[String]| {
            flag(name, &patterns.iter().map(|pattern| in_any_schema(pattern)).collect::<Vec<_>>())
        };
        let mut arguments = tables("--table", &self.tables);
        arguments.extend(tables("--exclude-table", &self.exclude_tables));
        arguments.extend(flag("--schema", &self.schemas));
        arguments.extend(flag("--exclude-schema", &self.exclude_schemas));
        arguments.extend(tables("--exclude-table-data", &self.exclude_data));
        arguments.extend(flag("--section", &self.sections));
        if !self.sections.is_empty() {
            arguments.push("--no-blobs".to_owned());
        }
        if self.without_unlogged_data {
            arguments.push("--no-unlogged-table-data".to_owned());
        }
        arguments
    }
}

impl OpenDatabase {
    /// What the database is, for the manifest.
    pub fn facts(&self) -> PostgresFacts {
        PostgresFacts { selection: self.source.selection.arguments(), ..self.session.facts.clone() }
    }

    /// The moment whose data the dump will hold.
    pub fn consistent(&self) -> &crate::catalog::ConsistentPoint {
        &self.session.consistent
    }

    /// Holds the lock of this name on the server until the session ends, or fails because another guard has it.
    pub async fn lock(&mut self, name: &str) -> Result<(), PostgresError> {
        if self.session.try_lock(name).await? {
            return Ok(());
        }
        Err(PostgresError::Busy { database: self.session.facts.database.clone(), lock: name.to_owned() })
    }

    /// The programs that will be run.
    pub fn tool(&self) -> Tool {
        Tool { name: "pg_dump".to_owned(), version: self.tools.version().to_owned() }
    }

    /// The dump, and what lies beside it.
    pub fn streams(&self) -> Vec<StreamName> {
        let stream = |(name, file): (&str, &str)| StreamName { name: name.to_owned(), file: file.to_owned() };
        let globals = self.source.globals.then_some(GLOBALS);
        [Some(DUMP), globals].into_iter().flatten().map(stream).collect()
    }

    /// Starts one of them.
    pub fn start(&self, stream: &StreamName, progress: &Arc<Progress>) -> Result<Dump, ChildError> {
        let ((child, output), recorder) = if stream.name == DUMP.0 {
            let recorder = record::Recorder::new(ArchiveOptions::default(), progress);
            (self.start_dump()?, Recorder::Postgres(Box::new(recorder)))
        } else {
            (self.start_globals()?, Recorder::Nothing)
        };
        Ok(Dump { output: Box::new(output), recorder, writer: Writer::Child(child) })
    }

    /// Starts `pg_dump` in the custom format, uncompressed, at the held snapshot.
    pub fn start_dump(&self) -> Result<(OwnedChild, PipeReader), ChildError> {
        let lock_wait = self.source.lock_wait_timeout.as_millis();
        let command = ChildCommand::writing_in_bulk(&self.tools.program("pg_dump"), Ending::Kill);
        configured(command, &self.session.connection, &self.dump_name)
            .args(["--format=custom", "--compress=0", "--no-password"])
            .args([format!("--lock-wait-timeout={lock_wait}"), format!("--snapshot={}", self.session.snapshot)])
            .args(self.source.selection.arguments())
            .start_with_output()
    }

    /// Starts `pg_dumpall` for roles and tablespaces. Without superuser rights there are no password hashes to read.
    fn start_globals(&self) -> Result<(OwnedChild, PipeReader), ChildError> {
        let mut arguments = vec!["--globals-only", "--no-password"];
        if !self.session.superuser {
            arguments.push("--no-role-passwords");
        }
        self.client("pg_dumpall").args(arguments).start_with_output()
    }

    /// Returns once the dump has blocked somebody for too long, or can no longer be watched.
    pub async fn blocked_others(&self) -> PostgresError {
        match locks::watch(&self.session.connection, &self.dump_name, self.source.max_block).await {
            Ok(blocked) => blocked.into(),
            Err(error) => error.into(),
        }
    }

    /// Dumps it for its record alone, comparable with another record of the same data.
    pub async fn record(&self, comparable: &Contents, progress: &Arc<Progress>) -> Result<Contents, RecordError> {
        record::record(self, ArchiveOptions::comparable_with(comparable), progress).await
    }

    /// Does the dump hold everything that the catalogue of its snapshot names?
    pub fn check(&self, contents: &Contents) -> Result<(), PostgresError> {
        if !self.source.selection.is_everything() {
            return Ok(());
        }
        let missing: Vec<&str> = self
            .session
            .tables
            .iter()
            .filter(|table| !contents.tables.contains_key(*table))
            .map(String::as_str)
            .take(10)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(PostgresError::Incomplete { database: self.session.facts.database.clone(), missing: missing.join(", ") })
    }

    /// Ends what a failed dump left on the server.
    pub async fn abandon(self) {
        if let Err(error) = session::end_sessions(&self.session.connection, &self.dump_name).await {
            tracing::warn!(%error, "the dump's session on the server may live on for a while");
        }
        self.session.close().await;
    }

    /// Releases the snapshot.
    pub async fn close(self) {
        self.session.close().await;
    }

    fn client(&self, program: &str) -> ChildCommand {
        client_command(&self.tools.program(program), &self.session.connection, &self.dump_name)
    }
}

/// A client program that connects where `connection` says, under the name `session`, with every setting pinned that
/// changes how values are written.
fn client_command(program: &Path, connection: &Connection, session: &str) -> ChildCommand {
    configured(ChildCommand::new(program, Ending::Kill), connection, session)
}

fn configured(command: ChildCommand, connection: &Connection, session: &str) -> ChildCommand {
    command
        .with(|command| connection.configure(command))
        .with(|command| append_options(command, PINNED_SETTINGS))
        .envs([("PGAPPNAME", session), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC")])
}

/// A table's pattern without a schema means every schema: the search path, which would choose, is empty in every session.
fn in_any_schema(pattern: &str) -> String {
    let mut is_quoted = false;
    let has_schema = pattern.chars().any(|character| {
        is_quoted ^= character == '"';
        character == '.' && !is_quoted
    });
    if has_schema { pattern.to_owned() } else { format!("*.{pattern}") }
}

/// Adds session settings after those that the connection brings, so that these win.
fn append_options(command: &mut Command, settings: &str) {
    let set = command.get_envs().find(|(name, _)| *name == "PGOPTIONS").and_then(|(_, value)| value);
    let mut options = set.map(OsStr::to_owned).unwrap_or_default();
    options.push(" ");
    options.push(settings);
    command.env("PGOPTIONS", options);
}

/// The streams of a backup and their files.
const DUMP: (&str, &str) = ("dump", "dump.pgdump");
const GLOBALS: (&str, &str) = ("globals", "globals.sql");

/// Both sides of a comparison are dumped with these; the dump's own text is unambiguous with any.
const PINNED_SETTINGS: &str = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex \
     -c extra_float_digits=3 -c search_path= -c statement_timeout=0 -c lock_timeout=0 \
     -c idle_in_transaction_session_timeout=0";
