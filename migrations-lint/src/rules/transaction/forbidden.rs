//! Statements that the server refuses in a transaction.

use crate::migration::TransactionMode;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectKind};

pub(crate) static CONCURRENTLY: Rule = Rule::new(
    RuleInfo {
        id: "concurrently-in-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "CONCURRENTLY cannot run in the transaction that the file or the framework opens.",
        docs: "The server refuses it. Run the file without a transaction: `-- no-transaction` (sqlx), `-- +goose NO TRANSACTION`, `transaction:false` \
               (dbmate), `run_in_transaction = false` (Diesel), `-- atlas:txmode none`, `runInTransaction:false` (Liquibase); for \
               golang-migrate, Prisma and Supabase a file with this single statement.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "BEGIN;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);\nCOMMIT;"),
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);").in_transaction(),
            Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "DROP INDEX CONCURRENTLY IF EXISTS t_a;").in_transaction(),
            Example::new("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);", "REINDEX INDEX CONCURRENTLY t_a;").in_transaction(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);")],
    },
    Engines::PostgreSql,
    concurrently,
)
.in_downs()
.even_rolled_back();

pub(crate) static OTHER: Rule = Rule::new(
    RuleInfo {
        id: "statement-cannot-run-in-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "The server refuses this statement in the transaction that the file or the framework opens.",
        docs: "VACUUM, CREATE and DROP DATABASE and TABLESPACE, ALTER SYSTEM, REINDEX of a schema, database or system, CLUSTER of everything, DISCARD ALL, CREATE and \
               DROP SUBSCRIPTION with a slot; ALTER TYPE … ADD VALUE before PostgreSQL 12; COMMIT inside a DO block. Run the file without a transaction.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "VACUUM t;").in_transaction(),
            Example::new("", "ALTER SYSTEM SET work_mem = '8MB';").in_transaction(),
            Example::new("CREATE TABLE t (a int);", "DO $$ BEGIN\n  DELETE FROM t WHERE a = 1;\n  COMMIT;\nEND $$;").in_transaction(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "VACUUM t;")],
    },
    Engines::PostgreSql,
    other,
)
.in_downs()
.even_rolled_back();

/// Who opened the transaction.
fn opener(view: &View<'_>) -> String {
    match view.part.mode {
        _ if !view.place().is_implicit => "BEGIN in this file".into(),
        TransactionMode::ImplicitPerPart => {
            format!("the single request that {} sends the whole file in", view.part.layout)
        }
        TransactionMode::WholeSet => format!("the one transaction that {} runs all migrations in", view.part.layout),
        _ => format!("the transaction that {} opens for each file", view.part.layout),
    }
}

fn concurrently(view: &View<'_>, found: &mut Vec<Draft>) {
    if !view.in_transaction() && view.statement.within.is_none() {
        return;
    }
    let is_concurrent = match view.kind() {
        Kind::CreateIndex(create) => create.is_concurrent,
        Kind::Drop(drop) => drop.is_concurrent,
        Kind::Reindex { is_concurrent, .. } => *is_concurrent,
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::DetachPartition { is_concurrent: true, .. })),
        _ => false,
    };
    if is_concurrent {
        let opener =
            if view.statement.within.is_some() { "a DO block, which is one transaction".into() } else { opener(view) };
        found.push(
            Draft::new(view.statement.span, format!("CONCURRENTLY cannot run inside {opener}"))
                .why("The server stops here with an error: the command needs several transactions of its own.")
                .help("Put it into a file of its own that runs without a transaction."),
        );
    }
}

/// ALTER SUBSCRIPTION … SET (slot_name = NONE) before it: then nothing on the other server is dropped.
fn gave_slot_up(view: &View<'_>) -> bool {
    view.preceding()
        .any(|earlier| matches!(&earlier.kind, Kind::AlterObject(alter) if alter.kind == ObjectKind::Subscription))
}

fn other(view: &View<'_>, found: &mut Vec<Draft>) {
    if !view.in_transaction() {
        return;
    }
    let what = match view.kind() {
        Kind::Vacuum { .. } => "VACUUM",
        Kind::AlterSystem => "ALTER SYSTEM",
        Kind::Cluster { table: None } => "CLUSTER of all tables",
        Kind::Reindex {
            target: ObjectKind::Schema | ObjectKind::Database | ObjectKind::System,
            is_concurrent: false,
            ..
        } => "REINDEX of this scope",
        Kind::Create(create) => match create.kind {
            ObjectKind::Database => "CREATE DATABASE",
            ObjectKind::Tablespace => "CREATE TABLESPACE",
            ObjectKind::Subscription if !view.sql().to_ascii_lowercase().contains("create_slot") => {
                "CREATE SUBSCRIPTION"
            }
            _ => return,
        },
        Kind::Drop(drop) => match drop.kind {
            ObjectKind::Database => "DROP DATABASE",
            ObjectKind::Tablespace => "DROP TABLESPACE",
            ObjectKind::Subscription if !gave_slot_up(view) => "DROP SUBSCRIPTION",
            _ => return,
        },
        Kind::AlterObject(alter)
            if alter.kind == ObjectKind::Database && view.sql().to_ascii_lowercase().contains("set tablespace") =>
        {
            "ALTER DATABASE … SET TABLESPACE"
        }
        Kind::DiscardAll => "DISCARD ALL",
        Kind::Do { commits: Some(_) } => "COMMIT or ROLLBACK in a DO block",
        Kind::AlterType(alter)
            if view.part.version.major < 12
                && matches!(alter.action, crate::statement::TypeAction::AddValue { .. }) =>
        {
            "ALTER TYPE … ADD VALUE (before PostgreSQL 12)"
        }
        _ => return,
    };
    let span = match view.kind() {
        Kind::Do { commits: Some(span) } => *span,
        _ => view.statement.span,
    };
    found.push(
        Draft::new(span, format!("{what} cannot run inside {}", opener(view)))
            .why("The server stops here with an error and the migration is rolled back.")
            .help("Put it into a file of its own that runs without a transaction."),
    );
}
