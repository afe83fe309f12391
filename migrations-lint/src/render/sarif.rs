//! SARIF 2.1.0: what GitHub code scanning and most security dashboards read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Document, plain_path, severity_name};
use crate::report::{Edit, Finding};
use crate::source_text::{Position, SourceText};

pub(super) fn render(document: &Document<'_>) -> String {
    let used: BTreeSet<&str> = document.report.findings.iter().map(|finding| finding.rule).collect();
    let ids: Vec<&str> = used.into_iter().collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "guard lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": ids.iter().map(|id| rule(id)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": document.report.findings.iter().map(|finding| result(document, finding, &ids)).collect::<Vec<_>>(),
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("a JSON value always serialises");
    text.push('\n');
    text
}

fn rule(id: &str) -> Value {
    match crate::rules().iter().find(|rule| rule.id == id) {
        Some(rule) => json!({
            "id": id,
            "shortDescription": { "text": rule.summary },
            "help": { "text": rule.docs, "markdown": rule.docs },
            "properties": { "tags": [rule.class.as_str()] },
        }),
        None => json!({ "id": id }),
    }
}

fn result(document: &Document<'_>, finding: &Finding, ids: &[&str]) -> Value {
    let uri = encode(&plain_path(&finding.file));
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": ids.binary_search(&finding.rule).ok(),
        "level": severity_name(finding.severity),
        "message": { "text": message(finding) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": region(finding.start, finding.end),
        }}],
        "partialFingerprints": { "guardLint/v1": finding.fingerprint },
    });
    if let Some(source) = document.sources.find(&finding.file).filter(|_| !finding.fix.is_empty()) {
        let replacements: Vec<_> = finding.fix.iter().map(|edit| replacement(source, edit)).collect();
        result["fixes"] = json!([{
            "description": { "text": "the rewrite that keeps the meaning" },
            "artifactChanges": [{ "artifactLocation": { "uri": uri }, "replacements": replacements }],
        }]);
    }
    result
}

fn message(finding: &Finding) -> String {
    let parts = [&finding.message, &finding.why, &finding.help];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("\n\n")
}

fn replacement(source: &SourceText, edit: &Edit) -> Value {
    let (start, end) = (source.position(edit.span.start), source.position(edit.span.end));
    json!({ "deletedRegion": region(start, end), "insertedContent": { "text": edit.text } })
}

fn region(start: Position, end: Position) -> Value {
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

/// A path as a relative URI.
fn encode(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    uri
}
