//! CREATE TABLE: columns with their clauses, and table constraints (which ALTER TABLE reads as well).

use super::cursor::Cursor;
use super::expression::{expression, expression_until};
use super::token::TokenKind;
use super::types::read_type;
use crate::statement::{Column, ConstraintKind, CreateTable, Generated, Ident, Kind, Reference, TableConstraint};

/// Words that end a column's DEFAULT or type.
const COLUMN_CLAUSES: &[&str] = &[
    "not",
    "null",
    "check",
    "unique",
    "primary",
    "references",
    "constraint",
    "generated",
    "default",
    "collate",
    "deferrable",
    "initially",
    "auto_increment",
    "autoincrement",
    "comment",
    "after",
    "first",
    "on",
    "using",
    "storage",
    "compression",
    "virtual",
    "stored",
    "visible",
    "invisible",
];

/// After CREATE … TABLE.
pub(super) fn create_table(cursor: &mut Cursor<'_>, is_temporary: bool) -> Option<Kind> {
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    let is_temporary = is_temporary || name.schema.as_deref() == Some("pg_temp");
    let mut table = CreateTable { name, if_not_exists, is_temporary, ..CreateTable::default() };
    if cursor.eat_all(&["partition", "of"]) {
        table.partition_of = cursor.name();
        table.has_other_columns = true;
    } else if cursor.eat("of") || cursor.eat("like") {
        cursor.name();
        table.has_other_columns = true;
    }
    if let Some(list) = cursor.skip_parens() {
        for mut item in list.items() {
            read_element(&mut item, &mut table);
        }
    }
    table.has_other_columns |= cursor.has_ahead(&["inherits"]);
    table.from_query = cursor.has_ahead(&["as"]) || cursor.has_ahead(&["select"]);
    Some(Kind::CreateTable(Box::new(table)))
}

fn read_element(item: &mut Cursor<'_>, table: &mut CreateTable) {
    if item.eat("like") {
        table.has_other_columns = true;
    } else if super::mysql::starts_index(item) {
        table.indexes.push(super::mysql::index(item));
    } else if let Some(constraint) = table_constraint(item) {
        table.constraints.push(constraint);
    } else {
        table.columns.extend(column(item));
    }
}

/// A table constraint, if one starts here.
pub(super) fn table_constraint(cursor: &mut Cursor<'_>) -> Option<TableConstraint> {
    let start = *cursor;
    let mut name = None;
    if cursor.is("constraint") && !starts_column_type(cursor) {
        cursor.advance();
        cursor.if_not_exists();
        if !cursor.is_any(&["primary", "unique", "check", "foreign", "exclude"]) {
            name = cursor.ident();
        }
    }
    let Some(kind) = constraint_kind(cursor) else {
        *cursor = start;
        return None;
    };
    let not_valid = cursor.has_ahead(&["not", "valid"]);
    let if_not_exists = Cursor::new(cursor.origin, cursor.since(&start)).has_ahead(&["if", "not", "exists"]);
    while !cursor.is_done() && cursor.peek_kind() != Some(TokenKind::Comma) {
        cursor.skip_one();
    }
    Some(TableConstraint { name, kind, not_valid, if_not_exists, span: cursor.span_since(&start) })
}

/// A column may be named like a keyword: `constraint text`. A constraint is followed by a name and a further keyword.
fn starts_column_type(cursor: &Cursor<'_>) -> bool {
    cursor.peek_at(2).is_none()
}

fn constraint_kind(cursor: &mut Cursor<'_>) -> Option<ConstraintKind> {
    let kind = if cursor.eat("check") {
        ConstraintKind::Check(expression(&cursor.skip_parens()?))
    } else if cursor.is("unique") || cursor.is_all(&["primary", "key"]) {
        return unique_or_primary(cursor);
    } else if cursor.eat_all(&["foreign", "key"]) {
        if cursor.peek_kind() != Some(TokenKind::LeftParen) {
            cursor.if_not_exists();
            cursor.ident();
        }
        let columns = column_list(cursor);
        cursor.eat("references");
        ConstraintKind::ForeignKey { columns, reference: reference(cursor)? }
    } else if cursor.eat("exclude") {
        ConstraintKind::Exclude
    } else if cursor.is_all(&["not", "null"]) {
        cursor.eat_all(&["not", "null"]);
        ConstraintKind::NotNull(cursor.ident()?)
    } else {
        return None;
    };
    Some(kind)
}

fn unique_or_primary(cursor: &mut Cursor<'_>) -> Option<ConstraintKind> {
    let is_primary = !cursor.eat("unique");
    if is_primary {
        cursor.eat_all(&["primary", "key"]);
    }
    let using_index = if cursor.eat_all(&["using", "index"]) { cursor.ident() } else { None };
    cursor.eat_all(&["nulls", "not", "distinct"]);
    cursor.eat_all(&["nulls", "distinct"]);
    cursor.eat_any(&["key", "index"]);
    if using_index.is_none() && cursor.peek_kind() != Some(TokenKind::LeftParen) {
        cursor.ident();
    }
    if using_index.is_none() && cursor.peek_kind() != Some(TokenKind::LeftParen) {
        return None;
    }
    let columns = column_list(cursor);
    Some(if is_primary {
        ConstraintKind::PrimaryKey { columns, using_index }
    } else {
        ConstraintKind::Unique { columns, using_index }
    })
}

/// `(a, b)`; anything more than a name in an item is passed over.
pub(super) fn column_list(cursor: &mut Cursor<'_>) -> Vec<Ident> {
    cursor.skip_parens().map_or_else(Vec::new, |list| list.items().filter_map(|mut item| item.ident()).collect())
}

fn reference(cursor: &mut Cursor<'_>) -> Option<Reference> {
    let table = cursor.name()?;
    cursor.skip_parens();
    let mut cascades = false;
    loop {
        if cursor.eat_all(&["on", "delete"]) {
            cascades = cursor.is("cascade");
            referential_action(cursor);
        } else if cursor.eat_all(&["on", "update"]) {
            referential_action(cursor);
        } else if cursor.eat("match") {
            cursor.advance();
        } else {
            break;
        }
    }
    Some(Reference { table, cascades })
}

fn referential_action(cursor: &mut Cursor<'_>) {
    if cursor.eat("set") || cursor.eat("no") {
        cursor.advance();
        cursor.skip_parens();
    } else {
        cursor.advance();
    }
}

/// A column definition: name, type and clauses up to a comma or the end.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Option<Column> {
    let start = *cursor;
    let name = cursor.ident()?;
    let mut column = Column { name, ..Column::default() };
    if !cursor.is_done()
        && (!cursor.is_any(COLUMN_CLAUSES) || cursor.is("bit"))
        && cursor.peek_kind() != Some(TokenKind::Comma)
    {
        column.ty = read_type(cursor)?;
    }
    while !cursor.is_done() && cursor.peek_kind() != Some(TokenKind::Comma) {
        column_clause(cursor, &mut column);
    }
    column.span = cursor.span_since(&start);
    column.not_null |= column.primary_key;
    Some(column)
}

fn column_clause(cursor: &mut Cursor<'_>, column: &mut Column) {
    if cursor.eat_all(&["not", "null"]) {
        column.not_null = true;
    } else if cursor.eat("default") {
        column.default = Some(expression_until(cursor, COLUMN_CLAUSES));
    } else if cursor.eat_all(&["primary", "key"]) {
        column.primary_key = true;
    } else if cursor.eat("unique") {
        column.unique = true;
        cursor.eat("key");
        cursor.eat_all(&["nulls", "not", "distinct"]);
    } else if cursor.eat("check") {
        column.check = cursor.skip_parens().map(|inner| expression(&inner)).or(column.check.take());
    } else if cursor.eat("references") {
        column.references = reference(cursor);
    } else if cursor.eat("generated") {
        generated(cursor, column);
    } else if cursor.eat("as") {
        generated_from(cursor, column, Generated::Virtual);
    } else if cursor.eat_any(&["auto_increment", "autoincrement"]) {
        column.auto_increment = true;
    } else if cursor.eat_all(&["on", "update"]) {
        expression_until(cursor, COLUMN_CLAUSES);
        column.on_update = true;
    } else if cursor.eat_all(&["character", "set"]) || cursor.eat("charset") {
        column.charset = cursor.ident().map(|charset| charset.name);
    } else if cursor.is_any(&["constraint", "collate", "comment"]) {
        column.has_comment |= cursor.is("comment");
        if cursor.is("collate") {
            cursor.advance();
            column.collation = cursor.peek().map(|collation| cursor.raw(collation).to_lowercase().into());
        } else {
            cursor.advance();
        }
        cursor.advance();
        while cursor.eat_kind(TokenKind::Dot) {
            cursor.advance();
        }
    } else {
        column.is_placed |= cursor.is_any(&["first", "after"]);
        cursor.skip_one();
    }
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) {
    if !cursor.eat("always") {
        cursor.eat_all(&["by", "default"]);
    }
    cursor.eat("as");
    if cursor.eat("identity") {
        column.is_identity = true;
        column.not_null = true;
        cursor.skip_parens();
    } else {
        generated_from(cursor, column, Generated::Virtual);
    }
}

fn generated_from(cursor: &mut Cursor<'_>, column: &mut Column, otherwise: Generated) {
    if cursor.skip_parens().is_none() {
        return;
    }
    column.generated = otherwise;
    if cursor.eat_any(&["stored", "persistent"]) {
        column.generated = Generated::Stored;
    } else {
        cursor.eat("virtual");
    }
}
