use super::*;
use crate::report::{Class, Severity};

fn file(text: &str) -> MigrationFile {
    let source = SourceText::new("m/1.sql", text);
    MigrationFile { source, version: None, name: String::new(), parts: Vec::new(), reported: true }
}

/// A finding of `rule` where `text` holds `at`.
fn finding(source: &SourceText, rule: &'static str, class: Class, at: &str) -> Finding {
    let start = source.text().find(at).unwrap();
    let span = Span::new(start, start + at.len());
    Finding {
        rule,
        class,
        severity: Severity::Error,
        file: source.path().to_owned(),
        span,
        start: source.position(span.start),
        end: source.position(span.end),
        statement: at.to_owned(),
        message: String::new(),
        why: String::new(),
        help: String::new(),
        fix: Vec::new(),
        fingerprint: String::new(),
    }
}

/// Suppresses findings of `empty-migration` (a rule that exists, whatever it is about) at each of `places`; returns what is
/// left as rule and line.
fn left(text: &str, places: &[&str]) -> Vec<(&'static str, usize)> {
    let file = file(text);
    let findings = places.iter().map(|at| finding(&file.source, "empty-migration", Class::Destructive, at)).collect();
    let mut report = Report { findings, ..Report::default() };
    suppress(&mut report, [&file], &Options::default());
    report.findings.iter().map(|finding| (finding.rule, finding.start.line)).collect()
}

#[test]
fn a_comment_speaks_for_the_next_statement_only() {
    let text = "-- guard:ignore empty-migration -- known\n\n-- other\ndrop a;\ndrop b;";
    assert_eq!(left(text, &["drop a", "drop b"]), [("empty-migration", 5)]);
}

#[test]
fn a_comment_inside_or_behind_a_statement_speaks_for_it() {
    assert_eq!(left("alter t\n-- guard:ignore empty-migration -- known\ndrop a;", &["drop a"]), []);
    assert_eq!(
        left("drop a; -- guard:ignore empty-migration -- known\ndrop b;", &["drop a", "drop b"]),
        [("empty-migration", 2)]
    );
}

#[test]
fn a_file_may_be_left_out_whole_or_by_rule() {
    assert_eq!(left("drop a;\ndrop b;\n-- guard:ignore-file -- generated", &["drop a", "drop b"]), []);
    assert_eq!(left("/* guard:ignore-file empty-migration -- generated */ drop a;", &["drop a"]), []);
}

#[test]
fn without_a_reason_nothing_is_suppressed() {
    let found = left("-- guard:ignore empty-migration\ndrop a;", &["drop a"]);
    assert_eq!(found, [("suppression-without-reason", 1), ("empty-migration", 2)]);
    assert_eq!(left("-- guard:ignore empty-migration --\ndrop a;", &["drop a"]).len(), 2);
}

#[test]
fn an_unknown_or_missing_name_is_found() {
    let unknown = [("unknown-rule-in-suppression", 1), ("empty-migration", 2)];
    assert_eq!(left("-- guard:ignore emptyfile -- why\ndrop a;", &["drop a"]), unknown);
    assert_eq!(left("-- guard:ignore -- why\ndrop a;", &["drop a"]), unknown);
}

#[test]
fn a_suppression_that_takes_nothing_is_found() {
    assert_eq!(
        left("-- guard:ignore empty-migration, wrong-encoding -- why\ndrop a;", &["drop a"]),
        [("unused-suppression", 1)]
    );
    assert_eq!(left("drop a;\n-- guard:ignore empty-migration -- why", &[]), [("unused-suppression", 2)]);
}

#[test]
fn a_suppression_of_a_rule_that_is_off_is_not_called_unused() {
    let file = file("-- guard:ignore empty-migration -- why\ndrop a;");
    let options = Options {
        severities: [("empty-migration".to_owned(), crate::options::RuleSeverity::Off)].into(),
        ..Options::default()
    };
    let mut report = Report::default();
    suppress(&mut report, [&file], &options);
    assert_eq!(report.findings, []);
}

#[test]
fn a_mark_inside_a_string_is_no_comment() {
    assert_eq!(left("select '-- guard:ignore-file -- x'; drop a;", &["drop a"]), [("empty-migration", 1)]);
}

#[test]
fn squawk_comments_need_no_reason_and_may_name_nothing() {
    assert_eq!(left("-- squawk-ignore\ndrop a;\ndrop b;", &["drop a", "drop b"]), [("empty-migration", 3)]);
    assert_eq!(left("-- squawk-ignore-file\ndrop a;\ndrop b;", &["drop a", "drop b"]), []);
    assert_eq!(left("-- squawk-ignore no-such-rule\ndrop a;", &["drop a"]), [("empty-migration", 2)]);
}

#[test]
fn atlas_comments_name_kinds_of_harm_and_reach_the_file_from_its_top() {
    assert_eq!(
        left("-- x\n-- atlas:nolint destructive\ndrop a;\ndrop b;", &["drop a", "drop b"]),
        [("empty-migration", 4)]
    );
    assert_eq!(left("-- atlas:nolint DS103\n\ndrop a;\ndrop b;", &["drop a", "drop b"]), []);
    assert_eq!(left("-- atlas:nolint naming\ndrop a;", &["drop a"]), [("empty-migration", 2)]);
}

#[test]
fn comments_in_files_that_only_give_context_are_not_complained_about() {
    let file = MigrationFile { reported: false, ..file("-- guard:ignore empty-migration -- why\ndrop a;") };
    let mut report = Report::default();
    suppress(&mut report, [&file], &Options::default());
    assert_eq!(report.findings, []);
}
