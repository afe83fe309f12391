//! DDL in a transaction, which MySQL commits on the spot, and files that stop half-way.

use crate::migration::TransactionMode;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;
use crate::transaction::commits;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-implicit-commit",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "MySQL commits before and after each DDL statement, so the transaction around it protects nothing.",
        docs: "What the transaction has done so far is committed, and what follows commits by itself: ROLLBACK takes back neither. Keep one DDL statement to a \
               file, apart from changes of rows, so that each can be run again by itself.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int);",
                "START TRANSACTION;\nCREATE TABLE IF NOT EXISTS u (a int);\nCREATE TABLE IF NOT EXISTS v (a int);\nROLLBACK;",
            )
            .mysql(),
            Example::new(
                "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "BEGIN;\nUPDATE t SET a = 2 WHERE id = 1;\nCREATE TABLE IF NOT EXISTS u (a int);\nROLLBACK;",
            )
            .mysql(),
        ],
        good: &[
            Example::new("", "CREATE TABLE IF NOT EXISTS u (a int);").mysql(),
            Example::new(
                "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "BEGIN;\nCREATE TEMPORARY TABLE work (a int);\nUPDATE t SET a = 2 WHERE id = 1;\nCOMMIT;",
            )
            .mysql(),
        ],
    },
    Engines::MySql,
    check,
)
.in_downs();

pub(crate) static HALF: Rule = Rule::new(
    RuleInfo {
        id: "mysql-stops-half-way",
        class: Class::Transaction,
        default_severity: RuleSeverity::Warning,
        summary: "The framework's transaction does not hold: if this statement fails, what stands before it stays and cannot be run again.",
        docs: "The framework opens a transaction for the file, and the first DDL statement ends it. When a later statement fails, the file is half done, is not \
               recorded as done, and its first statements fail on the next try. Give each DDL statement a file of its own, or write those before it so \
               that they may be run again.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);",
            "CREATE TABLE u (a int);\nALTER TABLE t ADD UNIQUE KEY t_a (a);",
        )
        .mysql()
        .in_transaction()],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "CREATE TABLE IF NOT EXISTS u (a int);\nALTER TABLE t COMMENT = 'things';",
        )
        .mysql()
        .in_transaction()],
    },
    Engines::MySql,
    half,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let place = view.place();
    if !commits(view.kind()) || place.is_implicit || place.transaction.is_none() {
        return;
    }
    found.push(
        Draft::new(view.statement.span, "this commits what the transaction has done so far")
            .why("MySQL commits before and after DDL: a failure further down leaves half a migration, and ROLLBACK does not take it back.")
            .help("Leave the transaction out, and keep one DDL statement to a file."),
    );
}

/// Once a part: at the second statement that changes something, if the first DDL cannot be run again.
fn half(view: &View<'_>, found: &mut Vec<Draft>) {
    if !matches!(view.part.mode, TransactionMode::PerPart | TransactionMode::WholeSet) {
        return;
    }
    let changes = |kind: &Kind| commits(kind) || matches!(kind, Kind::Insert(_) | Kind::Update(_) | Kind::Delete(_));
    let Some(failed) =
        view.part.failures.iter().find(|failure| commits(&view.part.statements[failure.statement_idx].kind))
    else {
        return;
    };
    let second = view
        .part
        .statements
        .iter()
        .enumerate()
        .skip(failed.statement_idx + 1)
        .find(|(_, statement)| changes(&statement.kind));
    if second.is_some_and(|(idx, _)| idx == view.statement_idx) {
        found.push(
            Draft::new(view.statement.span, format!("if this fails, {}'s transaction takes nothing back of what stands before it", view.part.layout))
                .why("DDL has committed by then: the next try stops at the first statement, and somebody has to clean up by hand.")
                .help("Give each DDL statement a file of its own, or guard those before this one."),
        );
    }
}
