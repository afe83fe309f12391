//! DROP DEFAULT.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-default",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A default is dropped; code that relies on it inserts NULL or fails.",
        docs: "Inserts that leave the column out get NULL, or fail if it is NOT NULL. Let the code write the value first.",
        bad: &[Example::new("CREATE TABLE t (a int DEFAULT 1);", "ALTER TABLE t ALTER COLUMN a DROP DEFAULT;")],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1;")],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::DropDefault { column } = &action.kind else { continue };
        // With another action on the column in the same statement it is a step of a change of type.
        let is_step = alter.actions.iter().any(|other| {
            matches!(&other.kind, ActionKind::SetDefault { column: c, .. } | ActionKind::AlterType { column: c, .. } if c.name == column.name)
        });
        let is_set_again = view.following().take(20).any(|statement| match &statement.kind {
            Kind::AlterTable(other) => {
                other.name.name == alter.name.name
                    && other.actions.iter().any(|action| {
                        matches!(&action.kind, ActionKind::SetDefault { column: c, .. } | ActionKind::AlterType { column: c, .. } | ActionKind::AddIdentity { column: c } if c.name == column.name)
                    })
            }
            _ => false,
        });
        if is_step || is_set_again || view.catalog.is_new_column(&alter.name, &column.name) {
            continue;
        }
        found.push(
            Draft::new(
                action.span,
                format!("column {} of {} loses its default", column.name, view.written(&alter.name)),
            )
            .why("Running code that leaves the column out inserts NULL from now on, or fails if it is NOT NULL.")
            .help("Let all code write the value first, then drop the default."),
        );
    }
}
