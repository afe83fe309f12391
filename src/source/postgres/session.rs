//! The session that holds a dump's snapshot and tells what the database is, read in that very snapshot.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use xxhash_rust::xxh3::xxh3_64;

use super::archive::readable;
use super::connection::Connection;
use super::migration;
use crate::catalog::{ConsistentPoint, PostgresFacts};

/// A session with an exported snapshot. While it lives, `pg_dump --snapshot` sees exactly what it sees.
#[derive(Debug)]
pub struct Session {
    session: PgConnection,
    /// The address that answered: every other connection of this backup goes there.
    pub connection: Connection,
    /// For `pg_dump --snapshot`.
    pub snapshot: String,
    /// What the database is.
    pub facts: PostgresFacts,
    /// The moment of the snapshot.
    pub consistent: ConsistentPoint,
    /// Whether the role may read password hashes.
    pub superuser: bool,
    /// Tables whose data a whole dump must hold, as quoted qualified names.
    pub tables: Vec<String>,
}

/// Why no session could be had.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No address answered, or the login was refused.
    #[error("cannot connect to {target}: {}", said(reason))]
    Connect {
        /// Where, without secrets.
        target: String,
        /// Why.
        #[source]
        reason: sqlx::Error,
    },
    /// A query failed.
    #[error("{target}: {attempt} failed: {}", said(reason))]
    Query {
        /// Where, without secrets.
        target: String,
        /// What was asked.
        attempt: &'static str,
        /// Why.
        #[source]
        reason: sqlx::Error,
    },
}

/// What the server said, without the place in its source that sqlx adds.
pub(super) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => refusal.message().to_owned(),
        error => error.to_string(),
    }
}

impl SessionError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<&'static str> {
        let Self::Connect { reason, .. } = self else { return None };
        match reason {
            sqlx::Error::Io(_) => Some("check that the server runs, and the host and port of the source's url"),
            sqlx::Error::Tls(_) => Some("check sslmode and sslrootcert"),
            // The classes and codes of the server's documentation, appendix A.
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                Some("28P01" | "28000") => Some("check the user and the password of the source's url, and pg_hba.conf"),
                Some("3D000") => Some("check the name of the database in the source's url"),
                Some("53300") => Some("the server has no free connection: guard needs three while it takes a backup"),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Session {
    /// Connects, pins a snapshot and reads the facts.
    pub async fn open(connection: &Connection, name: &str) -> Result<Self, SessionError> {
        let (mut session, connection) = connect(connection, name).await?;
        let query = |attempt| {
            let target = connection.to_string();
            move |reason| SessionError::Query { target, attempt, reason }
        };
        // Asked before the transaction begins: where the role may not, the error must not abort it.
        let identifier = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
        let system_identifier = sqlx::query_scalar(identifier).fetch_one(&mut session).await.ok();
        sqlx::raw_sql(BEGIN).execute(&mut session).await.map_err(query("beginning a read-only transaction"))?;
        let row = sqlx::query(FACTS).fetch_one(&mut session).await.map_err(query("reading the database's facts"))?;
        let lists = sqlx::query(LISTS).fetch_one(&mut session).await.map_err(query("reading the catalogue"))?;
        let (mut facts, snapshot, consistent, superuser) =
            read_facts(&row, &lists, system_identifier).map_err(query("reading the database's facts"))?;
        let tables: Vec<Vec<u8>> = lists.try_get("tables").map_err(query("reading the catalogue"))?;
        let tables = tables.iter().map(|name| readable(name)).collect();
        let migrations = migration::applied(&mut session).await;
        facts.migrations = migrations.map_err(query("reading which migrations have run"))?;
        Ok(Self { session, connection, snapshot, facts, consistent, superuser, tables })
    }

    /// Takes the advisory lock of this name for as long as the session lasts; `false` if another session has it. Works on a
    /// standby too. The server finds a client whose host died within a minute instead of in two hours.
    pub async fn try_lock(&mut self, name: &str) -> Result<bool, SessionError> {
        let target = self.connection.to_string();
        let query = move |reason| SessionError::Query { target, attempt: "taking the source's lock", reason };
        let locked = async {
            sqlx::raw_sql(KEEPALIVES).execute(&mut self.session).await?;
            let key = i64::from_ne_bytes(xxh3_64(name.as_bytes()).to_ne_bytes());
            let locked = sqlx::query_scalar("SELECT pg_catalog.pg_try_advisory_lock($1)").bind(key);
            locked.fetch_one(&mut self.session).await
        };
        locked.await.map_err(query)
    }

    /// Ends the session and with it the snapshot.
    pub async fn close(self) {
        // The server rolls back by itself; nothing was written.
        let _ = self.session.close().await;
    }
}

/// Opens a plain session with a name that `pg_stat_activity` shows, trying each host of the connection in turn.
pub async fn connect(connection: &Connection, name: &str) -> Result<(PgConnection, Connection), SessionError> {
    let mut failure = None;
    for candidate in connection.candidates() {
        let options = candidate.sqlx_options().application_name(name).disable_statement_logging();
        let wait = candidate.connect_timeout().filter(|limit| !limit.is_zero()).unwrap_or(CONNECT_TIMEOUT);
        match tokio::time::timeout(wait, options.connect()).await {
            Ok(Ok(session)) => return Ok((session, candidate)),
            Ok(Err(reason)) => failure = Some((candidate.to_string(), reason)),
            Err(_) => {
                let reason = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer in {wait:?}"));
                failure = Some((candidate.to_string(), reason.into()));
            }
        }
    }
    let (target, reason) =
        failure.unwrap_or_else(|| (connection.to_string(), sqlx::Error::Configuration("no host".into())));
    Err(SessionError::Connect { target, reason })
}

/// Ends every server session that carries this name: a client killed while it waits for a lock leaves one behind.
pub async fn end_sessions(connection: &Connection, name: &str) -> Result<u64, SessionError> {
    let (mut session, connection) = connect(connection, "guard").await?;
    let ended = sqlx::query(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid()",
    )
    .bind(name)
    .execute(&mut session)
    .await;
    let _ = session.close().await;
    let attempt = "ending the dump's session";
    ended.map(|done| done.rows_affected()).map_err(|reason| SessionError::Query {
        target: connection.to_string(),
        attempt,
        reason,
    })
}

const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

const KEEPALIVES: &str = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";

/// The session idles while the dump runs, so it must not be ended for idling.
const BEGIN: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
    SET search_path = ''; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const FACTS: &str = "
    SELECT pg_catalog.pg_export_snapshot() AS snapshot,
        d.datname::text AS database,
        pg_catalog.current_setting('server_version') AS server_version,
        pg_catalog.current_setting('server_version_num')::int4 / 10000 AS major,
        pg_catalog.pg_is_in_recovery() AS replica,
        pg_catalog.pg_database_size(d.oid) AS size,
        pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE atttypid IN (790, 791) AND attrelid >= 16384)
             THEN pg_catalog.current_setting('lc_monetary') END AS monetary,
        coalesce(d.datcollate, 'C')::text AS collate,
        coalesce(d.datctype, 'C')::text AS ctype,
        (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END::text AS position,
        extract(epoch FROM CASE
            WHEN pg_catalog.pg_is_in_recovery()
                AND pg_catalog.pg_last_wal_receive_lsn() IS DISTINCT FROM pg_catalog.pg_last_wal_replay_lsn()
            THEN coalesce(pg_catalog.pg_last_xact_replay_timestamp(), pg_catalog.transaction_timestamp())
            ELSE pg_catalog.transaction_timestamp() END)::float8 AS at
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

/// The roles are those of `pg_shdepend` (owners, grantees, policies) and the bootstrap superuser, whose ownership it does
/// not record. The tables are what `getTables` and `makeTableDataInfo` of pg_dump.c dump with their data; their names are
/// asked for as the bytes that the dump has, which need not be UTF-8.
const LISTS: &str = "
    SELECT
        ARRAY(SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_shdepend s
              JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
              WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.dbid IN (0, d.oid)
              UNION SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid IN (10, d.datdba) ORDER BY 1) AS roles,
        ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolsuper ORDER BY 1) AS superusers,
        ARRAY(SELECT extname::text FROM pg_catalog.pg_extension ORDER BY extname) AS extension_names,
        ARRAY(SELECT extversion FROM pg_catalog.pg_extension ORDER BY extname) AS extension_versions,
        ARRAY(SELECT pg_catalog.format('%I.%I', n.nspname, co.conname)
              FROM pg_catalog.pg_constraint co JOIN pg_catalog.pg_namespace n ON n.oid = co.connamespace
              WHERE NOT co.convalidated ORDER BY 1) AS unvalidated,
        ARRAY(SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
              WHERE NOT i.indisvalid ORDER BY 1) AS invalid_indexes,
        ARRAY(SELECT pg_catalog.convert_to(pg_catalog.format('%I.%I', n.nspname, c.relname),
                                           pg_catalog.getdatabaseencoding())
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'r' AND NOT c.relispartition
                AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_catalog.pg_is_in_recovery())
                AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
                AND n.nspname NOT LIKE 'pg\\_temp%'
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
                      AND e.deptype = 'e')
              ORDER BY 1) AS tables
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

type Facts = (PostgresFacts, String, ConsistentPoint, bool);

fn read_facts(row: &PgRow, lists: &PgRow, system_identifier: Option<String>) -> Result<Facts, sqlx::Error> {
    let names: Vec<String> = lists.try_get("extension_names")?;
    let versions: Vec<String> = lists.try_get("extension_versions")?;
    let roles: Vec<String> = lists.try_get("roles")?;
    let superusers: Vec<String> = lists.try_get("superusers")?;
    let major: i32 = row.try_get("major")?;
    let size: i64 = row.try_get("size")?;
    let facts = PostgresFacts {
        database: row.try_get("database")?,
        server_version: row.try_get("server_version")?,
        major: u32::try_from(major).unwrap_or_default(),
        system_identifier,
        replica: row.try_get("replica")?,
        size: u64::try_from(size).unwrap_or_default(),
        encoding: row.try_get("encoding")?,
        collate: row.try_get("collate")?,
        ctype: row.try_get("ctype")?,
        monetary: row.try_get("monetary")?,
        extensions: names.into_iter().zip(versions).collect::<BTreeMap<_, _>>(),
        superusers: superusers.into_iter().filter(|role| roles.contains(role)).collect(),
        roles,
        unvalidated_constraints: lists.try_get("unvalidated")?,
        invalid_indexes: lists.try_get("invalid_indexes")?,
        selection: Vec::new(),
        migrations: None,
    };
    let consistent = ConsistentPoint { at: from_epoch(row.try_get("at")?), position: row.try_get("position")? };
    Ok((facts, row.try_get("snapshot")?, consistent, row.try_get("superuser")?))
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970 fit an i64 until the year 294246")]
fn from_epoch(seconds: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros((seconds * 1e6).round() as i64).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The databases of a server that can be connected to, templates excepted, by name. Uses up the session.
pub async fn databases(mut session: PgConnection, connection: &Connection) -> Result<Vec<String>, SessionError> {
    let query = "SELECT datname::text FROM pg_catalog.pg_database
        WHERE datallowconn AND NOT datistemplate AND pg_catalog.has_database_privilege(oid, 'CONNECT') ORDER BY 1";
    let names = sqlx::query_scalar(query).fetch_all(&mut session).await;
    let _ = session.close().await;
    let attempt = "listing databases";
    names.map_err(|reason| SessionError::Query { target: connection.to_string(), attempt, reason })
}
