//! DROP … CASCADE: what else goes, nobody wrote down.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-cascade",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "CASCADE also drops whatever depends on the object, on each database something else.",
        docs: "Views, foreign keys, columns of a dropped type, defaults that use a sequence: they go without being named, and differ between \
               staging and production. Name what is to be dropped, in the order in which nothing depends on it any more.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;",
                "DROP TABLE IF EXISTS t CASCADE;",
            ),
            Example::new(
                "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;",
                "ALTER TABLE t DROP COLUMN IF EXISTS a CASCADE;",
            ),
        ],
        good: &[Example::new("", "CREATE TEMP TABLE t (a int);\nDROP TABLE t;")],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let span = match view.kind() {
        Kind::Drop(drop) if drop.cascade && drop.kind != ObjectKind::Trigger && drop.kind != ObjectKind::Policy => {
            if drop.names.iter().all(|name| view.catalog.is_new_object(drop.kind, name)) {
                return;
            }
            view.statement.span
        }
        Kind::AlterTable(alter) if !view.catalog.is_new(&alter.name) => {
            let cascade = alter.actions.iter().find(|action| {
                matches!(
                    action.kind,
                    ActionKind::DropColumn { cascade: true, .. } | ActionKind::DropConstraint { cascade: true, .. }
                )
            });
            let Some(action) = cascade else { return };
            action.span
        }
        _ => return,
    };
    found.push(
        Draft::new(span, "CASCADE drops whatever depends on this as well")
            .why("Views, foreign keys, columns and defaults that depend on it go without being named; which ones depends on the database.")
            .help("Leave CASCADE out: the server then lists what depends on it, and you can drop that by name."),
    );
}
