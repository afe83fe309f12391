//! Constraints written into ADD COLUMN: their index is built and their rows are checked under the same lock.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "add-column-with-constraint",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A column is added together with a UNIQUE, PRIMARY KEY, REFERENCES or CHECK that is established under the same lock.",
        docs: "`ADD COLUMN` alone is instant. With UNIQUE or PRIMARY KEY it builds an index, with CHECK it reads the table, both under `ACCESS \
               EXCLUSIVE`; REFERENCES locks the other table against writes as well. Add the column first, then the index \
               concurrently or the constraint `NOT VALID`.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int UNIQUE;"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int CHECK (b > 0);"),
            Example::new(
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS p_id int REFERENCES p (id);",
            ),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;")],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_blank(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let ActionKind::AddColumn { column, .. } = &action.kind else { continue };
        let (what, instead) = if column.primary_key || column.unique {
            ("a unique index is built", "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX")
        } else if let Some(reference) = &column.references {
            if view.catalog.is_new(&reference.table) {
                continue;
            }
            // Rows that hold NULL refer to nothing and are not looked at (`transformAlterTableStmt`, parse_utilcmd.c).
            let is_empty = column.default.as_ref().is_none_or(|default| default.is_null);
            (
                if is_empty {
                    "writers of the other table are locked out"
                } else {
                    "the foreign key is checked and the other table locked"
                },
                "ADD CONSTRAINT … FOREIGN KEY … NOT VALID, then VALIDATE CONSTRAINT",
            )
        } else if column.check.is_some() {
            ("the whole table is read for the CHECK", "ADD CONSTRAINT … CHECK … NOT VALID, then VALIDATE CONSTRAINT")
        } else {
            continue;
        };
        found.push(
            Draft::new(action.span, format!("{what} while {} is locked", view.written(&alter.name)))
                .why("ACCESS EXCLUSIVE until it is done: all reads and writes of the table wait.")
                .help(format!("Add column {} alone first; then {instead}.", view.quoted(&column.name.name))),
        );
    }
}
