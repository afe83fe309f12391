//! The machine and the server of a rehearsal: what a reader must know to carry its times over to production.

use sqlx::Row as _;

use super::RehearsalOrder;
use super::error::{RehearseError, asked};
use super::record::Place;
use super::run::drop_session;
use super::stage::{Role, Stage};
use crate::catalog::PostgresFacts;

/// Asks the copy's server.
pub(super) async fn of(
    stage: &Stage,
    facts: &PostgresFacts,
    order: &RehearsalOrder<'_>,
) -> Result<Place, RehearseError> {
    let query = "SELECT pg_catalog.current_setting('server_version') AS version,
        pg_catalog.current_setting('shared_buffers') AS shared_buffers,
        pg_catalog.current_setting('maintenance_work_mem') AS maintenance_work_mem,
        pg_catalog.current_setting('fsync') AS fsync,
        pg_catalog.pg_database_size(pg_catalog.current_database()) AS size";
    let attempt = "asking the copy's server for its settings";
    let mut session = stage.as_observer(Role::Main).await?;
    let row = sqlx::query(query).fetch_one(&mut session).await.map_err(asked(attempt))?;
    drop_session(session).await;
    let text = |column: &str| row.try_get::<String, _>(column).map_err(asked(attempt));
    let size: i64 = row.try_get("size").map_err(asked(attempt))?;
    let mut place = Place {
        scratch: if order.kept.is_some() {
            "a copy that was kept".to_owned()
        } else {
            "a copy made for this".to_owned()
        },
        server_version: text("version")?,
        source_server_version: facts.server_version.clone(),
        processors: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
        shared_buffers: text("shared_buffers")?,
        maintenance_work_mem: text("maintenance_work_mem")?,
        database_bytes: u64::try_from(size).unwrap_or_default(),
        source_bytes: facts.size,
        notes: Vec::new(),
    };
    place.notes = notes(&place, &text("fsync")?, order);
    Ok(place)
}

fn notes(place: &Place, fsync: &str, order: &RehearsalOrder<'_>) -> Vec<String> {
    let mut notes = vec![
        "tables have the same rows and, freshly restored, no bloat; caches are warm".to_owned(),
        "nobody else used the copy: in production a lock is had only once everybody before has given way".to_owned(),
    ];
    if fsync == "off" {
        notes.push("writes were not flushed to the disk (fsync=off)".to_owned());
    }
    if major(&place.server_version) != major(&place.source_server_version) {
        notes.push(format!("production runs PostgreSQL {}", place.source_server_version));
    }
    if order.manner.role.is_none() {
        notes.push("migrations ran as the copy's superuser: missing privileges are not seen (--role)".to_owned());
    }
    if !order.masks.is_empty() {
        notes.push("masked columns have other values than production".to_owned());
    }
    notes
}

fn major(version: &str) -> &str {
    version.split(['.', ' ']).next().unwrap_or(version)
}
