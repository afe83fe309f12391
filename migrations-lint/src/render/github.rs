//! GitHub Actions workflow commands, which become annotations on the changed lines.

use std::fmt::Write as _;

use super::{Document, plain_path, severity_name, summary};

pub(super) fn render(document: &Document<'_>) -> String {
    let mut text = String::new();
    for finding in &document.report.findings {
        let file = property(&plain_path(&finding.file));
        let (start, end) = (finding.start, finding.end);
        write!(text, "::{} file={file},line={}", severity_name(finding.severity), start.line).expect(IN_MEMORY);
        // GitHub takes columns only for annotations within one line.
        if end.line == start.line {
            write!(text, ",col={},endColumn={}", start.column, end.column).expect(IN_MEMORY);
        } else {
            write!(text, ",endLine={}", end.line).expect(IN_MEMORY);
        }
        let parts = [&finding.message, &finding.why, &finding.help];
        let message = parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("\n");
        writeln!(text, ",title={}::{}", property(finding.rule), data(&message)).expect(IN_MEMORY);
    }
    writeln!(text, "{}", summary(document.report)).expect(IN_MEMORY);
    text
}

const IN_MEMORY: &str = "writing to a string does not fail";

/// As `@actions/core` escapes a command's message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As `@actions/core` escapes a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
