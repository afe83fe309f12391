//! DROP without IF EXISTS.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-without-if-exists",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "Something is dropped without IF EXISTS, so a second run fails because it is gone.",
        docs: "Every DROP of PostgreSQL takes `IF EXISTS`, columns and constraints included. A drop of what the same file has just made \
               needs none.",
        bad: &[
            Example::new("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "DROP INDEX CONCURRENTLY i;"),
            Example::new("CREATE TABLE t (a int);", "DROP TABLE t;"),
            Example::new("CREATE VIEW v AS SELECT 1;", "DROP VIEW v;"),
            Example::new("CREATE TABLE t (a int, b int);", "ALTER TABLE t DROP COLUMN b;"),
            Example::new("CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0));", "ALTER TABLE t DROP CONSTRAINT positive;"),
            Example::new("CREATE TABLE t (a int); CREATE POLICY p ON t;", "DROP POLICY p ON t;"),
            Example::new("CREATE TYPE mood AS ENUM ('ok');", "DROP TYPE mood;"),
Example::new("CREATE TABLE t (a int, b int);", "DROP TABLE t;").mysql(),
Example::new("CREATE TABLE t (a int, b int);", "ALTER TABLE t DROP COLUMN b;").mysql(),
Example::new("CREATE TABLE t (a int, KEY t_a (a));", "DROP INDEX t_a ON t;").mysql(),
Example::new("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, CONSTRAINT t_p FOREIGN KEY (a) REFERENCES p (id));", "ALTER TABLE t DROP FOREIGN KEY t_p;").mysql(),
Example::new("CREATE USER 'app'@'%';", "DROP USER 'app'@'%';").mysql(),
Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "DROP INDEX t_a;").sqlite(),
],
        good: &[
            Example::new("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "DROP INDEX CONCURRENTLY IF EXISTS i;"),
            Example::new("", "CREATE TEMP TABLE work (a int);\nDROP TABLE work;"),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        let Reason::Missing { space, name } = &failure.reason else { continue };
        let at = match view.kind() {
            Kind::Drop(drop) => Some((drop.after_kind, " IF EXISTS")),
            Kind::AlterTable(alter) => match alter.action_at(failure.span) {
                Some(
                    ActionKind::DropColumn { column: name, .. }
                    | ActionKind::DropConstraint { name, .. }
                    | ActionKind::DropIndex { name, .. },
                ) => Some((name.span.start, "IF EXISTS ")),
                _ => None,
            },
            _ => None,
        };
        let Some((at, words)) = at else { continue };
        let mut draft =
            Draft::new(failure.span, format!("{} is dropped without IF EXISTS", super::thing(*space, name)))
                .why(super::consequence(&failure.reason))
                .help("Write IF EXISTS before the name.");
        let has_if_exists = match view.kind() {
            Kind::Drop(_) => true,
            _ => !matches!(view.part.engine, Engine::MySql | Engine::Sqlite),
        };
        if !has_if_exists {
            draft = draft.help(super::look_first(view.part.engine));
        }
        if view.statement.within.is_none() && has_if_exists {
            draft = draft.insert(at, words);
        }
        found.push(draft);
    }
}
