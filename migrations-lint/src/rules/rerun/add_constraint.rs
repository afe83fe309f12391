//! ADD CONSTRAINT, which has no IF NOT EXISTS.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::{Reason, Space};
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "add-constraint-without-guard",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "A constraint is added without a guard, so a second run fails because it is there.",
        docs: "`ADD CONSTRAINT` has no `IF NOT EXISTS`. Put `DROP CONSTRAINT IF EXISTS` with the same name before it, or a `DO` block \
               that asks `pg_constraint` or catches the error: `duplicate_object` for CHECK and FOREIGN KEY, `duplicate_table` for \
               UNIQUE and EXCLUDE (their index has the name), `invalid_table_definition` for PRIMARY KEY.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;"),
            Example::new(
                "CREATE TABLE t (a int); CREATE UNIQUE INDEX u ON t (a);",
                "ALTER TABLE t ADD CONSTRAINT t_a_unique UNIQUE USING INDEX u;",
            ),
            Example::new(
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int);",
                "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (a) REFERENCES p (id) NOT VALID;",
            ),
            Example::new("CREATE DOMAIN d AS int;", "ALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD INDEX t_a (a);").mysql(),
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX t_a ON t (a);").mysql(),
            Example::new("CREATE TABLE t (id int NOT NULL);", "ALTER TABLE t ADD PRIMARY KEY (id);").mysql(),
            Example::new("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int);", "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);").mysql(),
        ],
        good: &[
            Example::new(
                "CREATE TABLE t (a int);",
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;",
            ),
            Example::new(
                "CREATE TABLE t (a int);",
                "DO $$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'positive') THEN\n    ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;\n  END IF;\nEND $$;",
            ),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        let Reason::Exists { space, name } = &failure.reason else { continue };
        let is_constraint = matches!(space, Space::Constraint | Space::UniqueConstraint | Space::PrimaryKey);
        let table = match view.kind() {
            Kind::AlterTable(alter)
                if is_constraint
                    && matches!(
                        alter.action_at(failure.span),
                        Some(ActionKind::AddConstraint(_) | ActionKind::AddIndex { .. })
                    ) =>
            {
                &alter.name
            }
            Kind::AlterObject(alter) if matches!(alter.action, ObjectAction::AddConstraint { .. }) => &alter.name,
            _ => continue,
        };
        let table = view.written(table);
        let is_index = matches!(view.kind(), Kind::AlterTable(alter)
            if matches!(alter.action_at(failure.span), Some(ActionKind::AddIndex { .. })));
        let what = if is_index { "index" } else { "constraint" };
        found.push(
            Draft::new(failure.span, format!("{what} {name} is added to {table} without a guard"))
                .why(super::consequence(&failure.reason))
                .help(match view.part.engine {
                    Engine::MySql | Engine::Sqlite => super::look_first(view.part.engine).into(),
                    Engine::MariaDb if is_index => "Write ADD INDEX IF NOT EXISTS.".into(),
                    _ => format!(
                        "Put this before it: ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {};",
                        view.quoted(name)
                    ),
                }),
        );
    }
}
