//! Every rule's own examples: what is bad is reported by that rule, what is good by none.

use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part};
use migrations_lint::report::Finding;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Example, Options, RuleInfo, RuleSeverity, lint, rules};

fn findings(rule: &RuleInfo, example: &Example) -> Vec<Finding> {
    let part =
        Part { direction: Direction::Up, span: Span::new(0, example.sql.len()), transaction: example.transaction };
    let file = MigrationFile {
        source: SourceText::new("example.sql", example.sql),
        version: None,
        name: "example".into(),
        parts: vec![part],
        reported: true,
    };
    let set = MigrationSet { layout: "plain", engine: Some(example.engine), server_version: None, files: vec![file] };
    let mut options = Options::default();
    if rule.default_severity == RuleSeverity::Off {
        options.severities.insert(rule.id.into(), RuleSeverity::Warning);
    }
    lint(&set, &options).findings
}

fn ids(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

#[test]
fn each_bad_example_is_reported_by_its_rule() {
    let mut missed = Vec::new();
    for rule in rules() {
        for example in rule.bad {
            let found = findings(rule, example);
            if !found.iter().any(|finding| finding.rule == rule.id) {
                missed.push(format!("{}: {}\n  only {:?}", rule.id, example.sql, ids(&found)));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn no_rule_says_anything_of_a_good_example() {
    let mut false_alarms = Vec::new();
    for rule in rules() {
        for example in rule.good {
            let found = findings(rule, example);
            if !found.is_empty() {
                false_alarms.push(format!("{}: {}\n  {:?}", rule.id, example.sql, ids(&found)));
            }
        }
    }
    assert!(false_alarms.is_empty(), "{}", false_alarms.join("\n"));
}

#[test]
fn rule_ids_are_unique_and_kebab_case_and_say_no_ban() {
    let mut seen = std::collections::BTreeSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        assert!(!rule.id.starts_with("ban-"), "{}", rule.id);
        assert!(rule.summary.ends_with('.') && !rule.docs.is_empty(), "{}", rule.id);
    }
}
