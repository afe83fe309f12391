//! Renames and moves, which find nothing to rename the second time.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectAction, TypeAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "rename-without-guard",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "Something is renamed or moved without a guard, so a second run does not find it.",
        docs: "`ALTER TABLE IF EXISTS old RENAME TO new` is safe for tables, views, indexes and sequences. Columns, constraints, types, enum \
               values and schemas have no such form: look first, in a `DO` block.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t RENAME TO t2;"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t RENAME COLUMN a TO b;"),
            Example::new("CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';"),
            Example::new("CREATE SCHEMA app;", "ALTER SCHEMA app RENAME TO app2;"),
            Example::new("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "ALTER INDEX i RENAME TO j;"),
Example::new("CREATE TABLE t (a int);", "RENAME TABLE t TO t2;").mysql(),
Example::new("CREATE TABLE t (a int);", "ALTER TABLE t CHANGE a b int;").mysql(),
Example::new("CREATE TABLE t (a int, KEY k (a));", "ALTER TABLE t RENAME INDEX k TO k2;").mysql(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "ALTER TABLE t RENAME COLUMN a TO b;").sqlite(),
],
        good: &[
            Example::new("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "ALTER INDEX IF EXISTS i RENAME TO j;"),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        let is_rename = match view.kind() {
            Kind::AlterTable(alter) => {
                alter.actions.iter().any(|action| {
                    action.span == failure.span
                        && matches!(
                            action.kind,
                            ActionKind::RenameTo { .. }
                                | ActionKind::RenameColumn { .. }
                                | ActionKind::RenameConstraint { .. }
                                | ActionKind::RenameIndex { .. }
                                | ActionKind::SetSchema { .. }
                                | ActionKind::ModifyColumn { .. }
                        )
                }) || (failure.span == view.statement.span && renames_itself(view.kind()))
            }
            Kind::AlterType(alter) => matches!(
                alter.action,
                TypeAction::RenameTo { .. }
                    | TypeAction::RenameValue { .. }
                    | TypeAction::RenameAttribute { .. }
                    | TypeAction::SetSchema { .. }
            ),
            Kind::AlterObject(alter) => {
                matches!(alter.action, ObjectAction::RenameTo { .. } | ObjectAction::SetSchema { .. })
            }
            Kind::Role(role) => role.rename_to.is_some(),
            _ => false,
        };
        let (Reason::Exists { space, name } | Reason::Missing { space, name }) = &failure.reason else { continue };
        if is_rename && !found.iter().any(|draft| draft.message.starts_with(&super::thing(*space, name))) {
            found.push(
                Draft::new(failure.span, format!("{} is renamed or moved without a guard", super::thing(*space, name)))
                    .why(super::consequence(&failure.reason))
                    .help(match view.part.engine {
                        Engine::PostgreSql if renames_itself(view.kind()) => "Write ALTER … IF EXISTS.",
                        Engine::PostgreSql => "Look first whether the old name is there: DO $$ BEGIN IF EXISTS (…) THEN …; END IF; END $$;",
                        other => super::look_first(other),
                    }),
            );
            return;
        }
    }
}

/// `ALTER TABLE a RENAME TO b` needs `a` before it renames it: one finding says it all.
fn renames_itself(kind: &Kind) -> bool {
    let Kind::AlterTable(alter) = kind else { return false };
    alter.actions.iter().any(|action| matches!(action.kind, ActionKind::RenameTo { .. } | ActionKind::SetSchema { .. }))
}
