//! MODIFY and CHANGE, which say a column anew: what they leave out is gone, and what does not fit stops them.

use super::column::narrows;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ColumnFacts;
use crate::statement::{Action, ActionKind, Column, Ident, Kind};

pub(crate) static LOSES: Rule = Rule::new(
    RuleInfo {
        id: "mysql-modify-loses-attributes",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "MODIFY or CHANGE leaves out an attribute that the column has, and so takes it away.",
        docs: "Both replace the whole definition. `NOT NULL`, `DEFAULT`, `AUTO_INCREMENT`, `ON UPDATE` and `COMMENT` must be said again; a column without \
               its default or its numbering makes inserts fail that worked before. `ALTER COLUMN … SET DEFAULT` and `RENAME COLUMN` leave the rest as \
               it is.\n\nWhat the column had is known when a migration of the set has made it.",
        bad: &[
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int NOT NULL DEFAULT 0);\nALTER TABLE t MODIFY COLUMN a int NOT NULL;",
            )
            .mysql(),
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY);\nALTER TABLE t MODIFY COLUMN id int NOT NULL;",
            )
            .mysql(),
        ],
        good: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int NOT NULL DEFAULT 0);\nALTER TABLE t MODIFY COLUMN a int NOT NULL DEFAULT 0;",
        )
        .mysql()],
    },
    Engines::MySql,
    loses,
);

pub(crate) static NARROWS: Rule = Rule::new(
    RuleInfo {
        id: "mysql-narrow-column",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "A column gets a definition that not every stored value fits.",
        docs: "A smaller integer, a shorter string, an ENUM with fewer values, NOT NULL over rows that are NULL: in strict mode the statement fails at \
               the first such row, in production only. Without strict mode the server cuts, rounds or empties the values and goes on. Ask for such \
               rows first and correct them.",
        bad: &[
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (a varchar(20));\nINSERT INTO t SELECT 'a long text' WHERE NOT EXISTS (SELECT 1 FROM t);\nALTER TABLE t MODIFY COLUMN a varchar(5);",
            )
            .mysql(),
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (a int);\nINSERT INTO t SELECT 100000 WHERE NOT EXISTS (SELECT 1 FROM t);\nALTER TABLE t MODIFY COLUMN a smallint;",
            )
            .mysql(),
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (a enum('x', 'y'));\nINSERT INTO t SELECT 'y' WHERE NOT EXISTS (SELECT 1 FROM t);\nALTER TABLE t MODIFY COLUMN a enum('x');",
            )
            .mysql(),
            Example::new(
                "",
                "CREATE TABLE IF NOT EXISTS t (a int);\nINSERT INTO t SELECT NULL WHERE NOT EXISTS (SELECT 1 FROM t);\nALTER TABLE t MODIFY COLUMN a int NOT NULL;",
            )
            .mysql(),
        ],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a varchar(20));\nALTER TABLE t MODIFY COLUMN a varchar(40);").mysql()],
    },
    Engines::MySql,
    narrow,
);

/// The columns that an ALTER TABLE defines anew, with what is known of them.
fn redefined<'a>(view: &View<'a>) -> Vec<(&'a Action, &'a Ident, &'a Column, &'a ColumnFacts)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    let columns = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::ModifyColumn { from, column, .. } => {
            Some((action, from, &**column, view.catalog.column(&alter.name, &from.name)?))
        }
        _ => None,
    });
    columns.collect()
}

fn loses(view: &View<'_>, found: &mut Vec<Draft>) {
    for (action, from, new, old) in redefined(view) {
        if old.ty.is_none() {
            continue;
        }
        let mut lost = Vec::new();
        // NULL is said on purpose.
        let says_null = new.default.as_ref().is_some_and(|default| default.is_null) || says_null(view, action);
        if old.not_null && !new.not_null && !says_null {
            lost.push("NOT NULL");
        }
        if old.has_default && new.default.is_none() && !new.auto_increment && !says_null {
            lost.push("DEFAULT");
        }
        if old.auto_increment && !new.auto_increment {
            lost.push("AUTO_INCREMENT");
        }
        if old.on_update && !new.on_update {
            lost.push("ON UPDATE");
        }
        if old.has_comment && !new.has_comment {
            lost.push("COMMENT");
        }
        if !lost.is_empty() {
            found.push(
                Draft::new(action.span, format!("column {} loses its {}", from.name, lost.join(", ")))
                    .why("MODIFY and CHANGE replace the whole definition: what they do not say again is gone.")
                    .help(format!(
                        "Say {} again, or change only what is meant: ALTER COLUMN … SET DEFAULT, RENAME COLUMN.",
                        lost.join(", ")
                    )),
            );
        }
    }
}

fn says_null(view: &View<'_>, action: &Action) -> bool {
    let text = view.text(action.span).to_ascii_lowercase();
    text.match_indices("null").any(|(at, _)| !text[..at].trim_end().ends_with("not"))
}

fn narrow(view: &View<'_>, found: &mut Vec<Draft>) {
    for (action, from, new, old) in redefined(view) {
        // Rows are looked after when the file itself has filled what is NULL.
        let is_filled = view.preceding().any(|statement| match &statement.kind {
            Kind::Update(update) => update.assignments.iter().any(|assignment| assignment.column == from.name),
            _ => false,
        });
        if is_filled {
            continue;
        }
        if let Some(problem) = narrows(old, new) {
            found.push(
                Draft::new(action.span, format!("this fails if in {} {problem}", from.name))
                    .why("In strict mode the migration stops at the first such row, in production only; without it the value is changed to fit.")
                    .help("Ask for such rows first and correct them in an UPDATE before this."),
            );
        }
    }
}
