//! Every output format of one small report, held by snapshots; SARIF also by its official schema.

use std::path::{Path, PathBuf};

use migrations_lint::layout::{FoundSet, InputFile, find_sets};
use migrations_lint::render::{Document, Format, Look, Sources, render};
use migrations_lint::report::{Class, Edit, Finding, Report, Severity};
use migrations_lint::source_text::{SourceText, Span};

const FIRST: &str = "CREATE TABLE a (id int);\n\nALTER TABLE \"a\"\n\tADD COLUMN b int\n\tNOT NULL;\n";
const SECOND: &str = "-- naïve — 日本 \u{1b}[31m\nUPDATE t SET x = '日本'; DROP TABLE t;\n";

fn sets() -> Vec<FoundSet> {
    let file = |path: &str, text: &str| InputFile::new(path, Path::new("/r").join(path), text);
    find_sets(vec![file("m/1_a.sql", FIRST), file("m/2 b.sql", SECOND)], None)
}

fn finding(source: &SourceText, text: &str, severity: Severity) -> Finding {
    let start = source.text().find(text).expect("the sample holds the text");
    let span = Span::new(start, start + text.len());
    Finding {
        rule: "some-rule",
        class: Class::Destructive,
        severity,
        file: source.path().to_owned(),
        span,
        start: source.position(span.start),
        end: source.position(span.end),
        statement: text.to_owned(),
        message: "\"t\" is dropped | with <all> its rows: 100%, really".to_owned(),
        why: "every row of the table is lost; nothing in the migration keeps a copy of them anywhere, and a restore \
              takes the time that a restore takes"
            .to_owned(),
        help: "ALTER TABLE t RENAME TO t_old;\n-- drop it later;".to_owned(),
        fix: Vec::new(),
        fingerprint: "0123456789abcdef".to_owned(),
    }
}

fn report(sets: &[FoundSet]) -> Report {
    let files = &sets[0].set.files;
    let mut column = finding(&files[0].source, "ADD COLUMN b int\n\tNOT NULL", Severity::Warning);
    column.class = Class::MayFail;
    column.help = String::from("add the column with a default");
    column.fix = vec![Edit { span: Span::new(column.span.end, column.span.end), text: " DEFAULT 0".to_owned() }];
    let update = finding(&files[1].source, "UPDATE t SET x = '日本'", Severity::Error);
    let drop = finding(&files[1].source, "DROP TABLE t;", Severity::Error);
    Report { n_files: 2, n_statements: 4, findings: vec![column, update, drop] }
}

fn rendered(format: Format, look: Look) -> String {
    let sets = sets();
    let report = report(&sets);
    let document = Document { report: &report, sources: Sources::of(&sets), n_suppressed: 1, n_baselined: 2 };
    render(&document, format, look).replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

const PLAIN: Look = Look { color: false, width: 80 };

/// Compares with `tests/snapshots/NAME`, or writes it when `UPDATE_SNAPSHOTS` is set.
fn check_snapshot(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, actual).expect("the snapshot is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("the snapshot exists");
    assert_eq!(actual, expected, "{name} differs; if that is right, run again with UPDATE_SNAPSHOTS=1");
}

#[test]
fn every_format_looks_as_it_did() {
    for format in Format::ALL {
        check_snapshot(&format!("report.{}", format.as_str()), &rendered(format, PLAIN));
    }
}

#[test]
fn colour_and_width_change_only_the_human_format() {
    let look = Look { color: true, width: 60 };
    check_snapshot("report.human.color", &rendered(Format::Human, look));
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Human) {
        assert_eq!(rendered(format, look), rendered(format, PLAIN), "{format:?}");
    }
}

#[test]
fn no_line_below_a_heading_is_wider_than_asked() {
    use unicode_width::UnicodeWidthStr;
    let long = format!("SELECT '{}'; DROP TABLE t; SELECT '{}';", "é".repeat(500), "x".repeat(500));
    let sets = find_sets(vec![InputFile::new("1_a.sql", "/r/1_a.sql", long)], None);
    let drop = finding(&sets[0].set.files[0].source, "DROP TABLE t;", Severity::Error);
    let report = Report { n_files: 1, n_statements: 3, findings: vec![drop] };
    let document = Document { report: &report, sources: Sources::of(&sets), n_suppressed: 0, n_baselined: 0 };
    for width in [40, 60, 100] {
        let text = render(&document, Format::Human, Look { color: false, width });
        let mut body = text.lines().filter(|line| !line.starts_with("error["));
        assert!(body.all(|line| line.width() <= width), "{text}");
        assert!(text.contains("DROP TABLE t;"), "{text}");
        assert!(text.contains("^^^^^^^^^^^^^"), "{text}");
    }
}

#[test]
fn sarif_is_valid_by_the_oasis_schema() {
    let schema = include_str!("../../fixtures/lint/sarif-schema-2.1.0.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let log: serde_json::Value = serde_json::from_str(&rendered(Format::Sarif, PLAIN)).expect("SARIF is JSON");
    let errors: Vec<_> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0" })), "the schema must be able to refuse");
}

#[test]
fn a_thousand_findings_on_one_long_line_take_linear_time() {
    let n = 4000;
    let sets = find_sets(vec![InputFile::new("1_a.sql", "/r/1_a.sql", "DROP TABLE t;".repeat(n))], None);
    let source = &sets[0].set.files[0].source;
    let findings = (0..n).map(|idx| {
        let mut finding = finding(source, "DROP TABLE t;", Severity::Error);
        finding.span = Span::new(idx * 13, idx * 13 + 13);
        (finding.start, finding.end) = (source.position(finding.span.start), source.position(finding.span.end));
        finding
    });
    let report = Report { n_files: 1, n_statements: n, findings: findings.collect() };
    let document = Document { report: &report, sources: Sources::of(&sets), n_suppressed: 0, n_baselined: 0 };
    let text = render(&document, Format::Human, PLAIN);
    assert!(text.len() < n * 700, "a finding shows a part of its line, not the whole of it: {}", text.len());
}
