//! The versioned JSON document: fields are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Document, by_class, count, rule_page, severity_name};
use crate::report::{Edit, Finding, Severity};
use crate::source_text::{Position, SourceText};

#[derive(Serialize)]
struct Root<'a> {
    version: u8,
    files: usize,
    statements: usize,
    findings: Vec<JsonFinding<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    class: &'a str,
    severity: &'a str,
    file: String,
    start: Place,
    end: Place,
    statement: &'a str,
    message: &'a str,
    why: &'a str,
    help: &'a str,
    fix: Vec<JsonEdit<'a>>,
    docs: String,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    start: Place,
    end: Place,
    text: &'a str,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    suppressed: usize,
    baselined: usize,
    classes: BTreeMap<&'static str, usize>,
}

pub(super) fn render(document: &Document<'_>) -> String {
    let report = document.report;
    let errors = count(report, Severity::Error);
    let root = Root {
        version: 1,
        files: report.n_files,
        statements: report.n_statements,
        findings: report.findings.iter().map(|finding| json_finding(document, finding)).collect(),
        summary: Summary {
            errors,
            warnings: report.findings.len() - errors,
            suppressed: document.n_suppressed,
            baselined: document.n_baselined,
            classes: by_class(report).into_iter().map(|(class, n)| (class.as_str(), n)).collect(),
        },
    };
    let mut text = serde_json::to_string(&root).expect("strings and numbers always serialise");
    text.push('\n');
    text
}

fn json_finding<'a>(document: &Document<'a>, finding: &'a Finding) -> JsonFinding<'a> {
    let source = if finding.fix.is_empty() { None } else { document.sources.find(&finding.file) };
    let edits = source.into_iter().flat_map(|source| finding.fix.iter().map(|edit| json_edit(source, edit)));
    JsonFinding {
        rule: finding.rule,
        class: finding.class.as_str(),
        severity: severity_name(finding.severity),
        file: finding.file.to_string_lossy().into_owned(),
        start: finding.start.into(),
        end: finding.end.into(),
        statement: &finding.statement,
        message: &finding.message,
        why: &finding.why,
        help: &finding.help,
        fix: edits.collect(),
        docs: rule_page(finding.rule),
        fingerprint: &finding.fingerprint,
    }
}

fn json_edit<'a>(source: &SourceText, edit: &'a Edit) -> JsonEdit<'a> {
    let (start, end) = (source.position(edit.span.start), source.position(edit.span.end));
    JsonEdit { start: start.into(), end: end.into(), text: &edit.text }
}

impl From<Position> for Place {
    fn from(Position { line, column }: Position) -> Self {
        Self { line, column }
    }
}
