//! DROP COLUMN.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

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
