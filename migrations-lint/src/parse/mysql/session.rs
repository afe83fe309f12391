//! SET, USE and LOCK TABLES in MySQL and MariaDB.

use crate::parse::cursor::Cursor;
use crate::parse::token::TokenKind;
use crate::source_text::Span;
use crate::statement::{Kind, LockTable, Name, Role, Set};

/// After SET: one statement sets many variables, each in a scope of its own.
pub(super) fn set(cursor: &mut Cursor<'_>, whole: Span) -> Vec<(Span, Kind)> {
    if cursor.eat("password") {
        return vec![(whole, set_password(cursor))];
    }
    let is_statement_scope = cursor.eat("statement");
    if is_statement_scope
        || cursor.is_any(&["names", "transaction", "role", "default", "resource"])
        || cursor.is_all(&["character", "set"])
        || cursor.is_any(&["session", "global"]) && cursor.is_at(1, "transaction")
    {
        return vec![(whole, Kind::Other)];
    }
    let mut found = Vec::new();
    let mut is_global = false;
    for mut item in cursor.items() {
        let span = item.span();
        found.extend(assignment(&mut item, &mut is_global).map(|set| (span, Kind::Set(Box::new(set)))));
    }
    match &mut found[..] {
        [] => vec![(whole, Kind::Other)],
        [(span, _)] => {
            *span = whole;
            found
        }
        _ => found,
    }
}

/// `[GLOBAL | SESSION] name = value`, `@@global.name = value`; a user's own variable is nothing to rules.
fn assignment(cursor: &mut Cursor<'_>, is_global: &mut bool) -> Option<Set> {
    if cursor.eat_any(&["global", "persist", "persist_only"]) {
        *is_global = true;
    } else if cursor.eat_any(&["session", "local"]) {
        *is_global = false;
    }
    let sign = cursor.peek().filter(|token| token.kind == TokenKind::Operator);
    if let Some(sign) = sign {
        if cursor.raw(sign) != "@@" {
            return None;
        }
        cursor.advance();
    }
    let mut name = cursor.name()?;
    if sign.is_some() {
        *is_global = matches!(name.schema.as_deref(), Some("global" | "persist" | "persist_only"));
    }
    if let Some(schema) = name
        .schema
        .take()
        .filter(|schema| !matches!(&**schema, "global" | "session" | "local" | "persist" | "persist_only"))
    {
        name.name = format!("{schema}.{}", name.name).into();
    }
    if !cursor.eat_kind(TokenKind::Equals) {
        cursor.advance();
    }
    let value = cursor.normalised().replace(['\'', '"'], "").into();
    Some(Set { name: name.name, value, is_global: *is_global, ..Set::default() })
}

fn set_password(cursor: &mut Cursor<'_>) -> Kind {
    let name = if cursor.eat("for") { super::account::account(cursor).unwrap_or_default() } else { Name::default() };
    cursor.eat_kind(TokenKind::Equals);
    cursor.eat("password");
    let start = *cursor;
    let is_secret = cursor.skip_parens().unwrap_or(start).string().is_some_and(|secret| !secret.is_empty());
    cursor.advance();
    let password = is_secret.then(|| cursor.span_since(&start));
    Kind::Role(Box::new(Role { name, password, ..Role::default() }))
}

/// After USE: where names without a schema lead from here on.
pub(super) fn use_database(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let value = cursor.ident()?.name;
    Some(Kind::Set(Box::new(Set { name: "search_path".into(), value, ..Set::default() })))
}

/// After LOCK: `TABLES a READ, b AS c WRITE`.
pub(super) fn lock(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if !cursor.eat_any(&["table", "tables"]) {
        return Some(Kind::Other);
    }
    let mut tables = Vec::new();
    for mut item in cursor.items() {
        let table = item.name()?;
        if item.has_ahead(&["write"]) {
            tables.push(table);
        }
    }
    Some(if tables.is_empty() {
        Kind::Other
    } else {
        Kind::LockTable(Box::new(LockTable { tables, mode: "write".into() }))
    })
}
