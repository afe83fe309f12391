//! What only one of MySQL and MariaDB understands.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, ConstraintKind, Kind};

pub(crate) static MARIADB_ONLY: Rule = Rule::new(
    RuleInfo {
        id: "mysql-mariadb-only-syntax",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "MariaDB has this form and MySQL has not: there the statement is a syntax error.",
        docs: "`IF [NOT] EXISTS` inside ALTER TABLE and on indexes, `OR REPLACE` on tables, routines, triggers and the rest, sequences, and \
               `WAIT n` are MariaDB's own. MySQL knows `IF NOT EXISTS` for tables, databases, events, users, and (from 8.0.29) views, routines and \
               triggers. For MariaDB say `--engine mariadb`.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;").mysql(),
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX IF NOT EXISTS t_a ON t (a);").mysql(),
            Example::new("", "CREATE OR REPLACE PROCEDURE p() SELECT 1;").mysql(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;").mariadb()],
    },
    Engines::MySql,
    mariadb_only,
)
.in_downs();

pub(crate) static MYSQL_ONLY: Rule = Rule::new(
    RuleInfo {
        id: "mariadb-mysql-only-syntax",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "MySQL has this form and MariaDB has not: there the statement fails.",
        docs: "The collations `utf8mb4_0900_…` (known to MariaDB from 11.4.5 only), `SET PERSIST` and invisible indexes are MySQL's own. \
               Use `utf8mb4_unicode_ci` or `utf8mb4_uca1400_ai_ci`, and the configuration file.",
        bad: &[
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (a varchar(20)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;",
            )
            .mariadb(),
            Example::new("", "SET PERSIST max_connections = 200;").mariadb(),
            Example::new("CREATE TABLE t (a int, KEY t_a (a));", "ALTER TABLE t ALTER INDEX t_a INVISIBLE;").mariadb(),
        ],
        good: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS t (a varchar(20)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;",
        )
        .mariadb()],
    },
    Engines::MySql,
    mysql_only,
)
.in_downs();

fn mariadb_only(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.part.engine != Engine::MySql {
        return;
    }
    let whole = view.statement.span;
    let is_before = |major: u16| view.part.version.major < major;
    let mut say = |span: Span, what: &str| {
        found.push(
            Draft::new(span, format!("MySQL does not know {what}"))
                .why("The statement is a syntax error there, and what follows does not run.")
                .help("For MariaDB say --engine mariadb; for MySQL look into information_schema first, or leave the guard out."),
        );
    };
    match view.kind() {
        Kind::AlterTable(alter) => {
            if alter.if_exists {
                say(alter.name.span, "ALTER TABLE IF EXISTS");
            }
            for action in &alter.actions {
                let (is_guarded, what) = match &action.kind {
                    ActionKind::AddColumn { if_not_exists, .. } => (*if_not_exists, "ADD COLUMN IF NOT EXISTS"),
                    ActionKind::DropColumn { if_exists, .. } => (*if_exists, "DROP COLUMN IF EXISTS"),
                    ActionKind::ModifyColumn { if_exists, .. } => (*if_exists, "MODIFY and CHANGE COLUMN IF EXISTS"),
                    ActionKind::AddIndex { if_not_exists, .. } => {
                        (*if_not_exists, "IF NOT EXISTS or OR REPLACE for an index")
                    }
                    ActionKind::DropIndex { if_exists, .. } => (*if_exists, "DROP INDEX IF EXISTS"),
                    ActionKind::DropConstraint { if_exists, .. } => (*if_exists, "IF EXISTS for a constraint"),
                    ActionKind::AddConstraint(constraint) => (
                        constraint.if_not_exists && !matches!(constraint.kind, ConstraintKind::NotNull(_)),
                        "IF NOT EXISTS for a constraint",
                    ),
                    _ => continue,
                };
                if is_guarded {
                    say(action.span, what);
                }
            }
        }
        Kind::CreateTable(create) if create.or_replace => say(create.name.span, "CREATE OR REPLACE TABLE"),
        Kind::CreateFunction(create) if create.or_replace => say(create.name.span, "OR REPLACE for a routine"),
        Kind::CreateFunction(create) if create.if_not_exists && is_before(8) => {
            say(create.name.span, "IF NOT EXISTS for a routine before 8.0.29");
        }
        Kind::Create(create) => match create.kind {
            crate::statement::ObjectKind::Sequence => say(whole, "sequences"),
            crate::statement::ObjectKind::View => {}
            _ if create.or_replace => say(create.name.span, "OR REPLACE here"),
            _ => {}
        },
        _ => {}
    }
}

fn mysql_only(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.part.engine != Engine::MariaDb {
        return;
    }
    let sql = view.sql();
    let knows_collations = view.part.version >= crate::engine::ServerVersion { major: 11, minor: 5 };
    let mut say = |span: Span, what: &str, help: &str| {
        found.push(
            Draft::new(span, format!("MariaDB does not know {what}"))
                .why("The statement fails there, and what follows does not run.")
                .help(help),
        );
    };
    let is_definition =
        matches!(view.kind(), Kind::CreateTable(_) | Kind::AlterTable(_) | Kind::Create(_) | Kind::AlterObject(_));
    if is_definition
        && !knows_collations
        && let Some(at) = sql.find("utf8mb4_0900_")
    {
        let start = view.statement.span.start + at;
        let length = sql[at..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        say(
            Span::new(start, start + length),
            "MySQL's 0900 collations before 11.4.5",
            "Write utf8mb4_unicode_ci, or utf8mb4_uca1400_ai_ci from 10.10 on.",
        );
    }
    if let Kind::AlterTable(alter) = view.kind() {
        let invisible = alter.actions.iter().find(|action| is_index_visibility(view.part.source.slice(action.span)));
        if let Some(action) = invisible {
            say(action.span, "invisible indexes", "Write ALTER INDEX … IGNORED (from 10.6 on).");
        }
    }
    let starts_with_persist = sql
        .split_ascii_whitespace()
        .nth(1)
        .is_some_and(|word| word.eq_ignore_ascii_case("persist") || word.eq_ignore_ascii_case("persist_only"));
    if matches!(view.kind(), Kind::Set(_)) && starts_with_persist {
        say(
            view.statement.span,
            "SET PERSIST",
            "Set it in the configuration file; SET GLOBAL lasts until the next start.",
        );
    }
}

/// `ALTER {INDEX | KEY} name {VISIBLE | INVISIBLE}`.
fn is_index_visibility(action: &str) -> bool {
    let words: Vec<String> = action.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(words[..], ["alter", "index" | "key", _, "visible" | "invisible"])
}
