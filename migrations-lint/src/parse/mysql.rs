//! The actions of ALTER TABLE that only MySQL and MariaDB have.

use super::alter::plain_columns;
use super::cursor::Cursor;
use super::table::column;
use super::token::TokenKind;
use crate::statement::ActionKind;

/// An action that no other reader knew.
pub(super) fn action(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat("modify") {
        cursor.eat("column");
        cursor.if_exists();
        let column = column(cursor)?;
        return Some(ActionKind::ModifyColumn { from: column.name.clone(), column: Box::new(column) });
    }
    if cursor.eat("change") {
        cursor.eat("column");
        cursor.if_exists();
        let from = cursor.ident()?;
        return Some(ActionKind::ModifyColumn { from, column: Box::new(column(cursor)?) });
    }
    if cursor.eat("algorithm") {
        cursor.eat_kind(TokenKind::Equals);
        return Some(ActionKind::Algorithm { name: cursor.ident()?.name });
    }
    if cursor.eat("lock") {
        cursor.eat_kind(TokenKind::Equals);
        return Some(ActionKind::Lock { name: cursor.ident()?.name });
    }
    if cursor.is_all(&["truncate", "partition"]) {
        return Some(ActionKind::DropPartition);
    }
    let copies = cursor.is_any(&["engine", "row_format", "key_block_size"])
        || cursor.is_all(&["convert", "to"])
        || cursor.is_all(&["order", "by"])
        || cursor.is("force")
        || cursor.is_all(&["partition", "by"])
        || cursor.is_all(&["remove", "partitioning"]);
    Some(if copies { ActionKind::CopyTable } else { ActionKind::Other })
}

/// ADD [UNIQUE | FULLTEXT | SPATIAL] {INDEX | KEY} [name] (columns).
pub(super) fn add_index(cursor: &mut Cursor<'_>) -> ActionKind {
    let is_unique = cursor.eat("unique");
    cursor.eat_any(&["fulltext", "spatial"]);
    cursor.eat_any(&["index", "key"]);
    let if_not_exists = cursor.if_not_exists();
    let name = if cursor.peek_kind() == Some(TokenKind::LeftParen) { None } else { cursor.ident() };
    if cursor.eat("using") {
        cursor.advance();
    }
    ActionKind::AddIndex { name, columns: plain_columns(cursor), is_unique, if_not_exists }
}

/// What MySQL puts between CREATE and the kind: DEFINER, ALGORITHM, SQL SECURITY.
pub(super) fn view_prefix(cursor: &mut Cursor<'_>) {
    loop {
        if cursor.is_any(&["definer", "algorithm"])
            && cursor.peek_at(1).is_some_and(|next| next.kind == TokenKind::Equals)
        {
            cursor.advance();
            cursor.advance();
            cursor.advance();
            while cursor.peek().is_some_and(|token| cursor.raw(token).starts_with('@')) {
                cursor.advance();
                cursor.advance();
            }
        } else if cursor.eat_all(&["sql", "security"]) {
            cursor.advance();
        } else {
            return;
        }
    }
}
