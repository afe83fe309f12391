//! A decision for people, for a pull request's comment, and for whatever reads `JUnit`.

use super::decide::State;
use super::record::GateRecord;

mod human;
mod junit;
mod markdown;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Human,
    /// One JSON document: the record itself.
    Json,
    /// A comment on a pull request.
    Markdown,
    /// A test suite with a case a check.
    Junit,
}

impl Format {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Human, "human"), (Self::Json, "json"), (Self::Markdown, "markdown"), (Self::Junit, "junit")];

    /// The form of this name.
    pub fn from_name(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name).map(|(format, _)| *format);
        found.ok_or_else(|| format!("not one of {}", Self::ALL.map(|(_, name)| name).join(", ")))
    }
}

/// The record in this form.
pub fn render(record: &GateRecord, format: Format) -> String {
    match format {
        Format::Human => human::render(record),
        Format::Json => {
            let text = serde_json::to_string_pretty(record).expect("a record has string keys and no floats");
            format!("{text}\n")
        }
        Format::Markdown => markdown::render(record),
        Format::Junit => junit::render(record),
    }
}

/// The first line of every form.
fn headline(record: &GateRecord) -> String {
    let of = match (&record.environment, &record.source) {
        (Some(environment), Some(source)) => format!(" for {environment} ({source})"),
        (Some(environment), None) => format!(" for {environment}"),
        (None, Some(source)) => format!(" for {source}"),
        (None, None) => String::new(),
    };
    match record.reasons.len() {
        0 => format!("gate{of}: OPEN"),
        1 => format!("gate{of}: CLOSED for 1 reason"),
        n_reasons => format!("gate{of}: CLOSED for {n_reasons} reasons"),
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Pass => "ok  ",
        State::Closed => "SHUT",
        State::Skipped => "-   ",
    }
}

/// Names come from files and databases: nothing of them moves the cursor.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
