//! Attaching and detaching partitions.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ConstraintFact;
use crate::statement::{ActionKind, Kind, ObjectKind};

pub(crate) static ATTACH: Rule = Rule::new(
    RuleInfo {
        id: "attach-partition-scans",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A partition is attached that the server has to scan while it is locked.",
        docs: "ATTACH PARTITION reads the whole new partition under `ACCESS EXCLUSIVE` to see that its rows fit, unless a valid CHECK \
               constraint says so already. Add the CHECK `NOT VALID`, validate it, attach, drop the CHECK. A table that the file has just made \
               is empty.",
        bad: &[Example::new(
            "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 (a int); INSERT INTO t1 VALUES (1);",
            "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES IN (1);",
        )],
        good: &[
            Example::new(
                "CREATE TABLE t (a int) PARTITION BY LIST (a);",
                "CREATE TABLE IF NOT EXISTS t1 PARTITION OF t FOR VALUES IN (1);",
            ),
            Example::new(
                "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); \
                 CREATE INDEX t_a ON ONLY t (a); CREATE INDEX t1_a ON t1 (a);",
                "ALTER INDEX t_a ATTACH PARTITION t1_a;",
            ),
        ],
    },
    Engines::PostgreSql,
    check_attach,
)
.in_downs();

pub(crate) static DETACH: Rule = Rule::new(
    RuleInfo {
        id: "detach-partition-not-concurrent",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A partition is detached under a lock that stops reads and writes of the whole partitioned table.",
        docs: "Since PostgreSQL 14 `DETACH PARTITION … CONCURRENTLY` takes only `SHARE UPDATE EXCLUSIVE` on the parent; it cannot run in a \
               transaction, and not while a default partition exists.",
        bad: &[Example::new(
            "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);",
            "ALTER TABLE t DETACH PARTITION t1;",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    check_detach,
)
.in_downs();

fn check_attach(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    // An index of a partition is compared with its parent's by definition only.
    if alter.kind == ObjectKind::Index {
        return;
    }
    for action in &alter.actions {
        let ActionKind::AttachPartition { partition } = &action.kind else { continue };
        let is_checked = view.catalog.table(partition).is_some_and(|table| {
            table
                .constraints
                .iter()
                .any(|constraint| constraint.is_valid && matches!(constraint.kind, ConstraintFact::Check(_)))
        });
        if view.catalog.is_new(partition) || is_checked || view.catalog.is_new(&alter.name) {
            continue;
        }
        let written = view.written(partition);
        found.push(
            Draft::new(action.span, format!("{written} is scanned as a whole while it is attached"))
                .why("ACCESS EXCLUSIVE on the new partition for the time of the scan, and on the default partition, which is scanned too.")
                .help(format!(
                    "ALTER TABLE {written} ADD CONSTRAINT … CHECK (…) NOT VALID; then VALIDATE CONSTRAINT; then ATTACH; then drop the constraint."
                )),
        );
    }
}

fn check_detach(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::DetachPartition { partition, is_concurrent: false } = &action.kind else { continue };
        if view.catalog.is_new(&alter.name) || view.part.version.major < 14 {
            continue;
        }
        found.push(
            Draft::new(action.span, format!("{} is detached while all of {} waits", view.written(partition), view.written(&alter.name)))
                .why("ACCESS EXCLUSIVE on the partitioned table: it waits behind every running query, and all others wait behind it.")
                .help(format!(
                    "ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY; outside a transaction",
                    view.written(&alter.name),
                    view.written(partition)
                )),
        );
    }
}
