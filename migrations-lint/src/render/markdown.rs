//! A summary for a pull request's comment: a table, then why and how for each finding, folded.

use std::fmt::Write as _;

use super::{Document, plain_path, plural, severity_name, tally};
use crate::report::Finding;

const IN_MEMORY: &str = "writing to a string does not fail";

/// GitHub takes comments of 65,536 characters; what does not fit is counted.
const MAX_LENGTH: usize = 60_000;

pub(super) fn render(document: &Document<'_>) -> String {
    let report = document.report;
    let mut text = format!("### guard lint: {} in {}\n", tally(report), plural(report.n_files, "file"));
    if report.findings.is_empty() {
        return text;
    }
    text.push_str("\n| | where | rule | what |\n|---|---|---|---|\n");
    let mut details = String::new();
    let mut n_shown = 0;
    for finding in &report.findings {
        let (row, detail) = (row(finding), detail(finding));
        if text.len() + details.len() + row.len() + detail.len() > MAX_LENGTH {
            break;
        }
        text.push_str(&row);
        details.push_str(&detail);
        n_shown += 1;
    }
    if n_shown < report.findings.len() {
        writeln!(text, "\n… and {} more.", report.findings.len() - n_shown).expect(IN_MEMORY);
    }
    writeln!(text, "\n<details><summary>Why, and the safe way</summary>\n{details}\n</details>").expect(IN_MEMORY);
    text
}

fn row(finding: &Finding) -> String {
    let place = format!("{}:{}", plain_path(&finding.file), finding.start.line);
    let severity = severity_name(finding.severity);
    format!("| {severity} | {} | {} | {} |\n", code(&place), code(finding.rule), inline(&finding.message))
}

fn detail(finding: &Finding) -> String {
    let place = format!("{}:{}", plain_path(&finding.file), finding.start.line);
    let mut text = format!("\n**{}** at {}: {}\n", finding.rule, code(&place), inline(&finding.why));
    if super::human::is_sql(&finding.help) {
        let fence = fence(&finding.help);
        write!(text, "\n{fence}sql\n{}\n{fence}\n", finding.help.trim_end()).expect(IN_MEMORY);
    } else if !finding.help.is_empty() {
        write!(text, "\nSafe way: {}\n", inline(&finding.help)).expect(IN_MEMORY);
    }
    text
}

/// Text on one line of a table, where SQL must not become markup.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => safe.extend(['\\', character]),
            '<' => safe.push_str("&lt;"),
            '\n' | '\r' => safe.push(' '),
            // A mention would send mail.
            '@' => safe.push_str("@\u{200b}"),
            _ => safe.push(character),
        }
    }
    safe
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " "))
}

/// A fence longer than any run of backticks in `text`.
fn fence(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}
