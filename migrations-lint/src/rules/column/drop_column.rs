//! DROP COLUMN.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, AlterType, Kind, ObjectKind, TypeAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-column",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "A column is dropped with all its values, and running code that names it fails.",
        docs: "ORMs name every column they know, so old processes fail on reads too. Make the code forget the column, deploy, wait, and drop it in a \
               later release after a proven backup.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2);",
                "ALTER TABLE t DROP COLUMN IF EXISTS b;",
            ),
            Example::new(
                "CREATE TYPE pair AS (a int, b int); CREATE TABLE t (p pair); INSERT INTO t VALUES (ROW(1, 2));",
                "ALTER TYPE pair DROP ATTRIBUTE IF EXISTS b;",
            ),
            Example::new(
                "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2);",
                "ALTER TABLE t DROP COLUMN IF EXISTS b;",
            )
            .mariadb(),
            Example::new(
                "CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "ALTER TABLE t DROP COLUMN a;",
            )
            .sqlite(),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS work int;\nALTER TABLE t DROP COLUMN IF EXISTS work;",
        )],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Kind::AlterType(alter) = view.kind() {
        return check_attribute(view, alter, found);
    }
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::DropColumn { column, .. } = &action.kind else { continue };
        if view.catalog.is_new_column(&alter.name, &column.name) {
            continue;
        }
        let table = view.written(&alter.name);
        found.push(
            Draft::new(action.span, format!("column {} of {table} is dropped with all its values", column.name))
                .why("The values are lost and no down migration brings them back; running code that names the column fails.")
                .help("Stop reading and writing it in one release, drop it in the next, after a proven backup."),
        );
    }
}

/// A composite type's attribute is a column of every column that has the type.
fn check_attribute(view: &View<'_>, alter: &AlterType, found: &mut Vec<Draft>) {
    let TypeAction::DropAttribute { name, .. } = &alter.action else { return };
    if view.catalog.is_new_object(ObjectKind::Type, &alter.name) {
        return;
    }
    let ty = view.written(&alter.name);
    found.push(
        Draft::new(view.statement.span, format!("attribute {} of {ty} is dropped with all its values", name.name))
            .why("Every column of the type loses the value, and no down migration brings it back; code that names it fails.")
            .help("Stop reading and writing it in one release, drop it in the next, after a proven backup."),
    );
}
