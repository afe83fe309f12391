//! Commands that write a whole table anew while nobody may touch it.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "rewrite-table",
        class: Class::Lock,
        default_severity: RuleSeverity::Error,
        summary: "The whole table is written anew under a lock that stops all reads and writes.",
        docs: "`VACUUM FULL`, `CLUSTER`, `SET LOGGED`, `SET UNLOGGED`, `SET TABLESPACE` and `SET ACCESS METHOD` copy the table and all its \
               indexes under `ACCESS EXCLUSIVE`. Use pg_repack or pg_squeeze, or a copy that is swapped in.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "VACUUM FULL t;"),
            Example::new("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);", "CLUSTER t USING t_pkey;"),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t SET UNLOGGED;"),
            Example::new("CREATE UNLOGGED TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t SET LOGGED;"),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "VACUUM (ANALYZE) t;")],
    },
    Engines::PostgreSql,
    check,
)
.in_downs();

/// UNLOGGED: the rows do not survive a crash.
pub(crate) static UNLOGGED: Rule = Rule::new(
    RuleInfo {
        id: "unlogged-table",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "A table is made unlogged: a crash empties it, and replicas and physical backups never have its rows.",
        docs: "Good for data that can be computed again, and for nothing else.",
        bad: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t SET UNLOGGED;")],
        good: &[],
    },
    Engines::PostgreSql,
    check_unlogged,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let (span, what) = match view.kind() {
        Kind::Vacuum { is_full: true } => (view.statement.span, "VACUUM FULL"),
        Kind::Cluster { table } => {
            if table.as_ref().is_some_and(|table| view.catalog.is_new(table)) {
                return;
            }
            (view.statement.span, "CLUSTER")
        }
        Kind::AlterTable(alter) if !view.catalog.is_new(&alter.name) => {
            let what = |kind: &ActionKind| match kind {
                ActionKind::SetLogged => Some("SET LOGGED"),
                ActionKind::SetUnlogged => Some("SET UNLOGGED"),
                ActionKind::SetTablespace => Some("SET TABLESPACE"),
                ActionKind::SetAccessMethod => Some("SET ACCESS METHOD"),
                _ => None,
            };
            let Some(found) =
                alter.actions.iter().find_map(|action| what(&action.kind).map(|what| (action.span, what)))
            else {
                return;
            };
            found
        }
        _ => return,
    };
    found.push(
        Draft::new(span, format!("{what} writes the whole table anew"))
            .why("It holds ACCESS EXCLUSIVE for as long as the copy takes: all reads and writes of the table wait.")
            .help("Use pg_repack or pg_squeeze, or do it in a maintenance window outside the migrations."),
    );
}

fn check_unlogged(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if let Some(action) = alter.actions.iter().find(|action| matches!(action.kind, ActionKind::SetUnlogged)) {
        found.push(
            Draft::new(action.span, format!("{} becomes unlogged", view.written(&alter.name)))
                .why("After a crash the table is empty; replicas and physical backups never hold its rows.")
                .help("Keep it logged, or make sure that all of it can be computed again."),
        );
    }
}
