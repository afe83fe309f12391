//! Renames of tables, columns, types and all else that code calls by name.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, Kind, Name, ObjectAction, ObjectKind, TypeAction};

pub(crate) static OBJECT: Rule = Rule::new(
    RuleInfo {
        id: "rename-object",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A table, view, schema, type, enum value, sequence or function gets another name under running code.",
        docs: "Between the migration and the last old process, one of the two versions of the code finds nothing under its name. Leave a view \
               with the old name behind (in the same transaction), or expand and contract: add the new, write both, move the readers, \
               drop the old.\n\nSilent if a view with the old name follows in the file. Renames of indexes and constraints break nobody.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE IF EXISTS t RENAME TO t2;"),
            Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood RENAME TO feeling;"),
            Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';"),
            Example::new("CREATE SCHEMA app;", "ALTER SCHEMA app RENAME TO core;"),
            Example::new("CREATE SCHEMA app; CREATE TABLE t (a int);", "ALTER TABLE IF EXISTS t SET SCHEMA app;"),
            Example::new("CREATE TABLE t (a int);", "RENAME TABLE t TO t2;").mysql(),
            Example::new(
                "CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "ALTER TABLE t RENAME TO u;",
            )
            .sqlite(),
        ],
        good: &[
            Example::new("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "ALTER INDEX IF EXISTS i RENAME TO j;"),
            Example::new(
                "CREATE TABLE t (a int);",
                "DO $$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 't2') THEN\n    ALTER TABLE t RENAME TO t2;\n  END IF;\nEND $$;\nCREATE OR REPLACE VIEW t AS SELECT * FROM t2;",
            ),
        ],
    },
    Engines::All,
    check_object,
);

pub(crate) static COLUMN: Rule = Rule::new(
    RuleInfo {
        id: "rename-column",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A column gets another name under running code.",
        docs: "Old code names the old column, new code the new one, and for the time of the deploy both run. Add the new column, write both, \
               back-fill, move the readers, then drop the old one.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t RENAME COLUMN a TO b;"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t CHANGE COLUMN a b int;").mysql(),
            Example::new(
                "CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "ALTER TABLE t RENAME COLUMN a TO b;",
            )
            .sqlite(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;")],
    },
    Engines::All,
    check_column,
);

fn check_object(view: &View<'_>, found: &mut Vec<Draft>) {
    let (span, what, name): (Span, &str, &Name) = match view.kind() {
        Kind::AlterTable(alter) if alter.kind != ObjectKind::Index && !view.catalog.is_new(&alter.name) => {
            let action = alter
                .actions
                .iter()
                .find(|action| matches!(action.kind, ActionKind::RenameTo { .. } | ActionKind::SetSchema { .. }));
            let Some(action) = action else { return };
            (action.span, "table", &alter.name)
        }
        Kind::AlterType(alter) if !view.catalog.is_new_object(ObjectKind::Type, &alter.name) => match alter.action {
            TypeAction::RenameTo { .. } | TypeAction::SetSchema { .. } => (view.statement.span, "type", &alter.name),
            TypeAction::RenameValue { .. } => (view.statement.span, "a value of enum", &alter.name),
            TypeAction::RenameAttribute { .. } => (view.statement.span, "an attribute of type", &alter.name),
            _ => return,
        },
        Kind::AlterObject(alter)
            if matches!(alter.action, ObjectAction::RenameTo { .. } | ObjectAction::SetSchema { .. }) =>
        {
            let what = match alter.kind {
                ObjectKind::Schema => "schema",
                ObjectKind::Sequence => "sequence",
                ObjectKind::Domain => "domain",
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                    "function"
                }
                ObjectKind::Database => "database",
                _ => return,
            };
            if view.catalog.is_new_object(alter.kind, &alter.name) {
                return;
            }
            (view.statement.span, what, &alter.name)
        }
        _ => return,
    };
    if is_replaced(view, name) {
        return;
    }
    let written = view.written(name);
    found.push(
        Draft::new(span, format!("{what} {written} gets another name"))
            .why("Until the last process of the old code has gone, either the old or the new code fails on the name.")
            .help(if what == "table" {
                format!("Leave a view with the old name behind: CREATE VIEW {written} AS SELECT * FROM …; or add the new and move over step by step.")
            } else {
                "Add the new one beside it, move all code over, and drop the old one in a later release.".into()
            }),
    );
}

/// The swap of types: the old one is renamed aside and a new one takes its name; likewise a view takes a table's.
fn is_replaced(view: &View<'_>, name: &Name) -> bool {
    view.following().any(|statement| match &statement.kind {
        Kind::Create(create) => {
            matches!(
                create.kind,
                ObjectKind::View
                    | ObjectKind::Type
                    | ObjectKind::Domain
                    | ObjectKind::Sequence
                    | ObjectKind::MaterializedView
            ) && create.name.name == name.name
        }
        Kind::CreateTable(create) => create.name.name == name.name,
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(&action.kind, ActionKind::RenameTo { to } if to.name == name.name)),
        Kind::AlterType(alter) => matches!(&alter.action, TypeAction::RenameTo { to } if to.name == name.name),
        _ => false,
    })
}

fn check_column(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let (from, to) = match &action.kind {
            ActionKind::RenameColumn { from, to } => (from, &to.name),
            ActionKind::ModifyColumn { from, column, .. } if from.name != column.name.name => (from, &column.name.name),
            _ => continue,
        };
        if view.catalog.is_new_column(&alter.name, &from.name) {
            continue;
        }
        found.push(
            Draft::new(
                action.span,
                format!("column {} of {} gets the name {to}", from.name, view.written(&alter.name)),
            )
            .why("Code that is running still reads and writes the old name and fails from this moment on.")
            .help(format!(
                "Add {} as a new column, write both, back-fill, move the readers, and drop {} in a later release.",
                view.quoted(to),
                view.quoted(&from.name)
            )),
        );
    }
}
