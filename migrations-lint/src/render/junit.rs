//! `JUnit` XML: a suite for each file; errors are failures, warnings are passed cases with their text as output.

use std::fmt::Write as _;

use super::xml::escape;
use super::{Document, plain_path};
use crate::report::{Finding, Report, Severity};

const IN_MEMORY: &str = "writing to a string does not fail";

pub(super) fn render(document: &Document<'_>) -> String {
    let report = document.report;
    let n_failures = super::count(report, Severity::Error);
    let n_tests = report.findings.len().max(1);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    writeln!(text, "<testsuites name=\"guard lint\" tests=\"{n_tests}\" failures=\"{n_failures}\" errors=\"0\">")
        .expect(IN_MEMORY);
    for findings in by_file(report) {
        suite(&mut text, findings);
    }
    if report.findings.is_empty() {
        text.push_str("  <testsuite name=\"guard lint\" tests=\"1\" failures=\"0\" errors=\"0\">\n");
        text.push_str("    <testcase classname=\"guard lint\" name=\"no findings\"/>\n  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Runs of findings in one file: the report is in order of file.
fn by_file(report: &Report) -> impl Iterator<Item = &[Finding]> {
    report.findings.chunk_by(|a, b| a.file == b.file)
}

fn suite(text: &mut String, findings: &[Finding]) {
    let file = escape(&plain_path(&findings[0].file));
    let n_failures = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let n_tests = findings.len();
    writeln!(text, "  <testsuite name=\"{file}\" tests=\"{n_tests}\" failures=\"{n_failures}\" errors=\"0\">")
        .expect(IN_MEMORY);
    for finding in findings {
        let (line, column) = (finding.start.line, finding.start.column);
        let message = escape(&finding.message);
        let body = escape(&format!("{file}:{line}:{column}\n{}\n{}", finding.why, finding.help)).replace("&#10;", "\n");
        writeln!(text, "    <testcase classname=\"{file}\" name=\"{} {line}:{column}\">", finding.rule)
            .expect(IN_MEMORY);
        match finding.severity {
            Severity::Error => writeln!(
                text,
                "      <failure type=\"{}\" message=\"{message}\">{body}</failure>",
                finding.class.as_str()
            ),
            Severity::Warning => writeln!(text, "      <system-out>warning: {message}\n{body}</system-out>"),
        }
        .expect(IN_MEMORY);
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n");
}
