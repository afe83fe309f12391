//! BEGIN, COMMIT and their relatives where they do not do what they say.

use crate::engine::Engine;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, Transaction};
use crate::transaction::Problem;

pub(crate) static UNCLOSED: Rule = Rule::new(
    RuleInfo {
        id: "unclosed-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "BEGIN without COMMIT: what follows is rolled back when the connection closes.",
        docs: "Some clients go on in the open transaction, with its locks held; most close the connection, and everything since BEGIN is gone.",
        bad: &[Example::new("", "BEGIN;\nCREATE TABLE IF NOT EXISTS t (a int);"),
Example::new("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "BEGIN;\nUPDATE t SET a = 2 WHERE id = 1;").mysql(),
Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "BEGIN;\nUPDATE t SET a = 2 WHERE id = 1;").sqlite(),
],
        good: &[Example::new("", "BEGIN;\nCREATE TABLE IF NOT EXISTS t (a int);\nCOMMIT;")],
    },
    Engines::All,
    unclosed,
)
.in_downs()
.even_rolled_back();

pub(crate) static NESTED: Rule = Rule::new(
    RuleInfo {
        id: "nested-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "BEGIN inside a transaction does nothing, and the first COMMIT ends the outer one.",
        docs: "PostgreSQL has no nested transactions; it warns and goes on. Frameworks open a transaction themselves: a COMMIT in the file ends \
               it, the record of the migration is written outside it, and a failure after it leaves half a migration.",
        bad: &[
            Example::new("", "BEGIN;\nBEGIN;\nCREATE TABLE IF NOT EXISTS t (a int);\nCOMMIT;"),
            Example::new("", "BEGIN;\nCREATE TABLE IF NOT EXISTS t (a int);\nCOMMIT;").in_transaction(),
            Example::new("", "CREATE TABLE IF NOT EXISTS t (a int);\nCOMMIT;").in_transaction(),
Example::new("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);", "BEGIN;\nUPDATE t SET a = 2 WHERE id = 1;\nBEGIN;\nUPDATE t SET a = 3 WHERE id = 1;\nROLLBACK;").mysql(),
Example::new("", "BEGIN;\nBEGIN;\nCREATE TABLE IF NOT EXISTS t (a int);\nCOMMIT;").sqlite(),
],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a int);").in_transaction()],
    },
    Engines::All,
    nested,
)
.in_downs()
.even_rolled_back();

pub(crate) static OUTSIDE: Rule = Rule::new(
    RuleInfo {
        id: "needs-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "A statement that only has a meaning in a transaction stands outside one.",
        docs: "`SAVEPOINT`, `LOCK TABLE` fail; `SET LOCAL`, `COMMIT` and `ROLLBACK` do nothing but warn. SQLite refuses COMMIT and ROLLBACK.",
        bad: &[
            Example::new("", "COMMIT;"),
            Example::new("CREATE TABLE t (a int);", "LOCK TABLE t IN ACCESS SHARE MODE;"),
            Example::new("", "SET LOCAL lock_timeout = '2s';"),
            Example::new("CREATE TABLE t (a int);", "COMMIT;").sqlite(),
        ],
        good: &[Example::new("", "SET LOCAL lock_timeout = '2s';").in_transaction()],
    },
    Engines::PostgreSqlAndSqlite,
    outside,
)
.in_downs()
.even_rolled_back();

fn unclosed(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.place().problem == Some(Problem::NeverEnds) {
        found.push(
            Draft::new(view.statement.span, "this transaction is never committed")
                .why("When the connection closes everything since BEGIN is rolled back; until then its locks are held.")
                .help("Add COMMIT; at the end of the file."),
        );
    }
}

fn nested(view: &View<'_>, found: &mut Vec<Draft>) {
    let commits = Engines::MySql.include(view.part.engine);
    let draft = match view.place().problem {
        Some(Problem::Nested) if commits => Draft::new(view.statement.span, "BEGIN inside a transaction commits it")
            .why("MySQL commits what is open before it begins anew; a later ROLLBACK takes back only the second part.")
            .help("Leave it out, or use SAVEPOINT."),
        Some(Problem::NestedInFramework) if commits => {
            Draft::new(view.statement.span, format!("{} has opened a transaction for this file already", view.part.layout))
                .why("BEGIN commits it and opens another; what the framework does at the end no longer belongs to the migration.")
                .help("Leave BEGIN and COMMIT out, or switch the framework's transaction off for this file.")
        }
        Some(Problem::Nested | Problem::NestedInFramework) if view.part.engine == Engine::Sqlite => {
            Draft::new(view.statement.span, "BEGIN inside a transaction is refused")
                .why("SQLite stops here with an error: it cannot start a transaction within a transaction.")
                .help("Leave BEGIN and COMMIT out, use SAVEPOINT, or switch the framework's transaction off for this file.")
        }
        Some(Problem::Nested) => Draft::new(view.statement.span, "BEGIN inside a transaction does nothing")
            .why("The server warns and goes on; the first COMMIT ends the whole transaction, not this inner one.")
            .help("Leave it out, or use SAVEPOINT."),
        Some(Problem::NestedInFramework) => {
            Draft::new(view.statement.span, format!("{} has opened a transaction for this file already", view.part.layout))
                .why("BEGIN does nothing; the file's COMMIT ends the framework's transaction before it has recorded the migration.")
                .help("Leave BEGIN and COMMIT out, or switch the framework's transaction off for this file.")
        }
        Some(Problem::EndsFramework) => {
            Draft::new(view.statement.span, format!("this ends the transaction that {} has opened", view.part.layout))
                .why("What follows commits statement by statement, and a failure leaves half a migration behind.")
                .help("Leave it out, or switch the framework's transaction off for this file.")
        }
        _ => return,
    };
    found.push(draft);
}

fn outside(view: &View<'_>, found: &mut Vec<Draft>) {
    let draft = match (view.place().problem, view.kind()) {
        (Some(Problem::NothingToEnd), _) if view.part.engine == Engine::Sqlite => {
            Draft::new(view.statement.span, "no transaction is open here")
                .why("SQLite stops here with an error.")
                .help("Add the BEGIN that is missing, or leave this out.")
        }
        // A savepoint of SQLite opens the transaction that it needs.
        _ if view.part.engine == Engine::Sqlite => return,
        (Some(Problem::NothingToEnd), _) => Draft::new(view.statement.span, "no transaction is open here")
            .why("The statement does nothing but warn; what was meant to be one transaction was not.")
            .help("Add the BEGIN that is missing, or leave this out."),
        (Some(Problem::NeedsTransaction), kind) => {
            let what = match kind {
                Kind::LockTable(_) => "LOCK TABLE",
                Kind::Transaction(Transaction::RollbackTo(_)) => "ROLLBACK TO SAVEPOINT",
                Kind::Transaction(Transaction::Release(_)) => "RELEASE SAVEPOINT",
                _ => "SAVEPOINT",
            };
            let is_known = view.part.layout != "plain";
            Draft::new(view.statement.span, format!("{what} needs a transaction and none is open"))
                .why(if is_known {
                    "The server stops here with an error."
                } else {
                    "The server stops here with an error, unless what runs the file opens a transaction around it (--transaction file says so)."
                })
                .help("Put BEGIN; and COMMIT; around it and what belongs to it.")
        }
        (Some(Problem::NoSuchSavepoint), _) => {
            Draft::new(view.statement.span, "this transaction has no savepoint of that name")
                .why("The server stops here with an error, and the transaction is lost.")
                .help("Name a savepoint that was made before in the same transaction.")
        }
        (_, Kind::Set(set)) if set.is_local && !view.in_transaction() && view.statement.within.is_none() => {
            Draft::new(view.statement.span, format!("SET LOCAL {} does nothing outside a transaction", set.name))
                .why("The setting is gone with the statement's own transaction; what follows runs without it.")
                .help(format!("SET {} = …; holds for the session.", set.name))
        }
        _ => return,
    };
    found.push(draft);
}
