//! UPDATE that changes rows again each time.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Call, Kind, ObjectAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "relative-update",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "A column is computed from its old value or from the moment, so every run changes it again.",
        docs: "`SET n = n + 1` run twice adds two. Write the target value, or mark the rows that are done and leave them out: \
               `SET cents = cents * 100, is_cents = true WHERE NOT is_cents`.",
        bad: &[
            Example::new("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 1);", "UPDATE t SET n = n + 1 WHERE id = 1;"),
            Example::new(
                "CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a');",
                "UPDATE t SET name = name || '!' WHERE id = 1;",
            ),
            Example::new(
                "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1);",
                "INSERT INTO t (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = t.n + 1;",
            ),
            Example::new(
                "CREATE TABLE t (id int, token uuid); INSERT INTO t VALUES (1, NULL);",
                "UPDATE t SET token = gen_random_uuid() WHERE id = 1;",
            ),
Example::new("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 1);", "UPDATE t SET n = n + 1 WHERE id = 1;").mysql(),
Example::new("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a');", "UPDATE t SET name = CONCAT(name, '!') WHERE id = 1;").mysql(),
Example::new("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1);", "INSERT INTO t (id, n) VALUES (1, 1) ON DUPLICATE KEY UPDATE n = n + 1;").mysql(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "UPDATE t SET a = a + 1 WHERE id = 1;").sqlite(),
],
        good: &[
            Example::new(
                "CREATE TABLE t (id int, n int, done bool DEFAULT false); INSERT INTO t VALUES (1, 1);",
                "UPDATE t SET n = n + 1, done = true WHERE NOT done;",
            ),
            Example::new(
                "CREATE TABLE t (id int, token uuid); INSERT INTO t VALUES (1, NULL);",
                "UPDATE t SET token = gen_random_uuid() WHERE token IS NULL;",
            ),
            Example::new(
                "CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'A');",
                "UPDATE t SET name = lower(name) WHERE id = 1;",
            ),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

/// Sequences set to a fixed value.
pub(crate) static RESTART: Rule = Rule::new(
    RuleInfo {
        id: "sequence-restart",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "A sequence is set to a fixed value, so a run after the first gives out numbers that are in use.",
        docs: "The second run sets the sequence back below what was inserted meanwhile; the next insert violates the primary key. \
               Set it from the data: `SELECT setval('s', (SELECT coalesce(max(id), 1) FROM t))`.",
        bad: &[
            Example::new("CREATE SEQUENCE s;", "ALTER SEQUENCE s RESTART WITH 100;"),
            Example::new("CREATE SEQUENCE s;", "SELECT setval('s', 100);"),
        ],
        good: &[Example::new(
            "CREATE SEQUENCE s; CREATE TABLE t (id int);",
            "SELECT setval('s', (SELECT coalesce(max(id), 1) FROM t));",
        )],
    },
    Engines::PostgreSql,
    check_restart,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        let Reason::ChangesAgain { table, column } = &failure.reason else { continue };
        found.push(
            Draft::new(failure.span, format!("{column} of {table} gets a new value on every run"))
                .why(super::consequence(&failure.reason))
                .help("Write the target value, or let the WHERE clause leave out rows that are done."),
        );
    }
}

fn check_restart(view: &View<'_>, found: &mut Vec<Draft>) {
    let span = match view.kind() {
        Kind::AlterObject(alter)
            if matches!(alter.action, ObjectAction::Restart)
                && !view.catalog.is_new_object(alter.kind, &alter.name) =>
        {
            alter.action_span
        }
        Kind::AlterTable(alter) if !view.catalog.is_new(&alter.name) => {
            let restart =
                alter.actions.iter().find(|action| matches!(action.kind, ActionKind::SetGenerated { restarts: true }));
            let Some(restart) = restart else { return };
            restart.span
        }
        Kind::Select(select) => {
            let Some(call) = select.calls.iter().find(|call| &*call.function == "setval" && is_fixed(call)) else {
                return;
            };
            call.span
        }
        _ => return,
    };
    found.push(
        Draft::new(span, "the sequence is set to a fixed value")
            .why("A second run sets it back below values that were given out meanwhile; inserts then violate the primary key.")
            .help("Set it from the data: SELECT setval('sequence', (SELECT coalesce(max(id), 1) FROM table));"),
    );
}

fn is_fixed(call: &Call) -> bool {
    let arguments = &call.arguments;
    !arguments.has_subquery
        && !arguments.calls.iter().any(|name| matches!(&**name, "max" | "greatest" | "coalesce"))
        && !arguments.words.iter().any(|word| &**word == "last_value")
}
