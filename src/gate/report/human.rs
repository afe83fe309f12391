//! For a terminal: a line a check, then each reason with its way out.

use super::super::record::GateRecord;
use super::{harmless, headline, mark};

pub(super) fn render(record: &GateRecord) -> String {
    let mut text = format!("{}\n", headline(record));
    for check in &record.checks {
        text.push_str(&format!("  {} {:<12} {}\n", mark(check.state), check.name, harmless(&check.detail)));
    }
    for (idx, reason) in record.reasons.iter().enumerate() {
        text.push_str(&format!("\n{}. {}: {}\n", idx + 1, reason.code, harmless(&reason.message)));
        text.push_str(&format!("   {}\n", harmless(&reason.help)));
    }
    if let Some(window) = &record.window {
        let until = window.until.format("%F %T UTC");
        text.push_str(&format!("\nthe migration window stays open until {until}; close it with\n"));
        text.push_str(&format!("  guard gate --close {}", window.token));
        text.push_str(&record.source.as_ref().map_or(String::new(), |source| format!(" --source {source}")));
        text.push('\n');
    }
    text
}
