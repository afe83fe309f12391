//! Type names as people write them, turned into the server's own.

use super::cursor::Cursor;
use super::token::TokenKind;
use crate::statement::Type;

/// Reads a type with its modifiers, time zone clause and array brackets.
pub(super) fn read_type(cursor: &mut Cursor<'_>) -> Option<Type> {
    let start = *cursor;
    cursor.eat("setof");
    let first = cursor.name()?;
    let mut words = first.name.to_string();
    if first.schema.is_none() {
        for follower in followers(&words) {
            if cursor.eat(follower) {
                words.push(' ');
                words.push_str(follower);
                break;
            }
        }
        if words == "national character" || words == "national char" {
            cursor.eat("varying");
        }
    }
    let (mut modifiers, mut values) = (Vec::new(), Vec::new());
    if let Some(inner) = cursor.skip_parens() {
        if matches!(&*words, "enum" | "set") {
            values.extend(inner.items().filter_map(|mut item| item.string()));
        }
        modifiers.extend(inner.rest().iter().filter_map(|token| inner.raw(*token).parse::<i64>().ok()));
    }
    if words == "interval" {
        while cursor.eat_any(&["year", "month", "day", "hour", "minute", "second", "to"]) {}
        cursor.skip_parens();
    }
    let zoned = cursor.eat_all(&["with", "time", "zone"]);
    if !zoned {
        cursor.eat_all(&["without", "time", "zone"]);
    }
    let is_unsigned = cursor.eat("unsigned");
    cursor.eat("signed");
    let is_array = read_array(cursor);
    Some(Type {
        name: canonical(&words, zoned),
        modifiers,
        is_unsigned,
        values,
        is_array,
        span: cursor.span_since(&start),
    })
}

fn followers(first: &str) -> &'static [&'static str] {
    match first {
        "double" => &["precision"],
        "character" | "char" | "bit" => &["varying"],
        "national" => &["character", "char"],
        "long" => &["text", "blob", "varchar"],
        _ => &[],
    }
}

fn read_array(cursor: &mut Cursor<'_>) -> bool {
    let mut is_array = cursor.eat("array");
    while cursor.eat_kind(TokenKind::LeftBracket) {
        is_array = true;
        cursor.eat_kind(TokenKind::Number);
        cursor.eat_kind(TokenKind::RightBracket);
    }
    is_array
}

fn canonical(words: &str, zoned: bool) -> Box<str> {
    match words {
        "int" | "integer" | "int4" => "int4",
        "bigint" | "int8" => "int8",
        "smallint" | "int2" => "int2",
        "serial" | "serial4" => "serial",
        "bigserial" | "serial8" => "bigserial",
        "smallserial" | "serial2" => "smallserial",
        "character varying" | "char varying" | "varchar" => "varchar",
        "character" | "char" | "bpchar" | "national character" | "national char" => "bpchar",
        "numeric" | "decimal" | "dec" => "numeric",
        "real" | "float4" => "float4",
        "double precision" | "float8" | "float" | "double" => "float8",
        "boolean" | "bool" => "bool",
        "timestamp" if zoned => "timestamptz",
        "time" if zoned => "timetz",
        "bit varying" | "varbit" => "varbit",
        other => other,
    }
    .into()
}
