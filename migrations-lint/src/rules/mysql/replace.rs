//! REPLACE, which deletes the row that is there.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Conflict, Kind, Name};

pub(crate) static ROW: Rule = Rule::new(
    RuleInfo {
        id: "mysql-replace-deletes-row",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "REPLACE deletes the row with the same key: columns that it does not name are lost, and rows that refer to it go with ON DELETE CASCADE.",
        docs: "`INSERT … ON DUPLICATE KEY UPDATE` changes the row that is there and leaves the rest of it alone. Silent where the file has made the table, and \
               where every column of a known table is named.",
        bad: &[Example::new(
            "CREATE TABLE t (id int PRIMARY KEY, a int, note text); INSERT INTO t VALUES (1, 1, 'kept?');",
            "REPLACE INTO t (id, a) VALUES (1, 2);",
        )
        .mysql()],
        good: &[Example::new(
            "CREATE TABLE t (id int PRIMARY KEY, a int, note text); INSERT INTO t VALUES (1, 1, 'kept');",
            "INSERT INTO t (id, a) VALUES (1, 2) ON DUPLICATE KEY UPDATE a = 2;",
        )
        .mysql()],
    },
    Engines::MySql,
    row,
);

pub(crate) static TABLE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-replace-table",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "CREATE OR REPLACE TABLE drops the table that is there, with all its rows.",
        docs: "MariaDB's form is `DROP TABLE IF EXISTS` and `CREATE TABLE` in one. Write `CREATE TABLE IF NOT EXISTS`, and ALTER TABLE for what changes.",
        bad: &[Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "CREATE OR REPLACE TABLE t (a int);")
            .mariadb()],
        good: &[Example::new("", "CREATE OR REPLACE TEMPORARY TABLE work (a int);").mariadb()],
    },
    Engines::MySql,
    table,
);

fn row(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Some(table) = replaced_in_part(view) {
        found.push(
            Draft::new(view.statement.span, format!("REPLACE deletes the row of {} that has the same key", view.written(table)))
                .why("Columns that are not named get their defaults, rows that refer to it go with ON DELETE CASCADE, and triggers of DELETE fire.")
                .help("INSERT … ON DUPLICATE KEY UPDATE column = …;"),
        );
    }
}

/// The table in use whose rows a REPLACE deletes without giving all of their columns again.
pub(in crate::rules) fn replaced_in_part<'a>(view: &View<'a>) -> Option<&'a Name> {
    let Kind::Insert(insert) = view.kind() else { return None };
    if !matches!(insert.conflict, Conflict::Replaced) || view.catalog.is_new(&insert.table) {
        return None;
    }
    let names_all = view.catalog.table(&insert.table).is_some_and(|table| {
        table.is_complete
            && (insert.columns.is_empty() || table.columns.keys().all(|column| insert.columns.contains(column)))
    });
    (!names_all).then_some(&insert.table)
}

fn table(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateTable(create) = view.kind() else { return };
    if create.or_replace && !create.is_temporary && !view.catalog.is_new(&create.name) {
        found.push(
            Draft::new(create.name.span, format!("table {} is dropped if it is there", view.written(&create.name)))
                .why("Its rows are lost; DDL commits at once and cannot be rolled back.")
                .help("Write CREATE TABLE IF NOT EXISTS, and ALTER TABLE for what changes."),
        );
    }
}
