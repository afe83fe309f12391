//! Is a restored copy sound beneath its contents: constraints validated, indexes valid, B-trees in order?

use super::connection::Connection;
use super::load::{LoadError, Target};
use crate::catalog::PostgresFacts;

/// What was checked, and what is not sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// Constraints that were looked at.
    pub n_constraints: i64,
    /// Indexes that were looked at.
    pub n_indexes: i64,
    /// B-trees whose order `amcheck` verified; `None` where it is not available.
    pub n_btrees: Option<i64>,
    /// What is wrong, as sentences.
    pub unsound: Vec<String>,
}

impl Structure {
    /// The figures as a sentence.
    pub fn detail(&self) -> String {
        let btrees = match self.n_btrees {
            Some(n_btrees) => format!("amcheck found {n_btrees} B-trees in order"),
            None => "amcheck is not available here".to_owned(),
        };
        format!("{} constraints and {} indexes are valid, {btrees}", self.n_constraints, self.n_indexes)
    }
}

/// Checks a restored copy. What was invalid in the source already is not the restore's fault.
pub async fn structure(copy: &Connection, facts: &PostgresFacts) -> Result<Structure, LoadError> {
    let mut target = Target::connect(copy).await?;
    target.run("SET search_path = ''".to_owned(), "pinning the search path").await?;
    let mut found = Structure {
        n_constraints: target
            .count("SELECT count(*) FROM pg_catalog.pg_constraint WHERE oid >= 16384", COUNTING)
            .await?,
        n_indexes: target.count("SELECT count(*) FROM pg_catalog.pg_index WHERE indexrelid >= 16384", COUNTING).await?,
        ..Structure::default()
    };
    let constraints = target.texts(UNVALIDATED, "looking for constraints that are not valid").await?;
    let indexes = target.texts(INVALID_INDEXES, "looking for invalid indexes").await?;
    let new =
        |list: Vec<String>, known: &[String]| list.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>();
    let constraints = new(constraints, &facts.unvalidated_constraints);
    let indexes = new(indexes, &facts.invalid_indexes);
    found.unsound.extend(constraints.iter().map(|name| format!("constraint {name} is not valid")));
    found.unsound.extend(indexes.iter().map(|name| format!("index {name} is not valid")));
    match check_btrees(&mut target).await {
        Ok(n_btrees) => found.n_btrees = n_btrees,
        Err(error) => found.unsound.push(error.to_string()),
    }
    target.close().await;
    Ok(found)
}

const COUNTING: &str = "counting";

/// With the same words as `session` uses for the source, so that the lists can be compared.
const UNVALIDATED: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, co.conname) FROM pg_catalog.pg_constraint co
    JOIN pg_catalog.pg_namespace n ON n.oid = co.connamespace WHERE NOT co.convalidated ORDER BY 1";
const INVALID_INDEXES: &str = "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
    WHERE NOT i.indisvalid ORDER BY 1";

/// Runs `amcheck` over every user B-tree. It is installed for that in a transaction that is rolled back, so the copy stays
/// as it was restored; where it cannot be installed the check is left out.
async fn check_btrees(target: &mut Target) -> Result<Option<i64>, LoadError> {
    let install = "BEGIN; CREATE SCHEMA guard_amcheck; CREATE EXTENSION amcheck SCHEMA guard_amcheck";
    if target.run(install.to_owned(), "installing amcheck").await.is_err() {
        target.run("ROLLBACK".to_owned(), "leaving amcheck out").await?;
        return Ok(None);
    }
    let checked = target.count(CHECK_BTREES, "checking B-trees with amcheck").await;
    target.run("ROLLBACK".to_owned(), "removing amcheck").await?;
    checked.map(Some)
}

const CHECK_BTREES: &str = "SELECT count(guard_amcheck.bt_index_check(c.oid)::text)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am am ON am.oid = c.relam
    WHERE am.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid
      AND c.oid >= 16384";
