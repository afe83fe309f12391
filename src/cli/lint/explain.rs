//! `--explain RULE` and `--list-rules`.

use std::fmt::Write as _;

use anyhow::bail;
use migrations_lint::render::Format;
use migrations_lint::{RuleInfo, page, rules};
use serde_json::json;

use super::LintOutcome;

const IN_MEMORY: &str = "writing to a string does not fail";

/// The rule of this id; the error names the nearest one.
pub(super) fn find(id: &str) -> anyhow::Result<&'static RuleInfo> {
    if let Some(rule) = rules().iter().find(|rule| rule.id == id) {
        return Ok(rule);
    }
    let similarity = |rule: &&RuleInfo| (strsim::jaro_winkler(rule.id, id) * 1000.0).round();
    let nearest = rules().iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest {
        Some(nearest) => bail!("there is no rule {id:?}; did you mean {:?}? --list-rules lists all", nearest.id),
        None => bail!("there is no rule {id:?}"),
    }
}

/// A rule's page.
pub(super) fn explain(id: &str) -> anyhow::Result<LintOutcome> {
    let rule = find(id)?;
    let page = page(rule);
    // The first line says where the file comes from, which is nothing to the reader of a terminal.
    let text =
        page.strip_prefix("<!--").and_then(|rest| rest.split_once("-->\n")).map_or(page.as_str(), |(_, text)| text);
    let text = text.to_owned();
    Ok(LintOutcome { text, notes: Vec::new(), passes: true })
}

/// All rules, one a line, or as JSON.
pub(super) fn list(format: Option<Format>) -> LintOutcome {
    let text = match format {
        Some(Format::Json) => {
            let rules: Vec<_> = rules()
                .iter()
                .map(|rule| {
                    json!({
                        "rule": rule.id,
                        "class": rule.class.as_str(),
                        "severity": rule.default_severity.as_str(),
                        "summary": rule.summary,
                    })
                })
                .collect();
            format!("{}\n", json!({ "version": 1, "rules": rules }))
        }
        _ => table(),
    };
    LintOutcome { text, notes: Vec::new(), passes: true }
}

fn table() -> String {
    let width = rules().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    rules().iter().fold(String::new(), |mut text, rule| {
        let (class, severity) = (rule.class.as_str(), rule.default_severity.as_str());
        writeln!(text, "{:width$}  {class:14}  {severity:7}  {}", rule.id, rule.summary).expect(IN_MEMORY);
        text
    })
}
