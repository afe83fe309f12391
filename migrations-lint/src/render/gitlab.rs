//! GitLab's code quality report: what a merge request's widget shows.

use std::collections::HashMap;

use serde_json::json;

use super::{Document, plain_path};
use crate::report::Severity;

pub(super) fn render(document: &Document<'_>) -> String {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let issues = document.report.findings.iter().map(|finding| {
        json!({
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": unique(&mut seen, &finding.fingerprint),
            "severity": match finding.severity { Severity::Error => "critical", Severity::Warning => "minor" },
            "categories": [finding.class.as_str()],
            "content": { "body": format!("{}\n\n{}", finding.why, finding.help) },
            "location": {
                "path": plain_path(&finding.file),
                "lines": { "begin": finding.start.line, "end": finding.end.line },
            },
        })
    });
    let mut text = serde_json::to_string_pretty(&issues.collect::<Vec<_>>()).expect("a JSON value always serialises");
    text.push('\n');
    text
}

/// GitLab shows only one of several issues with one fingerprint, as equal files in two sets have.
fn unique<'a>(seen: &mut HashMap<&'a str, usize>, fingerprint: &'a str) -> String {
    let n = seen.entry(fingerprint).or_default();
    *n += 1;
    if *n == 1 { fingerprint.to_owned() } else { format!("{fingerprint}-{n}") }
}
