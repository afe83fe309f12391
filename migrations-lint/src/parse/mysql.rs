//! The statements that only MySQL and MariaDB have, or mean differently; what is not read here is read as everywhere.

mod account;
mod alter;
pub(super) mod clause;
mod create;
pub(super) mod grammar;
pub(super) mod prepared;
mod session;

pub(super) use alter::{action, add_index, add_partition, drop_partition, index, several_actions, starts_index, wait};

use super::cursor::Cursor;
use super::token::TokenKind;
use crate::source_text::Span;
use crate::statement::{Action, ActionKind, AlterTable, Copy, Ident, Kind, Name, ObjectKind};

/// The statement's kinds, each with its place; `None` where the common readers know it.
pub(super) fn read(cursor: Cursor<'_>) -> Option<Vec<(Span, Kind)>> {
    let mut rest = cursor;
    let whole = cursor.span();
    let one = |kind: Option<Kind>| Some(vec![(whole, kind.unwrap_or(Kind::Other))]);
    if rest.eat("create") {
        return create::create(&mut rest).map(|kind| vec![(whole, kind)]);
    }
    if rest.eat("alter") {
        if rest.is_any(&["user", "role"]) {
            rest.advance();
            return one(account::role(&mut rest, false));
        }
        // ALTER VIEW and ALTER EVENT replace a definition, ALTER INSTANCE and its like are no schema.
        let is_harmless =
            rest.is_any(&["view", "instance", "algorithm", "definer", "sql", "event", "server", "logfile"]);
        return if is_harmless { one(None) } else { None };
    }
    if rest.eat("drop") {
        return drop(&mut rest).map(|kind| vec![(whole, kind)]);
    }
    if rest.eat_all(&["rename", "table"]) || rest.eat_all(&["rename", "tables"]) {
        return Some(rename_tables(&mut rest));
    }
    if rest.eat("set") {
        return Some(session::set(&mut rest, whole));
    }
    if rest.eat("optimize") {
        return Some(optimize(&mut rest));
    }
    if rest.eat("lock") {
        return one(session::lock(&mut rest));
    }
    if rest.eat("load") {
        return one(Some(load(&mut rest)));
    }
    if rest.is("use") {
        rest.advance();
        return one(session::use_database(&mut rest));
    }
    if rest.is("select") {
        return one(super::data::select(&mut rest, true));
    }
    // What only runs code, asks, or looks after the server.
    let is_other = rest.is_all(&["begin", "not", "atomic"])
        || rest.is_any(&[
            "analyze", "call", "check", "do", "execute", "flush", "handler", "if", "kill", "prepare", "purge",
            "rename", "repair", "show", "signal", "unlock", "while", "xa",
        ]);
    if is_other { one(None) } else { None }
}

/// After DROP: what differs from the other engines.
fn drop(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.is_any(&["user", "role"]) {
        cursor.advance();
        return Some(account::drop(cursor));
    }
    if cursor.is_any(&["prepare", "server", "tablespace", "undo", "logfile", "resource", "spatial", "package"]) {
        return Some(Kind::Other);
    }
    if !cursor.eat("index") {
        return None;
    }
    let if_exists = cursor.if_exists();
    let name = cursor.ident()?;
    if !cursor.eat("on") {
        return None;
    }
    let table = cursor.name()?;
    Some(alter_index(table, ActionKind::DropIndex { name, if_exists }, cursor))
}

/// CREATE INDEX and DROP INDEX are mapped to ALTER TABLE by the server itself.
fn alter_index(table: Name, kind: ActionKind, cursor: &mut Cursor<'_>) -> Kind {
    let mut actions = Vec::new();
    while !cursor.is_done() {
        let start = *cursor;
        match action(cursor) {
            Some(kind @ (ActionKind::Algorithm { .. } | ActionKind::Lock { .. })) => {
                actions.push(Action { span: cursor.span_since(&start), kind });
            }
            _ => {
                if cursor.span_since(&start) == Span::default() {
                    cursor.skip_one();
                }
            }
        }
    }
    let whole = cursor.whole_span();
    actions.insert(0, Action { span: whole, kind });
    Kind::AlterTable(Box::new(AlterTable { kind: ObjectKind::Table, name: table, if_exists: false, actions }))
}

/// After RENAME TABLE: one statement renames many, from left to right.
fn rename_tables(cursor: &mut Cursor<'_>) -> Vec<(Span, Kind)> {
    let if_exists = cursor.if_exists();
    let mut found = Vec::new();
    for mut item in cursor.items() {
        let span = item.span();
        let Some(name) = item.name() else { continue };
        wait(&mut item);
        item.eat("to");
        let Some(to) = item.name() else { continue };
        let action = Action { span, kind: ActionKind::RenameTo { to: Ident { name: to.name, span: to.span } } };
        let alter = AlterTable { kind: ObjectKind::Table, name, if_exists, actions: vec![action] };
        found.push((span, Kind::AlterTable(Box::new(alter))));
    }
    found
}

/// After OPTIMIZE: for InnoDB it is ALTER TABLE … FORCE.
fn optimize(cursor: &mut Cursor<'_>) -> Vec<(Span, Kind)> {
    cursor.eat_any(&["no_write_to_binlog", "local"]);
    cursor.eat_any(&["table", "tables"]);
    let mut found = Vec::new();
    for mut item in cursor.items() {
        let span = item.span();
        let Some(name) = item.name() else { continue };
        let actions = vec![Action { span, kind: ActionKind::Rebuild }];
        found.push((
            span,
            Kind::AlterTable(Box::new(AlterTable { kind: ObjectKind::Table, name, if_exists: false, actions })),
        ));
    }
    found
}

/// After LOAD: DATA and XML bring rows in, unless IGNORE or REPLACE settles what is there.
fn load(cursor: &mut Cursor<'_>) -> Kind {
    let settles = cursor.has_ahead(&["ignore", "into"]) || cursor.has_ahead(&["replace", "into"]);
    if !cursor.eat_any(&["data", "xml"]) || !cursor.seek("into") {
        return Kind::Other;
    }
    cursor.advance();
    cursor.eat("table");
    let table = cursor.name();
    Kind::Copy(Box::new(Copy { table, is_import: !settles }))
}

/// Moves past a comma-separated list in which each item has been read.
fn next_item(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_item();
    cursor.eat_kind(TokenKind::Comma)
}
