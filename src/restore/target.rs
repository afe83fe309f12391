//! The database to restore into: what must hold before a byte is fetched, and what of the archive goes there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::spool::Spooled;
use super::{DatabaseTarget, RestoreError, RestoreOrder};
use crate::catalog::PostgresFacts;
use crate::source::postgres::client::ClientTools;
use crate::source::postgres::connection::Connection;
use crate::source::postgres::load::{LoadError, Target};
use crate::source::postgres::pick::{ObjectName, object_name, pick, picked_tables};
use crate::source::postgres::record::definitions;

/// Whether the database to restore into exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Missing,
}

pub(super) async fn create(facts: &PostgresFacts, target: &DatabaseTarget) -> Result<(), RestoreError> {
    let mut server = Target::connect(&maintenance(target)).await?;
    let created = server.create_database(&target.connection.database(), facts).await?;
    if let Some(note) = created {
        tracing::warn!(note, "the new database differs from the source's");
    }
    server.close().await;
    Ok(())
}

/// Where a database is created from that does not exist yet.
fn maintenance(target: &DatabaseTarget) -> Connection {
    target.connection.with_database("postgres")
}

async fn presence(target: &DatabaseTarget) -> Result<Presence, RestoreError> {
    if !target.create {
        return Ok(Presence::There);
    }
    let mut server = Target::connect(&maintenance(target)).await?;
    let is_there = server.has_database(&target.connection.database()).await?;
    server.close().await;
    Ok(if is_there { Presence::There } else { Presence::Missing })
}

/// Everything that would make the restore fail or do harm, asked before a byte is fetched. Of a database that does not
/// exist yet its server is asked.
pub(super) async fn check_target(
    order: &RestoreOrder<'_>,
    facts: &PostgresFacts,
    target: &DatabaseTarget,
) -> Result<(ClientTools, Presence), RestoreError> {
    // An undo export defines every table and holds the rows of a few.
    let lacks_rows = facts.selection.iter().any(|argument| argument.starts_with("--exclude-table-data="));
    let drops_more = [
        ("--replace", target.replace.is_some() && !facts.selection.is_empty()),
        ("--clean", target.clean.is_some() && lacks_rows),
    ];
    if let Some((flag, _)) = drops_more.into_iter().find(|(_, drops)| *drops) {
        let (selection, target) = (facts.selection.join(" "), target.connection.to_string());
        return Err(RestoreError::OnlyAPart { selection, flag, target });
    }
    let presence = presence(target).await?;
    let is_there = presence == Presence::There;
    let asked = if is_there { target.connection.clone() } else { maintenance(target) };
    let mut session = Target::connect(&asked).await?;
    let same_cluster =
        facts.system_identifier.is_some() && session.system_identifier().await == facts.system_identifier;
    let same_database = is_there && same_cluster && target.connection.database() == facts.database;
    if same_database && target.over_source.is_none() {
        return Err(RestoreError::TargetIsSource { target: target.connection.to_string() });
    }
    let major = session.major().await?;
    if major < facts.major {
        return Err(RestoreError::TargetTooOld { dump: facts.major, target: major });
    }
    if is_there && target.clean.is_none() && target.replace.is_none() && target.tables.is_empty() {
        session.assert_empty().await?;
    }
    if !target.without_roles {
        session.assert_roles(facts).await?;
    }
    session.assert_extensions(facts).await?;
    session.close().await;
    // A newer server's own pg_restore reads older archives; the dump's own version does as well.
    let tools = match ClientTools::find(major, order.client).await {
        Err(_) if major != facts.major => ClientTools::find(facts.major, order.client).await,
        found => found,
    };
    Ok((tools?, presence))
}

/// Picks some tables and what belongs to them out of the archive. What the target has already is left alone; a table that
/// is to be restored must not be there, unless it may be dropped.
pub(super) async fn write_list(
    tools: &ClientTools,
    target: &DatabaseTarget,
    spooled: &Spooled,
    tables: &[String],
) -> Result<PathBuf, RestoreError> {
    let present: BTreeSet<ObjectName> = definitions(tools, &target.connection).await?.iter().map(object_name).collect();
    let picked = pick(&spooled.recorded.entries, tables, &present)?;
    if target.clean.is_none() {
        let clashes =
            picked_tables(&spooled.recorded.entries, &picked).filter(|entry| present.contains(&object_name(entry)));
        let found: Vec<String> = clashes.map(|entry| format!("table {}.{}", entry.schema, entry.name)).collect();
        if !found.is_empty() {
            let target = target.connection.to_string();
            return Err(LoadError::NotEmpty { target, found: found.join(", ") }.into());
        }
    }
    let path = spooled.dir().join("list");
    let lines: String = picked.iter().map(|dump_id| format!("{dump_id};\n")).collect();
    std::fs::write(&path, lines).map_err(|reason| RestoreError::File { path: path.clone(), reason })?;
    Ok(path)
}
