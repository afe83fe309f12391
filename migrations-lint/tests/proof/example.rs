//! What the proofs on PostgreSQL and on MariaDB share: an example run twice, and what is written down of a rule's examples.
//!
//! Each proof includes this file and gives it a server, a way to look at a database, and what it takes for harm.

use std::fmt::Write as _;

use migrations_lint::migration::TransactionMode;
use migrations_lint::report::Class;
use migrations_lint::{Example, RuleInfo};

use crate::change::Snapshot;
use crate::server::{Database, Server};
use crate::{BEGIN, WITHOUT_PROOF, harm, harmlessness, is_for_this_server};

/// Runs up to `limit` bad and good examples of the rule.
pub(crate) fn prove(rule: &RuleInfo, server: &Server, limit: usize, evidence: &mut String, failures: &mut Vec<String>) {
    let mut write = |kind: &str, idx: usize, seen: &str| {
        writeln!(evidence, "{}\t{kind}\t{}\t{}", rule.id, idx + 1, one_line(seen)).expect("a string takes text");
    };
    for (idx, example) in rule.bad.iter().filter(|example| is_for_this_server(example)).enumerate().take(limit) {
        match harm(rule, example, server) {
            Ok(seen) => write("bad", idx, &seen),
            Err(_) if WITHOUT_PROOF.contains(&rule.id) || rule.class == Class::MigrationSet => {}
            Err(seen) => failures.push(format!("{}: no harm seen in\n{}\n{seen}", rule.id, example.sql)),
        }
    }
    for (idx, example) in rule.good.iter().filter(|example| is_for_this_server(example)).enumerate().take(limit) {
        match harmlessness(rule, example, server) {
            Ok(seen) => write("good", idx, &seen),
            Err(seen) => failures.push(format!("{}: not harmless:\n{}\n{seen}", rule.id, example.sql)),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the example does to a database, as seen from outside.
pub(crate) struct Run {
    pub(crate) before: Snapshot,
    pub(crate) after: Snapshot,
    /// Errors and warnings of the first run, if it failed.
    pub(crate) first: Result<String, String>,
    pub(crate) second: Option<Result<String, String>>,
    pub(crate) after_second: Option<Snapshot>,
}

pub(crate) fn run_twice(example: &Example, database: &Database<'_>) -> Run {
    database.run(example.setup).expect("the setup runs");
    let before = Snapshot::take(database);
    let script = as_run(example);
    let first = database.run(&script);
    let after = Snapshot::take(database);
    let second = first.is_ok().then(|| database.run(&script));
    let after_second = second.is_some().then(|| Snapshot::take(database));
    Run { before, after, first, second, after_second }
}

/// The text as the framework sends it.
pub(crate) fn as_run(example: &Example) -> String {
    match example.transaction {
        TransactionMode::None => example.sql.to_owned(),
        _ => format!("{BEGIN};\n{}\nCOMMIT;", example.sql),
    }
}
