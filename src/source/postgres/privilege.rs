//! What a role may read and what of a server's settings stands in the way of a dump, asked before the night of the first.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::connection::Connection;
use super::session::{SessionError, connect};

/// What was found out about a database and the role that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `server_version`, such as `15.20`.
    pub version: String,
    /// The major version.
    pub major: u32,
    /// The role.
    pub role: String,
    /// The database's size in bytes.
    pub size: u64,
    /// Whether the role is a superuser.
    pub superuser: bool,
    /// Tables and sequences that the role may not read.
    pub unreadable: Vec<String>,
    /// Tables whose row security would hide rows from it; `pg_dump` refuses them.
    pub row_security: Vec<String>,
    /// Large objects that it may not read.
    pub unreadable_objects: u64,
    /// Connections that are still free.
    pub free_connections: i64,
    /// Whether it is a standby, and for how long that lets a dump hold up replay, in milliseconds; -1 for ever.
    pub standby_delay: Option<i64>,
    /// Whether the role may read the cluster's identity, by which a restore over the source is recognised.
    pub identity: bool,
}

impl Standing {
    /// Connects and asks.
    pub async fn ask(connection: &Connection) -> Result<Self, SessionError> {
        let (mut session, connection) = connect(connection, "guard doctor").await?;
        let asked = ask(&mut session).await;
        let _ = session.close().await;
        let attempt = "asking what the role may read";
        asked.map_err(|reason| SessionError::Query { target: connection.to_string(), attempt, reason })
    }
}

async fn ask(session: &mut PgConnection) -> Result<Standing, sqlx::Error> {
    let row = sqlx::query(STANDING).fetch_one(&mut *session).await?;
    let identity = sqlx::query("SELECT system_identifier FROM pg_catalog.pg_control_system()").fetch_one(session).await;
    let number = |name: &str| row.try_get::<i64, _>(name);
    Ok(Standing {
        version: row.try_get("version")?,
        major: u32::try_from(number("major")?).unwrap_or_default(),
        role: row.try_get("role")?,
        size: u64::try_from(number("size")?).unwrap_or_default(),
        superuser: row.try_get("superuser")?,
        unreadable: row.try_get("unreadable")?,
        row_security: row.try_get("row_security")?,
        unreadable_objects: u64::try_from(number("unreadable_objects")?).unwrap_or_default(),
        free_connections: number("free")?,
        standby_delay: row.try_get("standby_delay")?,
        identity: identity.is_ok(),
    })
}

/// What `pg_dump` takes an ACCESS SHARE lock on and reads (`getTables` of pg_dump.c), without what extensions own. Row
/// security binds everybody but superusers, roles with BYPASSRLS, and owners of tables that do not force it.
const STANDING: &str = "
    WITH me AS (SELECT rolname::text AS name, rolsuper, rolbypassrls OR rolsuper AS bypasses, oid
                FROM pg_catalog.pg_roles WHERE rolname = current_user),
         relation AS (SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
                             pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
                             pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS visible
                      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.relkind IN ('r', 'p', 'S', 'm') AND c.relpersistence <> 't'
                        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
                        AND n.nspname NOT LIKE 'pg\\_temp%'
                        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                            WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
                              AND e.deptype = 'e'))
    SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS version,
        pg_catalog.current_setting('server_version_num')::int8 / 10000 AS major,
        me.name AS role, me.rolsuper AS superuser,
        pg_catalog.pg_database_size(pg_catalog.current_database()) AS size,
        ARRAY(SELECT name FROM relation
              WHERE NOT visible OR NOT CASE WHEN relkind = 'S' THEN pg_catalog.has_sequence_privilege(oid, 'SELECT')
                                            ELSE pg_catalog.has_table_privilege(oid, 'SELECT') END
              ORDER BY 1) AS unreadable,
        ARRAY(SELECT name FROM relation
              WHERE relrowsecurity AND NOT me.bypasses
                AND (relforcerowsecurity OR NOT pg_catalog.pg_has_role(relowner, 'USAGE'))
              ORDER BY 1) AS row_security,
        (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata
         WHERE NOT me.rolsuper AND NOT pg_catalog.pg_has_role(lomowner, 'USAGE')
           AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(lomacl) a
               WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))
        ) AS unreadable_objects,
        pg_catalog.current_setting('max_connections')::int8
            - pg_catalog.current_setting('superuser_reserved_connections')::int8
            - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') AS free,
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN
            (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'max_standby_streaming_delay')
        END AS standby_delay
    FROM me";
