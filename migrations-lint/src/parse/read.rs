//! One statement's tokens to what it says: the first words decide which reader goes on.

use super::cursor::Cursor;
use super::{alter, data, object, session};
use crate::source_text::Span;
use crate::statement::{Action, ActionKind, AlterTable, Kind, ObjectKind};

/// What stands here: the statement itself, after the data-changing parts of its WITH clause, each with its place.
pub(super) fn read(cursor: Cursor<'_>, in_block: bool, found: &mut Vec<(Span, Kind)>) {
    let mut main = cursor;
    if main.eat("explain") && !explain_runs(&mut main) {
        found.push((cursor.span(), Kind::Other));
        return;
    }
    skip_prepare(&mut main);
    copied_query(&main, found);
    if main.is("with") {
        with_clause(&mut main, found);
    }
    let mut kind = read_main(&mut main, in_block).unwrap_or(Kind::Other);
    let arms = if let Kind::Merge(merge) = &mut kind { std::mem::take(&mut merge.arms) } else { Vec::new() };
    if arms.is_empty() {
        found.push((cursor.span(), kind));
    }
    found.extend(arms.into_iter().map(|arm| (cursor.span(), arm)));
}

/// After EXPLAIN: whether its options have the statement run.
fn explain_runs(cursor: &mut Cursor<'_>) -> bool {
    let mut runs = false;
    while cursor.is_any(&["analyze", "analyse", "verbose"]) {
        runs |= !cursor.is("verbose");
        cursor.advance();
    }
    let options = cursor.skip_parens();
    let asks = |item: &Cursor<'_>| item.is("analyze") && !item.is_at(1, "false") && !item.is_at(1, "off");
    runs || options.is_some_and(|options| options.items().any(|item| asks(&item)))
}

/// `PREPARE name AS`: what is prepared is taken as what will run.
fn skip_prepare(cursor: &mut Cursor<'_>) {
    let mut ahead = *cursor;
    if ahead.eat("prepare") && !ahead.is("transaction") && ahead.ident().is_some() {
        ahead.skip_parens();
        if ahead.eat("as") {
            *cursor = ahead;
        }
    }
}

/// `COPY (DELETE … RETURNING …) TO`: the query runs.
fn copied_query(cursor: &Cursor<'_>, found: &mut Vec<(Span, Kind)>) {
    let mut ahead = *cursor;
    if ahead.eat("copy")
        && let Some(mut inner) = ahead.skip_parens()
        && inner.is_any(&["insert", "update", "delete", "merge"])
    {
        let span = inner.span();
        found.extend(read_main(&mut inner, true).map(|kind| (span, kind)));
    }
}

/// Passes over `WITH a AS (…), b AS (…)`, reading what changes data inside.
fn with_clause(cursor: &mut Cursor<'_>, found: &mut Vec<(Span, Kind)>) {
    cursor.eat("with");
    cursor.eat("recursive");
    while !cursor.is_done() && !cursor.is_any(&["select", "insert", "update", "delete", "merge", "values", "table"]) {
        let Some(inner) = cursor.skip_parens() else {
            cursor.advance();
            continue;
        };
        if inner.is_any(&["insert", "update", "delete", "merge"]) {
            let mut main = inner;
            if let Some(kind) = read_main(&mut main, true) {
                found.push((inner.span(), kind));
            }
        }
    }
}

fn read_main(cursor: &mut Cursor<'_>, in_block: bool) -> Option<Kind> {
    let first = cursor.peek()?;
    let word = cursor.raw(first);
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    // The commonest first: a dump is mostly INSERT.
    match word.len() {
        6 if is("insert") => after(cursor, |cursor| data::insert(cursor, false)),
        6 if is("create") => after(cursor, object::create),
        5 if is("alter") => after(cursor, alter::alter),
        4 if is("drop") => after(cursor, object::drop),
        6 if is("update") => after(cursor, data::update),
        6 if is("delete") => after(cursor, data::delete),
        6 if is("select") => data::select(cursor, in_block),
        7 if is("perform") => after(cursor, |cursor| data::select(cursor, true)),
        3 if is("set") => after(cursor, session::set),
        _ => read_rarer(cursor),
    }
}

fn read_rarer(cursor: &mut Cursor<'_>) -> Option<Kind> {
    if cursor.eat("replace") {
        data::insert(cursor, true)
    } else if cursor.eat("merge") {
        data::merge(cursor)
    } else if cursor.eat("copy") {
        data::copy(cursor)
    } else if cursor.eat("truncate") {
        data::truncate(cursor)
    } else if cursor.eat("grant") {
        Some(session::grant(cursor, false))
    } else if cursor.eat("revoke") {
        Some(session::grant(cursor, true))
    } else if cursor.eat("reset") {
        session::reset(cursor)
    } else if cursor.eat("lock") {
        session::lock(cursor)
    } else if cursor.eat("vacuum") {
        Some(session::vacuum(cursor))
    } else if cursor.eat("cluster") {
        Some(session::cluster(cursor))
    } else if cursor.eat("reindex") {
        session::reindex(cursor)
    } else if cursor.eat("refresh") {
        session::refresh(cursor)
    } else if cursor.eat_all(&["import", "foreign", "schema"]) {
        object::import_foreign_schema(cursor)
    } else if cursor.eat_all(&["discard", "all"]) {
        Some(Kind::DiscardAll)
    } else if cursor.eat_all(&["rename", "table"]) {
        rename_table(cursor)
    } else {
        session::transaction(cursor)
    }
}

fn after<'a>(cursor: &mut Cursor<'a>, reader: impl FnOnce(&mut Cursor<'a>) -> Option<Kind>) -> Option<Kind> {
    cursor.advance();
    reader(cursor)
}

/// MySQL: RENAME TABLE a TO b is ALTER TABLE a RENAME TO b.
fn rename_table(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let start = *cursor;
    let (name, to) = session::rename_table(cursor)?;
    let action = Action { span: cursor.span_since(&start), kind: ActionKind::RenameTo { to } };
    Some(Kind::AlterTable(Box::new(AlterTable {
        kind: ObjectKind::Table,
        name,
        if_exists: false,
        actions: vec![action],
    })))
}
