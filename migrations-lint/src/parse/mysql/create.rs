//! CREATE in MySQL and MariaDB: what stands between CREATE and the kind, and the kinds that only they have.

use super::alter::{index_kind, option};
use crate::parse::cursor::Cursor;
use crate::source_text::Span;
use crate::statement::{ActionKind, Create, CreateFunction, Ident, IndexKind, Kind, Name, ObjectKind};

/// What CREATE makes that needs no reader of its own.
const KINDS: &[(&str, ObjectKind)] = &[
    ("database", ObjectKind::Schema),
    ("event", ObjectKind::Event),
    ("schema", ObjectKind::Schema),
    ("sequence", ObjectKind::Sequence),
    ("server", ObjectKind::Server),
    ("trigger", ObjectKind::Trigger),
    ("view", ObjectKind::View),
];

/// After CREATE.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let or_replace = cursor.eat_all(&["or", "replace"]);
    let definer = prefix(cursor);
    let is_temporary = cursor.eat("temporary");
    let index = index_kind(cursor);
    if cursor.eat("index") {
        return create_index(cursor, index, or_replace);
    }
    if index != IndexKind::Plain {
        return None;
    }
    cursor.eat("aggregate");
    if cursor.eat("table") {
        return create_table(cursor, is_temporary, or_replace);
    }
    if cursor.is_any(&["user", "role"]) {
        cursor.advance();
        return super::account::role(cursor, true);
    }
    if cursor.is_any(&["function", "procedure"]) {
        return routine(cursor, or_replace, definer);
    }
    let (_, kind) = KINDS.iter().find(|(word, _)| cursor.eat(word))?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    let on = if *kind == ObjectKind::Trigger && cursor.seek("on") {
        cursor.advance();
        cursor.name()
    } else {
        None
    };
    Some(Kind::Create(Box::new(Create {
        kind: *kind,
        name,
        or_replace,
        if_not_exists,
        is_temporary: false,
        on,
        signature: Box::default(),
        is_named_in_schema: *kind == ObjectKind::Trigger,
        definer,
    })))
}

/// DEFINER = account, ALGORITHM = word, SQL SECURITY word; gives the account if it is another than the current user.
pub(super) fn prefix(cursor: &mut Cursor<'_>) -> Option<Span> {
    let mut definer = None;
    loop {
        if cursor.eat_all(&["sql", "security"]) || cursor.eat("algorithm") {
            cursor.eat_kind(crate::parse::token::TokenKind::Equals);
            cursor.advance();
        } else if cursor.eat("definer") {
            cursor.eat_kind(crate::parse::token::TokenKind::Equals);
            let start = *cursor;
            let is_current = cursor.is_any(&["current_user", "current_role"]);
            super::account::account(cursor);
            cursor.skip_parens();
            definer = (!is_current).then(|| cursor.span_since(&start));
        } else {
            return definer;
        }
    }
}

fn create_index(cursor: &mut Cursor<'_>, kind: IndexKind, or_replace: bool) -> Option<Kind> {
    let if_not_exists = cursor.if_not_exists() || or_replace;
    let name: Ident = cursor.ident()?;
    if cursor.eat("using") {
        cursor.advance();
    }
    if !cursor.eat("on") {
        return None;
    }
    let table = cursor.name()?;
    let columns = crate::parse::table::column_list(cursor).into_iter().map(|column| column.name).collect();
    let action = ActionKind::AddIndex { name: Some(name), columns, kind, if_not_exists };
    Some(super::alter_index(table, action, cursor))
}

fn create_table(cursor: &mut Cursor<'_>, is_temporary: bool, or_replace: bool) -> Option<Kind> {
    let mut ahead = *cursor;
    let mut kind = crate::parse::table::create_table(&mut ahead, is_temporary)?;
    let Kind::CreateTable(table) = &mut kind else { return None };
    table.or_replace = or_replace;
    while !ahead.is_done() {
        match option(&mut ahead).map(|option| (option.span, option.kind)) {
            Some((span, ActionKind::TableOption { name, value })) if &*name == "engine" => {
                table.engine = Some(Ident { name: value, span });
            }
            Some((span, ActionKind::TableOption { name, value })) if &*name == "charset" => {
                table.charset = Some(Ident { name: value, span });
            }
            Some(_) => {}
            None => ahead.skip_one(),
        }
    }
    // Names of primary keys are passed over by the server.
    for constraint in &mut table.constraints {
        if matches!(constraint.kind, crate::statement::ConstraintKind::PrimaryKey { .. }) {
            constraint.name = None;
        }
    }
    Some(kind)
}

fn routine(cursor: &mut Cursor<'_>, or_replace: bool, definer: Option<Span>) -> Option<Kind> {
    let kind = if cursor.eat("function") { ObjectKind::Function } else { ObjectKind::Procedure };
    cursor.eat("procedure");
    let if_not_exists = cursor.if_not_exists();
    let name: Name = cursor.name()?;
    Some(Kind::CreateFunction(Box::new(CreateFunction {
        kind,
        name,
        signature: Box::default(),
        or_replace,
        is_security_definer: false,
        sets_search_path: false,
        definer_span: Span::default(),
        if_not_exists,
        definer,
    })))
}
