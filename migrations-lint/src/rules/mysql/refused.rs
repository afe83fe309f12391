//! ALGORITHM= and LOCK= that ask for less than the change needs: the server stops there.

use super::algorithm::{Cost, cost};
use super::column::{ColumnChange, column_change};
use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, AlterTable, Kind};

const SETUP: &str = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);";

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-algorithm-refused",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "ALGORITHM= or LOCK= asks for less than the change needs, so the server refuses it.",
        docs: "That it refuses is the point of writing `ALGORITHM=INSTANT`: better than a copy nobody expected. But the migration cannot run like this, on any data.",
        bad: &[
            Example::new(SETUP, "ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0), ALGORITHM=INPLACE;").mysql(),
            Example::new(SETUP, "ALTER TABLE t ADD INDEX t_a (a), ALGORITHM=INSTANT;").mysql(),
            Example::new(SETUP, "ALTER TABLE t DROP PRIMARY KEY, LOCK=NONE;").mysql(),
        ],
        good: &[Example::new(SETUP, "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int, ALGORITHM=INSTANT;").mariadb()],
    },
    Engines::MySql,
    check,
)
.in_downs();

/// Whether the server would refuse rather than copy or lock.
pub(super) fn asks_for_less(alter: &AlterTable) -> bool {
    alter.actions.iter().any(|action| match &action.kind {
        ActionKind::Algorithm { name } => matches!(&**name, "instant" | "inplace" | "nocopy"),
        ActionKind::Lock { name } => &**name == "none",
        _ => false,
    })
}

/// The most that a clause allows, in the server's word.
fn allowed(kind: &ActionKind) -> Option<(Cost, String)> {
    match kind {
        ActionKind::Algorithm { name } => match &**name {
            "instant" => Some((Cost::Instant, "ALGORITHM=INSTANT".into())),
            "nocopy" => Some((Cost::NoCopy, "ALGORITHM=NOCOPY".into())),
            "inplace" => Some((Cost::BlocksWrites, "ALGORITHM=INPLACE".into())),
            _ => None,
        },
        ActionKind::Lock { name } if &**name == "none" => Some((Cost::Rebuild, "LOCK=NONE".into())),
        _ => None,
    }
}

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    instant_with_lock(view, alter, found);
    let Some((limit, asked)) = alter.actions.iter().filter_map(|action| allowed(&action.kind)).min() else { return };
    for action in &alter.actions {
        // What the files do not tell for sure is no reason to say that the server refuses.
        let is_unsure = match &action.kind {
            ActionKind::ModifyColumn { from, column, .. } => {
                column_change(view, &alter.name, &from.name, column) == ColumnChange::Unknown
            }
            ActionKind::TableOption { .. } | ActionKind::DropColumn { .. } | ActionKind::ConvertCharset { .. } => true,
            _ => false,
        };
        match cost(view, alter, &action.kind) {
            Some((cost, what)) if cost > limit && !is_unsure => found.push(
                Draft::new(action.span, format!("the server refuses this under {asked}: {what}"))
                    .why("The migration stops here with an error, on an empty table as well.")
                    .help("Leave the clause out where the work may be done, or make the change in another way."),
            ),
            _ => {}
        }
    }
}

/// MySQL takes ALGORITHM=INSTANT with LOCK=DEFAULT only ("Incorrect usage", 1221); MariaDB takes any.
fn instant_with_lock(view: &View<'_>, alter: &AlterTable, found: &mut Vec<Draft>) {
    let is_instant = |kind: &ActionKind| matches!(kind, ActionKind::Algorithm { name } if &**name == "instant");
    if view.part.engine != Engine::MySql || !alter.actions.iter().any(|action| is_instant(&action.kind)) {
        return;
    }
    for action in &alter.actions {
        if matches!(&action.kind, ActionKind::Lock { name } if &**name != "default") {
            found.push(
                Draft::new(action.span, "MySQL refuses LOCK beside ALGORITHM=INSTANT")
                    .why("The migration stops here with an error, on an empty table as well.")
                    .help("Leave the LOCK clause out: an instant change locks nothing for long."),
            );
        }
    }
}
