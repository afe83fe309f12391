//! The statements that only SQLite has, or means differently; what is not read here is read as everywhere.

use super::cursor::Cursor;
use super::token::{Token, TokenKind};
use crate::source_text::Span;
use crate::statement::{Create, CreateTable, Kind, ObjectKind, Set};

/// The tokens without `main.` and `temp.` before a name: `main.t` is `t`, and `temp.t` what CREATE TEMP TABLE t has made.
pub(super) fn without_database(text: &str, tokens: &[Token]) -> Vec<Token> {
    let creates = tokens.first().is_some_and(|first| text[first.span().range()].eq_ignore_ascii_case("create"));
    let is_database = |token: &Token| {
        let name = text[token.span().range()].trim_matches(['"', '`', '[', ']']);
        name.eq_ignore_ascii_case("main") || !creates && name.eq_ignore_ascii_case("temp")
    };
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let [token, after @ ..] = rest {
        let is_dotted = after.len() > 1 && after[0].kind == TokenKind::Dot;
        if is_dotted && matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord) && is_database(token) {
            rest = &after[1..];
        } else {
            kept.push(*token);
            rest = after;
        }
    }
    kept
}

/// The statement's kind with its place; `None` where the common readers know it.
pub(super) fn read(cursor: Cursor<'_>) -> Option<Vec<(Span, Kind)>> {
    let mut rest = cursor;
    let kind = if rest.eat("pragma") {
        pragma(&mut rest)?
    } else if rest.eat_all(&["create", "virtual", "table"]) {
        let if_not_exists = rest.if_not_exists();
        Kind::CreateTable(Box::new(CreateTable {
            name: rest.name()?,
            if_not_exists,
            has_other_columns: true,
            ..CreateTable::default()
        }))
    } else if rest.eat("create") {
        rest.eat_any(&["temp", "temporary"]);
        rest.eat("trigger").then(|| trigger(&mut rest))??
    } else if rest.is("vacuum") {
        // All of it is written anew, as VACUUM FULL does elsewhere.
        Kind::Vacuum { is_full: true }
    } else if rest.is_any(&["analyze", "reindex", "attach", "detach", "explain", "do"]) {
        Kind::Other
    } else {
        return None;
    };
    Some(vec![(cursor.span(), kind)])
}

/// `PRAGMA name = value` and `PRAGMA name(value)`; without a value it only asks.
fn pragma(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let name = cursor.name()?.name;
    let value = match cursor.skip_parens() {
        Some(inner) => inner.normalised(),
        None if cursor.eat_kind(TokenKind::Equals) => cursor.normalised(),
        None => return Some(Kind::Other),
    };
    let value = value.replace('\'', "").into();
    Some(Kind::Set(Box::new(Set { name: format!("pragma {name}").into(), value, ..Set::default() })))
}

fn trigger(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    let mut on = None;
    if cursor.seek("on") {
        cursor.advance();
        on = cursor.name();
    }
    Some(Kind::Create(Box::new(Create {
        kind: ObjectKind::Trigger,
        name,
        or_replace: false,
        if_not_exists,
        is_temporary: false,
        on,
        signature: Box::default(),
        is_named_in_schema: true,
        definer: None,
    })))
}
