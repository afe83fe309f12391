//! What MODIFY and CHANGE do to a column's type, as far as the migrations tell what it was.

use crate::engine::Engine;
use crate::rule::View;
use crate::schema::{ColumnFacts, Table};
use crate::statement::{Column, Name, Type};

/// The heaviest difference between a column as it was and as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnChange {
    /// No migration has made the column.
    Unknown,
    /// Another type.
    Type,
    /// The same type with less room.
    Shorter,
    /// More room, and more bytes to note a value's length.
    Longer,
    /// Values of an ENUM or SET that go, or move.
    Values,
    Charset,
    Collation,
    Nullability,
    /// Defaults, comments, room that costs nothing.
    Nothing,
}

/// Compares the definition with the one that is known.
pub(super) fn column_change(view: &View<'_>, table: &Name, from: &str, new: &Column) -> ColumnChange {
    let facts = view.catalog.table(table);
    let Some((facts, old)) = facts.and_then(|table| Some((table, table.columns.get(from)?))) else {
        return ColumnChange::Unknown;
    };
    let Some(ty) = &old.ty else { return ColumnChange::Unknown };
    let by_type = type_change(view.part.engine, ty, &new.ty, bytes_per_character(old, facts));
    if by_type != ColumnChange::Nothing {
        return by_type;
    }
    let is_text = is_text(&new.ty);
    let differs = |old: Option<&str>, new: Option<&str>| new.is_some_and(|new| old != Some(new));
    let old_charset = old.charset.as_deref().or(facts.charset.as_deref());
    if is_text && old_charset.is_some() && differs(old_charset, new.charset.as_deref()) {
        ColumnChange::Charset
    } else if is_text && differs(old.collation.as_deref(), new.collation.as_deref()) {
        ColumnChange::Collation
    } else if old.not_null != new.not_null {
        ColumnChange::Nullability
    } else {
        ColumnChange::Nothing
    }
}

/// The most bytes that one character takes; where no file names the character set, that of today's default.
fn bytes_per_character(column: &ColumnFacts, table: &Table) -> i64 {
    match column.charset.as_deref().or(table.charset.as_deref()) {
        Some("latin1" | "ascii" | "binary") => 1,
        Some("utf8" | "utf8mb3") => 3,
        _ => 4,
    }
}

fn type_change(engine: Engine, old: &Type, new: &Type, bytes: i64) -> ColumnChange {
    let (old_name, new_name) = (spelling(old), spelling(new));
    if old_name != new_name || old.is_unsigned != new.is_unsigned {
        return ColumnChange::Type;
    }
    match old_name {
        "enum" | "set" => values_change(old, new),
        "varchar" | "varbinary" => {
            let bytes = if old_name == "varbinary" { 1 } else { bytes };
            let room = |ty: &Type| ty.modifiers.first().map_or(0, |length| length * bytes);
            let (before, after) = (room(old), room(new));
            // One byte notes a length of up to 255. MariaDB (10.4.3) also grows out of that where the old length stays below 128.
            let grows_free = after <= 255 || before > 255 || engine == Engine::MariaDb && before <= 127;
            match after.cmp(&before) {
                std::cmp::Ordering::Less => ColumnChange::Shorter,
                std::cmp::Ordering::Greater if !grows_free => ColumnChange::Longer,
                _ => ColumnChange::Nothing,
            }
        }
        // The width of an integer is only for display.
        "tinyint" | "int2" | "mediumint" | "int4" | "int8" | "year" | "date" | "json" => ColumnChange::Nothing,
        _ if old.modifiers == new.modifiers => ColumnChange::Nothing,
        _ => {
            let first = |ty: &Type| ty.modifiers.first().copied().unwrap_or(0);
            let scale = |ty: &Type| ty.modifiers.get(1).copied().unwrap_or(0);
            if first(new) < first(old) || scale(new) < scale(old) { ColumnChange::Shorter } else { ColumnChange::Type }
        }
    }
}

/// Names that mean one type.
fn spelling(ty: &Type) -> &str {
    match &*ty.name {
        "bool" | "int1" => "tinyint",
        "int3" | "middleint" => "mediumint",
        "varcharacter" => "varchar",
        name => name,
    }
}

/// New values at the end change no row, unless they need another byte: an ENUM has one for 255, a SET one for each 8.
fn values_change(old: &Type, new: &Type) -> ColumnChange {
    let width =
        |ty: &Type| if &*ty.name == "enum" { usize::from(ty.values.len() > 255) } else { ty.values.len().div_ceil(8) };
    if new.values.starts_with(&old.values) && width(old) == width(new) {
        ColumnChange::Nothing
    } else {
        ColumnChange::Values
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(&*ty.name, "varchar" | "bpchar" | "text" | "tinytext" | "mediumtext" | "longtext" | "enum" | "set")
}

/// Numbers, by the bytes they take.
fn integer_bytes(ty: &Type) -> Option<u8> {
    Some(match spelling(ty) {
        "tinyint" => 1,
        "int2" => 2,
        "mediumint" => 3,
        "int4" => 4,
        "int8" => 8,
        _ => return None,
    })
}

fn text_room(ty: &Type) -> Option<i64> {
    Some(match &*ty.name {
        "varchar" | "bpchar" | "varbinary" | "binary" => ty.modifiers.first().copied().unwrap_or(1),
        "tinytext" | "tinyblob" => 255,
        "text" | "blob" => 65_535,
        "mediumtext" | "mediumblob" => 16_777_215,
        "longtext" | "longblob" | "json" => i64::MAX,
        _ => return None,
    })
}

/// Why not every stored value fits the new definition, if the types tell.
pub(super) fn narrows(old: &ColumnFacts, new: &Column) -> Option<&'static str> {
    let was = old.ty.as_ref()?;
    let now = &new.ty;
    if let (Some(before), Some(after)) = (integer_bytes(was), integer_bytes(now)) {
        // Without a sign twice as much fits, and nothing below zero.
        if after < before || after == before && was.is_unsigned && !now.is_unsigned {
            return Some("a number is out of range");
        }
        if !was.is_unsigned && now.is_unsigned && !old.auto_increment {
            return Some("a number is below zero");
        }
    }
    if let (Some(before), Some(after)) = (text_room(was), text_room(now))
        && after < before
    {
        return Some("a value is too long");
    }
    if matches!(&*was.name, "enum" | "set")
        && matches!(&*now.name, "enum" | "set")
        && !was.values.iter().all(|value| now.values.contains(value))
    {
        return Some("a row holds a value that is no longer listed");
    }
    if text_room(was).is_some()
        && (integer_bytes(now).is_some()
            || matches!(
                &*now.name,
                "enum" | "set" | "date" | "datetime" | "timestamp" | "json" | "numeric" | "float4" | "float8"
            ))
    {
        return Some("a text is no such value");
    }
    if &*was.name == "numeric" && &*now.name == "numeric" {
        let digits =
            |ty: &Type| (ty.modifiers.first().copied().unwrap_or(10), ty.modifiers.get(1).copied().unwrap_or(0));
        let ((before, before_scale), (after, after_scale)) = (digits(was), digits(now));
        if after - after_scale < before - before_scale {
            return Some("a number is out of range");
        }
    }
    (!old.not_null && new.not_null && old.born.is_some()).then_some("a row holds NULL")
}
