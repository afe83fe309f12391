//! For a pull request's comment: the answer, a table of the checks, the reasons with their ways out.

use super::super::decide::State;
use super::super::record::GateRecord;
use super::{harmless, headline};

/// GitHub takes comments of 65,536 characters; what does not fit is counted.
const MAX_LENGTH: usize = 60_000;

pub(super) fn render(record: &GateRecord) -> String {
    let sign = if record.is_open() { "✅" } else { "⛔" };
    let mut text = format!("### {sign} guard {}\n\n| | check | found |\n|---|---|---|\n", inline(&headline(record)));
    for check in &record.checks {
        let sign = match check.state {
            State::Pass => "✅",
            State::Closed => "⛔",
            State::Skipped => "–",
        };
        text.push_str(&format!("| {sign} | {} | {} |\n", check.name, inline(&check.detail)));
    }
    for (idx, reason) in record.reasons.iter().enumerate() {
        let entry =
            format!("\n{}. **{}**: {}  \n   {}\n", idx + 1, reason.code, inline(&reason.message), inline(&reason.help));
        if text.len() + entry.len() > MAX_LENGTH {
            text.push_str(&format!("\n… and {} more.\n", record.reasons.len() - idx));
            break;
        }
        text.push_str(&entry);
    }
    let backup = record.backup.as_ref().map_or(String::new(), |id| format!(" by backup `{id}`"));
    text.push_str(&format!("\n<sub>decided {}{backup}, guard {}</sub>\n", record.at.format("%F %T UTC"), record.guard));
    text
}

/// Text on one line of a table, where SQL must not become markup and a mention must not send mail.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => safe.extend(['\\', character]),
            '<' => safe.push_str("&lt;"),
            '@' => safe.push_str("@\u{200b}"),
            _ => safe.push(character),
        }
    }
    safe
}
