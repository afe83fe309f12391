//! The gate before `migrate deploy`: facts are gathered, one pure function decides, the decision is put on record.
//!
//! The facts are what the linter says of the pending migrations, what the repository holds (a fresh backup, a fresh proof, a
//! rehearsal, who is at work) and, if it is asked, what the database is now. [`decide`] turns them into a verdict with a
//! reason and a way out for everything that is wrong, and for everything that could not be found out: the gate fails closed.

use chrono::{DateTime, Utc};

use crate::catalog::{Catalog, RunNote};

mod approval;
pub mod database;
mod decide;
pub mod facts;
mod policy;
mod reason;
mod record;
mod rehearsal;
pub mod report;

pub use approval::Approval;
pub use decide::{Check, State, Verdict, decide};
pub use facts::Facts;
pub use policy::{Policy, ProofOf, SchemaRule};
pub use reason::{Code, Reason};
pub use record::{GateRecord, LeftOpen, Signed};
pub use rehearsal::Rehearsal;

/// Decides by what was gathered, and puts it down.
pub fn judge(
    facts: &Facts,
    policy: &Policy,
    environment: Option<&str>,
    run: &RunNote,
    now: DateTime<Utc>,
) -> GateRecord {
    let verdict = decide(facts, policy, now);
    for reason in verdict.reasons() {
        tracing::debug!(code = %reason.code, reason = reason.message, "the gate stays closed");
    }
    GateRecord::new(facts, &verdict, environment, run, now)
}

/// Keeps the record beside the backup that it was decided by; the answer is a line about what became of it, if any is due.
/// A pipeline that may only read decides as well as any other.
pub async fn keep(catalog: &Catalog, facts: &Facts, record: &GateRecord) -> Option<String> {
    let repository = facts.repository.as_ref().ok()?;
    let Some(Ok(newest)) = &repository.newest else {
        return Some("this decision is not on record: there is no backup that it could lie beside".to_owned());
    };
    match catalog.add_note(&newest.keys, FOLDER, record.at, record).await {
        Ok(key) => {
            tracing::info!(%key, "the decision is on record");
            None
        }
        Err(error) => Some(format!("this decision is not on record: {error}")),
    }
}

/// `<source>/<id>/gates/<utc>.json`.
const FOLDER: &str = "gates";
