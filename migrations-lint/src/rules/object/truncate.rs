//! TRUNCATE.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "truncate-table",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "Every row of a table is deleted; with CASCADE, of every table that refers to it.",
        docs: "It takes an `ACCESS EXCLUSIVE` lock, fires no row triggers, and `CASCADE` empties tables that the file does not name.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "TRUNCATE t;"),
            Example::new(
                "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t); INSERT INTO t VALUES (1); INSERT INTO u VALUES (1);",
                "TRUNCATE TABLE t CASCADE;",
            ),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "TRUNCATE TABLE t;").mysql(),
        ],
        good: &[Example::new("", "CREATE TEMP TABLE work (a int);\nTRUNCATE work;")],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Truncate(truncate) = view.kind() else { return };
    for table in truncate.tables.iter().filter(|table| !view.catalog.is_new(table)) {
        let written = view.written(table);
        let others = if truncate.cascade { ", and of every table that refers to it" } else { "" };
        found.push(
            Draft::new(table.span, format!("every row of {written} is deleted{others}"))
                .why(if view.part.engine == Engine::PostgreSql {
                    "The rows are lost at commit; the ACCESS EXCLUSIVE lock stops all reads and writes until then."
                } else {
                    "The rows are lost at once: TRUNCATE commits by itself and cannot be rolled back."
                })
                .help(format!("Delete what is meant by a condition: DELETE FROM {written} WHERE …;")),
        );
    }
}
