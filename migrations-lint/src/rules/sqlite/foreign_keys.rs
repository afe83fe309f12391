//! PRAGMA `foreign_keys` inside a transaction, where it does nothing.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-foreign-keys-in-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "PRAGMA foreign_keys does nothing inside a transaction, so dropping the old table still deletes the rows that refer to it.",
        docs: "The way to change a table in SQLite drops the old one and renames the new. With foreign keys on, the drop is an implicit `DELETE FROM`, which \
               `ON DELETE CASCADE` carries on to the children. `PRAGMA foreign_keys = OFF` prevents that, but only before BEGIN: a framework that opens the \
               transaction leaves no such place. Switch the framework's transaction off for the file, or set the pragma on the connection.",
        bad: &[Example::new(
            "CREATE TABLE t (id integer PRIMARY KEY);",
            "BEGIN;\nPRAGMA foreign_keys = OFF;\nDROP TABLE IF EXISTS unused;\nCOMMIT;",
        )
        .sqlite()],
        good: &[Example::new("CREATE TABLE t (id integer PRIMARY KEY);", "PRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE TABLE IF NOT EXISTS u (a int);\nCOMMIT;").sqlite()],
    },
    Engines::Sqlite,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Set(set) = view.kind() else { return };
    if &*set.name == "pragma foreign_keys" && view.in_transaction() {
        found.push(
            Draft::new(view.statement.span, "PRAGMA foreign_keys does nothing inside a transaction")
                .why("Foreign keys stay as they are: a DROP TABLE further down deletes the rows that refer to the table, by ON DELETE CASCADE, or fails.")
                .help("Put it before BEGIN, and switch the framework's transaction off for this file."),
        );
    }
}
