//! Hundreds of small migrations with a label: every harm is found in its class, and nothing is said of what is safe.

use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::report::Finding;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

/// The cases of each file, with the engine that they are for unless a case names another.
const FILES: [(&str, Engine); 3] = [
    (include_str!("labelled.sql"), Engine::PostgreSql),
    (include_str!("labelled_mysql.sql"), Engine::MySql),
    (include_str!("labelled_sqlite.sql"), Engine::Sqlite),
];

struct Case<'a> {
    label: &'a str,
    engine: Engine,
    transaction: TransactionMode,
    files: Vec<&'a str>,
}

fn cases() -> Vec<Case<'static>> {
    FILES
        .iter()
        .flat_map(|(text, engine)| text.split("\n-- case: ").skip(1).map(|section| case(section, *engine)))
        .collect()
}

fn case(section: &'static str, engine: Engine) -> Case<'static> {
    let (head, text) = section.split_once('\n').expect("a case has a text");
    let mut words = head.split(", ");
    let label = words.next().expect("a split gives a first part");
    let mut case =
        Case { label, engine, transaction: TransactionMode::None, files: text.split("\n-- next file\n").collect() };
    for word in words {
        match word {
            "in a transaction" => case.transaction = TransactionMode::PerPart,
            "mariadb" => case.engine = Engine::MariaDb,
            other => panic!("a case says {other}, which means nothing"),
        }
    }
    case
}

fn findings(case: &Case<'_>) -> Vec<Finding> {
    let files = case.files.iter().enumerate().map(|(idx, text)| MigrationFile {
        source: SourceText::new(format!("{idx:03}.sql"), *text),
        version: None,
        name: String::new(),
        parts: vec![Part { direction: Direction::Up, span: Span::new(0, text.len()), transaction: case.transaction }],
        reported: true,
    });
    let set = MigrationSet { layout: "plain", engine: Some(case.engine), server_version: None, files: files.collect() };
    lint(&set, &Options::default()).findings
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.class.as_str(), finding.rule)).collect()
}

#[test]
fn every_harm_is_found_in_its_class() {
    let mut missed = Vec::new();
    for case in cases().iter().filter(|case| case.label != "good") {
        let found = findings(case);
        if !found.iter().any(|finding| finding.class.as_str() == case.label) {
            missed.push(format!("{}: {}\n  only {:?}", case.label, case.files.join("\n"), shown(&found)));
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn nothing_is_said_of_what_is_safe() {
    let mut alarms = Vec::new();
    for case in cases().iter().filter(|case| case.label == "good") {
        let found = findings(case);
        if !found.is_empty() {
            alarms.push(format!("{}\n  {:?}", case.files.join("\n"), shown(&found)));
        }
    }
    assert!(alarms.is_empty(), "{} alarms:\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn there_are_enough_cases_of_both_kinds() {
    let n_good = cases().iter().filter(|case| case.label == "good").count();
    assert!(n_good > 270 && cases().len() - n_good > 740, "{n_good} of {}", cases().len());
}

#[test]
fn a_foreign_key_that_is_put_back_locks_but_cannot_fail() {
    let rules = |sql: &'static str| {
        let case = Case { label: "", engine: Engine::PostgreSql, transaction: TransactionMode::None, files: vec![sql] };
        findings(&case).into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let added = "ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES c (id);";
    assert!(rules(added).contains(&"constraint-fails-on-existing-rows"));
    for put_back in [
        "ALTER TABLE a DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES c (id);",
        "ALTER TABLE a DROP CONSTRAINT IF EXISTS fk; ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES c (id);",
    ] {
        let rules = rules(put_back);
        assert!(rules.contains(&"add-foreign-key-not-valid"), "{rules:?}");
        assert!(!rules.contains(&"constraint-fails-on-existing-rows"), "{rules:?}");
    }
}
