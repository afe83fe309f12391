//! CREATE and DROP of everything that is not a table, and the names of the kinds of objects.

use super::cursor::Cursor;
use super::token::TokenKind;
use crate::source_text::Span;
use crate::statement::{Create, CreateFunction, CreateIndex, Drop, Kind, Name, ObjectKind};

/// The words that name a kind; the longest come first.
const KINDS: &[(&[&str], ObjectKind)] = &[
    (&["access", "method"], ObjectKind::AccessMethod),
    (&["aggregate"], ObjectKind::Aggregate),
    (&["cast"], ObjectKind::Cast),
    (&["collation"], ObjectKind::Collation),
    (&["conversion"], ObjectKind::Conversion),
    (&["database"], ObjectKind::Database),
    (&["domain"], ObjectKind::Domain),
    (&["event", "trigger"], ObjectKind::EventTrigger),
    (&["event"], ObjectKind::Event),
    (&["extension"], ObjectKind::Extension),
    (&["foreign", "data", "wrapper"], ObjectKind::ForeignDataWrapper),
    (&["foreign", "table"], ObjectKind::ForeignTable),
    (&["function"], ObjectKind::Function),
    (&["index"], ObjectKind::Index),
    (&["language"], ObjectKind::Language),
    (&["materialized", "view"], ObjectKind::MaterializedView),
    (&["operator", "class"], ObjectKind::OperatorClass),
    (&["operator", "family"], ObjectKind::OperatorFamily),
    (&["operator"], ObjectKind::Operator),
    (&["policy"], ObjectKind::Policy),
    (&["procedure"], ObjectKind::Procedure),
    (&["publication"], ObjectKind::Publication),
    (&["role"], ObjectKind::Role),
    (&["routine"], ObjectKind::Routine),
    (&["rule"], ObjectKind::Rule),
    (&["schema"], ObjectKind::Schema),
    (&["sequence"], ObjectKind::Sequence),
    (&["server"], ObjectKind::Server),
    (&["statistics"], ObjectKind::Statistics),
    (&["subscription"], ObjectKind::Subscription),
    (&["table"], ObjectKind::Table),
    (&["tablespace"], ObjectKind::Tablespace),
    (&["text", "search", "configuration"], ObjectKind::TextSearch),
    (&["text", "search", "dictionary"], ObjectKind::TextSearch),
    (&["text", "search", "parser"], ObjectKind::TextSearch),
    (&["text", "search", "template"], ObjectKind::TextSearch),
    (&["transform"], ObjectKind::Transform),
    (&["trigger"], ObjectKind::Trigger),
    (&["type"], ObjectKind::Type),
    (&["user", "mapping"], ObjectKind::UserMapping),
    (&["user"], ObjectKind::Role),
    (&["group"], ObjectKind::Role),
    (&["view"], ObjectKind::View),
];

/// Eats the words that name a kind of object.
pub(super) fn object_kind(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    KINDS.iter().find(|(words, _)| cursor.eat_all(words)).map(|(_, kind)| *kind)
}

/// The table that a trigger, policy or rule is on: `ON t`, or `TO t` in CREATE RULE; the one that owns a sequence.
pub(super) fn on_table(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Option<Name> {
    match kind {
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
            let mut ahead = *cursor;
            let keyword = if kind == ObjectKind::Rule && ahead.has_ahead(&["to"]) { "to" } else { "on" };
            if !ahead.seek(keyword) {
                return None;
            }
            ahead.advance();
            let name = ahead.name();
            if ahead.peek_kind().is_none() || cursor.is("on") {
                *cursor = ahead;
            }
            name
        }
        ObjectKind::Sequence => owner_of_sequence(cursor),
        _ => None,
    }
}

/// `OWNED BY table.column`, with which the sequence goes; `OWNED BY NONE` names no table.
fn owner_of_sequence(cursor: &Cursor<'_>) -> Option<Name> {
    let mut ahead = *cursor;
    if !ahead.seek("owned") {
        return None;
    }
    ahead.eat_all(&["owned", "by"]);
    let start = ahead;
    let mut parts = vec![ahead.ident()?.name];
    while ahead.eat_kind(TokenKind::Dot) {
        parts.push(ahead.ident()?.name);
    }
    let span = ahead.span_since(&start);
    parts.pop();
    let name = parts.pop()?;
    Some(Name { schema: parts.pop(), name, span })
}

/// After CREATE.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let or_replace = cursor.eat_all(&["or", "replace"]);
    cursor.eat_any(&["global", "local"]);
    let is_temporary = cursor.eat_any(&["temp", "temporary"]);
    cursor.eat("unlogged");
    cursor.eat_any(&["recursive", "trusted"]);
    cursor.eat("procedural");
    cursor.eat("constraint");
    let is_unique = cursor.eat("unique");
    cursor.eat_any(&["fulltext", "spatial"]);
    if cursor.is("default") && cursor.is_at(1, "conversion") {
        cursor.eat("default");
    }
    if cursor.is_any(&["role", "user", "group"]) && !cursor.is_all(&["user", "mapping"]) {
        cursor.advance();
        return super::session::role(cursor, true);
    }
    let kind = object_kind(cursor)?;
    match kind {
        ObjectKind::Table => super::table::create_table(cursor, is_temporary),
        ObjectKind::Index => create_index(cursor, is_unique),
        ObjectKind::Function | ObjectKind::Procedure => create_function(cursor, kind, or_replace),
        _ => {
            let mut create = create_object(cursor, kind, or_replace)?;
            create.is_temporary = is_temporary || create.name.schema.as_deref() == Some("pg_temp");
            Some(Kind::Create(Box::new(create)))
        }
    }
}

fn create_index(cursor: &mut Cursor<'_>, is_unique: bool) -> Option<Kind> {
    let after_index = cursor.end_of_previous();
    let is_concurrent = cursor.eat("concurrently");
    let if_not_exists = cursor.if_not_exists();
    let name = if cursor.is("on") {
        None
    } else {
        cursor.name().map(|name| crate::statement::Ident { name: name.name, span: name.span })
    };
    if cursor.eat("using") {
        cursor.advance();
    }
    cursor.eat("on");
    let only = cursor.eat("only");
    let table = cursor.name()?;
    if cursor.eat("using") {
        cursor.advance();
    }
    let columns = cursor.skip_parens().map_or_else(Vec::new, |list| {
        list.items()
            .filter(|item| item.peek_at(1).is_none_or(|next| next.kind != TokenKind::LeftParen))
            .filter_map(|mut item| item.ident().map(|column| column.name))
            .collect()
    });
    Some(Kind::CreateIndex(Box::new(CreateIndex {
        name,
        table,
        is_unique,
        is_concurrent,
        after_index,
        if_not_exists,
        columns,
        only,
    })))
}

fn create_function(cursor: &mut Cursor<'_>, kind: ObjectKind, or_replace: bool) -> Option<Kind> {
    let name = cursor.name()?;
    let signature = cursor.skip_parens().map_or_else(|| "()".into(), |arguments| function_signature(&arguments));
    let mut definer_span = Span::default();
    let mut sets_search_path = false;
    while !cursor.is_done() {
        let start = *cursor;
        if cursor.eat_all(&["security", "definer"]) {
            definer_span = cursor.span_since(&start);
        } else {
            sets_search_path |= cursor.sets("search_path");
            cursor.skip_one();
        }
    }
    let is_security_definer = definer_span != Span::default();
    Some(Kind::CreateFunction(Box::new(CreateFunction {
        kind,
        name,
        signature,
        or_replace,
        is_security_definer,
        sets_search_path,
        definer_span,
        if_not_exists: false,
        definer: None,
    })))
}

/// The types of the input arguments, as the server tells functions of one name apart.
pub(super) fn function_signature(arguments: &Cursor<'_>) -> Box<str> {
    let mut types: Vec<String> = Vec::new();
    for mut item in arguments.items() {
        if item.is("out") || item.is("table") {
            continue;
        }
        item.eat_any(&["in", "inout", "variadic"]);
        let end =
            |item: &Cursor<'_>| item.is_done() || item.is("default") || item.peek_kind() == Some(TokenKind::Equals);
        let mut unnamed = item;
        let ty = match super::types::read_type(&mut unnamed) {
            Some(ty) if end(&unnamed) => Some(ty),
            _ => {
                item.ident();
                item.eat_any(&["in", "inout", "variadic"]);
                super::types::read_type(&mut item)
            }
        };
        types.extend(ty.map(|ty| format!("{}{}", ty.name, if ty.is_array { "[]" } else { "" })));
    }
    format!("({})", types.join(",")).into()
}

fn create_object(cursor: &mut Cursor<'_>, kind: ObjectKind, or_replace: bool) -> Option<Create> {
    let if_not_exists = cursor.if_not_exists();
    let mut signature: Box<str> = Box::default();
    let name = match kind {
        ObjectKind::Cast => {
            signature = cursor.skip_parens().map_or_else(Box::default, |inner| inner.normalised());
            Name::default()
        }
        ObjectKind::UserMapping => {
            cursor.eat("for");
            let name = cursor.name()?;
            cursor.eat("server");
            signature = cursor.ident().map(|server| server.name).unwrap_or_default();
            name
        }
        ObjectKind::Transform => {
            cursor.eat("for");
            cursor.name()?
        }
        ObjectKind::Operator => operator_name(cursor)?,
        ObjectKind::Statistics if cursor.is("on") || cursor.peek_kind() == Some(TokenKind::LeftParen) => {
            Name::default()
        }
        ObjectKind::Schema if cursor.is("authorization") => {
            cursor.advance();
            cursor.name()?
        }
        _ => cursor.name()?,
    };
    if matches!(kind, ObjectKind::Operator | ObjectKind::Aggregate) {
        signature = operator_signature(cursor);
    }
    let on = on_table(cursor, kind);
    let is_named_in_schema = false;
    Some(Create {
        kind,
        name,
        or_replace,
        if_not_exists,
        is_temporary: false,
        on,
        signature,
        is_named_in_schema,
        definer: None,
    })
}

/// After IMPORT FOREIGN SCHEMA: foreign tables whose names only the other server knows.
pub(super) fn import_foreign_schema(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let start = *cursor;
    cursor.ident()?;
    let span = cursor.span_since(&start);
    if !cursor.seek("into") {
        return None;
    }
    cursor.advance();
    let schema = cursor.ident()?.name;
    Some(Kind::Create(Box::new(Create {
        kind: ObjectKind::ForeignTable,
        name: Name { schema: Some(schema), name: "*".into(), span },
        or_replace: false,
        if_not_exists: false,
        is_temporary: false,
        on: None,
        signature: Box::default(),
        is_named_in_schema: false,
        definer: None,
    })))
}

fn operator_name(cursor: &mut Cursor<'_>) -> Option<Name> {
    let start = *cursor;
    let mut name = Name::default();
    if cursor.peek_at(1).is_some_and(|next| next.kind == TokenKind::Dot) {
        name.schema = cursor.ident().map(|schema| schema.name);
        cursor.advance();
    }
    let first = cursor.advance()?;
    name.name = cursor.raw(first).into();
    name.span = cursor.span_since(&start);
    Some(name)
}

/// `(LEFTARG = a, RIGHTARG = b, …)` of an operator, `(a, b)` of an aggregate: only the argument types.
fn operator_signature(cursor: &mut Cursor<'_>) -> Box<str> {
    let Some(inner) = cursor.skip_parens() else { return Box::default() };
    let arguments: Vec<Box<str>> =
        inner.items().filter(|item| item.is_any(&["leftarg", "rightarg"])).map(|item| item.normalised()).collect();
    if arguments.is_empty() { inner.normalised() } else { arguments.join(",").into() }
}

/// After DROP.
pub(super) fn drop(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.eat_all(&["owned", "by"]) {
        return Some(Kind::DropOwned);
    }
    cursor.eat_any(&["temporary", "procedural"]);
    let kind = object_kind(cursor)?;
    let mut after_kind = cursor.end_of_previous();
    let is_concurrent = cursor.eat("concurrently");
    if is_concurrent {
        after_kind = cursor.end_of_previous();
    }
    let if_exists = cursor.if_exists();
    let mut drop = Drop {
        kind,
        names: Vec::new(),
        signatures: Vec::new(),
        on: None,
        if_exists,
        cascade: false,
        is_concurrent,
        after_kind,
    };
    while let Some((name, signature)) = dropped_name(cursor, kind) {
        drop.names.push(name);
        drop.signatures.push(signature);
        if !cursor.eat_kind(TokenKind::Comma) {
            break;
        }
    }
    if cursor.eat("on") {
        drop.on = cursor.name();
    }
    drop.cascade = cursor.is("cascade");
    Some(Kind::Drop(Box::new(drop)))
}

fn dropped_name(cursor: &mut Cursor<'_>, kind: ObjectKind) -> Option<(Name, Box<str>)> {
    match kind {
        ObjectKind::Cast => {
            let start = *cursor;
            let signature = cursor.skip_parens()?.normalised();
            Some((Name { span: cursor.span_since(&start), ..Name::default() }, signature))
        }
        ObjectKind::UserMapping => {
            cursor.eat("for");
            let name = cursor.name()?;
            cursor.eat("server");
            Some((name, cursor.ident().map(|server| server.name).unwrap_or_default()))
        }
        ObjectKind::Operator => {
            let name = operator_name(cursor)?;
            Some((name, cursor.skip_parens().map_or_else(Box::default, |inner| inner.normalised())))
        }
        ObjectKind::OperatorClass | ObjectKind::OperatorFamily => {
            let name = cursor.name()?;
            if cursor.eat("using") {
                cursor.advance();
            }
            Some((name, Box::default()))
        }
        ObjectKind::Transform => {
            cursor.eat("for");
            let name = cursor.name()?;
            cursor.eat("language");
            cursor.advance();
            Some((name, Box::default()))
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let name = cursor.name()?;
            Some((name, cursor.skip_parens().map_or_else(Box::default, |arguments| function_signature(&arguments))))
        }
        _ => {
            let name = cursor.name()?;
            Some((name, cursor.skip_parens().map_or_else(Box::default, |inner| inner.normalised())))
        }
    }
}
