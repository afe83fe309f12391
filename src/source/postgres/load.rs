//! A dump into a database: what must be there before, and `pg_restore` itself, which stops at its first error.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::client::ClientTools;
use super::connection::Connection;
use super::session::{SessionError, connect, said};
use crate::catalog::PostgresFacts;
use crate::contents::Contents;
use crate::source::child::{ChildCommand, ChildError, Ending, OwnedChild};

/// How `pg_restore` runs.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Parallel workers.
    pub jobs: NonZeroU32,
    /// Drop what is there before creating it.
    pub clean: bool,
    /// Definitions without data.
    pub schema_only: bool,
    /// Leave out owners and grants: the target has other roles.
    pub without_roles: bool,
    /// Put everything into the default tablespace.
    pub without_tablespaces: bool,
    /// How many further processes help with each index; what the server says when absent.
    pub index_helpers: Option<usize>,
    /// A table of contents to follow instead of the whole.
    pub list: Option<PathBuf>,
}

/// Why a target is not ready, or did not take the dump.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No session with the target.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A query on the target failed.
    #[error("{target}: {attempt} failed: {}", said(reason))]
    Query {
        /// Which target.
        target: String,
        /// What was attempted.
        attempt: String,
        /// Why.
        #[source]
        reason: sqlx::Error,
    },
    /// The target has something in it.
    #[error("{target} is not empty: it has {found}")]
    NotEmpty {
        /// Which target.
        target: String,
        /// What was found.
        found: String,
    },
    /// The target lacks roles.
    #[error("{target} lacks the roles {}", missing.join(", "))]
    RolesMissing {
        /// Which target.
        target: String,
        /// Which roles.
        missing: Vec<String>,
    },
    /// The target lacks extensions.
    #[error("{target} lacks the extensions {}", missing.join(", "))]
    ExtensionsMissing {
        /// Which target.
        target: String,
        /// Which extensions.
        missing: Vec<String>,
        /// The packages that have them, as far as known.
        packages: Vec<String>,
    },
    /// A list of entries could not be written.
    #[error("cannot write {path}: {reason}")]
    List {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
    /// `pg_restore` failed.
    #[error(transparent)]
    Restore(#[from] ChildError),
}

impl LoadError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotEmpty { .. } => Some(
                "restore into an empty database (--create makes one), or say --clean to drop what the backup has"
                    .to_owned(),
            ),
            Self::RolesMissing { .. } => Some(
                "create them (globals.sql of the backup has their definitions: guard restore --to DIR), or say \
                 --no-owner to leave owners and grants out"
                    .to_owned(),
            ),
            Self::ExtensionsMissing { packages, .. } => {
                Some(format!("install on the target's machine: {}", packages.join(", ")))
            }
            Self::Session(_) | Self::Query { .. } | Self::List { .. } | Self::Restore(_) => None,
        }
    }
}

/// A session with a target, to ask and to prepare.
#[derive(Debug)]
pub struct Target {
    session: PgConnection,
    name: String,
}

impl Target {
    /// Connects to it.
    pub async fn connect(connection: &Connection) -> Result<Self, LoadError> {
        let (session, connection) = connect(connection, "guard restore").await?;
        Ok(Self { session, name: connection.to_string() })
    }

    /// The cluster's identity, if the role may read it.
    pub async fn system_identifier(&mut self) -> Option<String> {
        let identifier = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
        sqlx::query_scalar(identifier).fetch_one(&mut self.session).await.ok()
    }

    /// The server's major version.
    pub async fn major(&mut self) -> Result<u32, LoadError> {
        let query = "SELECT pg_catalog.current_setting('server_version_num')::int4 / 10000";
        let major: i32 =
            sqlx::query_scalar(query).fetch_one(&mut self.session).await.map_err(self.failed("version"))?;
        Ok(u32::try_from(major).unwrap_or_default())
    }

    /// Refuses a target that holds anything of a user's. Asked of the catalogue, extension members excepted.
    pub async fn assert_empty(&mut self) -> Result<(), LoadError> {
        let found: Vec<String> = sqlx::query_scalar(USER_OBJECTS)
            .fetch_all(&mut self.session)
            .await
            .map_err(self.failed("looking for existing objects"))?;
        if found.is_empty() {
            return Ok(());
        }
        Err(LoadError::NotEmpty { target: self.name.clone(), found: found.join(", ") })
    }

    /// The roles of the dump that are not here.
    pub async fn missing_roles(&mut self, facts: &PostgresFacts) -> Result<Vec<String>, LoadError> {
        let present: Vec<String> = sqlx::query_scalar("SELECT rolname::text FROM pg_catalog.pg_roles")
            .fetch_all(&mut self.session)
            .await
            .map_err(self.failed("listing roles"))?;
        let present: BTreeSet<String> = present.into_iter().collect();
        Ok(facts.roles.iter().filter(|role| !present.contains(*role)).cloned().collect())
    }

    /// Refuses a target that lacks roles of the dump.
    pub async fn assert_roles(&mut self, facts: &PostgresFacts) -> Result<(), LoadError> {
        let missing = self.missing_roles(facts).await?;
        if missing.is_empty() { Ok(()) } else { Err(LoadError::RolesMissing { target: self.name.clone(), missing }) }
    }

    /// Creates the roles of the dump that are not here, without login. For throw-away clusters only.
    pub async fn create_roles(&mut self, facts: &PostgresFacts) -> Result<(), LoadError> {
        for role in self.missing_roles(facts).await? {
            let superuser = if facts.superusers.contains(&role) { "SUPERUSER" } else { "NOSUPERUSER" };
            self.run(format!("CREATE ROLE {} NOLOGIN {superuser}", quoted(&role)), "creating a role").await?;
        }
        Ok(())
    }

    /// Refuses a target whose server does not have the dump's extensions, naming the packages that do.
    pub async fn assert_extensions(&mut self, facts: &PostgresFacts) -> Result<(), LoadError> {
        let available: Vec<String> = sqlx::query_scalar("SELECT name::text FROM pg_catalog.pg_available_extensions")
            .fetch_all(&mut self.session)
            .await
            .map_err(self.failed("listing extensions"))?;
        let missing: Vec<String> =
            facts.extensions.keys().filter(|extension| !available.contains(extension)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let packages = missing.iter().map(|extension| package(extension, facts.major)).collect();
        Err(LoadError::ExtensionsMissing { target: self.name.clone(), missing, packages })
    }

    /// Creates the schemas that a selection of tables needs and does not bring along.
    pub async fn create_schemas(&mut self, facts: &PostgresFacts, contents: &Contents) -> Result<(), LoadError> {
        if facts.selection.is_empty() {
            return Ok(());
        }
        let entries = || contents.schema.iter();
        let brought: BTreeSet<&str> =
            entries().filter(|entry| entry.kind == "SCHEMA").map(|entry| entry.name.as_str()).collect();
        let needed: BTreeSet<&str> = entries().map(|entry| entry.schema.as_str()).collect();
        for schema in needed.difference(&brought).filter(|schema| !schema.is_empty()) {
            self.run(format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema)), "creating a schema").await?;
        }
        Ok(())
    }

    /// Creates a database with the dump's encoding and locale; returns what had to be different.
    pub async fn create_database(&mut self, name: &str, facts: &PostgresFacts) -> Result<Option<String>, LoadError> {
        let create = |collate: &str, ctype: &str| {
            format!(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
                quoted(name),
                literal(&facts.encoding),
                literal(collate),
                literal(ctype)
            )
        };
        let wanted = create(&facts.collate, &facts.ctype);
        let Err(refused) = self.run(wanted, "creating the database").await else { return Ok(None) };
        // The machine may lack the locale: sort order then differs, data does not.
        let fallback = if facts.encoding == "UTF8" { "C.UTF-8" } else { "C" };
        self.run(create(fallback, fallback), "creating the database").await.map_err(|_| refused)?;
        Ok(Some(format!("locale {} is not on this machine, {fallback} was used", facts.collate)))
    }

    /// Lets a database of guard's own read and write values of the type money as the source does.
    pub async fn adopt_monetary_locale(&mut self, name: &str, facts: &PostgresFacts) -> Result<(), LoadError> {
        let Some(locale) = &facts.monetary else { return Ok(()) };
        let alter = format!("ALTER DATABASE {} SET lc_monetary = {}", quoted(name), literal(locale));
        self.run(alter, "setting the locale of the type money, which this machine may lack,").await
    }

    /// Drops a database that guard made.
    pub async fn drop_database(&mut self, name: &str) -> Result<(), LoadError> {
        self.run(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)), "dropping the database").await
    }

    /// Whether a database of that name exists on the server.
    pub async fn has_database(&mut self, name: &str) -> Result<bool, LoadError> {
        let query = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)";
        sqlx::query_scalar(query)
            .bind(name)
            .fetch_one(&mut self.session)
            .await
            .map_err(self.failed("listing databases"))
    }

    /// Runs statements that guard composed itself.
    pub async fn run(&mut self, sql: String, attempt: &str) -> Result<(), LoadError> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.session).await;
        done.map(|_| ()).map_err(self.failed(attempt))
    }

    /// A list of texts that a query of guard's own gives.
    pub async fn texts(&mut self, sql: &'static str, attempt: &str) -> Result<Vec<String>, LoadError> {
        sqlx::query_scalar(sql).fetch_all(&mut self.session).await.map_err(self.failed(attempt))
    }

    /// Numbers that a query of guard's own gives.
    pub async fn count(&mut self, sql: &'static str, attempt: &str) -> Result<i64, LoadError> {
        sqlx::query_scalar(sql).fetch_one(&mut self.session).await.map_err(self.failed(attempt))
    }

    /// Drops every relation, routine and type of a user's, and what hangs on them; schemas and extensions stay. One by one, for a
    /// transaction that drops ten thousand needs more locks than a server has by default.
    pub async fn drop_everything(&mut self) -> Result<(), LoadError> {
        for statement in self.texts(EVERYTHING, "listing what it has").await? {
            self.run(statement, "dropping what it has").await?;
        }
        Ok(())
    }

    /// Ends the session.
    pub async fn close(self) {
        let _ = self.session.close().await;
    }

    fn failed(&self, attempt: &str) -> impl FnOnce(sqlx::Error) -> LoadError + use<> {
        let (target, attempt) = (self.name.clone(), attempt.to_owned());
        move |reason| LoadError::Query { target, attempt, reason }
    }
}

/// Runs `pg_restore` of an archive file into a database; its lists are written beside the archive.
///
/// Workers of one `pg_restore` run grants in any order, and a grant by a role that is no owner needs the grants that let
/// the role see the object: then it fails, or not, by chance. So with several workers everything else comes first, and
/// grants and what pg_restore keeps for after them (`_tocEntryRestorePass` of pg_backup_archiver.c) follow in the order
/// of the archive.
pub async fn restore(
    tools: &ClientTools,
    target: &Connection,
    archive: &Path,
    facts: &PostgresFacts,
    options: &LoadOptions,
) -> Result<(), LoadError> {
    // With --clean the event triggers must be dropped together with their functions: one run then, and one worker.
    if options.clean || options.jobs == NonZeroU32::MIN {
        let options = LoadOptions { jobs: NonZeroU32::MIN, ..options.clone() };
        return Ok(start_restore(tools, target, archive, facts, &options)?.finish().await?);
    }
    let mut list_command = ChildCommand::new(&tools.program("pg_restore"), Ending::Kill).args(["--list"]);
    if let Some(list) = &options.list {
        list_command = list_command.args([format!("--use-list={}", list.display())]);
    }
    // Bytes that are no UTF-8 are only in names, which pg_restore ignores in a list.
    let listed = list_command.args([archive]).output().await?;
    let listed = String::from_utf8_lossy(&listed);
    let (last, first): (Vec<&str>, Vec<&str>) = listed.lines().partition(|line| comes_last(line));
    for (lines, name, jobs) in [(first, "first.list", options.jobs), (last, "last.list", NonZeroU32::MIN)] {
        let list = archive.with_file_name(name);
        std::fs::write(&list, lines.join("\n")).map_err(|reason| LoadError::List { path: list.clone(), reason })?;
        let options = LoadOptions { jobs, list: Some(list), ..options.clone() };
        start_restore(tools, target, archive, facts, &options)?.finish().await?;
    }
    Ok(())
}

/// A line of `pg_restore --list` is `4523; 0 17110 ACL public TABLE t owner`.
fn comes_last(line: &str) -> bool {
    let entry = line.splitn(4, ' ').nth(3).unwrap_or_default();
    let is_about_trigger =
        entry.starts_with("COMMENT - EVENT TRIGGER ") || entry.starts_with("SECURITY LABEL - EVENT TRIGGER ");
    let kinds = ["ACL ", "DEFAULT ACL ", "EVENT TRIGGER ", "MATERIALIZED VIEW DATA "];
    is_about_trigger || kinds.iter().any(|kind| entry.starts_with(kind))
}

fn start_restore(
    tools: &ClientTools,
    target: &Connection,
    archive: &Path,
    facts: &PostgresFacts,
    options: &LoadOptions,
) -> Result<OwnedChild, ChildError> {
    let mut arguments = vec![
        "--exit-on-error".to_owned(),
        "--no-password".to_owned(),
        format!("--dbname={}", target.database()),
        format!("--jobs={}", options.jobs),
    ];
    let mut flag = |wanted: bool, flags: &[&str]| {
        if wanted {
            arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        }
    };
    flag(options.clean, &["--clean", "--if-exists"]);
    flag(options.schema_only, &["--schema-only"]);
    flag(options.without_roles, &["--no-owner", "--no-privileges"]);
    flag(options.without_tablespaces, &["--no-tablespaces"]);
    if let Some(list) = &options.list {
        arguments.push(format!("--use-list={}", list.display()));
    }
    let mut command =
        super::client_command(&tools.program("pg_restore"), target, "guard restore").args(arguments).args([archive]);
    if let Some(locale) = &facts.monetary {
        // Values of the type money are read back as they were written.
        let setting = format!("-c lc_monetary={}", locale.replace(['\\', ' '], ""));
        command = command.with(|command| super::append_options(command, &setting));
    }
    if let Some(helpers) = options.index_helpers {
        let setting = format!("-c max_parallel_maintenance_workers={helpers}");
        command = command.with(|command| super::append_options(command, &setting));
    }
    command.start()
}

/// A quoted identifier.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Tables, views, sequences, functions, types and schemas that neither PostgreSQL nor an extension owns; at most five.
const USER_OBJECTS: &str = "
    WITH member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
    own AS (SELECT oid, nspname FROM pg_catalog.pg_namespace
            WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')
    SELECT pg_catalog.format('%s.%s', own.nspname, c.relname) FROM pg_catalog.pg_class c JOIN own ON own.oid = relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND (('pg_catalog.pg_class'::pg_catalog.regclass)::oid, c.oid) NOT IN (SELECT classid, objid FROM member)
    UNION ALL
    SELECT pg_catalog.format('function %s.%s', own.nspname, p.proname) FROM pg_catalog.pg_proc p
        JOIN own ON own.oid = pronamespace
        WHERE (('pg_catalog.pg_proc'::pg_catalog.regclass)::oid, p.oid) NOT IN (SELECT classid, objid FROM member)
    UNION ALL
    SELECT pg_catalog.format('type %s.%s', own.nspname, t.typname) FROM pg_catalog.pg_type t
        JOIN own ON own.oid = typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = typrelid
        WHERE (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
          AND (('pg_catalog.pg_type'::pg_catalog.regclass)::oid, t.oid) NOT IN (SELECT classid, objid FROM member)
    UNION ALL
    SELECT pg_catalog.format('schema %s', nspname) FROM own WHERE nspname <> 'public'
          AND (('pg_catalog.pg_namespace'::pg_catalog.regclass)::oid, oid) NOT IN (SELECT classid, objid FROM member)
    UNION ALL
    SELECT pg_catalog.format('large object %s', oid) FROM pg_catalog.pg_largeobject_metadata
    LIMIT 5";

/// The Debian package of an extension, or how to find it.
fn package(extension: &str, major: u32) -> String {
    let contrib = "adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance \
        file_fdw fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime old_snapshot pageinspect \
        pg_buffercache pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect \
        pgcrypto pgrowlocks pgstattuple postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time \
        unaccent uuid-ossp xml2";
    let suffix = match extension {
        contrib_name if contrib.split_whitespace().any(|name| name == contrib_name) => {
            return format!("postgresql-{major} (or postgresql-contrib) for {extension}");
        }
        "postgis" | "postgis_topology" | "postgis_raster" | "postgis_sfcgal" | "postgis_tiger_geocoder" => "postgis-3",
        "vector" => "pgvector",
        "pg_cron" => "cron",
        "pg_partman" => "partman",
        "hypopg" => "hypopg",
        "pgaudit" => "pgaudit",
        "pg_repack" => "repack",
        "plpython3u" => return format!("postgresql-plpython3-{major}"),
        "plperl" | "plperlu" => return format!("postgresql-plperl-{major}"),
        "timescaledb" => return format!("timescaledb-2-postgresql-{major}"),
        other => return format!("the package of extension {other} for PostgreSQL {major}"),
    };
    format!("postgresql-{major}-{suffix}")
}

/// Statements that drop what a user's schemas have. Partitions, sequences of columns, row types and triggers go with what they
/// belong to; what an extension owns is left out. Routines are named with their arguments' types, so they go before those.
const EVERYTHING: &str = r"
    WITH own AS (
        SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), statements (place, statement) AS (
        SELECT 1, pg_catalog.format('DROP ROUTINE IF EXISTS %I.%I(%s) CASCADE', n.nspname, p.proname,
                                    pg_catalog.pg_get_function_identity_arguments(p.oid))
        FROM pg_catalog.pg_proc p JOIN own n ON n.oid = p.pronamespace
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                          AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
        UNION ALL
        SELECT 2, pg_catalog.format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
            n.nspname, c.relname)
        FROM pg_catalog.pg_class c JOIN own n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
        UNION ALL
        SELECT 3, pg_catalog.format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname)
        FROM pg_catalog.pg_type t JOIN own n ON n.oid = t.typnamespace
            LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
        WHERE t.typtype IN ('c', 'd', 'e', 'r') AND (c.relkind IS NULL OR c.relkind = 'c')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                          AND d.objid = t.oid AND d.deptype = 'e')
    )
    SELECT statement FROM statements ORDER BY place, statement";
