//! ALTER TABLE in SQLite, which knows four forms and few columns.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, Column, Generated, Kind};

pub(crate) static FORM: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-alter-unsupported",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "SQLite's ALTER TABLE only renames, adds a column and drops a column: this form is a syntax error.",
        docs: "For everything else build the table anew: create the new one, copy the rows, drop the old, rename the new (the twelve steps in SQLite's \
               manual, \"Making Other Kinds Of Table Schema Changes\"), with `PRAGMA foreign_keys = OFF` before the transaction and `PRAGMA \
               foreign_key_check` before its end. There is no `IF [NOT] EXISTS` inside ALTER TABLE, and one action to a statement.",
        bad: &[
            Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int);", "ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0);").sqlite(),
            Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int);", "ALTER TABLE t ALTER COLUMN a TYPE text;").sqlite(),
            Example::new("CREATE TABLE t (id integer PRIMARY KEY, a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;").sqlite(),
        ],
        good: &[Example::new("", "CREATE TABLE work (a int);\nALTER TABLE work ADD COLUMN b int;\nDROP TABLE work;").sqlite()],
    },
    Engines::Sqlite,
    form,
)
.in_downs();

pub(crate) static COLUMN: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-add-column-refused",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "SQLite does not add a column that is a key, is stored, or whose default it would have to compute.",
        docs: "`ADD COLUMN` writes no row. So the column may not be PRIMARY KEY or UNIQUE, and as soon as the table has a row not STORED, its default not \
               `CURRENT_TIMESTAMP`, no expression beyond a literal, and with `REFERENCES` only NULL. Add it without, fill it, and make a unique index.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN b int UNIQUE;").sqlite(),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN b text DEFAULT CURRENT_TIMESTAMP;").sqlite(),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN b int AS (a * 2) STORED;").sqlite(),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN b text DEFAULT ('a' || 'b');").sqlite(),
            Example::new(
                "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN p_id int NOT NULL DEFAULT 1 REFERENCES p (id);",
            )
            .sqlite(),
        ],
        good: &[Example::new("", "CREATE TABLE work (a int);\nALTER TABLE work ADD COLUMN b int NOT NULL DEFAULT 0;\nDROP TABLE work;").sqlite()],
    },
    Engines::Sqlite,
    column,
)
.in_downs();

fn form(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    let mut say = |span: Span, what: &str| {
        found.push(
            Draft::new(span, format!("SQLite does not know {what}"))
                .why("The statement is a syntax error, and what follows does not run.")
                .help("Build the table anew: create the new one, copy the rows, drop the old, rename the new."),
        );
    };
    if alter.if_exists {
        say(alter.name.span, "ALTER TABLE IF EXISTS");
    }
    for (idx, action) in alter.actions.iter().enumerate() {
        match &action.kind {
            _ if idx > 0 => say(action.span, "more than one action in an ALTER TABLE"),
            ActionKind::AddColumn { if_not_exists: true, .. } => say(action.span, "ADD COLUMN IF NOT EXISTS"),
            ActionKind::DropColumn { if_exists: true, .. } => say(action.span, "DROP COLUMN IF EXISTS"),
            ActionKind::AddColumn { .. }
            | ActionKind::DropColumn { .. }
            | ActionKind::RenameTo { .. }
            | ActionKind::RenameColumn { .. } => {}
            _ => say(action.span, "this form of ALTER TABLE"),
        }
    }
}

fn column(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::AddColumn { column, .. } = &action.kind else { continue };
        let always = refused_always(column);
        // A table made by this file has no rows yet.
        let with_rows = refused_with_rows(view, column).filter(|_| !view.catalog.is_new(&alter.name));
        if let Some(what) = always.or(with_rows) {
            found.push(
                Draft::new(action.span, format!("SQLite does not add column {}: {what}", column.name.name))
                    .why("The statement fails, and what follows does not run.")
                    .help("Add the column without it, fill it, and make a unique index; or build the table anew."),
            );
        }
    }
}

fn refused_always(column: &Column) -> Option<&'static str> {
    if column.primary_key {
        Some("it is a primary key")
    } else if column.unique {
        Some("it is UNIQUE")
    } else {
        None
    }
}

fn refused_with_rows(view: &View<'_>, column: &Column) -> Option<&'static str> {
    if column.generated == Generated::Stored {
        return Some("it is stored");
    }
    let default = column.default.as_ref().filter(|default| !default.is_null)?;
    if !is_literal(view.text(default.span)) {
        Some("its default has to be computed")
    } else if column.references.is_some() {
        Some("it refers to another table and its default is not NULL, which is refused while foreign keys are on")
    } else {
        None
    }
}

/// A number, text, blob or truth value, perhaps in parentheses: what SQLite knows without computing.
fn is_literal(text: &str) -> bool {
    let text = text.trim_matches(|character: char| "()+-".contains(character) || character.is_ascii_whitespace());
    let is_quoted = |text: &str| {
        ["'", "\""].iter().any(|quote| {
            let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            inner.is_some_and(|inner| !inner.replace(&quote.repeat(2), "").contains(quote))
        })
    };
    let is_number = text.starts_with(|character: char| character.is_ascii_digit() || character == '.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-'));
    let is_word = ["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    is_number || is_word || is_quoted(text) || text.strip_prefix(['x', 'X']).is_some_and(is_quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_told_from_what_has_to_be_computed() {
        for text in ["0", "-1", "(1)", "+1.5e-3", "0xFF", "'it''s'", "''", "x'00'", "TRUE", "(-2)", "\"text\""] {
            assert!(is_literal(text), "{text}");
        }
        for text in ["CURRENT_TIMESTAMP", "(1 + 1)", "('a' || 'b')", "(lower('A'))", "('a')||('b')", ""] {
            assert!(!is_literal(text), "{text}");
        }
    }
}
