//! For whatever reads `JUnit`: one suite, a case a check, a failure a closed one.

use super::super::decide::State;
use super::super::record::GateRecord;
use super::{harmless, headline};

pub(super) fn render(record: &GateRecord) -> String {
    let count = |state| record.checks.iter().filter(|check| check.state == state).count();
    let (n_failures, n_skipped) = (count(State::Closed), count(State::Skipped));
    let figures =
        format!("tests=\"{}\" failures=\"{n_failures}\" errors=\"0\" skipped=\"{n_skipped}\"", record.checks.len());
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!("<testsuites name=\"guard gate\" {figures}>\n"));
    text.push_str(&format!("  <testsuite name=\"{}\" {figures}>\n", escape(&headline(record))));
    for check in &record.checks {
        text.push_str(&format!("    <testcase classname=\"guard gate\" name=\"{}\">\n", check.name));
        let detail = escape(&check.detail);
        match check.state {
            State::Pass => text.push_str(&format!("      <system-out>{detail}</system-out>\n")),
            State::Skipped => text.push_str(&format!("      <skipped message=\"{detail}\"/>\n")),
            State::Closed => {
                // One failure a case is all that most readers show.
                let code = check.reasons.first().map_or("", |reason| reason.code.as_str());
                let lines = check.reasons.iter().map(|reason| {
                    format!("{}: {}\n  {}\n", reason.code, escape(&reason.message), escape(&reason.help))
                });
                let body = lines.collect::<String>();
                text.push_str(&format!("      <failure type=\"{code}\" message=\"{detail}\">{body}</failure>\n"));
            }
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
