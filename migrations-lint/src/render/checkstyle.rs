//! Checkstyle XML: what Jenkins, reviewdog and many editors read.

use std::fmt::Write as _;

use super::xml::escape;
use super::{Document, plain_path, severity_name};

const IN_MEMORY: &str = "writing to a string does not fail";

pub(super) fn render(document: &Document<'_>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n");
    for findings in document.report.findings.chunk_by(|a, b| a.file == b.file) {
        writeln!(text, "  <file name=\"{}\">", escape(&plain_path(&findings[0].file))).expect(IN_MEMORY);
        for finding in findings {
            let (line, column) = (finding.start.line, finding.start.column);
            let severity = severity_name(finding.severity);
            let message = escape(&format!("{}. {}", finding.message, finding.why));
            let rule = finding.rule;
            writeln!(
                text,
                "    <error line=\"{line}\" column=\"{column}\" severity=\"{severity}\" message=\"{message}\" source=\"guard.{rule}\"/>"
            )
            .expect(IN_MEMORY);
        }
        text.push_str("  </file>\n");
    }
    text.push_str("</checkstyle>\n");
    text
}
