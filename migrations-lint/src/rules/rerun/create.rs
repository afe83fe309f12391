//! CREATE without IF NOT EXISTS, OR REPLACE, a guarded DROP before it, or a guard around it.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "create-without-guard",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "An object is created without a guard, so a second run fails because it is there already.",
        docs: "A migration that stopped half-way is run again; a deploy is retried; a database is restored from a backup that holds \
               part of it. Each time the file meets what its first run has made.\n\n\
               Write `IF NOT EXISTS` or `OR REPLACE` where the server has them. Where it has not (types, domains, policies, \
               roles, triggers before PostgreSQL 14, publications …) put `DROP … IF EXISTS` before, or a `DO` block that looks first \
               or catches `duplicate_object`. Each kind of object raises its own condition: `duplicate_object` does not catch a table \
               that exists (`duplicate_table`).",
        bad: &[
            Example::new("", "CREATE TABLE t (id bigint PRIMARY KEY);"),
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY t_a ON t (a);"),
            Example::new("CREATE TABLE t (a int);", "CREATE VIEW v AS SELECT a FROM t;"),
            Example::new("CREATE TABLE t (a int);", "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;"),
            Example::new("", "CREATE SEQUENCE s;"),
            Example::new("", "CREATE SCHEMA app;"),
            Example::new("", "CREATE TYPE mood AS ENUM ('sad', 'ok');"),
            Example::new("", "CREATE DOMAIN positive AS int;"),
            Example::new("", "CREATE EXTENSION pg_trgm;"),
            Example::new("", "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;"),
            Example::new("", "CREATE PROCEDURE nothing() LANGUAGE sql AS $$ SELECT 1 $$;"),
            Example::new("", "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);"),
            Example::new(
                "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
                "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
            ),
            Example::new("CREATE TABLE t (a int);", "CREATE POLICY p ON t USING (a = 1);"),
            Example::new("CREATE TABLE t (a int);", "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;"),
            Example::new("", "CREATE ROLE app_reader;"),
            Example::new("CREATE TABLE t (a int);", "CREATE PUBLICATION pub FOR TABLE t;"),
            Example::new("CREATE TABLE t (a int, b int);", "CREATE STATISTICS st (dependencies) ON a, b FROM t;"),
            Example::new("", "CREATE COLLATION c FROM \"C\";"),
            Example::new("", "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);"),
            Example::new("", "CREATE FOREIGN DATA WRAPPER w;"),
            Example::new(
                "",
                "DO $$ BEGIN CREATE TABLE t (id bigint PRIMARY KEY); EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
            ),
            Example::new("", "CREATE TABLE t (id bigint PRIMARY KEY, KEY k (id));").mysql(),
            Example::new("CREATE TABLE t (a int);", "CREATE VIEW v AS SELECT a FROM t;").mysql(),
            Example::new("CREATE TABLE t (a int);", "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;").mysql(),
            Example::new("", "DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND//\nDELIMITER ;").mysql(),
            Example::new("", "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1;").mysql(),
            Example::new("", "CREATE DATABASE app;").mysql(),
            Example::new("", "CREATE USER 'app'@'localhost';").mysql(),
            Example::new("", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;").mysql(),
            Example::new("", "CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT);").sqlite(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "CREATE INDEX t_a ON t (a);").sqlite(),
],
        good: &[
            Example::new("", "CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY);"),
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);"),
            Example::new("CREATE TABLE t (a int);", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;"),
            Example::new(
                "",
                "DO $$ BEGIN\n  CREATE TYPE mood AS ENUM ('sad', 'ok');\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;",
            ),
            Example::new(
                "",
                "DO $$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'mood') THEN\n    CREATE TYPE mood AS ENUM ('sad', 'ok');\n  END IF;\nEND $$;",
            ),
            Example::new(
                "CREATE TABLE t (a int);",
                "DROP POLICY IF EXISTS p ON t;\nCREATE POLICY p ON t USING (a = 1);",
            ),
            Example::new("", "CREATE TABLE work (id bigint);\nDROP TABLE work;"),
            Example::new("", "CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, KEY k (id));").mysql(),
            Example::new("CREATE TABLE t (a int);", "DROP TRIGGER IF EXISTS tr;\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;").mysql(),
            Example::new("CREATE TABLE t (a int);", "CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;").mariadb(),
            Example::new("", "DROP PROCEDURE IF EXISTS p;\nDELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND//\nDELIMITER ;").mysql(),
            Example::new("", "CREATE USER IF NOT EXISTS 'app'@'localhost';").mysql(),
        ],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if !matches!(
        view.kind(),
        Kind::CreateTable(_) | Kind::CreateIndex(_) | Kind::CreateFunction(_) | Kind::Create(_) | Kind::Role(_)
    ) {
        return;
    }
    for failure in view.failures() {
        let Reason::Exists { space, name } = &failure.reason else { continue };
        let mut draft = Draft::new(failure.span, format!("{} is created without a guard", super::thing(*space, name)))
            .why(super::consequence(&failure.reason))
            .help(help(view));
        if let Some((at, words)) = guard(view) {
            draft = draft.insert(at, words);
        }
        found.push(draft);
    }
}

/// The guard that keeps the meaning, and where it goes.
fn guard(view: &View<'_>) -> Option<(usize, &'static str)> {
    let has_it_everywhere = matches!(view.kind(), Kind::CreateTable(_));
    if view.part.engine != Engine::PostgreSql && !has_it_everywhere {
        return None;
    }
    match view.kind() {
        Kind::CreateTable(create) if !create.from_query => Some((create.name.span.start, "IF NOT EXISTS ")),
        Kind::CreateIndex(create) => create.name.as_ref().map(|name| (name.span.start, "IF NOT EXISTS ")),
        Kind::CreateFunction(_) => Some((after_create(view)?, " OR REPLACE")),
        Kind::Create(create) => match create.kind {
            ObjectKind::View | ObjectKind::Rule => Some((after_create(view)?, " OR REPLACE")),
            ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Schema
            | ObjectKind::Extension
            | ObjectKind::Collation
            | ObjectKind::Server
            | ObjectKind::Statistics
            | ObjectKind::ForeignTable => Some((create.name.span.start, "IF NOT EXISTS ")),
            _ => None,
        },
        _ => None,
    }
    .filter(|_| view.statement.within.is_none())
}

fn after_create(view: &View<'_>) -> Option<usize> {
    let sql = view.sql();
    sql.get(..6).filter(|word| word.eq_ignore_ascii_case("create")).map(|word| view.statement.span.start + word.len())
}

fn help(view: &View<'_>) -> String {
    let kind = view.kind();
    if view.part.engine != Engine::PostgreSql {
        return elsewhere(view.part.engine, kind).into();
    }
    let way = match kind {
        Kind::CreateTable(_) | Kind::CreateIndex(_) => "Write IF NOT EXISTS before the name.",
        Kind::CreateFunction(_) => "Write CREATE OR REPLACE.",
        Kind::Create(create) => match create.kind {
            ObjectKind::View | ObjectKind::Rule => "Write CREATE OR REPLACE.",
            ObjectKind::Trigger => {
                "Write CREATE OR REPLACE TRIGGER (PostgreSQL 14 and later), or put DROP TRIGGER IF EXISTS … ON … before it."
            }
            ObjectKind::Policy | ObjectKind::EventTrigger | ObjectKind::Publication | ObjectKind::Cast => {
                "Put DROP … IF EXISTS with the same name before it."
            }
            ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Schema
            | ObjectKind::Extension
            | ObjectKind::Statistics
            | ObjectKind::Collation
            | ObjectKind::Server => "Write IF NOT EXISTS before the name.",
            _ => "Put it into DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$; or look for it first.",
        },
        _ => "Put it into DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
    };
    way.into()
}

/// Where there is no DO block: what MySQL, MariaDB and SQLite have instead.
fn elsewhere(engine: Engine, kind: &Kind) -> &'static str {
    match (engine, kind) {
        (Engine::MariaDb, Kind::CreateFunction(_)) => "Write CREATE OR REPLACE, or IF NOT EXISTS before the name.",
        (Engine::MySql, Kind::CreateFunction(_)) => {
            "Put DROP … IF EXISTS with the same name before it (MySQL 8.0.29 also has IF NOT EXISTS)."
        }
        (Engine::MySql | Engine::MariaDb, Kind::Create(create)) if create.kind == ObjectKind::View => {
            "Write CREATE OR REPLACE."
        }
        (Engine::MariaDb, Kind::Create(create)) if create.kind == ObjectKind::Trigger => {
            "Write CREATE OR REPLACE TRIGGER."
        }
        (Engine::MySql, Kind::Create(create)) if create.kind == ObjectKind::Trigger => {
            "Put DROP TRIGGER IF EXISTS with the same name before it (MySQL 8.0.29 also has IF NOT EXISTS)."
        }
        _ => "Write IF NOT EXISTS before the name.",
    }
}
