//! DROP COLUMN, which SQLite refuses while something else names the column.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::{ConstraintFact, Table};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-drop-column-refused",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "SQLite does not drop a column that is a key, is UNIQUE, or that an index or a foreign key of the table names.",
        docs: "Other databases drop what hangs on the column. SQLite stops: drop the index first; for a key or a foreign key that is written behind the columns \
               build the table anew. CHECKs, views and generated columns that name it are refused as well, which this rule cannot see.",
        bad: &[
            Example::new(
                "",
                "CREATE TABLE t (id integer PRIMARY KEY, a int);\nCREATE INDEX t_a ON t (a);\nALTER TABLE t DROP COLUMN a;",
            )
            .sqlite(),
            Example::new("", "CREATE TABLE t (id integer PRIMARY KEY, a int UNIQUE);\nALTER TABLE t DROP COLUMN a;").sqlite(),
            Example::new(
                "CREATE TABLE p (id integer PRIMARY KEY);",
                "CREATE TABLE t (a int, b int, FOREIGN KEY (a) REFERENCES p (id));\nALTER TABLE t DROP COLUMN a;",
            )
            .sqlite(),
        ],
        good: &[Example::new(
            "",
            "CREATE TABLE work (id integer PRIMARY KEY, a int);\nCREATE INDEX work_a ON work (a);\nDROP INDEX work_a;\nALTER TABLE work DROP COLUMN a;\nDROP TABLE work;",
        )
        .sqlite()],
    },
    Engines::Sqlite,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    let Some(table) = view.catalog.table(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::DropColumn { column, .. } = &action.kind else { continue };
        if let Some(obstacle) = obstacle(table, &column.name) {
            found.push(
                Draft::new(action.span, format!("SQLite does not drop column {}: {obstacle}", column.name))
                    .why("The statement fails, and what follows does not run.")
                    .help("Drop the index first; where it is a key or a foreign key, build the table anew."),
            );
        }
    }
}

/// What names the column, in words.
fn obstacle(table: &Table, column: &str) -> Option<String> {
    let names = |columns: &[Box<str>]| columns.iter().any(|named| **named == *column);
    for constraint in &table.constraints {
        match &constraint.kind {
            ConstraintFact::PrimaryKey(columns) if names(columns) => return Some("it is of the primary key".into()),
            ConstraintFact::Unique(columns) if names(columns) => return Some("it is UNIQUE".into()),
            ConstraintFact::ForeignKey { columns, .. } if names(columns) && !constraint.is_of_column => {
                return Some("a foreign key of the table names it".into());
            }
            _ => {}
        }
    }
    let index = table.indexes.iter().find(|index| names(&index.columns))?;
    Some(format!("index {} is on it", index.name))
}
