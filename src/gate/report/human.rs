//! For a terminal: a line a check, then each reason with its way out.

use super::super::record::GateRecord;
use super::{harmless, headline, mark};

pub(super) fn render(record: &GateRecord) -> String {
    let mut text = format!("{}\n", headline(record));
    let mut n_before = 0;
    for check in &record.checks {
        let detail = match check.reasons.len() {
            0 => harmless(&check.detail),
            1 => format!("see {}", n_before + 1),
            n_reasons => format!("see {} to {}", n_before + 1, n_before + n_reasons),
        };
        n_before += check.reasons.len();
        text.push_str(&format!("  {} {:<12} {detail}\n", mark(check.state), check.name));
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
