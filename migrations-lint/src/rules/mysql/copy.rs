//! ALTER TABLE that MySQL can only carry out by copying the table.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, AlterTable, Column, ConstraintKind, Kind, Name};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-table-copy",
        class: Class::Lock,
        default_severity: RuleSeverity::Error,
        summary: "MySQL copies the whole table for this change, and nobody writes to it meanwhile.",
        docs: "InnoDB changes most things in place, but not a column's type, the character set, the order of rows, or the loss of the primary key: these run with \
               `ALGORITHM=COPY`, which lets readers in and no writer. A foreign key is added in place only with `foreign_key_checks = 0`. Use gh-ost or \
               pt-online-schema-change, or add a column and move over. Writing `ALGORITHM=INSTANT` (or `INPLACE, LOCK=NONE`) makes the server refuse \
               rather than copy.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t MODIFY COLUMN a bigint;").mysql(),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;").mysql(),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD INDEX a_idx (a), LOCK=EXCLUSIVE;").mysql(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "CREATE TABLE IF NOT EXISTS work (a int);\nALTER TABLE work MODIFY COLUMN a bigint;").mysql()],
    },
    Engines::MySql,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_new(&alter.name) || refuses_to_copy(alter) {
        return;
    }
    for action in &alter.actions {
        let what = match &action.kind {
            ActionKind::ModifyColumn { from, column } if changes_type(view, &alter.name, &from.name, column) => {
                "the type of a column changes"
            }
            ActionKind::CopyTable => "the table is stored anew",
            ActionKind::DropPrimaryKey if !alter.actions.iter().any(|other| adds_primary_key(&other.kind)) => {
                "the primary key goes"
            }
            ActionKind::AddConstraint(constraint) if matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) => {
                if view.catalog.setting("foreign_key_checks") == Some("0") {
                    continue;
                }
                "a foreign key is checked"
            }
            ActionKind::Algorithm { name } if &**name == "copy" => "ALGORITHM=COPY asks for it",
            ActionKind::Lock { name } if matches!(&**name, "exclusive" | "shared") => "LOCK= asks for it",
            _ => continue,
        };
        found.push(
            Draft::new(action.span, format!("writers of {} wait while it is copied: {what}", view.written(&alter.name)))
                .why("ALGORITHM=COPY holds a lock against writes until every row is copied, and a metadata lock against all at the end.")
                .help("Use gh-ost or pt-online-schema-change, or add a new column and move over; ALGORITHM=INSTANT makes the server refuse instead."),
        );
    }
}

/// With ALGORITHM=INSTANT or INPLACE the server fails rather than copies.
fn refuses_to_copy(alter: &AlterTable) -> bool {
    alter.actions.iter().any(|action| matches!(&action.kind, ActionKind::Algorithm { name } if matches!(&**name, "instant" | "inplace" | "nocopy")))
}

fn adds_primary_key(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::AddConstraint(constraint) if matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }))
}

/// A longer VARCHAR of at most 255 bytes stays in place; so does a column whose type is the same.
fn changes_type(view: &View<'_>, table: &Name, from: &str, column: &Column) -> bool {
    let Some(old) = view.catalog.column(table, from).and_then(|facts| facts.ty.as_ref()) else { return true };
    let new = &column.ty;
    let grows_in_place = &*old.name == "varchar"
        && &*new.name == "varchar"
        && match (old.modifiers.first(), new.modifiers.first()) {
            (Some(old), Some(new)) => new >= old && (*new <= 63 || *old > 255),
            _ => false,
        };
    !(grows_in_place || old.name == new.name && old.modifiers == new.modifiers)
}
