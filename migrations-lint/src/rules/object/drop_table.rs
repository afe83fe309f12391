//! DROP TABLE, DROP SCHEMA and DROP DATABASE: data is gone.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, Name, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-table",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "A table, schema or database is dropped with all its rows.",
        docs: "Code that is still running fails at once, and only a restore brings the rows back. Stop using the table first, wait, \
               rename it, wait again, and drop it when nothing has asked for it; take a backup that was proven by restoring right before.\n\n\
               A table that the same file has made may go again, and one whose rows and columns, as far as they are known, the file has copied to a \
               table that it has made.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "DROP TABLE IF EXISTS t;"),
            Example::new("CREATE SCHEMA app; CREATE TABLE app.t (a int);", "DROP SCHEMA IF EXISTS app CASCADE;"),
            Example::new("CREATE TABLE t (a int);", "DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS t'; END $$;"),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "DROP TABLE IF EXISTS t;").mysql(),
            Example::new("CREATE DATABASE app; CREATE TABLE app.t (a int);", "DROP DATABASE IF EXISTS app;").mysql(),
            Example::new(
                "CREATE TABLE t (id integer PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);",
                "DROP TABLE IF EXISTS t;",
            )
            .sqlite(),
        ],
        good: &[
            Example::new("", "CREATE TABLE work (a int);\nDROP TABLE work;"),
            Example::new("CREATE TABLE t (a int);", "BEGIN;\nDROP TABLE t;\nROLLBACK;"),
        ],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Drop(drop) = view.kind() else { return };
    let what = match drop.kind {
        ObjectKind::Table | ObjectKind::ForeignTable => "table",
        ObjectKind::Schema => "schema",
        ObjectKind::Database => "database",
        _ => return,
    };
    if drop.kind == ObjectKind::ForeignTable {
        return;
    }
    for name in
        drop.names.iter().filter(|name| !(is_new(view, drop.kind, name) || what == "table" && is_copied(view, name)))
    {
        let written = view.written(name);
        found.push(
            Draft::new(name.span, format!("{what} {written} is dropped with all its rows"))
                .why("The rows are lost, running code that uses it fails at once, and no down migration brings them back.")
                .help(format!(
                    "Stop using it, rename it first (ALTER {} {written} RENAME TO {written}_unused), and drop it in a later release \
                     after a proven backup.",
                    what.to_uppercase()
                )),
        );
    }
}

/// All of it, columns that are known and rows without a condition, was copied to a table that this file has made: the way to
/// change a table in SQLite.
fn is_copied(view: &View<'_>, name: &Name) -> bool {
    let Some(table) = view.catalog.table(name).filter(|table| table.is_complete) else { return false };
    view.preceding().any(|earlier| {
        let Kind::Insert(insert) = &earlier.kind else { return false };
        if !insert.from_query || insert.table.name == name.name || !view.catalog.is_new(&insert.table) {
            return false;
        }
        let sql = view.text(earlier.span).to_ascii_lowercase();
        let is_word = |character: char| character.is_alphanumeric() || character == '_' || character == '*';
        let words: Vec<&str> =
            sql.split(|character: char| !is_word(character)).filter(|word| !word.is_empty()).collect();
        let Some(from) = words.iter().rposition(|word| *word == "from") else { return false };
        let selected = words.iter().rposition(|word| *word == "select").unwrap_or(from);
        let source = words.get(from + 1..).unwrap_or_default();
        let takes_all_rows = source.len() == 1 && source[0].eq_ignore_ascii_case(&name.name);
        let columns = &words[selected.min(from)..from];
        takes_all_rows
            && (columns.contains(&"*")
                || table.columns.keys().all(|column| columns.iter().any(|word| word.eq_ignore_ascii_case(column))))
    })
}

/// Made by this file itself, so nothing was in it.
fn is_new(view: &View<'_>, kind: ObjectKind, name: &Name) -> bool {
    match kind {
        ObjectKind::Schema => view.catalog.is_new_object(kind, name),
        _ => view.catalog.is_new(name) || name.schema.as_deref() == Some("pg_temp"),
    }
}
