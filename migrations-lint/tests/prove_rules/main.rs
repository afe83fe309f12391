//! Every rule proven on a real PostgreSQL: what the examples do there, against what the rules say of them.
//!
//! `PROVE_RULES=all` runs every example and writes `evidence.tsv`, from which the rules' pages are made; otherwise one
//! example of each class is run. Servers live in temporary directories and end with the test.

#[path = "../proof/change.rs"]
mod change;
#[path = "../proof/example.rs"]
mod example;
mod observe;
mod server;

use std::fmt::Write as _;
use std::path::Path;

use change::{Snapshot, describe_change, is_same};
use example::{Run, as_run, prove, run_twice};
use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part};
use migrations_lint::report::Class;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Example, Options, RuleInfo, lint, rules};
use server::{Database, Server};

/// Rules whose harm no server shows: matters of taste, of whole sets, of later versions, of the linter itself.
const WITHOUT_PROOF: &[&str] = &[
    "limit-exceeded",
    "if-not-exists-hides-invalid-index",
    "concurrent-index-corruption",
    "unbatched-backfill",
    "foreign-key-without-index",
    "preferred-type",
    "unqualified-name",
];

/// What opens a transaction.
const BEGIN: &str = "BEGIN";

fn is_for_this_server(example: &Example) -> bool {
    example.engine == Engine::PostgreSql
}

#[test]
fn examples_do_on_a_real_server_what_the_rules_say() {
    let is_full = std::env::var("PROVE_RULES").is_ok_and(|value| value == "all");
    let server = Server::start();
    let mut evidence = String::new();
    let mut failures = Vec::new();
    let mut classes_seen = Vec::new();
    for rule in rules() {
        let is_first_of_class = !classes_seen.contains(&rule.class);
        if is_full || is_first_of_class {
            classes_seen.push(rule.class);
            prove(rule, &server, if is_full { usize::MAX } else { 2 }, &mut evidence, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    if is_full {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence.tsv"), evidence)
            .expect("evidence.tsv can be written");
    }
}

/// Shows the harm that the rule's class speaks of, or says what was seen instead.
fn harm(rule: &RuleInfo, example: &Example, server: &Server) -> Result<String, String> {
    let database = server.database();
    if rule.class == Class::Lock {
        return locks(example, &database);
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
            // A fixed position of a sequence harms once values were given out; the first run shows that it is set.
            _ if rule.id == "sequence-restart" => Ok(format!("run sets: {change}")),
            _ => Err(format!("second run: {:?}", run.second)),
        },
        Class::Transaction => match &run.first {
            Err(error) => Ok(error.clone()),
            Ok(notices) if notices.contains("WARNING") => Ok(notices.clone()),
            Ok(_) if rule.id == "unclosed-transaction" && is_same(&run.before, &run.after) => {
                Ok("nothing of it was kept".into())
            }
            Ok(notices) => Err(format!("it ran: {notices}")),
        },
        Class::MayFail => match &run.first {
            Err(error) => Ok(error.clone()),
            Ok(_) => Err("it ran".into()),
        },
        _ if run.first.is_ok() && !change.is_empty() => Ok(change),
        // Settings of a session leave no trace; that the server takes them is all there is to see.
        _ if rule.class == Class::Security && run.first.is_ok() => Ok("the server accepts it".into()),
        _ => Err(format!("{:?}; changes: {change}", run.first)),
    }
}

/// The locks that the example's transaction holds on what was there before, and the files it wrote anew.
fn locks(example: &Example, database: &Database<'_>) -> Result<String, String> {
    database.run(example.setup).expect("the setup runs");
    let before = Snapshot::take(database);
    let inner = example.sql.replace("BEGIN;", "").replace("COMMIT;", "");
    let seen = database.query(&format!("BEGIN;\n{inner}\n{}\nROLLBACK;", observe::LOCKS));
    let strong: Vec<String> = match &seen {
        Ok(rows) => rows
            .lines()
            .filter(|row| before.has_relation(row.split(' ').next().unwrap_or("")))
            .map(str::to_owned)
            .collect(),
        Err(_) => Vec::new(),
    };
    let outcome = database.run(&as_run(example));
    let rewritten = before.rewritten(&Snapshot::take(database));
    let mut shown = strong.join(", ");
    if !rewritten.is_empty() {
        let _ = write!(shown, "; written anew: {}", rewritten.join(", "));
    }
    if shown.is_empty() { Err(format!("no strong lock: {seen:?}, {outcome:?}")) } else { Ok(shown) }
}

/// Shows that the example runs, runs again, and (where that is the rule's concern) takes nothing away.
fn harmlessness(rule: &RuleInfo, example: &Example, server: &Server) -> Result<String, String> {
    let database = server.database();
    let run = run_twice(example, &database);
    let notices = run.first.clone().map_err(|error| format!("first run: {error}"))?;
    if notices.contains("WARNING") {
        return Err(notices);
    }
    check_verdict(example, &run)?;
    // An index may go and a name may change; of rows and tables nothing may.
    let lost = if rule.class == Class::Destructive { run.before.lost(&run.after) } else { Vec::new() };
    let second = run.second.as_ref().expect("the first run succeeded");
    second.clone().map_err(|error| format!("second run: {error}"))?;
    if lost.is_empty() {
        Ok("runs, and runs again without a change".into())
    } else {
        Err(format!("lost: {}", lost.join(", ")))
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
    let set = MigrationSet { layout: "plain", engine: None, server_version: None, files: vec![file] };
    let report = lint(&set, &Options::default());
    let said = report
        .findings
        .iter()
        .filter(|finding| finding.class == Class::NonIdempotent && finding.rule != "sequence-restart")
        .count()
        == 0;
    // A statement that the linter cannot read, and one that never gets done, have no second run to speak of.
    let is_out_of_scope =
        report.findings.iter().any(|finding| matches!(finding.rule, "unclosed-transaction" | "unparsed-statement"));
    if really == said || is_out_of_scope {
        return Ok(());
    }
    Err(format!("the linter says re-runnable = {said}, the server {really}: {second:?}"))
}
