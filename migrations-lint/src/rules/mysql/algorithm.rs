//! What InnoDB has to do for a clause of ALTER TABLE: a note in the dictionary, an index, a new table, or a copy that stops writes.
//!
//! After the tables in MySQL 8's manual, "Online DDL Operations", and MariaDB's `ha_innobase::check_if_supported_inplace_alter`; the
//! MariaDB column is proven by the rules' examples, which ask a server for less than it says here and see it refuse.

use super::column::{ColumnChange, column_change};
use crate::engine::Engine;
use crate::rule::View;
use crate::statement::{ActionKind, AlterTable, Column, ConstraintKind, Expr, Generated, IndexKind};

/// How much a clause costs, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// The dictionary only.
    Instant,
    /// An index is made or goes; reads and writes go on.
    NoCopy,
    /// The table is written anew; reads and writes go on, replicas and the disk feel it.
    Rebuild,
    /// In place, but writes wait.
    BlocksWrites,
    /// Row by row into a new table; writes wait.
    Copy,
}

/// A clause's cost and what it is that costs; `None` where the files do not tell.
pub(super) fn cost(view: &View<'_>, alter: &AlterTable, kind: &ActionKind) -> Option<(Cost, &'static str)> {
    match kind {
        ActionKind::AddColumn { column, .. } => Some(add_column(view, column)),
        ActionKind::DropColumn { .. } => {
            Some((if is_old(view) { Cost::Rebuild } else { Cost::NoCopy }, "a column goes"))
        }
        ActionKind::ModifyColumn { from, column, .. } => modify(view, alter, &from.name, column),
        ActionKind::AddConstraint(constraint) => Some(match &constraint.kind {
            ConstraintKind::ForeignKey { .. } if checks_are_off(view) => {
                (Cost::Instant, "a foreign key is added unchecked")
            }
            ConstraintKind::ForeignKey { .. } => (Cost::Copy, "a foreign key is checked"),
            ConstraintKind::Check(_) => (Cost::Copy, "a CHECK is tested on every row"),
            ConstraintKind::PrimaryKey { .. } => (Cost::Rebuild, "rows are stored in the order of the primary key"),
            _ => (Cost::NoCopy, "an index is built"),
        }),
        ActionKind::AddIndex { kind: IndexKind::FullText, .. } => {
            Some((Cost::BlocksWrites, "a full-text index is built"))
        }
        ActionKind::AddIndex { kind: IndexKind::Spatial, .. } => Some((Cost::BlocksWrites, "a spatial index is built")),
        ActionKind::AddIndex { .. } => Some((Cost::NoCopy, "an index is built")),
        ActionKind::DropPrimaryKey if alter.actions.iter().any(|other| adds_primary_key(&other.kind)) => {
            Some((Cost::Rebuild, "the primary key changes"))
        }
        ActionKind::DropPrimaryKey => Some((Cost::Copy, "the primary key goes and none comes")),
        ActionKind::ConvertCharset { charset } => convert(view, alter, charset),
        ActionKind::TableOption { name, value } => option(view, alter, name, value),
        ActionKind::Rebuild => Some((Cost::Rebuild, "a rebuild is asked for")),
        ActionKind::OrderBy => Some((Cost::Copy, "the rows are sorted")),
        ActionKind::Repartition => Some((Cost::Copy, "rows move between partitions")),
        ActionKind::RenameColumn { .. }
        | ActionKind::RenameIndex { .. }
        | ActionKind::RenameTo { .. }
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. } => Some((Cost::Instant, "a name or a default changes")),
        _ => None,
    }
}

/// MySQL before 8.0 and MariaDB before 10.3 know no instant columns.
fn is_old(view: &View<'_>) -> bool {
    let version = view.part.version;
    match view.part.engine {
        Engine::MariaDb => (version.major, version.minor) < (10, 4),
        _ => version.major < 8,
    }
}

fn checks_are_off(view: &View<'_>) -> bool {
    view.catalog.setting("foreign_key_checks").is_some_and(|value| matches!(value, "0" | "off" | "false"))
}

fn adds_primary_key(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::AddConstraint(constraint) if matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }))
}

fn add_column(view: &View<'_>, column: &Column) -> (Cost, &'static str) {
    if column.generated == Generated::Stored {
        (Cost::Copy, "a stored column is computed for every row")
    } else if column.default.as_ref().is_some_and(is_computed) {
        (Cost::Copy, "a default is computed for every row")
    } else if column.auto_increment {
        (Cost::BlocksWrites, "every row gets a number")
    } else if is_old(view) && column.generated == Generated::No {
        (Cost::Rebuild, "a column is added to every row")
    } else {
        (Cost::Instant, "a column is added")
    }
}

/// `(uuid())`: the current time is one value for all rows.
fn is_computed(default: &Expr) -> bool {
    default.calls.iter().any(|call| {
        !matches!(&**call, "now" | "current_timestamp" | "localtime" | "localtimestamp" | "current_date" | "curdate")
    })
}

fn modify(view: &View<'_>, alter: &AlterTable, from: &str, column: &Column) -> Option<(Cost, &'static str)> {
    let change = column_change(view, &alter.name, from, column);
    Some(match change {
        ColumnChange::Unknown if *from != *column.name.name => return None,
        ColumnChange::Unknown => {
            (Cost::Copy, "the type of a column changes, unless it is the same or a longer VARCHAR")
        }
        ColumnChange::Type => (Cost::Copy, "the type of a column changes"),
        ColumnChange::Shorter => (Cost::Copy, "a column gets shorter"),
        ColumnChange::Longer => (Cost::Copy, "a column needs more bytes for its length"),
        ColumnChange::Values => (Cost::Copy, "the values of an ENUM or SET get other numbers"),
        ColumnChange::Charset => (Cost::Copy, "a column gets another character set"),
        ColumnChange::Collation if view.part.engine == Engine::MariaDb => {
            (Cost::NoCopy, "a column gets another collation")
        }
        ColumnChange::Collation => (Cost::Copy, "a column gets another collation"),
        ColumnChange::Nullability => (Cost::Rebuild, "whether a column may be null is part of every row"),
        ColumnChange::Nothing if column.is_placed && view.part.engine != Engine::MariaDb => {
            (Cost::Rebuild, "a column moves")
        }
        ColumnChange::Nothing => (Cost::Instant, "a column keeps its type"),
    })
}

fn convert(view: &View<'_>, alter: &AlterTable, charset: &str) -> Option<(Cost, &'static str)> {
    let is_same = view.catalog.table(&alter.name).and_then(|table| table.charset.as_deref()) == Some(charset);
    (!is_same).then_some((Cost::Copy, "every text is converted to another character set"))
}

fn option(view: &View<'_>, alter: &AlterTable, name: &str, value: &str) -> Option<(Cost, &'static str)> {
    let table = view.catalog.table(&alter.name);
    match name {
        "engine" => {
            // A table that a migration has made without ENGINE is of the default engine.
            let known =
                table.filter(|table| table.born.is_some()).map(|table| table.engine.as_deref().unwrap_or("innodb"));
            Some(if known == Some("innodb") && value == "innodb" {
                (Cost::Rebuild, "the table is stored anew")
            } else {
                (Cost::Copy, "the table moves to another storage engine")
            })
        }
        "row_format" | "key_block_size" | "encrypted" | "page_compressed" => {
            Some((Cost::Rebuild, "rows get another format"))
        }
        "encryption" => Some((Cost::Copy, "the table is encrypted anew")),
        "auto_increment" | "comment" | "charset" | "collate" => Some((Cost::Instant, "an option changes")),
        _ => None,
    }
}
