//! CREATE INDEX, DROP INDEX and REINDEX without CONCURRENTLY: one family, one remedy.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, Name, ObjectKind};

pub(crate) static CREATE: Rule = Rule::new(
    RuleInfo {
        id: "create-index-not-concurrent",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "An index is built on a table that is in use while its writers wait.",
        docs: "`CREATE INDEX` holds `SHARE` on the table for as long as the build takes: reads go on, every write waits. `CONCURRENTLY` takes \
               `SHARE UPDATE EXCLUSIVE` and builds beside the writers. It cannot run in a transaction, so it belongs into a file of its own that \
               the framework runs without one. If it fails it leaves an invalid index: drop that and build again.\n\n\
               An index on a table that the same file has made costs nothing.",
        bad: &[Example::new("CREATE TABLE t (a int);", "CREATE INDEX IF NOT EXISTS t_a ON t (a);")],
        good: &[
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);"),
            Example::new("", "CREATE TABLE IF NOT EXISTS t (a int);\nCREATE INDEX IF NOT EXISTS t_a ON t (a);"),
        ],
    },
    Engines::PostgreSql,
    create,
)
.in_downs();

pub(crate) static DROP: Rule = Rule::new(
    RuleInfo {
        id: "drop-index-not-concurrent",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "An index is dropped under a lock that stops reads and writes of its table.",
        docs: "`DROP INDEX` takes `ACCESS EXCLUSIVE` on the table: it waits behind every running query, and all later ones wait behind it. \
               `DROP INDEX CONCURRENTLY` does not; it cannot run in a transaction.",
        bad: &[Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "DROP INDEX IF EXISTS t_a;")],
        good: &[Example::new(
            "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);",
            "DROP INDEX CONCURRENTLY IF EXISTS t_a;",
        )],
    },
    Engines::PostgreSql,
    drop,
);

pub(crate) static REINDEX: Rule = Rule::new(
    RuleInfo {
        id: "reindex-not-concurrent",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "Indexes are rebuilt while writers, and readers that would use them, wait.",
        docs: "`REINDEX` takes `SHARE` on the table and `ACCESS EXCLUSIVE` on the index. `REINDEX … CONCURRENTLY` (PostgreSQL 12 and later) \
               builds a new one beside it; it cannot run in a transaction.",
        bad: &[Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "REINDEX INDEX t_a;")],
        good: &[Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "REINDEX INDEX CONCURRENTLY t_a;")],
    },
    Engines::PostgreSql,
    reindex,
)
.in_downs();

fn create(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateIndex(create) = view.kind() else { return };
    let is_materialized = view.catalog.is_new_object(ObjectKind::MaterializedView, &create.table);
    if create.is_concurrent || create.only || is_materialized || view.catalog.is_blank(&create.table) {
        return;
    }
    let table = view.written(&create.table);
    let mut draft = Draft::new(view.statement.span, format!("an index is built on {table} while its writers wait"))
        .why("SHARE lock for the time of the build: every INSERT, UPDATE and DELETE of the table waits.")
        .help("CREATE INDEX CONCURRENTLY, in a file that runs outside a transaction.");
    if !view.in_transaction() && view.statement.within.is_none() {
        draft = draft.insert(create.after_index, " CONCURRENTLY");
    }
    found.push(draft);
}

fn drop(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Drop(drop) = view.kind() else { return };
    if drop.kind != ObjectKind::Index || drop.is_concurrent {
        return;
    }
    let is_harmless = |name: &Name| {
        view.catalog.is_new_object(ObjectKind::Index, name)
            || view
                .catalog
                .table_of_index(name)
                .is_some_and(|table| view.catalog.is_new(&table) || is_dropped(view, &table))
    };
    if drop.names.iter().all(is_harmless) {
        return;
    }
    let mut draft = Draft::new(view.statement.span, "an index is dropped while reads and writes of its table wait")
        .why("ACCESS EXCLUSIVE on the table: it waits behind running queries, and all later ones wait behind it.")
        .help("DROP INDEX CONCURRENTLY IF EXISTS …; outside a transaction.");
    if !view.in_transaction() && view.statement.within.is_none() && drop.names.len() == 1 && !drop.cascade {
        draft = draft.insert(drop.after_kind, " CONCURRENTLY");
    }
    found.push(draft);
}

/// Whether the file goes on to drop the table itself.
fn is_dropped(view: &View<'_>, table: &Name) -> bool {
    view.following().any(|statement| match &statement.kind {
        Kind::Drop(drop) => drop.kind == ObjectKind::Table && drop.names.iter().any(|name| name.name == table.name),
        _ => false,
    })
}

fn reindex(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Reindex { target, name, is_concurrent: false } = view.kind() else { return };
    let is_new = name.as_ref().is_some_and(|name| view.catalog.is_new_object(*target, name));
    if is_new || *target == ObjectKind::System {
        return;
    }
    found.push(
        Draft::new(view.statement.span, "indexes are rebuilt while writers wait")
            .why("SHARE on the table and ACCESS EXCLUSIVE on each index until its rebuild is done.")
            .help("REINDEX … CONCURRENTLY, outside a transaction."),
    );
}
