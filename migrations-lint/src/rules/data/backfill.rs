//! Back-fills: beside DDL in one transaction, and in one go.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::session::{changed_table, locks};
use crate::statement::{Expr, Kind};

pub(crate) static WITH_DDL: Rule = Rule::new(
    RuleInfo {
        id: "backfill-with-ddl",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "Rows are changed in the transaction that also alters their table, so its strong lock is held for the whole back-fill.",
        docs: "ALTER TABLE alone takes its lock for a moment; with an UPDATE behind it in the same transaction, nobody reads or writes the table \
               until all rows are changed. Put the back-fill into a migration of its own, in batches.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;\nUPDATE t SET b = a WHERE b IS NULL;",
            )
            .in_transaction(),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "BEGIN;\nALTER TABLE t ADD COLUMN IF NOT EXISTS b int;\nUPDATE t SET b = a WHERE b IS NULL;\nCOMMIT;",
            ),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1);",
            "UPDATE t SET b = a WHERE b IS NULL;",
        )
        .in_transaction()],
    },
    Engines::PostgreSql,
    with_ddl,
);

pub(crate) static WHOLE_TABLE: Rule = Rule::new(
    RuleInfo {
        id: "backfill-whole-table",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A new column is filled by one UPDATE of every row.",
        docs: "Every row is written anew and stays locked until the commit; the table grows to twice its size. A constant belongs into the column's \
               DEFAULT, which costs nothing; anything else is filled in batches, by a condition that leaves out what is done.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;\nUPDATE t SET b = 0;",
        )],
        good: &[Example::new(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int DEFAULT 0;",
        )],
    },
    Engines::All,
    whole_table,
);

pub(crate) static UNBATCHED: Rule = Rule::new(
    RuleInfo {
        id: "unbatched-backfill",
        class: Class::Lock,
        default_severity: RuleSeverity::Off,
        summary: "Rows are changed in one statement without a bound.",
        docs: "Every changed row stays locked until the commit, and vacuum cannot clean up meanwhile. Work through the table by key ranges, committing \
               after each. Off by default: the linter cannot know how many rows the condition finds.",
        bad: &[Example::new("CREATE TABLE t (a int, b int);", "UPDATE t SET b = a WHERE b IS NULL;")],
        good: &[Example::new(
            "CREATE TABLE t (id int, a int, b int);",
            "UPDATE t SET b = a WHERE id BETWEEN 1 AND 10000 AND b IS NULL;",
        )],
    },
    Engines::All,
    unbatched,
);

pub(crate) static SLOW_UNDER_LOCK: Rule = Rule::new(
    RuleInfo {
        id: "slow-statement-under-lock",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A statement that reads or writes a whole table runs while the transaction holds ACCESS EXCLUSIVE on another.",
        docs: "The lock is held to the end of the transaction, so everything after it counts as part of the outage. Index builds, validations, back-fills \
               and refreshes belong into migrations of their own.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); CREATE TABLE u (a int);",
            "BEGIN;\nALTER TABLE t ADD COLUMN IF NOT EXISTS b int;\nCREATE INDEX IF NOT EXISTS u_a ON u (a);\nCOMMIT;",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    slow_under_lock,
);

fn with_ddl(view: &View<'_>, found: &mut Vec<Draft>) {
    match view.kind() {
        Kind::Update(_) | Kind::Delete(_) | Kind::Merge(_) => {
            let Some(table) = changed_table(view.kind()) else { return };
            let Some(mode) = view.session.lock_on(&view.catalog.key(table)) else { return };
            if names_single_row(view.kind()) {
                return;
            }
            found.push(
                Draft::new(
                    view.statement.span,
                    format!("rows of {} change while its ALTER TABLE still holds its lock", view.written(table)),
                )
                .why(format!(
                    "{} from the DDL before it is held until the commit: all {} wait for the whole back-fill.",
                    mode.as_str(),
                    mode.blocks()
                ))
                .help("Put the back-fill into the next migration, in batches that commit one by one."),
            );
        }
        kind @ (Kind::AlterTable(_) | Kind::Drop(_)) => {
            for (table, mode) in locks(kind) {
                if view.session.changed.contains(&view.catalog.key(table))
                    && view.session.lock_on(&view.catalog.key(table)).is_none()
                {
                    found.push(
                        Draft::new(view.statement.span, format!("{} is altered in the transaction that changed its rows", view.written(table)))
                            .why(format!(
                                "{} waits for every other transaction while the changed rows stay locked; pending triggers make it fail outright.",
                                mode.as_str()
                            ))
                            .help("Commit the back-fill first, and alter the table in the next migration."),
                    );
                }
            }
        }
        _ => {}
    }
}

/// `WHERE id = 1` is no back-fill.
fn names_single_row(kind: &Kind) -> bool {
    let filter: Option<&Expr> = match kind {
        Kind::Update(update) => update.filter.as_ref(),
        Kind::Delete(delete) => delete.filter.as_ref(),
        _ => None,
    };
    filter.is_some_and(|filter| filter.words.len() == 1 && &*filter.words[0] == "id" && !filter.has_subquery)
}

fn whole_table(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Update(update) = view.kind() else { return };
    let spares_nothing = update.filter.as_ref().is_none_or(|filter| filter.is_tautology);
    let is_new = |column: &str| view.catalog.is_new_column(&update.table, column);
    if !spares_nothing
        || update.is_limited
        || view.catalog.is_new(&update.table)
        || !update.assignments.iter().all(|assignment| is_new(&assignment.column))
    {
        return;
    }
    found.push(
        Draft::new(
            view.statement.span,
            format!("every row of {} is written anew to fill a new column", view.written(&update.table)),
        )
        .why("All rows stay locked until the commit, and the table grows to twice its size.")
        .help("Put a constant into the column's DEFAULT; fill anything else in batches, WHERE … IS NULL."),
    );
}

fn unbatched(view: &View<'_>, found: &mut Vec<Draft>) {
    let (filter, is_limited) = match view.kind() {
        Kind::Update(update) if !view.catalog.is_new(&update.table) => (update.filter.as_ref(), update.is_limited),
        Kind::Delete(delete) if !view.catalog.is_new(&delete.table) => (delete.filter.as_ref(), delete.is_limited),
        _ => return,
    };
    let is_bounded = filter.is_some_and(|filter| {
        view.text(filter.span).to_ascii_lowercase().contains(" between ") || names_single_row(view.kind())
    });
    if !is_limited && !is_bounded && !view.statement.in_loop {
        found.push(
            Draft::new(view.statement.span, "all rows that the condition finds change in one statement")
                .why("They stay locked until the commit, and vacuum cannot clean up behind it.")
                .help("Work by key ranges (WHERE id BETWEEN … AND …) or LIMIT in a subquery, and commit after each."),
        );
    }
}

fn slow_under_lock(view: &View<'_>, found: &mut Vec<Draft>) {
    let Some(locked) = view.session.under_access_exclusive(view.catalog) else { return };
    let (table, what) = match view.kind() {
        Kind::CreateIndex(create) if !create.is_concurrent && !create.only => (&create.table, "an index is built"),
        Kind::Update(update) => (&update.table, "rows are changed"),
        Kind::Delete(delete) if delete.filter.is_none() => (&delete.table, "rows are deleted"),
        Kind::Refresh { name, .. } => (name, "a materialized view is refreshed"),
        _ => return,
    };
    let key = view.catalog.key(table);
    let is_same_change = key == *locked && !matches!(view.kind(), Kind::CreateIndex(_));
    if view.catalog.is_blank(table) || is_same_change || names_single_row(view.kind()) {
        return;
    }
    found.push(
        Draft::new(
            view.statement.span,
            format!("{what} while the transaction holds ACCESS EXCLUSIVE on {}", locked.name),
        )
        .why(
            "The lock taken earlier is held until the commit: its readers and writers wait for this statement as well.",
        )
        .help("Put it into a migration of its own."),
    );
}
