//! Every rule's examples for SQLite proven on a real one: what they do there, against what the rules say of them.
//!
//! `PROVE_RULES=all` writes `evidence-sqlite.tsv`, from which the rules' pages are made. All examples are always run: they
//! take a moment.

mod database;

use std::fmt::Write as _;
use std::path::Path;

use database::{Database, Snapshot, version};
use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::report::Class;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Example, Options, RuleInfo, lint, rules};

#[test]
fn examples_do_on_a_real_sqlite_what_the_rules_say() {
    let mut evidence = format!("server\t{}\t\t\n", version());
    let mut failures = Vec::new();
    for rule in rules() {
        for (kind, examples) in [("bad", rule.bad), ("good", rule.good)] {
            for (idx, example) in examples.iter().filter(|example| example.engine == Engine::Sqlite).enumerate() {
                let seen = if kind == "bad" { harm(rule, example) } else { harmlessness(rule, example) };
                match seen {
                    Ok(seen) => writeln!(evidence, "{}\t{kind}\t{}\t{}", rule.id, idx + 1, one_line(&seen))
                        .expect("a string takes text"),
                    Err(seen) => failures.push(format!("{} ({kind}): not shown:\n{}\n{seen}", rule.id, example.sql)),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    if std::env::var("PROVE_RULES").is_ok_and(|value| value == "all") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence-sqlite.tsv"), evidence)
            .expect("evidence-sqlite.tsv can be written");
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the example does to a database, as seen from outside.
struct Run {
    before: Snapshot,
    after: Snapshot,
    first: Result<String, String>,
    /// The second run and what the database is like after it, if there was a first.
    second: Option<(Result<String, String>, Snapshot)>,
}

fn run_twice(example: &Example) -> Run {
    let database = Database::new();
    database.run(example.setup).expect("the setup runs");
    let before = database.snapshot();
    let script = match example.transaction {
        TransactionMode::None => example.sql.to_owned(),
        _ => format!("BEGIN;\n{}\nCOMMIT;", example.sql),
    };
    let first = database.run(&script);
    let after = database.snapshot();
    let second = first.is_ok().then(|| (database.run(&script), database.snapshot()));
    Run { before, after, first, second }
}

/// Shows the harm that the rule's class speaks of, or says what was seen instead.
fn harm(rule: &RuleInfo, example: &Example) -> Result<String, String> {
    let run = run_twice(example);
    check_verdict(example, &run)?;
    let change = run.before.change_to(&run.after);
    let lost = run.before.lost(&run.after);
    let is_failure = matches!(rule.class, Class::Transaction | Class::MayFail);
    match (&run.first, rule.class) {
        (Err(error), _) if is_failure => Ok(error.clone()),
        (Ok(_), Class::NonIdempotent) => match &run.second {
            Some((Err(error), _)) => Ok(format!("second run: {error}")),
            Some((Ok(_), after)) if *after != run.after => {
                Ok(format!("second run changes: {}", run.after.change_to(after)))
            }
            _ => Err("a second run changes nothing".into()),
        },
        (Ok(_), Class::Transaction) if rule.id == "unclosed-transaction" && change.is_empty() => {
            Ok("nothing of it was kept".into())
        }
        // Rows of a table that the example does not name.
        (Ok(_), Class::Transaction) if !lost.is_empty() => Ok(format!("lost: {}", lost.join(", "))),
        (Ok(_), Class::Destructive | Class::Breaking) if !change.is_empty() => Ok(change),
        _ => Err(format!("{:?}; changes: {change}", run.first)),
    }
}

/// Shows that the example runs, runs again, and (where that is the rule's concern) takes nothing away.
fn harmlessness(rule: &RuleInfo, example: &Example) -> Result<String, String> {
    let run = run_twice(example);
    run.first.clone().map_err(|error| format!("first run: {error}"))?;
    check_verdict(example, &run)?;
    let (second, _) = run.second.as_ref().expect("the first run succeeded");
    second.clone().map_err(|error| format!("second run: {error}"))?;
    let lost = if rule.class == Class::Destructive { run.before.lost(&run.after) } else { Vec::new() };
    if lost.is_empty() { Ok("runs, and runs again".into()) } else { Err(format!("lost: {}", lost.join(", "))) }
}

/// The linter's own verdict on a second run must be the database's, whatever the example is for.
fn check_verdict(example: &Example, run: &Run) -> Result<(), String> {
    let Some((second, after)) = &run.second else { return Ok(()) };
    let really = second.is_ok() && *after == run.after;
    let part =
        Part { direction: Direction::Up, span: Span::new(0, example.sql.len()), transaction: example.transaction };
    let source = SourceText::new("example.sql", example.sql);
    let file = MigrationFile { source, version: None, name: String::new(), parts: vec![part], reported: true };
    let set = MigrationSet { layout: "plain", engine: Some(Engine::Sqlite), server_version: None, files: vec![file] };
    let report = lint(&set, &Options::default());
    let said = report.findings.iter().all(|finding| finding.class != Class::NonIdempotent);
    // What never gets done has no second run to speak of.
    let is_never_done = report.findings.iter().any(|finding| finding.rule == "unclosed-transaction");
    if really == said || is_never_done {
        return Ok(());
    }
    let change = run.after.change_to(after);
    Err(format!("the linter says re-runnable = {said}, SQLite {really}: {second:?}; {change}"))
}
