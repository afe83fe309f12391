//! Statements that change rows: what they touch, what they spare, and whether doing it twice changes more.

use super::cursor::Cursor;
use super::expression::{calls, expression_until};
use super::token::TokenKind;
use crate::statement::{
    Assignment, Conflict, Copy, CreateTable, Delete, Expr, Insert, Kind, Merge, Name, Select, Set, Truncate, Update,
};

/// Functions whose result over their own result differs again.
const CUMULATIVE: &[&str] = &[
    "array_append",
    "array_prepend",
    "array_cat",
    "concat",
    "concat_ws",
    "crypt",
    "digest",
    "encode",
    "encrypt",
    "jsonb_insert",
    "md5",
    "pgp_sym_encrypt",
    "repeat",
    "reverse",
    "sha256",
    "sha512",
];

/// Functions that answer differently each time.
const CHANGING: &[&str] = &[
    "now",
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuid_generate_v1",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "nextval",
    "gen_random_bytes",
    "current_timestamp",
    "localtimestamp",
    "uuid",
    "rand",
];

/// After INSERT (or REPLACE, which overwrites).
pub(super) fn insert(cursor: &mut Cursor<'_>, replaces: bool) -> Option<Kind> {
    cursor.eat_any(&["low_priority", "delayed", "high_priority"]);
    let mut conflict = if replaces { Conflict::Replaced } else { Conflict::Fails };
    if cursor.eat("ignore") || cursor.eat_all(&["or", "ignore"]) {
        conflict = Conflict::Ignored;
    } else if cursor.eat_all(&["or", "replace"]) {
        conflict = Conflict::Replaced;
    }
    cursor.eat("into");
    let table = cursor.name()?;
    if cursor.eat("as") {
        cursor.ident();
    }
    let mut columns = Vec::new();
    if cursor.peek_kind() == Some(TokenKind::LeftParen) && !cursor.is_at(1, "select") && !cursor.is_at(1, "with") {
        columns = super::table::column_list(cursor).into_iter().map(|column| column.name).collect();
    }
    let query = *cursor;
    let from_query =
        query.is_any(&["select", "with", "table"]) || query.is_at(1, "select") || query.has_ahead(&["select"]);
    let mut values_end = None;
    while !cursor.is_done() {
        if cursor.is("returning") {
            values_end.get_or_insert(cursor.end_of_previous());
        }
        let before = cursor.end_of_previous();
        if cursor.eat_all(&["on", "conflict"]) {
            values_end.get_or_insert(before);
            conflict = on_conflict(cursor);
        } else if cursor.eat_all(&["on", "duplicate", "key", "update"]) {
            conflict = Conflict::Updated(assignments(cursor));
        } else {
            cursor.skip_one();
        }
    }
    let excludes_existing = from_query && excludes_existing(&query);
    let values_end = values_end.unwrap_or_else(|| cursor.end_of_previous());
    Some(Kind::Insert(Box::new(Insert { table, columns, conflict, from_query, excludes_existing, values_end })))
}

fn on_conflict(cursor: &mut Cursor<'_>) -> Conflict {
    if !cursor.seek("do") {
        return Conflict::Fails;
    }
    cursor.eat("do");
    if cursor.eat("nothing") {
        return Conflict::Ignored;
    }
    cursor.eat_all(&["update", "set"]);
    Conflict::Updated(assignments(cursor))
}

/// Whether the query leaves out what the target holds already, in one of the usual ways.
fn excludes_existing(query: &Cursor<'_>) -> bool {
    let (mut has_left_join, mut has_is_null) = (false, false);
    for ahead in 0..query.rest().len() {
        let at = |offset: usize, word: &str| query.is_at(ahead + offset, word);
        if at(0, "not") && (at(1, "exists") || at(1, "in")) || at(0, "except") || at(0, "<>") && at(1, "all") {
            return true;
        }
        has_left_join |= at(0, "left") && (at(1, "join") || at(1, "outer"));
        has_is_null |= at(0, "is") && at(1, "null");
    }
    has_left_join && has_is_null
}

/// `a = x, (b, c) = (y, z)` up to FROM, WHERE or RETURNING.
fn assignments(cursor: &mut Cursor<'_>) -> Vec<Assignment> {
    let mut found = Vec::new();
    loop {
        if let Some(list) = cursor.skip_parens() {
            cursor.eat_kind(TokenKind::Equals);
            let value = expression_until(cursor, ASSIGNMENT_ENDS);
            found.extend(
                list.items()
                    .filter_map(|mut item| item.ident())
                    .map(|column| assignment(&column.name, value.clone(), &[])),
            );
        } else {
            let Some(column) = cursor.name() else { break };
            if cursor.peek_kind() == Some(TokenKind::LeftBracket) {
                while !cursor.is_done() && cursor.peek_kind() != Some(TokenKind::Equals) {
                    cursor.advance();
                }
            }
            cursor.eat_kind(TokenKind::Equals);
            let start = *cursor;
            let value = expression_until(cursor, ASSIGNMENT_ENDS);
            let tokens = cursor.since(&start);
            let raw: Vec<&str> = tokens.iter().map(|token| cursor.raw(*token)).collect();
            found.push(assignment(&column.name, value, &raw));
        }
        if !cursor.eat_kind(TokenKind::Comma) {
            break;
        }
    }
    found
}

const ASSIGNMENT_ENDS: &[&str] = &["from", "where", "returning", "order", "limit"];

fn assignment(column: &str, value: Expr, raw: &[&str]) -> Assignment {
    let is_relative = is_relative(column, &value, raw);
    Assignment { column: column.into(), value, is_relative }
}

/// Whether assigning this twice changes the row twice.
fn is_relative(column: &str, value: &Expr, raw: &[&str]) -> bool {
    if value.has_subquery {
        return false;
    }
    if value.calls.iter().any(|call| CHANGING.contains(&&**call))
        && !value.calls.iter().any(|call| &**call == "coalesce")
    {
        return true;
    }
    if !value.words.iter().any(|word| &**word == column) {
        return false;
    }
    if value.calls.iter().any(|call| CUMULATIVE.contains(&&**call)) {
        return true;
    }
    let is_toggle = raw.len() == 2 && raw[0].eq_ignore_ascii_case("not");
    is_toggle || (0..raw.len()).any(|idx| is_cumulative_operator(raw, idx))
}

/// Arithmetic and concatenation accumulate; removing a JSON key and merging a JSON object do not.
fn is_cumulative_operator(raw: &[&str], idx: usize) -> bool {
    let next = raw.get(idx + 1).copied().unwrap_or("");
    let touches = |text: &str| text.starts_with('\'') || text.starts_with("E'");
    match raw[idx] {
        "+" | "*" | "/" | "%" => idx > 0,
        "-" => idx > 0 && !touches(next) && !next.eq_ignore_ascii_case("array"),
        "||" => {
            let merges =
                |text: &str| text.starts_with("'{\"") || text.starts_with("jsonb_build_object") || text == "'{}'";
            let merges_before =
                idx > 0 && raw[idx - 1] == ")" && raw.iter().any(|text| text.starts_with("jsonb_build_object"));
            !merges(next) && !merges_before
        }
        _ => false,
    }
}

/// After UPDATE.
pub(super) fn update(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat_any(&["low_priority", "ignore"]);
    cursor.eat("only");
    let table = cursor.name()?;
    let mut is_joined = cursor.peek_kind() == Some(TokenKind::Comma) || cursor.has_ahead(&["join"]);
    let whole = *cursor;
    if !cursor.seek("set") {
        return None;
    }
    cursor.advance();
    let assignments = assignments(cursor);
    if cursor.is("from") {
        is_joined = true;
    }
    let (filter, tested) = filter(cursor);
    let is_limited = has_word(&whole, "limit");
    Some(Kind::Update(Box::new(Update { table, assignments, filter, tested, is_limited, is_joined })))
}

/// The WHERE clause, and the columns whose state, not range, it names.
fn filter(cursor: &mut Cursor<'_>) -> (Option<Expr>, Vec<Box<str>>) {
    if !cursor.seek("where") {
        return (None, Vec::new());
    }
    cursor.advance();
    let start = *cursor;
    let filter = expression_until(cursor, &["returning", "order", "limit"]);
    let tested = tested_columns(&Cursor::new(cursor.origin, cursor.since(&start)));
    (Some(filter), tested)
}

/// The columns whose state, not range, a condition names.
fn tested_columns(condition: &Cursor<'_>) -> Vec<Box<str>> {
    let mut tested = Vec::new();
    let tokens = condition.rest();
    for (idx, token) in tokens.iter().enumerate() {
        if !matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord) {
            continue;
        }
        let is_range = |offset: Option<&super::token::Token>| {
            offset.is_some_and(|token| matches!(condition.raw(*token), "<" | ">" | "<=" | ">="))
        };
        if is_range(tokens.get(idx + 1)) || idx > 0 && is_range(tokens.get(idx - 1)) {
            continue;
        }
        let single = [*token];
        tested.extend(Cursor::new(condition.origin, &single).ident().map(|ident| ident.name));
    }
    tested
}

/// After DELETE.
pub(super) fn delete(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat_any(&["low_priority", "quick", "ignore"]);
    cursor.eat("from");
    cursor.eat("only");
    let table = cursor.name()?;
    let is_limited = has_word(cursor, "limit");
    let is_joined = cursor.has_ahead(&["using"]) || cursor.has_ahead(&["join"]);
    let (filter, _) = filter(cursor);
    Some(Kind::Delete(Box::new(Delete { table, filter, is_limited, is_joined })))
}

fn has_word(cursor: &Cursor<'_>, word: &str) -> bool {
    (0..cursor.rest().len()).any(|ahead| cursor.is_at(ahead, word))
}

/// After MERGE.
pub(super) fn merge(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat("into");
    cursor.eat("only");
    let table = cursor.name()?;
    let mut condition = Expr::default();
    while !cursor.is_done() && !cursor.is("when") {
        if cursor.eat("on") {
            condition = expression_until(cursor, &["when", "on"]);
        } else {
            cursor.skip_one();
        }
    }
    let arms = merge_arms(cursor, &table, &condition);
    Some(Kind::Merge(Box::new(Merge { table, arms })))
}

/// The clauses about matched rows. A DELETE is told only if it spares no row: others are what MERGE is for.
fn merge_arms(cursor: &Cursor<'_>, table: &Name, condition: &Expr) -> Vec<Kind> {
    let tokens = cursor.rest();
    let starts_arm = |idx: &usize| {
        cursor.is_at(*idx, "when")
            && (cursor.is_at(idx + 1, "matched") || cursor.is_at(idx + 1, "not") && cursor.is_at(idx + 2, "matched"))
    };
    let starts: Vec<usize> = (0..tokens.len()).filter(starts_arm).collect();
    let mut arms = Vec::new();
    let mut is_spared = false;
    for (nth, start) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).copied().unwrap_or(tokens.len());
        let mut arm = Cursor::new(cursor.origin, &tokens[*start..end]);
        if !arm.eat_all(&["when", "matched"]) {
            continue;
        }
        let (mut filter, mut tested) = (condition.clone(), Vec::new());
        if arm.eat("and") {
            let before = arm;
            let own = expression_until(&mut arm, &["then"]);
            tested = tested_columns(&Cursor::new(arm.origin, arm.since(&before)));
            if !own.is_tautology {
                filter = own;
            }
        }
        arm.eat("then");
        if arm.eat("update") {
            arm.eat("set");
            let assignments = assignments(&mut arm);
            let table = table.clone();
            let update =
                Update { table, assignments, filter: Some(filter), tested, is_limited: false, is_joined: true };
            arms.push(Kind::Update(Box::new(update)));
        } else if arm.is("delete") && filter.is_tautology && !is_spared {
            let (table, filter) = (table.clone(), Some(filter));
            arms.push(Kind::Delete(Box::new(Delete { table, filter, is_limited: false, is_joined: true })));
        } else if arm.is("do") {
            is_spared = true;
        }
    }
    arms
}

/// After COPY.
pub(super) fn copy(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat("binary");
    let table = if cursor.peek_kind() == Some(TokenKind::LeftParen) { None } else { Some(cursor.name()?) };
    let is_import = cursor.has_ahead(&["from"]);
    Some(Kind::Copy(Box::new(Copy { table, is_import })))
}

/// After TRUNCATE.
pub(super) fn truncate(cursor: &mut Cursor<'_>) -> Option<Kind> {
    cursor.eat("table");
    let mut tables: Vec<Name> = Vec::new();
    loop {
        cursor.eat("only");
        tables.push(cursor.name()?);
        cursor.eat_kind(TokenKind::Star);
        if !cursor.eat_kind(TokenKind::Comma) {
            break;
        }
    }
    Some(Kind::Truncate(Box::new(Truncate { tables, cascade: cursor.has_ahead(&["cascade"]) })))
}

/// From SELECT on; outside blocks SELECT … INTO makes a table.
pub(super) fn select(cursor: &mut Cursor<'_>, in_block: bool) -> Option<Kind> {
    let mut ahead = *cursor;
    if !in_block && ahead.seek("into") {
        ahead.advance();
        let is_temporary = ahead.eat_any(&["temp", "temporary"]);
        ahead.eat("unlogged");
        ahead.eat("table");
        let name = ahead.name()?;
        return Some(Kind::CreateTable(Box::new(CreateTable {
            name,
            is_temporary,
            from_query: true,
            ..CreateTable::default()
        })));
    }
    let calls = calls(cursor);
    if let [call] = &calls[..]
        && &*call.function == "set_config"
        && let (Some(name), value) = (&call.first, &call.second)
    {
        let value = value.as_deref().unwrap_or("").trim_matches('\'').into();
        let is_local = call.arguments.span != crate::source_text::Span::default() && has_word(cursor, "true");
        return Some(Kind::Set(Box::new(Set { name: name.to_lowercase().into(), value, is_local, ..Set::default() })));
    }
    Some(Kind::Select(Box::new(Select { calls })))
}
