//! Every other ALTER, and every use of what the first run took away.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::{Reason, Space};
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectAction, TypeAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "statement-fails-second-time",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "A statement has no form that tolerates a second run, or uses what the first run took away.",
        docs: "Attaching a partition that is attached, adding an identity that is there, adding a member to a publication twice, updating \
               a column that the file drops further down: the first run works, the second stops. Look first in a `DO` block.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 (a int);",
                "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES IN (1);",
            ),
            Example::new("CREATE TABLE t (a int NOT NULL);", "ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY;"),
            Example::new("CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE PUBLICATION p FOR TABLE u;", "ALTER PUBLICATION p ADD TABLE t;"),
            Example::new("CREATE TYPE pair AS (a int);", "ALTER TYPE pair ADD ATTRIBUTE b int;"),
            Example::new("CREATE TABLE t (a text);", "ALTER TABLE t ALTER COLUMN a TYPE int USING trim(a)::int;"),
            Example::new(
                "CREATE TABLE t (a text, b int);",
                "UPDATE t SET b = 1 WHERE a = 'x' AND b IS NULL;\nALTER TABLE t ALTER COLUMN b TYPE text USING trim(b::text);\nALTER TABLE t RENAME COLUMN b TO c;",
            ),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int) PARTITION BY LIST (a);",
            "CREATE TABLE IF NOT EXISTS t1 PARTITION OF t FOR VALUES IN (1);",
        )],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        if let Reason::ConvertedAlready { column } = &failure.reason {
            found.push(
                Draft::new(failure.span, format!("a second run fails here: {column} is converted already"))
                    .why(super::consequence(&failure.reason))
                    .help(format!(
                        "Cast to text first, so that it holds for both types: … USING trim({column}::text)::…"
                    )),
            );
        }
        let (Reason::Exists { space, name } | Reason::Missing { space, name }) = &failure.reason else { continue };
        if is_said_elsewhere(view.kind(), failure, *space) || found.iter().any(|draft| draft.span == failure.span) {
            continue;
        }
        let state = if matches!(failure.reason, Reason::Exists { .. }) { "there already" } else { "gone" };
        found.push(
            Draft::new(failure.span, format!("a second run fails here: {} is {state}", super::thing(*space, name)))
                .why(super::consequence(&failure.reason))
                .help(super::look_first(view.part.engine)),
        );
    }
}

/// Whether a rule of its own speaks of this statement.
fn is_said_elsewhere(kind: &Kind, failure: &crate::rerun::Failure, space: Space) -> bool {
    match kind {
        Kind::CreateTable(_) | Kind::CreateFunction(_) | Kind::Create(_) | Kind::CreateIndex(_) => {
            matches!(failure.reason, Reason::Exists { .. })
        }
        Kind::Role(_) | Kind::Drop(_) => true,
        Kind::AlterTable(alter) => {
            let action = alter.action_at(failure.span);
            let renames = alter
                .actions
                .iter()
                .any(|action| matches!(action.kind, ActionKind::RenameTo { .. } | ActionKind::SetSchema { .. }));
            match action {
                Some(ActionKind::AddColumn { .. }) => space == Space::Column,
                Some(
                    ActionKind::DropColumn { .. }
                    | ActionKind::DropConstraint { .. }
                    | ActionKind::DropIndex { .. }
                    | ActionKind::AddConstraint(_)
                    | ActionKind::AddIndex { .. }
                    | ActionKind::RenameColumn { .. }
                    | ActionKind::RenameConstraint { .. }
                    | ActionKind::RenameIndex { .. }
                    | ActionKind::ModifyColumn { .. },
                ) => true,
                _ => renames,
            }
        }
        Kind::AlterType(alter) => {
            !matches!(alter.action, TypeAction::AddAttribute { .. } | TypeAction::DropAttribute { .. })
        }
        Kind::AlterObject(alter) => matches!(
            alter.action,
            ObjectAction::RenameTo { .. } | ObjectAction::SetSchema { .. } | ObjectAction::AddConstraint { .. }
        ),
        _ => false,
    }
}
