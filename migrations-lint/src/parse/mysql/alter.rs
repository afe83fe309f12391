//! The actions of ALTER TABLE that only MySQL and MariaDB have, and the keys in CREATE TABLE.

use crate::parse::cursor::Cursor;
use crate::parse::table::{column, column_list};
use crate::parse::token::TokenKind;
use crate::statement::{Action, ActionKind, IndexKind, TableIndex};

/// MariaDB: NOWAIT and WAIT n between the table and what is done to it.
pub(crate) fn wait(cursor: &mut Cursor<'_>) {
    if cursor.eat("nowait") || cursor.is("wait") && cursor.peek_at(1).is_some_and(|next| next.kind == TokenKind::Number)
    {
        if cursor.eat("wait") {
            cursor.advance();
        }
        cursor.eat_kind(TokenKind::Comma);
    }
}

/// An action that no other reader knew.
pub(crate) fn action(cursor: &mut Cursor<'_>) -> Option<ActionKind> {
    if cursor.eat("modify") {
        cursor.eat("column");
        let if_exists = cursor.if_exists();
        let column = column(cursor)?;
        return Some(ActionKind::ModifyColumn { if_exists, from: column.name.clone(), column: Box::new(column) });
    }
    if cursor.eat("change") {
        cursor.eat("column");
        let if_exists = cursor.if_exists();
        let from = cursor.ident()?;
        return Some(ActionKind::ModifyColumn { if_exists, from, column: Box::new(column(cursor)?) });
    }
    if cursor.eat("algorithm") {
        cursor.eat_kind(TokenKind::Equals);
        return Some(ActionKind::Algorithm { name: cursor.ident()?.name });
    }
    if cursor.eat("lock") {
        cursor.eat_kind(TokenKind::Equals);
        return Some(ActionKind::Lock { name: cursor.ident()?.name });
    }
    if cursor.eat_all(&["convert", "to"]) {
        if !cursor.eat("charset") {
            cursor.eat_all(&["character", "set"]);
        }
        return Some(ActionKind::ConvertCharset {
            charset: cursor.ident().map(|charset| charset.name).unwrap_or_default(),
        });
    }
    let moves_rows = cursor.is_all(&["partition", "by"])
        || cursor.is_all(&["remove", "partitioning"])
        || (cursor.is_any(&["reorganize", "coalesce", "rebuild", "optimize"]) && cursor.is_at(1, "partition"));
    let loses_partition = cursor.is_any(&["truncate", "discard"]) && cursor.is_at(1, "partition");
    Some(if moves_rows {
        ActionKind::Repartition
    } else if loses_partition {
        ActionKind::EmptyPartition
    } else if cursor.is_all(&["discard", "tablespace"]) {
        ActionKind::DiscardTablespace
    } else if cursor.is_all(&["order", "by"]) {
        ActionKind::OrderBy
    } else if cursor.eat("force") {
        ActionKind::Rebuild
    } else {
        ActionKind::Other
    })
}

/// At PARTITION, after ADD.
pub(crate) fn add_partition(cursor: &mut Cursor<'_>) -> ActionKind {
    cursor.eat("partition");
    let if_not_exists = cursor.if_not_exists();
    let names = cursor.skip_parens().into_iter().flat_map(Cursor::items).filter_map(|mut item| {
        item.eat("partition");
        item.ident()
    });
    ActionKind::AddPartition { names: names.collect(), if_not_exists }
}

/// At PARTITION, after DROP: the further names come as items of their own, which no reader knows.
pub(crate) fn drop_partition(cursor: &mut Cursor<'_>) -> ActionKind {
    cursor.eat("partition");
    let if_exists = cursor.if_exists();
    ActionKind::DropPartition { names: cursor.ident().into_iter().collect(), if_exists }
}

/// The words that name a table's option; some take two words, an equals sign is optional.
const OPTIONS: &[&str] = &[
    "auto_increment",
    "autoextend_size",
    "avg_row_length",
    "charset",
    "checksum",
    "collate",
    "comment",
    "compression",
    "connection",
    "delay_key_write",
    "encrypted",
    "encryption",
    "encryption_key_id",
    "engine",
    "engine_attribute",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "page_compressed",
    "page_compression_level",
    "password",
    "row_format",
    "secondary_engine",
    "secondary_engine_attribute",
    "sequence",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "storage",
    "tablespace",
    "transactional",
    "type",
    "union",
    "with",
];

/// One item that holds several actions: `ADD (a int, b int)`, or options without commas between them.
pub(crate) fn several_actions(item: &Cursor<'_>) -> Option<Vec<Action>> {
    let mut cursor = *item;
    if cursor.eat("add") {
        cursor.eat("column");
        let if_not_exists = cursor.if_not_exists();
        let list = cursor.skip_parens()?;
        let columns = list.items().filter_map(|mut item| {
            let span = item.span();
            if starts_index(&item) {
                return Some(Action { span, kind: add_index(&mut item) });
            }
            if let Some(constraint) = crate::parse::table::table_constraint(&mut item) {
                return Some(Action { span, kind: ActionKind::AddConstraint(Box::new(constraint)) });
            }
            Some(Action { span, kind: ActionKind::AddColumn { if_not_exists, column: Box::new(column(&mut item)?) } })
        });
        return Some(columns.collect());
    }
    let mut actions = Vec::new();
    while !cursor.is_done() {
        actions.push(option(&mut cursor)?);
    }
    (!actions.is_empty()).then_some(actions)
}

/// `[DEFAULT] NAME [=] value`, if an option stands here.
pub(super) fn option(cursor: &mut Cursor<'_>) -> Option<Action> {
    let start = *cursor;
    let is_option = |cursor: &Cursor<'_>| cursor.is_any(OPTIONS) || cursor.is_all(&["character", "set"]);
    cursor.eat("default");
    if !is_option(cursor) {
        *cursor = start;
        // A rename or FORCE may stand among options, without commas.
        if cursor.eat("force") {
            return Some(Action { span: cursor.span_since(&start), kind: ActionKind::Rebuild });
        }
        return None;
    }
    let name: Box<str> = if cursor.eat_all(&["character", "set"]) || cursor.eat("charset") {
        "charset".into()
    } else {
        cursor.ident()?.name
    };
    if !cursor.eat_kind(TokenKind::Equals)
        && matches!(&*name, "type" | "storage" | "with" | "sequence" | "union" | "password")
    {
        *cursor = start;
        return None;
    }
    let value = cursor
        .peek()
        .map(|token| cursor.raw(token).trim_matches(['\'', '"', '`']).to_lowercase().into())
        .unwrap_or_default();
    cursor.skip_one();
    Some(Action { span: cursor.span_since(&start), kind: ActionKind::TableOption { name, value } })
}

/// Types with a length, which stand where `KEY name (` has its name when a column is named `key`.
const SIZED_TYPES: &[&str] =
    &["varchar", "char", "character", "numeric", "decimal", "bit", "varbit", "timestamp", "int", "bigint"];

/// Whether `[UNIQUE | FULLTEXT | SPATIAL] {INDEX | KEY} [name] (columns)` stands here, or `UNIQUE name (columns)`.
pub(crate) fn starts_index(cursor: &Cursor<'_>) -> bool {
    let kind_at = |ahead: usize| cursor.peek_at(ahead).map(|token| token.kind);
    let is_name = |ahead: usize| matches!(kind_at(ahead), Some(TokenKind::Word | TokenKind::QuotedWord));
    let ends = |ahead: usize| kind_at(ahead) == Some(TokenKind::LeftParen) || cursor.is_at(ahead, "using");
    let after_word = |ahead: usize| {
        let is_guarded = cursor.is_at(ahead, "if") && cursor.is_at(ahead + 1, "not");
        let has_name = is_name(ahead) && ends(ahead + 1) && !SIZED_TYPES.iter().any(|ty| cursor.is_at(ahead, ty));
        ends(ahead) || has_name || is_guarded
    };
    if cursor.is_any(&["index", "key"]) {
        return after_word(1);
    }
    if cursor.is_any(&["fulltext", "spatial", "vector"]) {
        return cursor.is_at(1, "index") || cursor.is_at(1, "key") || after_word(1);
    }
    cursor.is("unique")
        && (cursor.is_at(1, "key")
            || cursor.is_at(1, "index")
            || is_name(1) && kind_at(2) == Some(TokenKind::LeftParen))
}

/// A key among the columns of CREATE TABLE.
pub(crate) fn index(cursor: &mut Cursor<'_>) -> TableIndex {
    let kind = index_kind(cursor);
    cursor.eat_any(&["index", "key"]);
    cursor.if_not_exists();
    let (name, columns) = index_body(cursor);
    TableIndex { name, columns, kind }
}

/// ADD [UNIQUE | FULLTEXT | SPATIAL] {INDEX | KEY} [name] (columns).
pub(crate) fn add_index(cursor: &mut Cursor<'_>) -> ActionKind {
    let kind = index_kind(cursor);
    cursor.eat_any(&["index", "key"]);
    let if_not_exists = cursor.if_not_exists();
    let (name, columns) = index_body(cursor);
    ActionKind::AddIndex { name, columns, kind, if_not_exists }
}

pub(super) fn index_kind(cursor: &mut Cursor<'_>) -> IndexKind {
    if cursor.eat("unique") {
        IndexKind::Unique
    } else if cursor.eat("fulltext") {
        IndexKind::FullText
    } else if cursor.eat_any(&["spatial", "vector"]) {
        IndexKind::Spatial
    } else {
        IndexKind::Plain
    }
}

fn index_body(cursor: &mut Cursor<'_>) -> (Option<crate::statement::Ident>, Vec<Box<str>>) {
    let name =
        if cursor.peek_kind() == Some(TokenKind::LeftParen) || cursor.is("using") { None } else { cursor.ident() };
    if cursor.eat("using") {
        cursor.advance();
    }
    (name, column_list(cursor).into_iter().map(|column| column.name).collect())
}
