//! What the database itself says, where a gate may ask it: which it is, what has run on it, what it defines.

use std::collections::BTreeMap;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::facts::{Database, Identity};
use super::reason::{Code, Reason};
use crate::catalog::AppliedMigration;
use crate::source::postgres::client::{ClientSearch, ClientTools};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::migration;
use crate::source::postgres::record::schema;
use crate::source::postgres::session::connect;

/// What the frameworks' tracking tables say, by layout.
pub type Applied = BTreeMap<String, Vec<AppliedMigration>>;

/// Asks. `selection` is what the backup that it is compared with picked or left out.
pub async fn ask(
    connection: &Connection,
    client: &ClientSearch,
    selection: &[String],
) -> Result<(Database, Applied), Reason> {
    let failed = |reason: String| {
        let help = "check the URL, the network and the role; without --database the gate decides by the newest backup";
        Reason::new(Code::DatabaseUnreachable, reason, help)
    };
    let (mut session, connection) =
        connect(connection, "guard gate").await.map_err(|error| failed(error.to_string()))?;
    let told = tell(&mut session).await;
    let _ = session.close().await;
    let asking = |error: sqlx::Error| failed(format!("{connection}: asking what it is failed: {error}"));
    let (identity, major, applied) = told.map_err(asking)?;
    let applied = applied.ok_or_else(|| failed(format!("{connection}: its table of migrations is locked")))?;
    let tools = ClientTools::find(major, client).await.map_err(|error| failed(error.to_string()))?;
    let schema = schema(&tools, &connection, selection).await;
    let schema = schema.map_err(|error| failed(format!("{connection}: reading its definitions failed: {error}")))?;
    Ok((Database { identity, schema }, applied))
}

async fn tell(session: &mut PgConnection) -> Result<(Identity, u32, Option<Applied>), sqlx::Error> {
    // Outside the transaction: where the role may not, the error must not abort it.
    let identifier = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
    let system_identifier = sqlx::query_scalar(identifier).fetch_one(&mut *session).await.ok();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *session).await?;
    let facts = "SELECT pg_catalog.current_database()::text,
        pg_catalog.current_setting('server_version_num')::int4 / 10000";
    let (name, major): (String, i32) = sqlx::query_as(facts).fetch_one(&mut *session).await?;
    let applied = migration::applied(session).await?;
    Ok((Identity { name, system_identifier }, u32::try_from(major).unwrap_or_default(), applied))
}
