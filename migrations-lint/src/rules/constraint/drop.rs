//! DROP CONSTRAINT.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-constraint",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "A constraint is dropped: rows that violate it can be stored from now on, and then it cannot come back.",
        docs: "Silent if the same file adds it again, has added it, or has used it as the stepping stone of SET NOT NULL.",
        bad: &[Example::new(
            "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0));",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;",
        ),
Example::new("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, CONSTRAINT t_p FOREIGN KEY (a) REFERENCES p (id));", "ALTER TABLE t DROP FOREIGN KEY t_p;").mysql(),
],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;",
        )],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_new(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let ActionKind::DropConstraint { name, .. } = &action.kind else { continue };
        let adds = |kind: &Kind| match kind {
            Kind::AlterTable(other) if other.name.name == alter.name.name => {
                other.actions.iter().any(|action| match &action.kind {
                    ActionKind::AddConstraint(constraint) => {
                        is_successor(&name.name, constraint.name.as_ref().map(|name| &*name.name))
                    }
                    ActionKind::SetNotNull { .. } => true,
                    _ => false,
                })
            }
            _ => false,
        };
        let stands_in = view.following().any(|statement| adds(&statement.kind))
            || view.preceding().any(|statement| adds(&statement.kind))
            || adds(view.kind())
            || view.catalog.table(&alter.name).is_some_and(|table| is_stepping_stone(table, &name.name));
        if stands_in {
            continue;
        }
        found.push(
            Draft::new(action.span, format!("constraint {} of {} is dropped", name.name, view.written(&alter.name)))
                .why("Rows that violate it can be stored from this moment on; adding it again then fails on them.")
                .help("Make sure that all code keeps what the constraint kept, or add its successor in the same file."),
        );
    }
}

/// The same name, or a new version of it: `t_status_check2`, or unnamed.
fn is_successor(dropped: &str, added: Option<&str>) -> bool {
    added.is_none_or(|added| added == dropped || added.starts_with(dropped) || dropped.starts_with(added))
}

/// A CHECK of columns that are NOT NULL by now has done its work.
fn is_stepping_stone(table: &crate::schema::Table, name: &str) -> bool {
    table.constraints.iter().filter(|constraint| *constraint.name == *name).any(|constraint| {
        matches!(&constraint.kind, crate::schema::ConstraintFact::Check(columns)
            if !columns.is_empty() && columns.iter().all(|column| table.columns.get(column).is_some_and(|facts| facts.not_null)))
    })
}
