//! Every rule's examples for MySQL and MariaDB proven on a real MariaDB: what they do there, against what the rules say of them.
//!
//! `PROVE_RULES=all` runs every example and writes `evidence-mariadb.tsv`, from which the rules' pages are made; otherwise
//! one example of each rule's kind is run. The server lives in a temporary directory and ends with the test.

#[path = "../proof/change.rs"]
mod change;
#[path = "../proof/example.rs"]
mod example;
mod observe;
mod server;

use std::path::Path;

use change::{Snapshot, describe_change, is_same};
use example::{Run, prove, run_twice};
use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part};
use migrations_lint::report::Class;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Example, Options, RuleInfo, lint, rules};
use server::{Database, Server};

/// Rules whose harm a MariaDB does not show: what only MySQL refuses.
const WITHOUT_PROOF: &[&str] = &["mysql-mariadb-only-syntax"];

/// What opens a transaction.
const BEGIN: &str = "START TRANSACTION";

fn is_for_this_server(example: &Example) -> bool {
    matches!(example.engine, Engine::MySql | Engine::MariaDb)
}

#[test]
fn examples_do_on_a_real_server_what_the_rules_say() {
    let is_full = std::env::var("PROVE_RULES").is_ok_and(|value| value == "all");
    let server = Server::start();
    let mut evidence = format!("server\t{}\t\t\n", server.version());
    let mut failures = Vec::new();
    for rule in rules() {
        prove(rule, &server, if is_full { usize::MAX } else { 1 }, &mut evidence, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    if is_full {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence-mariadb.tsv"), evidence)
            .expect("evidence-mariadb.tsv can be written");
    }
}

/// Shows the harm that the rule's class speaks of, or says what was seen instead.
fn harm(rule: &RuleInfo, example: &Example, server: &Server) -> Result<String, String> {
    let database = server.database();
    if rule.class == Class::Lock {
        return if rule.id == "mysql-lock-wait-timeout" {
            waits(example, &database)
        } else {
            locks(example, &database)
        };
    }
    let run = run_twice(example, &database);
    check_verdict(example, &run)?;
    let change = describe_change(&run.before, &run.after);
    match rule.class {
        Class::NonIdempotent => match (&run.second, &run.after_second) {
            (Some(Err(error)), _) => Ok(format!("second run: {error}")),
            (Some(Ok(_)), Some(after)) if !is_same(&run.after, after) => {
                Ok(format!("second run changes: {}", describe_change(&run.after, after)))
            }
            _ => Err(format!("first run: {:?}, second run: {:?}", run.first, run.second)),
        },
        Class::Transaction => match &run.first {
            Err(error) if change.is_empty() => Ok(error.clone()),
            Err(error) => Ok(format!("{error}; stays: {change}")),
            Ok(_) if example.sql.contains("ROLLBACK") && !change.is_empty() => Ok(format!("ROLLBACK leaves: {change}")),
            Ok(_) if rule.id == "unclosed-transaction" && change.is_empty() => Ok("nothing of it was kept".into()),
            Ok(_) => Err(format!("it ran; changes: {change}")),
        },
        Class::MayFail => match &run.first {
            Err(error) => Ok(error.clone()),
            Ok(_) => Err("it ran".into()),
        },
        _ if run.first.is_ok() && !change.is_empty() => Ok(change),
        _ if rule.class == Class::Security && run.first.is_ok() => Ok("the server accepts it".into()),
        _ => Err(format!("{:?}; changes: {change}", run.first)),
    }
}

/// Asks for the last statement without a copy and without a lock, which the server refuses; and sees whether it makes
/// another table of the one that was there.
fn locks(example: &Example, database: &Database<'_>) -> Result<String, String> {
    database.run(example.setup).expect("the setup runs");
    let before = Snapshot::take(database);
    let statement = example.sql.trim_end().trim_end_matches(';');
    let cheaper = match statement.split_whitespace().next() {
        Some("ALTER") => format!("{statement}, ALGORITHM=NOCOPY, LOCK=NONE;"),
        Some("CREATE") => format!("{statement} ALGORITHM=NOCOPY LOCK=NONE;"),
        _ => "SELECT 1;".into(),
    };
    let mut shown = Vec::new();
    match database.run(&cheaper) {
        Err(error) if error.contains("is not supported") => shown.push(error),
        Err(_) | Ok(_) => {}
    }
    let outcome = database.run(example.sql);
    let rewritten = before.rewritten(&Snapshot::take(database));
    if !rewritten.is_empty() {
        shown.push(format!("another table since: {}", rewritten.join(", ")));
    }
    if shown.is_empty() { Err(format!("the server does it without: {outcome:?}")) } else { Ok(shown.join("; ")) }
}

/// Behind a transaction that has only read the table, the statement waits.
fn waits(example: &Example, database: &Database<'_>) -> Result<String, String> {
    database.run(example.setup).expect("the setup runs");
    let reader = database.reader("t");
    let outcome = database.run(&format!("SET SESSION lock_wait_timeout = 1;\n{}", example.sql));
    drop(reader);
    match outcome {
        Err(error) if error.contains("Lock wait timeout") => {
            Ok(format!("behind an open transaction that has read t: {error}"))
        }
        other => Err(format!("{other:?}")),
    }
}

/// Shows that the example runs, runs again, and (where that is the rule's concern) takes nothing away.
fn harmlessness(rule: &RuleInfo, example: &Example, server: &Server) -> Result<String, String> {
    let database = server.database();
    let run = run_twice(example, &database);
    run.first.clone().map_err(|error| format!("first run: {error}"))?;
    check_verdict(example, &run)?;
    let lost = if rule.class == Class::Destructive { run.before.lost(&run.after) } else { Vec::new() };
    let second = run.second.as_ref().expect("the first run succeeded");
    second.clone().map_err(|error| format!("second run: {error}"))?;
    let rewritten = if rule.class == Class::Lock { run.before.rewritten(&run.after) } else { Vec::new() };
    if lost.is_empty() && rewritten.is_empty() {
        Ok("runs, and runs again without a change".into())
    } else {
        Err(format!("lost: {}; written anew: {}", lost.join(", "), rewritten.join(", ")))
    }
}

/// The linter's own verdict on a second run must be the server's, whatever the example is for.
fn check_verdict(example: &Example, run: &Run) -> Result<(), String> {
    let (Some(second), Some(after)) = (&run.second, &run.after_second) else { return Ok(()) };
    let really = second.is_ok() && is_same(&run.after, after);
    let part =
        Part { direction: Direction::Up, span: Span::new(0, example.sql.len()), transaction: example.transaction };
    let source = SourceText::new("example.sql", example.sql);
    let file = MigrationFile { source, version: None, name: String::new(), parts: vec![part], reported: true };
    let set = MigrationSet { layout: "plain", engine: Some(example.engine), server_version: None, files: vec![file] };
    let report = lint(&set, &Options::default());
    let said = report.findings.iter().all(|finding| finding.class != Class::NonIdempotent);
    // What never gets done has no second run to speak of.
    let is_never_done = report.findings.iter().any(|finding| finding.rule == "unclosed-transaction");
    if really == said || is_never_done {
        return Ok(());
    }
    Err(format!(
        "the linter says re-runnable = {said}, the server {really}: {second:?}; {}",
        describe_change(&run.after, after)
    ))
}
