//! INSERT and COPY that put the same rows in again.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Conflict, Guard, Insert, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "insert-without-guard",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "Rows are inserted without ON CONFLICT or a NOT EXISTS guard, so a second run inserts them again or fails.",
        docs: "Write `ON CONFLICT (key) DO NOTHING` (or `DO UPDATE`), or insert from a query that leaves out what is there. \
               `ON CONFLICT DO NOTHING` alone does nothing for a table whose inserted columns are under no unique key: there is no conflict \
               to have.",
        bad: &[
            Example::new("CREATE TABLE t (id int, name text);", "INSERT INTO t (id, name) VALUES (1, 'a');"),
            Example::new("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE s AS SELECT 1 AS id;", "INSERT INTO t SELECT id FROM s;"),
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);\nINSERT INTO t (name) VALUES ('a') ON CONFLICT DO NOTHING;",
            ),
Example::new("CREATE TABLE t (id int, name text);", "INSERT INTO t (id, name) VALUES (1, 'a');").mysql(),
Example::new("", "CREATE TABLE IF NOT EXISTS t (id int AUTO_INCREMENT PRIMARY KEY, name text);\nINSERT IGNORE INTO t (name) VALUES ('a');").mysql(),
Example::new("", "CREATE TABLE IF NOT EXISTS t (id int, name text);\nREPLACE INTO t (id, name) VALUES (1, 'a');").mysql(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "INSERT INTO t (a) VALUES (2);").sqlite(),
],
        good: &[
            Example::new(
                "CREATE TABLE t (id int PRIMARY KEY, name text);",
                "INSERT INTO t (id, name) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING;",
            ),
            Example::new(
                "CREATE TABLE t (id int, name text);",
                "INSERT INTO t (id, name)\nSELECT 1, 'a' WHERE NOT EXISTS (SELECT FROM t WHERE id = 1);",
            ),
            Example::new(
                "CREATE TABLE t (id int, name text);",
                "DELETE FROM t WHERE id = 1;\nINSERT INTO t (id, name) VALUES (1, 'a');",
            ),
Example::new("CREATE TABLE t (id int PRIMARY KEY, name text);", "INSERT IGNORE INTO t (id, name) VALUES (1, 'a');").mysql(),
Example::new("CREATE TABLE t (id int PRIMARY KEY, name text);", "INSERT INTO t (id, name) VALUES (1, 'a') ON DUPLICATE KEY UPDATE name = 'a';").mysql(),
Example::new("CREATE TABLE t (id int, name text);", "INSERT INTO t (id, name) SELECT 1, 'a' FROM dual WHERE NOT EXISTS (SELECT 1 FROM t WHERE id = 1);").mysql(),
],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let key = match view.kind() {
        Kind::Insert(insert) => {
            if nothing_conflicts(view, insert) {
                let clause = match (&insert.conflict, view.part.engine) {
                    (Conflict::Replaced, _) => "REPLACE",
                    (_, Engine::PostgreSql) => "ON CONFLICT DO NOTHING",
                    _ => "IGNORE",
                };
                found.push(
                    Draft::new(
                        view.statement.span,
                        format!("{clause} never applies to {}", view.written(&insert.table)),
                    )
                    .why(
                        "None of the inserted columns is under a unique key, so the second run inserts the rows again.",
                    )
                    .help("Name a unique key that covers inserted columns, or insert with WHERE NOT EXISTS (…)."),
                );
            }
            insert.values_end
        }
        Kind::Copy(_) => 0,
        _ => return,
    };
    for failure in view.failures() {
        let Reason::InsertsAgain { table } = &failure.reason else { continue };
        let mut draft = Draft::new(failure.span, format!("rows are inserted into {table} without a guard"))
            .why(super::consequence(&failure.reason))
            .help(if view.part.engine == Engine::PostgreSql {
                "Add ON CONFLICT (key) DO NOTHING, or insert what a query with NOT EXISTS finds missing."
            } else {
                "Write INSERT IGNORE, ON DUPLICATE KEY UPDATE or (SQLite) OR IGNORE over a unique key, or insert what NOT EXISTS finds missing."
            });
        if view.part.engine == Engine::PostgreSql
            && let Kind::Insert(insert) = view.kind()
            && view.statement.within.is_none()
            && !insert.from_query
            && view.catalog.has_unique_within(&insert.table, &insert.columns)
        {
            draft = draft.insert(key, " ON CONFLICT DO NOTHING");
        }
        found.push(draft);
    }
}

/// Whether the table is known whole and nothing unique lies within the inserted columns.
fn nothing_conflicts(view: &View<'_>, insert: &Insert) -> bool {
    matches!(insert.conflict, Conflict::Ignored | Conflict::Replaced)
        && view.statement.guard == Guard::None
        && !insert.columns.is_empty()
        && !insert.excludes_existing
        && view.catalog.table(&insert.table).is_some_and(|table| table.is_complete && !table.is_temporary)
        && !view.catalog.has_unique_within(&insert.table, &insert.columns)
}
