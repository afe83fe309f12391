//! What SQLite refuses inside a transaction.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-cannot-run-in-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "VACUUM, a change to WAL mode and PRAGMA synchronous are refused inside the transaction that the file or the framework opens.",
        docs: "Run the file without a transaction, or set the pragma where the connection is opened: `synchronous` is gone with the connection anyway, and \
               `journal_mode = WAL` stays in the database once it is set.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "VACUUM;").sqlite().in_transaction(),
            Example::new("CREATE TABLE t (a int);", "BEGIN;\nPRAGMA journal_mode = WAL;\nCOMMIT;").sqlite(),
            Example::new("CREATE TABLE t (a int);", "PRAGMA synchronous = OFF;").sqlite().in_transaction(),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "PRAGMA journal_mode = WAL;\nVACUUM;").sqlite()],
    },
    Engines::Sqlite,
    check,
)
.in_downs()
.even_rolled_back();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if !view.in_transaction() {
        return;
    }
    let what = match view.kind() {
        Kind::Vacuum { .. } => "VACUUM",
        Kind::Set(set) if &*set.name == "pragma journal_mode" && &*set.value == "wal" => "a change to WAL mode",
        Kind::Set(set) if &*set.name == "pragma synchronous" => "PRAGMA synchronous",
        _ => return,
    };
    found.push(
        Draft::new(view.statement.span, format!("SQLite refuses {what} inside a transaction"))
            .why("The statement fails, and what follows does not run.")
            .help("Put it into a file that runs without a transaction, or where the connection is opened."),
    );
}
