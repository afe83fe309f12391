//! INSERT OR REPLACE, which deletes the row that is there.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::rules::mysql::replace::replaced_in_part;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-replace-deletes-row",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "INSERT OR REPLACE deletes the row with the same key: columns that it does not name are lost, and rows that refer to it go with ON DELETE CASCADE.",
        docs: "`INSERT … ON CONFLICT … DO UPDATE` changes the row that is there and leaves the rest of it alone. Silent where the file has made the table, and \
               where every column of a known table is named.",
        bad: &[Example::new(
            "CREATE TABLE t (id integer PRIMARY KEY, a int, note text); INSERT INTO t VALUES (1, 1, 'kept?');",
            "INSERT OR REPLACE INTO t (id, a) VALUES (1, 2);",
        )
        .sqlite()],
        good: &[Example::new(
            "CREATE TABLE t (id integer PRIMARY KEY, a int, note text); INSERT INTO t VALUES (1, 1, 'kept');",
            "INSERT INTO t (id, a) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = 2;",
        )
        .sqlite()],
    },
    Engines::Sqlite,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Some(table) = replaced_in_part(view) {
        found.push(
            Draft::new(view.statement.span, format!("REPLACE deletes the row of {} that has the same key", view.written(table)))
                .why("Columns that are not named get their defaults, and with foreign keys on rows that refer to it go with ON DELETE CASCADE.")
                .help("INSERT … ON CONFLICT (key) DO UPDATE SET column = excluded.column;"),
        );
    }
}
