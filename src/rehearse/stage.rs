//! The databases of a rehearsal: the restored one, which is never changed, and copies of it that migrations are tried on.
//!
//! A copy is made by the server (`CREATE DATABASE … TEMPLATE`), file by file, so that tables and columns keep their numbers:
//! a renamed one is known for what it is.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::error::{RehearseError, asked};
use crate::catalog::{BackupId, CompleteBackup};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::quoted;
use crate::source::postgres::scratch::{self, ScratchPlace, name_on_server};
use crate::source::postgres::session::connect;

/// Where a rehearsal takes place.
#[derive(Debug, Clone)]
pub struct Stage {
    /// A database of the server that is not copied.
    server: Connection,
    /// The restored database.
    pristine: String,
    /// How migrations' sessions are set up.
    manner: Manner,
}

/// How the framework's sessions differ from guard's.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The role that runs migrations; the copy's superuser if none is named.
    pub role: Option<String>,
    /// `search_path`, such as Prisma's `schema=…`.
    pub search_path: Option<String>,
}

/// One of the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Where migrations run one after the other.
    Main,
    /// As it was before the migration that is being looked at.
    Before,
    /// For repeats, stops, the way back, the load.
    Trial,
}

impl Stage {
    /// On a server whose `pristine` database is the restored one.
    pub fn new(server: Connection, pristine: &str, manner: Manner) -> Self {
        Self { server, pristine: pristine.to_owned(), manner }
    }

    /// The name of a copy.
    pub fn name(&self, role: Role) -> String {
        let suffix = match role {
            Role::Main => "rehearsal",
            Role::Before => "before",
            Role::Trial => "trial",
        };
        format!("{}_{suffix}", self.pristine)
    }

    /// The address of a copy.
    pub fn address(&self, role: Role) -> Connection {
        self.server.with_database(&self.name(role))
    }

    /// Makes the first copy, from the restored database.
    pub async fn begin(&self) -> Result<(), RehearseError> {
        self.copy_of(&self.pristine, Role::Main).await
    }

    /// Makes a copy anew.
    pub async fn copy(&self, from: Role, to: Role) -> Result<(), RehearseError> {
        self.copy_of(&self.name(from), to).await
    }

    async fn copy_of(&self, from: &str, to: Role) -> Result<(), RehearseError> {
        let mut session = self.session("guard rehearsal", &self.server).await?;
        let to = self.name(to);
        drop_in(&mut session, &to).await?;
        // A copy of a few blocks is fastest through the log, a large one by its files; before 15 there is no choice.
        let strategy = "SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::int4 >= 150000
            AND pg_catalog.pg_database_size($1::name) > 268435456 THEN ' STRATEGY FILE_COPY' ELSE '' END";
        let strategy: String =
            sqlx::query_scalar(strategy).bind(from).fetch_one(&mut session).await.map_err(asked("sizing a copy"))?;
        let others = await_nobody_in(&mut session, from).await?;
        if others && from != self.pristine {
            // A background session of the migration's own, such as one of dblink. People are only in the restored database,
            // and it is theirs to leave: the server then says that it is being accessed.
            let end = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
                WHERE datname = $1";
            sqlx::query(end).bind(from).execute(&mut session).await.map_err(asked("ending sessions"))?;
        }
        let create = format!("CREATE DATABASE {} TEMPLATE {}{strategy}", quoted(&to), quoted(from));
        run(&mut session, create, "copying a database").await?;
        let _ = session.close().await;
        Ok(())
    }

    /// Removes the copies; the restored database stays.
    pub async fn clear(&self, keep: &[Role]) -> Result<(), RehearseError> {
        let mut session = self.session("guard rehearsal", &self.server).await?;
        for role in [Role::Main, Role::Before, Role::Trial] {
            if !keep.contains(&role) {
                drop_in(&mut session, &self.name(role)).await?;
            }
        }
        let _ = session.close().await;
        Ok(())
    }

    /// A session as the framework has it.
    pub async fn as_framework(&self, role: Role) -> Result<PgConnection, RehearseError> {
        let mut session = self.session("guard rehearsal", &self.address(role)).await?;
        if let Some(path) = &self.manner.search_path {
            let set = format!("SET search_path = {}", quoted(path));
            run(&mut session, set, "setting the search path").await?;
        }
        if let Some(role) = &self.manner.role {
            run(&mut session, format!("SET ROLE {}", quoted(role)), "taking the role of --role").await?;
        }
        Ok(session)
    }

    /// A session of guard's own, in which every value has one form.
    pub async fn as_observer(&self, role: Role) -> Result<PgConnection, RehearseError> {
        self.observe(&self.address(role)).await
    }

    /// A session of guard's own beside the copies.
    pub async fn beside(&self) -> Result<PgConnection, RehearseError> {
        self.observe(&self.server).await
    }

    async fn observe(&self, address: &Connection) -> Result<PgConnection, RehearseError> {
        let mut session = self.session("guard rehearsal observer", address).await?;
        run(&mut session, PINNED.to_owned(), "setting up a session").await?;
        Ok(session)
    }

    async fn session(&self, name: &str, address: &Connection) -> Result<PgConnection, RehearseError> {
        Ok(connect(address, name).await?.0)
    }
}

/// Says in the restored database which backup it is of, for a later rehearsal on the same copy.
pub(super) async fn mark(stage: &Stage, backup: &CompleteBackup) -> Result<(), RehearseError> {
    let mut session = stage.session("guard rehearsal", &stage.server).await?;
    let sql = format!("COMMENT ON DATABASE {} IS '{}'", quoted(&stage.pristine), of_backup(backup));
    run(&mut session, sql, "marking the copy").await?;
    let _ = session.close().await;
    Ok(())
}

/// A stage on a copy that an earlier rehearsal left, if it is one, and of this backup.
pub(super) async fn adopt(kept: &Connection, backup: &CompleteBackup, manner: &Manner) -> Result<Stage, RehearseError> {
    let stage = Stage::new(kept.with_database("postgres"), &kept.database(), manner.clone());
    let mut session = stage.session("guard rehearsal", &stage.server).await?;
    let query =
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1";
    let found: Option<Option<String>> = sqlx::query_scalar(query)
        .bind(&stage.pristine)
        .fetch_optional(&mut session)
        .await
        .map_err(asked("asking a copy which backup it is of"))?;
    let _ = session.close().await;
    let database = kept.to_string();
    match found.flatten().filter(|text| text.starts_with(MARK)) {
        Some(text) if text == of_backup(backup) => Ok(stage),
        Some(text) => {
            let found = text[MARK.len()..].to_owned();
            Err(RehearseError::OtherCopy { database, found, wanted: backup.manifest.id.clone() })
        }
        None => Err(RehearseError::NotACopy { database }),
    }
}

/// Removes what an interrupted rehearsal on this backup left on a named server; a cluster goes by itself.
pub async fn discard(place: &ScratchPlace, backup: &BackupId) -> Result<(), RehearseError> {
    let ScratchPlace::Server(server) = place else { return Ok(()) };
    Stage::new(server.clone(), &name_on_server(backup), Manner::default()).clear(&[]).await?;
    Ok(scratch::discard(place, backup).await?)
}

const MARK: &str = "guard rehearsal copy of ";

/// Names of sources and ids of backups have no quotes.
fn of_backup(backup: &CompleteBackup) -> String {
    format!("{MARK}{} {}", backup.manifest.source, backup.manifest.id)
}

const PINNED: &str =
    "SET search_path = ''; SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
    SET bytea_output = 'hex'; SET extra_float_digits = 1; SET row_security = off; SET statement_timeout = 0;
    SET lock_timeout = 0; SET jit = off";

async fn drop_in(session: &mut PgConnection, name: &str) -> Result<(), RehearseError> {
    run(session, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)), "dropping a copy").await
}

/// Whether somebody is in a database and stays there. A session that was closed a moment ago may still be there; the server
/// itself would look again only every 100 ms.
async fn await_nobody_in(session: &mut PgConnection, name: &str) -> Result<bool, RehearseError> {
    let count =
        "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
    for _ in 0..200 {
        let others: i64 =
            sqlx::query_scalar(count).bind(name).fetch_one(&mut *session).await.map_err(asked("counting sessions"))?;
        if others == 0 {
            return Ok(false);
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    Ok(true)
}

/// Runs statements that guard composed itself.
pub(super) async fn run(session: &mut PgConnection, sql: String, attempt: &'static str) -> Result<(), RehearseError> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await.map(|_| ()).map_err(asked(attempt))
}
