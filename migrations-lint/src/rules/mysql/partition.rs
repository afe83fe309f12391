//! Partitions and tablespaces that are thrown away.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

const SETUP: &str = "CREATE TABLE t (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20)); INSERT INTO t VALUES (1), (11);";

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-drop-partition",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "A partition or tablespace is dropped, emptied or discarded, with all the rows in it.",
        docs: "`DROP PARTITION` removes rows as well as the partition; `TRUNCATE PARTITION` empties it; `DISCARD TABLESPACE` deletes the file. Exchange the \
               partition with an empty table first (`EXCHANGE PARTITION`), and drop that table when nobody misses it.",
        bad: &[
            Example::new(SETUP, "ALTER TABLE t DROP PARTITION p0;").mysql(),
            Example::new(SETUP, "ALTER TABLE t TRUNCATE PARTITION p1;").mysql(),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t DISCARD TABLESPACE;")
                .mysql(),
        ],
        good: &[Example::new(SETUP, "ALTER TABLE t CHECK PARTITION p0;").mysql()],
    },
    Engines::MySql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_new(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let what = match &action.kind {
            ActionKind::DropPartition { .. } | ActionKind::EmptyPartition => "the rows of the partition",
            ActionKind::DiscardTablespace => "the file with all rows",
            _ => continue,
        };
        found.push(
            Draft::new(action.span, format!("{what} of {} are deleted", view.written(&alter.name)))
                .why("DDL commits at once: there is no ROLLBACK and no way back but a restore.")
                .help("Move the rows out first: ALTER TABLE … EXCHANGE PARTITION … WITH TABLE …;"),
        );
    }
}
