//! ADD COLUMN without IF NOT EXISTS.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::{Reason, Space};
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "add-column-without-if-not-exists",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "A column is added without IF NOT EXISTS, so a second run fails because it is there.",
        docs: "`ALTER TABLE IF EXISTS` guards the table, not the column: `ADD COLUMN IF NOT EXISTS` is what makes it safe. MySQL has \
               no such clause: look into `information_schema.columns` first, or keep the file to this one statement.",
        bad: &[
            Example::new("CREATE TABLE t (id int);", "ALTER TABLE t ADD COLUMN note text;"),
            Example::new("CREATE TABLE t (id int);", "ALTER TABLE IF EXISTS t ADD note text;"),
            Example::new("CREATE TABLE t (id int);", "ALTER TABLE t ADD COLUMN note text, ADD (a int, b int);").mysql(),
            Example::new("CREATE TABLE t (id int);", "ALTER TABLE t ADD COLUMN note text;").sqlite(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "ALTER TABLE t ADD COLUMN b int;").sqlite(),
],
        good: &[
            Example::new("CREATE TABLE t (id int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS note text;"),
            Example::new(
                "CREATE TABLE t (id int);",
                "DO $$ BEGIN\n  ALTER TABLE t ADD COLUMN note text;\nEXCEPTION WHEN duplicate_column THEN NULL;\nEND $$;",
            ),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for failure in view.failures() {
        let Reason::Exists { space: Space::Column, name } = &failure.reason else { continue };
        let Some(ActionKind::AddColumn { column, .. }) = alter.action_at(failure.span) else { continue };
        let has_no_guard = matches!(view.part.engine, Engine::MySql | Engine::Sqlite);
        let mut draft = Draft::new(
            failure.span,
            format!("column {name} of {} is added without IF NOT EXISTS", view.written(&alter.name)),
        )
        .why(super::consequence(&failure.reason))
        .help(if has_no_guard {
            super::look_first(view.part.engine)
        } else {
            "Write ADD COLUMN IF NOT EXISTS."
        });
        if view.statement.within.is_none() && !has_no_guard {
            draft = draft.insert(column.name.span.start, "IF NOT EXISTS ");
        }
        found.push(draft);
    }
}
