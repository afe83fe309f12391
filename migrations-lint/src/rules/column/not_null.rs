//! NOT NULL: on new columns without a default, and set on columns that are there.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ConstraintFact;
use crate::source_text::Span;
use crate::statement::{ActionKind, Column, ConstraintKind, Kind, Name};

pub(crate) static ADD: Rule = Rule::new(
    RuleInfo {
        id: "add-column-not-null",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "A NOT NULL column without a default is added: it fails as soon as the table has one row.",
        docs: "Give it a default, or add it nullable, back-fill, and make it NOT NULL by way of a validated CHECK.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int NOT NULL;",
            ),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN b int NOT NULL;",
            )
            .sqlite(),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int NOT NULL DEFAULT 0;",
        )],
    },
    Engines::All,
    add,
);

pub(crate) static REQUIRED: Rule = Rule::new(
    RuleInfo {
        id: "add-required-column",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "Code that is running does not know the new column and cannot insert without it.",
        docs: "A NOT NULL column needs a default for as long as old code inserts rows.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int NOT NULL;"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN b int NOT NULL;").mysql(),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int NOT NULL DEFAULT 0;",
        )],
    },
    Engines::Servers,
    required,
);

pub(crate) static SET_SCANS: Rule = Rule::new(
    RuleInfo {
        id: "set-not-null-scans",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "SET NOT NULL reads the whole table under a lock that stops reads and writes.",
        docs: "Since PostgreSQL 12 the scan is skipped if a valid CHECK proves it: `ADD CONSTRAINT c CHECK (col IS NOT NULL) NOT VALID`, then \
               `VALIDATE CONSTRAINT c` in another transaction (it lets reads and writes go on), then `SET NOT NULL`, then `DROP CONSTRAINT c` in a \
               statement of its own: of one ALTER TABLE the server carries out what it drops first, and scans.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ALTER COLUMN a SET NOT NULL;"),
            Example::new(
                "CREATE TABLE t (a int);",
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS a_there;\nALTER TABLE t ADD CONSTRAINT a_there CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT a_there;\nALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT IF EXISTS a_there;",
            ),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS a_there;\nALTER TABLE t ADD CONSTRAINT a_there CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT a_there;\nALTER TABLE t ALTER COLUMN a SET NOT NULL;\nALTER TABLE t DROP CONSTRAINT IF EXISTS a_there;",
        )],
    },
    Engines::PostgreSql,
    set_scans,
)
.in_downs();

pub(crate) static SET_FAILS: Rule = Rule::new(
    RuleInfo {
        id: "set-not-null-fails-on-nulls",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "SET NOT NULL fails if one row has a NULL.",
        docs: "Nothing in the migrations says that the column has none: no valid CHECK, and no UPDATE in this file that fills it. Back-fill first; a CHECK \
               that is validated on its own finds the rows without stopping anybody.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL);",
            "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    set_fails,
);

pub(crate) static DROP: Rule = Rule::new(
    RuleInfo {
        id: "drop-not-null",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A column that always had a value may be NULL from now on; code that reads it may not expect that.",
        docs: "Deploy readers that expect NULL first. The way back needs a scan and fails once there is a NULL.",
        bad: &[Example::new("CREATE TABLE t (a int NOT NULL);", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;")],
        good: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS t (a int NOT NULL);\nALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
        )],
    },
    Engines::PostgreSql,
    drop,
);

/// A NOT NULL column for which nothing gives a value.
fn is_required(column: &Column) -> bool {
    column.not_null
        && column.default.as_ref().is_none_or(|default| default.is_null)
        && !column.is_identity
        && !column.auto_increment
        && !column.generated.is_generated()
        && !column.ty.name.ends_with("serial")
}

fn required_columns<'a>(view: &View<'a>) -> Vec<(&'a Name, &'a Column, Span)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    if view.catalog.is_new(&alter.name) {
        return Vec::new();
    }
    let columns = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::AddColumn { column, .. } if is_required(column) => Some((&alter.name, &**column, action.span)),
        _ => None,
    });
    columns.collect()
}

fn add(view: &View<'_>, found: &mut Vec<Draft>) {
    // MySQL fills such a column with its type's zero value instead.
    if matches!(view.part.engine, Engine::MySql | Engine::MariaDb) {
        return;
    }
    for (table, column, span) in required_columns(view) {
        if view.catalog.has_no_rows(table) {
            continue;
        }
        let name = &column.name.name;
        found.push(
            Draft::new(span, format!("column {name} of {} is NOT NULL and has no default", view.written(table)))
                .why("The statement fails as soon as the table has one row: there is no value to put into it.")
                .help(format!(
                    "Add a DEFAULT, or add {} nullable, back-fill it, and SET NOT NULL in a later migration.",
                    view.quoted(name)
                )),
        );
    }
}

fn required(view: &View<'_>, found: &mut Vec<Draft>) {
    for (table, column, span) in required_columns(view) {
        found.push(
            Draft::new(span, format!("every INSERT into {} must now name {}", view.written(table), column.name.name))
                .why("Processes of the old code do not know the column; their inserts fail from this moment on.")
                .help("Give it a DEFAULT until no old code inserts any more."),
        );
    }
}

/// The columns that become NOT NULL without a proof. A CHECK that the same ALTER TABLE drops is gone before the server looks
/// for it (ATPrepCmd puts all drops into the first pass), though it was true until then.
fn set_not_null<'a>(view: &View<'a>, is_dropped_in_time: bool) -> Vec<(&'a Name, &'a str, Span)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    let dropped: Vec<&str> = alter
        .actions
        .iter()
        .filter_map(|action| match &action.kind {
            ActionKind::DropConstraint { name, .. } if is_dropped_in_time => Some(&*name.name),
            _ => None,
        })
        .collect();
    if view.catalog.is_new(&alter.name) {
        return Vec::new();
    }
    let columns = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::SetNotNull { column } => Some((&alter.name, &*column.name, action.span)),
        ActionKind::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::NotNull(column) if !constraint.not_valid => Some((&alter.name, &*column.name, action.span)),
            _ => None,
        },
        _ => None,
    });
    columns.filter(|(table, column, _)| !is_proven(view, table, column, &dropped)).collect()
}

/// Whether the column is NOT NULL already or a valid CHECK of this very column says that it could be.
fn is_proven(view: &View<'_>, table: &Name, column: &str, dropped: &[&str]) -> bool {
    let Some(facts) = view.catalog.table(table) else { return false };
    facts.columns.get(column).is_some_and(|facts| facts.not_null)
        || view.part.version.major >= 12 && facts.constraints.iter().any(|constraint| {
            constraint.is_valid
                && !dropped.contains(&&*constraint.name)
                && matches!(&constraint.kind, ConstraintFact::Check(columns) if columns.iter().any(|c| **c == *column))
        })
}

fn set_scans(view: &View<'_>, found: &mut Vec<Draft>) {
    for (table, column, span) in set_not_null(view, true) {
        if view.catalog.is_blank(table) {
            continue;
        }
        let table = view.written(table);
        let (quoted, check) = (view.quoted(column), format!("{column}_not_null"));
        let check = view.quoted(&check);
        found.push(
            Draft::new(span, format!("SET NOT NULL on {column} reads all of {table} while nobody may use it"))
                .why("ACCESS EXCLUSIVE for the time of a whole scan: all reads and writes wait.")
                .help(format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({quoted} IS NOT NULL) NOT VALID; then, in another \
                     transaction, VALIDATE CONSTRAINT {check}; then SET NOT NULL; then DROP CONSTRAINT {check}."
                )),
        );
    }
}

fn set_fails(view: &View<'_>, found: &mut Vec<Draft>) {
    for (table, column, span) in set_not_null(view, false) {
        let has_default = view.catalog.is_new_column(table, column)
            && view.catalog.column(table, column).is_some_and(|facts| facts.has_default);
        if has_default || view.catalog.has_no_rows(table) || is_filled(view, table, column) {
            continue;
        }
        found.push(
            Draft::new(span, format!("SET NOT NULL fails if {column} of {} is NULL in any row", view.written(table)))
                .why("The migration stops at the first such row, in production only, where the old rows are.")
                .help(format!(
                    "UPDATE {} SET {quoted} = … WHERE {quoted} IS NULL; first, in batches.",
                    view.written(table),
                    quoted = view.quoted(column)
                )),
        );
    }
}

/// Whether an UPDATE of this part has written the column, under the name it has now or had then.
fn is_filled(view: &View<'_>, table: &Name, column: &str) -> bool {
    let mut column = column;
    view.preceding().any(|statement| match &statement.kind {
        Kind::Update(update) => {
            update.table.name == table.name && update.assignments.iter().any(|assignment| *assignment.column == *column)
        }
        Kind::AlterTable(alter) if alter.name.name == table.name => {
            for action in &alter.actions {
                if let ActionKind::RenameColumn { from, to } = &action.kind
                    && *to.name == *column
                {
                    column = &from.name;
                }
            }
            false
        }
        _ => false,
    })
}

fn drop(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::DropNotNull { column } = &action.kind else { continue };
        if view.catalog.is_new_column(&alter.name, &column.name) {
            continue;
        }
        found.push(
            Draft::new(action.span, format!("column {} of {} may be NULL from now on", column.name, view.written(&alter.name)))
                .why("Code that is running may not expect NULL; once one is stored there is no way back without choosing a value.")
                .help("Deploy readers that handle NULL first."),
        );
    }
}
