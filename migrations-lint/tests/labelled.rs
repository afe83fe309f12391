//! Hundreds of small migrations with a label: every harm is found in its class, and nothing is said of what is safe.

use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::report::Finding;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

const CASES: &str = include_str!("labelled.sql");

struct Case<'a> {
    label: &'a str,
    transaction: TransactionMode,
    files: Vec<&'a str>,
}

fn cases() -> Vec<Case<'static>> {
    let sections = CASES.split("\n-- case: ").skip(1);
    let cases = sections.map(|section| {
        let (head, text) = section.split_once('\n').expect("a case has a text");
        let (label, rest) = head.split_once(", ").unwrap_or((head, ""));
        let transaction = if rest.is_empty() { TransactionMode::None } else { TransactionMode::PerPart };
        Case { label, transaction, files: text.split("\n-- next file\n").collect() }
    });
    cases.collect()
}

fn findings(case: &Case<'_>) -> Vec<Finding> {
    let files = case.files.iter().enumerate().map(|(idx, text)| MigrationFile {
        source: SourceText::new(format!("{idx:03}.sql"), *text),
        version: None,
        name: String::new(),
        parts: vec![Part { direction: Direction::Up, span: Span::new(0, text.len()), transaction: case.transaction }],
        reported: true,
    });
    let set = MigrationSet { layout: "plain", engine: None, server_version: None, files: files.collect() };
    lint(&set, &Options::default()).findings
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.class.as_str(), finding.rule)).collect()
}

#[test]
fn every_harm_is_found_in_its_class() {
    for case in cases().iter().filter(|case| case.label != "good") {
        let found = findings(case);
        assert!(
            found.iter().any(|finding| finding.class.as_str() == case.label),
            "{}: {:?}\n{:?}",
            case.label,
            case.files,
            shown(&found)
        );
    }
}

#[test]
fn nothing_is_said_of_what_is_safe() {
    for case in cases().iter().filter(|case| case.label == "good") {
        let found = findings(case);
        assert!(found.is_empty(), "{:?}\n{:?}", case.files, shown(&found));
    }
}

#[test]
fn there_are_enough_cases_of_both_kinds() {
    let n_good = cases().iter().filter(|case| case.label == "good").count();
    assert!(n_good > 120 && cases().len() - n_good > 280, "{n_good} of {}", cases().len());
}

#[test]
fn a_foreign_key_that_is_put_back_locks_but_cannot_fail() {
    let rules = |sql: &'static str| {
        let case = Case { label: "", transaction: TransactionMode::None, files: vec![sql] };
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
