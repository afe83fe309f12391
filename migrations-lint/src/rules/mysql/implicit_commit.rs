//! DDL in a transaction, which MySQL commits on the spot.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-implicit-commit",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "MySQL commits before and after each DDL statement, so the transaction around it protects nothing.",
        docs: "If the second statement fails, the first stays. Keep one DDL statement to a file, so that each can be run again by itself.",
        bad: &[Example::new(
            "CREATE TABLE t (a int);",
            "START TRANSACTION;\nCREATE TABLE IF NOT EXISTS u (a int);\nCREATE TABLE IF NOT EXISTS v (a int);\nCOMMIT;",
        )
        .mysql()],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS u (a int);").mysql()],
    },
    Engines::MySql,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let place = view.place();
    let is_ddl = matches!(
        view.kind(),
        Kind::CreateTable(_)
            | Kind::CreateIndex(_)
            | Kind::Create(_)
            | Kind::CreateFunction(_)
            | Kind::AlterTable(_)
            | Kind::Drop(_)
            | Kind::Truncate(_)
    );
    if !is_ddl || place.is_implicit || place.transaction.is_none() {
        return;
    }
    found.push(
        Draft::new(view.statement.span, "this commits what the transaction has done so far")
            .why("MySQL commits before and after DDL: a failure further down leaves half a migration, and ROLLBACK does not take it back.")
            .help("Leave the transaction out, and keep one DDL statement to a file."),
    );
}
