//! ALTER TYPE … ADD VALUE without IF NOT EXISTS.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::{Reason, Space};
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, TypeAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "add-enum-value-without-if-not-exists",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "An enum value is added without IF NOT EXISTS, so a second run fails because it is there.",
        docs: "Write `ADD VALUE IF NOT EXISTS`.",
        bad: &[Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood ADD VALUE 'happy';")],
        good: &[Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';")],
    },
    Engines::PostgreSql,
    check,
)
.in_downs();

/// What is added to an enum stays.
pub(crate) static STAYS: Rule = Rule::new(
    RuleInfo {
        id: "add-enum-value-stays",
        class: Class::Irreversible,
        default_severity: RuleSeverity::Off,
        summary: "An enum value cannot be removed: the way back is a new type and a rewrite of every table that uses it.",
        docs: "Off by default, since adding a value is the normal life of an enum. Where values come and go, use a table and a foreign key.",
        bad: &[Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';")],
        good: &[],
    },
    Engines::PostgreSql,
    stays,
);

fn stays(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterType(alter) = view.kind() else { return };
    if let TypeAction::AddValue { value, .. } = &alter.action {
        found.push(
            Draft::new(view.statement.span, format!("enum value '{value}' cannot be removed again"))
                .why("PostgreSQL has no DROP VALUE; a down would have to make a new type and rewrite each table that uses it.")
                .help("Keep the value unused on the way back, or use a table and a foreign key instead of an enum."),
        );
    }
}

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterType(alter) = view.kind() else { return };
    if !matches!(alter.action, TypeAction::AddValue { .. }) {
        return;
    }
    for failure in view.failures() {
        let Reason::Exists { space: Space::EnumValue, name } = &failure.reason else { continue };
        let mut draft = Draft::new(failure.span, format!("enum value '{name}' is added without IF NOT EXISTS"))
            .why(super::consequence(&failure.reason))
            .help("Write ADD VALUE IF NOT EXISTS.");
        // The word before the literal: the type may have it in its name.
        let before = view.sql().split('\'').next().unwrap_or("").to_ascii_lowercase();
        let add_value = before.rfind("value").map(|at| view.statement.span.start + at + "value".len());
        if let Some(at) = add_value.filter(|_| view.statement.within.is_none()) {
            draft = draft.insert(at, " IF NOT EXISTS");
        }
        found.push(draft);
    }
}
