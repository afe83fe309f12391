//! Accounts: `'name'@'host'`, made, changed and dropped.

use crate::parse::cursor::Cursor;
use crate::parse::token::{Token, TokenKind};
use crate::source_text::Span;
use crate::statement::{Drop, Kind, Name, ObjectKind, Role};

/// `'a'@'b'`, `a@b`, `a`: one name for both parts, as written apart from quotes and case of the host.
pub(super) fn account(cursor: &mut Cursor<'_>) -> Option<Name> {
    let start = *cursor;
    let mut name = cursor.string().or_else(|| cursor.ident().map(|ident| ident.name))?.to_string();
    if cursor.peek().is_some_and(|token| cursor.raw(token) == "@") {
        cursor.advance();
        let host_start = *cursor;
        // A host without quotes may be an address: words, numbers, dots.
        if cursor.string().is_none() {
            let mut end = host_start.peek().map_or(0, Token::start);
            while cursor.peek().is_some_and(|token| {
                token.start() == end && token.kind != TokenKind::LeftParen && token.kind != TokenKind::Comma
            }) {
                end = cursor.advance().map_or(end, Token::end);
            }
        }
        name.push('@');
        for token in cursor.since(&host_start) {
            name.push_str(&cursor.raw(*token).trim_matches(['\'', '"', '`']).to_lowercase());
        }
    } else {
        name.push_str("@%");
    }
    Some(Name { schema: None, name: name.into(), span: cursor.span_since(&start) })
}

/// After CREATE or ALTER, and USER or ROLE.
pub(super) fn role(cursor: &mut Cursor<'_>, is_create: bool) -> Option<Kind> {
    let is_guarded = cursor.if_not_exists() || cursor.if_exists();
    let name = account(cursor)?;
    let password = password(cursor);
    Some(Kind::Role(Box::new(Role { name, is_create, is_guarded, password, ..Role::default() })))
}

/// IDENTIFIED BY 'secret' and its relatives, anywhere ahead.
pub(super) fn password(cursor: &Cursor<'_>) -> Option<Span> {
    let mut ahead = *cursor;
    while !ahead.is_done() {
        let start = ahead;
        if ahead.eat("identified") {
            if ahead.eat("with") || ahead.eat("via") {
                ahead.advance();
                ahead.eat("using");
            }
            ahead.eat_any(&["by", "as"]);
            ahead.eat("password");
            let mut inner = ahead.skip_parens().unwrap_or(ahead);
            if inner.string().is_some_and(|secret| !secret.is_empty()) {
                ahead.skip_one();
                return Some(ahead.span_since(&start));
            }
        } else {
            ahead.advance();
        }
    }
    None
}

/// After DROP USER or DROP ROLE.
pub(super) fn drop(cursor: &mut Cursor<'_>) -> Kind {
    let after_kind = cursor.end_of_previous();
    let if_exists = cursor.if_exists();
    let mut names = Vec::new();
    while let Some(name) = account(cursor) {
        names.push(name);
        if !super::next_item(cursor) {
            break;
        }
    }
    let signatures = names.iter().map(|_| Box::default()).collect();
    let kind = ObjectKind::Role;
    Kind::Drop(Box::new(Drop {
        kind,
        names,
        signatures,
        on: None,
        if_exists,
        cascade: false,
        is_concurrent: false,
        after_kind,
    }))
}
