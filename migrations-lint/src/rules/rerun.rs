//! Statements that fail, or change more, when the same file is run a second time.

pub(super) mod add_column;
pub(super) mod add_constraint;
pub(super) mod alter;
pub(super) mod create;
pub(super) mod drop;
pub(super) mod enum_value;
pub(super) mod insert;
pub(super) mod rename;
pub(super) mod unnamed;
pub(super) mod update;

use crate::engine::Engine;
use crate::rerun::{Reason, Space};

/// How the message names what is there already, or gone.
fn thing(space: Space, name: &str) -> String {
    let kind = match space {
        Space::Relation => "relation",
        Space::Type => "type",
        Space::Schema => "schema",
        Space::Database => "database",
        Space::Function => "function",
        Space::Extension => "extension",
        Space::Role => "role",
        Space::Trigger => "trigger",
        Space::Policy => "policy",
        Space::Rule => "rule",
        Space::Column => "column",
        Space::Constraint | Space::UniqueConstraint | Space::PrimaryKey => "constraint",
        Space::EnumValue => "enum value",
        Space::Attribute => "attribute",
        Space::Partition => "partition",
        Space::Inheritance => "parent",
        Space::Identity => "identity of column",
        Space::Member | Space::Other(_) => "object",
    };
    if name.is_empty() || matches!(space, Space::Member) { format!("the {kind}") } else { format!("{kind} {name}") }
}

/// How a migration looks for itself before it does something, where no clause does.
fn look_first(engine: Engine) -> &'static str {
    match engine {
        Engine::PostgreSql => "Look first, in a DO block: IF NOT EXISTS (SELECT … FROM pg_catalog …) THEN …; END IF;",
        Engine::MySql => {
            "Look into information_schema first (a procedure, or PREPARE of a statement chosen by IF), or keep the file to this one statement."
        }
        Engine::MariaDb => {
            "Write IF [NOT] EXISTS, which MariaDB has for most clauses, or keep the file to this one statement."
        }
        Engine::Sqlite => "SQLite has no guard for this: keep the file to this one statement.",
    }
}

/// What the second run says.
fn consequence(reason: &Reason) -> String {
    match reason {
        Reason::Exists { space, name } => {
            format!("The second run stops here with an error: {} already exists.", thing(*space, name))
        }
        Reason::Missing { space, name } => {
            format!("The second run stops here with an error: {} is gone after the first.", thing(*space, name))
        }
        Reason::MakesAnother { table, .. } => {
            format!("Every run makes one more on {table}, under another generated name.")
        }
        Reason::InsertsAgain { table } => {
            format!("The second run inserts the rows into {table} again, or stops at a unique key that they violate.")
        }
        Reason::ConvertedAlready { column } => {
            format!(
                "The second run stops here: {column} has its new type already, which the function in USING does not take."
            )
        }
        Reason::ChangesAgain { table, column } => format!("Every run changes {column} of {table} again."),
    }
}
