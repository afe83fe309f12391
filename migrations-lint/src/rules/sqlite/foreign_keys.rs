//! PRAGMA `foreign_keys` inside a transaction, where it does nothing.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

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
            "CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE child (t_id int REFERENCES t (id) ON DELETE CASCADE);\
             INSERT INTO t VALUES (1); INSERT INTO child VALUES (1);",
            "BEGIN;\nPRAGMA foreign_keys = OFF;\nCREATE TABLE new_t (id integer PRIMARY KEY, a int);\nINSERT INTO new_t (id) SELECT id FROM t;\n\
             DROP TABLE t;\nALTER TABLE new_t RENAME TO t;\nCOMMIT;",
        )
        .sqlite()],
        good: &[Example::new(
            "CREATE TABLE t (id integer PRIMARY KEY);",
            "PRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE TABLE IF NOT EXISTS u (a int);\nCOMMIT;",
        )
        .sqlite()],
    },
    Engines::Sqlite,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Set(set) = view.kind() else { return };
    let is_off = matches!(&*set.value, "off" | "0" | "false" | "no");
    if &*set.name != "pragma foreign_keys" || !is_off || !view.in_transaction() {
        return;
    }
    let dropped = view.following().find_map(|later| match &later.kind {
        Kind::Drop(drop) if drop.kind == ObjectKind::Table => {
            drop.names.iter().find(|name| !view.catalog.is_new(name) && view.catalog.may_be_referenced(name))
        }
        _ => None,
    });
    if let Some(table) = dropped {
        found.push(
            Draft::new(view.statement.span, "PRAGMA foreign_keys does nothing inside a transaction")
                .why(format!(
                    "Foreign keys stay as they are: DROP TABLE {} deletes the rows that refer to it by ON DELETE CASCADE, or fails.",
                    view.written(table)
                ))
                .help("Put it before BEGIN, and switch the framework's transaction off for this file; or switch foreign keys off on the connection that migrates."),
        );
    }
}
