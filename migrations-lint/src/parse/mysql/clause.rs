//! Recognises, clause by clause, statements of MySQL, MariaDB and SQLite that sqlparser does not know: tolerant, so that what a
//! server accepts is not called unparsed, yet a word that stands where none belongs is seen.

use crate::parse::cursor::Cursor;
use crate::parse::token::TokenKind;

/// Words that start statements about which no more is asked than that they are whole.
const STARTS: &[&[&str]] = &[
    &["alter"],
    &["analyze"],
    &["attach"],
    &["backup"],
    &["begin"],
    &["binlog"],
    &["cache", "index"],
    &["call"],
    &["change", "master"],
    &["change", "replication"],
    &["check", "table"],
    &["checksum", "table"],
    &["commit"],
    &["create"],
    &["deallocate", "prepare"],
    &["delete"],
    &["desc"],
    &["describe"],
    &["detach"],
    &["do"],
    &["drop"],
    &["end"],
    &["execute"],
    &["explain"],
    &["flush"],
    &["get", "diagnostics"],
    &["grant"],
    &["handler"],
    &["help"],
    &["if"],
    &["import", "table"],
    &["insert"],
    &["install"],
    &["kill"],
    &["load"],
    &["lock"],
    &["optimize"],
    &["pragma"],
    &["prepare"],
    &["purge"],
    &["reindex"],
    &["release", "savepoint"],
    &["rename"],
    &["repair"],
    &["replace"],
    &["reset"],
    &["resignal"],
    &["revoke"],
    &["rollback"],
    &["savepoint"],
    &["select"],
    &["set"],
    &["show"],
    &["shutdown"],
    &["signal"],
    &["start"],
    &["stop"],
    &["table"],
    &["truncate"],
    &["uninstall"],
    &["unlock"],
    &["update"],
    &["use"],
    &["vacuum"],
    &["values"],
    &["with"],
    &["xa"],
];

/// What CREATE and DROP are followed by, after the words that may stand between.
const KINDS: &[&str] = &[
    "aggregate",
    "database",
    "event",
    "function",
    "index",
    "logfile",
    "package",
    "procedure",
    "resource",
    "role",
    "schema",
    "sequence",
    "server",
    "spatial",
    "table",
    "tables",
    "tablespace",
    "temporary",
    "trigger",
    "undo",
    "user",
    "view",
    "virtual",
    "prepare",
    "temp",
];

const BETWEEN: &[&str] = &[
    "online",
    "offline",
    "unique",
    "fulltext",
    "spatial",
    "vector",
    "temporary",
    "temp",
    "aggregate",
    "undo",
    "virtual",
];

/// Words that start an action of ALTER TABLE, beside the table's options.
const ACTIONS: &[&str] = &[
    "add",
    "algorithm",
    "alter",
    "analyze",
    "change",
    "check",
    "coalesce",
    "convert",
    "default",
    "disable",
    "discard",
    "drop",
    "enable",
    "exchange",
    "force",
    "import",
    "lock",
    "modify",
    "nowait",
    "optimize",
    "order",
    "partition",
    "rebuild",
    "remove",
    "rename",
    "reorganize",
    "repair",
    "truncate",
    "upgrade",
    "wait",
    "with",
    "without",
];

/// Words of a column's definition that no parenthesis or expression hides.
const COLUMN_WORDS: &[&str] = &[
    "after",
    "always",
    "as",
    "ascii",
    "auto_increment",
    "autoincrement",
    "binary",
    "cascade",
    "character",
    "charset",
    "check",
    "collate",
    "column_format",
    "comment",
    "compressed",
    "constraint",
    "current_timestamp",
    "default",
    "delete",
    "disk",
    "dynamic",
    "enforced",
    "engine_attribute",
    "false",
    "first",
    "fixed",
    "foreign",
    "format",
    "generated",
    "global",
    "hidden",
    "if",
    "invisible",
    "key",
    "match",
    "memory",
    "nchar",
    "no",
    "not",
    "now",
    "null",
    "on",
    "persistent",
    "precision",
    "primary",
    "ref_system_id",
    "references",
    "restrict",
    "row",
    "secondary_engine_attribute",
    "serial",
    "set",
    "signed",
    "srid",
    "start",
    "end",
    "storage",
    "stored",
    "system",
    "true",
    "unicode",
    "unique",
    "unsigned",
    "update",
    "using",
    "value",
    "varying",
    "versioning",
    "virtual",
    "visible",
    "without",
    "zerofill",
    "action",
    "full",
    "partial",
    "simple",
    "encrypted",
    "encryption_key_id",
    "byte",
    "char",
    "localtime",
    "localtimestamp",
    "current_date",
    "current_time",
    "conflict",
    "rollback",
    "abort",
    "fail",
    "ignore",
    "replace",
    "asc",
    "desc",
    "deferrable",
    "initially",
    "deferred",
    "immediate",
];

/// Whether the statement is whole and its clauses are known.
pub(crate) fn recognises(cursor: Cursor<'_>) -> bool {
    if !is_whole(&cursor) || !STARTS.iter().any(|words| cursor.is_all(words)) {
        return false;
    }
    let mut rest = cursor;
    if rest.eat("create") || rest.eat("drop") {
        rest.eat_all(&["or", "replace"]);
        super::create::prefix(&mut rest);
        while rest.is_any(BETWEEN) && !rest.is_at(1, "reference") {
            rest.advance();
        }
        if rest.eat("table") {
            return recognises_table(rest);
        }
        return rest.is_any(KINDS) || rest.is("reference");
    }
    if rest.eat("alter") {
        while rest.eat_any(&["online", "offline", "ignore"]) {}
        if !rest.eat_any(&["table"]) {
            return true;
        }
        rest.if_exists();
        return rest.name().is_some() && rest.items().all(recognises_action);
    }
    true
}

/// Parentheses close, and nothing hangs at the end.
fn is_whole(cursor: &Cursor<'_>) -> bool {
    let mut depth = 0_i64;
    for token in cursor.rest() {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    let last = cursor.rest().last();
    depth == 0
        && !matches!(
            last.map(|token| token.kind),
            Some(TokenKind::Comma | TokenKind::Dot | TokenKind::Equals | TokenKind::Operator)
        )
}

fn recognises_table(mut cursor: Cursor<'_>) -> bool {
    cursor.if_not_exists();
    cursor.if_exists();
    if cursor.name().is_none() {
        return false;
    }
    // DROP TABLE a, b; CREATE TABLE a SELECT …; CREATE TABLE a LIKE b: nothing more to look at.
    let Some(list) = cursor.skip_parens() else { return true };
    list.items().all(|item| !item.is_done() && (recognises_element(&item) || recognises_column(item)))
}

/// Keys and constraints, by their first words.
fn recognises_element(item: &Cursor<'_>) -> bool {
    super::starts_index(item)
        || item.is_any(&[
            "constraint",
            "check",
            "foreign",
            "primary",
            "unique",
            "like",
            "period",
            "index",
            "key",
            "fulltext",
            "spatial",
        ])
        || item.peek_kind() == Some(TokenKind::LeftParen)
        || item.is("select")
}

/// A name, a type, and only words that belong to a column.
fn recognises_column(mut cursor: Cursor<'_>) -> bool {
    if cursor.ident().is_none() {
        return false;
    }
    if crate::parse::types::read_type(&mut cursor).is_none() {
        return cursor.is_done();
    }
    while let Some(token) = cursor.peek() {
        let follows_value = cursor.is_any(&[
            "comment",
            "collate",
            "charset",
            "after",
            "constraint",
            "references",
            "column_format",
            "storage",
            "match",
            "default",
        ]) || cursor.is_all(&["character", "set"]);
        match token.kind {
            TokenKind::Word if !cursor.is_any(COLUMN_WORDS) => return false,
            TokenKind::QuotedWord => return false,
            _ => {}
        }
        if follows_value {
            cursor.eat_all(&["character", "set"]);
            if !cursor.eat("default") {
                cursor.eat_any(&[
                    "comment",
                    "collate",
                    "charset",
                    "after",
                    "constraint",
                    "references",
                    "column_format",
                    "storage",
                    "match",
                ]);
            }
            cursor.eat_kind(TokenKind::Equals);
            cursor.name();
        }
        if !cursor.is_done() {
            cursor.skip_one();
        }
    }
    true
}

fn recognises_action(mut item: Cursor<'_>) -> bool {
    if super::several_actions(&item).is_some() {
        return true;
    }
    if item.is_done() || !item.is_any(ACTIONS) {
        return false;
    }
    if item.eat("add") {
        let has_keyword = item.eat("column");
        item.if_not_exists();
        return !has_keyword && recognises_element(&item)
            || item.is_any(&["partition", "system", "period"])
            || recognises_column(item);
    }
    if item.eat_any(&["modify", "change"]) {
        item.eat("column");
        item.if_exists();
        let mut renamed = item;
        renamed.ident();
        return recognises_column(item) || recognises_column(renamed);
    }
    true
}
