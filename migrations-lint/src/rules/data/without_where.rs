//! DELETE and UPDATE that leave no row out.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Expr, Kind, Name};

pub(crate) static DELETE: Rule = Rule::new(
    RuleInfo {
        id: "delete-without-where",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "A DELETE without a condition, or with one that is always true, deletes every row.",
        docs: "`WHERE true`, `WHERE 1 = 1` and `WHERE id = id` are no conditions.",
        bad: &[
            Example::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1);", "DELETE FROM t;"),
            Example::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1);", "DELETE FROM t WHERE 1 = 1;"),
            Example::new(
                "CREATE TABLE t (id int); INSERT INTO t VALUES (1);",
                "WITH gone AS (DELETE FROM t RETURNING id) SELECT count(*) FROM gone;",
            ),
            Example::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1);", "DELETE FROM t;").mysql(),
            Example::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1);", "DELETE t FROM t WHERE 1 = 1;").mysql(),
            Example::new(
                "CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "DELETE FROM t;",
            )
            .sqlite(),
        ],
        good: &[Example::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1);", "DELETE FROM t WHERE id = 2;")],
    },
    Engines::All,
    delete,
)
.in_downs();

pub(crate) static UPDATE: Rule = Rule::new(
    RuleInfo {
        id: "update-without-where",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "An UPDATE without a condition, or with one that is always true, overwrites every row.",
        docs: "What the column held before is lost, and every row stays locked until the commit. Name the rows: `WHERE new_column IS NULL`.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "UPDATE t SET a = 0;"),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "UPDATE t SET a = 0 WHERE true;"),
Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "UPDATE t SET a = 0;").mysql(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "UPDATE t SET a = 0;").sqlite(),
],
        good: &[Example::new("CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1);", "UPDATE t SET b = a WHERE b IS NULL;")],
    },
    Engines::All,
    update,
)
.in_downs();

/// No condition, one that is always true, or one that only asks for a key to be there.
fn spares_nothing(view: &View<'_>, table: &Name, filter: Option<&Expr>) -> bool {
    let Some(filter) = filter else { return true };
    let is_there =
        |column: &str| column == "id" || view.catalog.column(table, column).is_some_and(|facts| facts.not_null);
    let asks_for_presence = !filter.not_null.is_empty()
        && filter.calls.is_empty()
        && filter.words.len() == filter.not_null.len()
        && filter.not_null.iter().all(|column| is_there(column));
    filter.is_tautology || asks_for_presence
}

/// In MySQL a join in front of SET or instead of WHERE chooses the rows.
fn is_chosen_by_join(view: &View<'_>, is_joined: bool) -> bool {
    is_joined && matches!(view.part.engine, Engine::MySql | Engine::MariaDb)
}

fn delete(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Delete(delete) = view.kind() else { return };
    if delete.is_limited
        || is_chosen_by_join(view, delete.is_joined)
        || !spares_nothing(view, &delete.table, delete.filter.as_ref())
        || view.catalog.is_new(&delete.table)
    {
        return;
    }
    let table = view.written(&delete.table);
    found.push(
        Draft::new(view.statement.span, format!("every row of {table} is deleted"))
            .why("The rows are lost at commit.")
            .help(format!("DELETE FROM {table} WHERE …; with a condition that names what is to go.")),
    );
}

fn update(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Update(update) = view.kind() else { return };
    if update.is_limited
        || is_chosen_by_join(view, update.is_joined)
        || !spares_nothing(view, &update.table, update.filter.as_ref())
        || view.catalog.is_new(&update.table)
    {
        return;
    }
    // Columns that this file has added hold nothing that could be lost: see `backfill-whole-table`.
    if update.assignments.iter().all(|assignment| view.catalog.is_new_column(&update.table, &assignment.column)) {
        return;
    }
    let table = view.written(&update.table);
    let columns: Vec<&str> = update.assignments.iter().map(|assignment| &*assignment.column).collect();
    found.push(
        Draft::new(view.statement.span, format!("{} of every row of {table} is overwritten", columns.join(", ")))
            .why("What was there is lost; every row stays locked until the commit, and the table grows to twice its size.")
            .help(format!("UPDATE {table} SET … WHERE …; with a condition that names what is to change, in batches.")),
    );
}
