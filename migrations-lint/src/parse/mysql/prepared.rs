//! PREPARE: the strings that went into its variable are read as what it will run, for that is how MySQL asks before it changes.

use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::parse::block::unescape_in_place;
use crate::parse::cursor::{Cursor, Origin};
use crate::parse::read::read;
use crate::parse::split::Splitter;
use crate::parse::token::{Token, TokenKind};
use crate::source_text::Span;
use crate::statement::{Guard, Kind, Looked, Statement};

/// The variables of a part and the SQL in them.
#[derive(Default)]
pub(in crate::parse) struct Prepared {
    variables: FxHashMap<Box<str>, Vec<Text>>,
}

/// A string that is SQL.
#[derive(Clone, Copy)]
struct Text {
    token: Token,
    /// Something decides whether it is this string or another.
    is_chosen: bool,
}

/// How a string begins that is worth reading.
const STARTS: &[&str] =
    &["alter", "create", "delete", "drop", "grant", "insert", "rename", "replace", "truncate", "update"];

impl Prepared {
    /// Takes note of `SET @v = …` and `SELECT … INTO @v`; at PREPARE, adds what will run.
    pub(in crate::parse) fn read(&mut self, cursor: Cursor<'_>, engine: Engine, found: &mut Vec<Statement>) {
        let mut rest = cursor;
        if rest.eat("set") {
            for item in rest.items() {
                self.assign(item);
            }
        } else if rest.is("select") {
            let mut ahead = rest;
            if ahead.seek("into") {
                ahead.advance();
                self.keep(variable(&mut ahead), &rest);
            }
        } else if rest.eat("prepare") && rest.ident().is_some() && rest.eat("from") {
            let own = rest.peek().filter(|token| token.kind == TokenKind::String);
            let own = own.map(|token| Text { token, is_chosen: false });
            let kept = variable(&mut rest).and_then(|name| self.variables.get(&name).cloned()).unwrap_or_default();
            for text in own.into_iter().chain(kept) {
                run(cursor.origin, text, engine, found);
            }
        }
    }

    fn assign(&mut self, mut item: Cursor<'_>) {
        let name = variable(&mut item);
        self.keep(name, &item);
    }

    fn keep(&mut self, name: Option<Box<str>>, value: &Cursor<'_>) {
        let Some(name) = name else { return };
        let tokens = value.rest();
        let has = |words: &[&str]| (0..tokens.len()).any(|ahead| words.iter().any(|word| value.is_at(ahead, word)));
        // A piece of a statement tells too little.
        if has(&["concat", "concat_ws", "replace", "group_concat"]) {
            self.variables.remove(&name);
            return;
        }
        let is_chosen = has(&["if", "ifnull", "case", "coalesce", "select"]);
        let is_sql = |token: &&Token| {
            token.kind == TokenKind::String && {
                let content = value.raw(**token).get(1..).unwrap_or("").trim_start();
                let word = content.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or("");
                STARTS.iter().any(|start| word.eq_ignore_ascii_case(start))
            }
        };
        let texts = tokens.iter().filter(is_sql).map(|token| Text { token: *token, is_chosen });
        self.variables.insert(name, texts.collect());
    }
}

/// `@name`, and what assigns to it is left to the caller.
fn variable(cursor: &mut Cursor<'_>) -> Option<Box<str>> {
    let sign = cursor.peek()?;
    if cursor.raw(sign) != "@" {
        return None;
    }
    cursor.advance();
    Some(cursor.ident()?.name)
}

/// Reads the string where it stands.
fn run(origin: Origin<'_>, text: Text, engine: Engine, found: &mut Vec<Statement>) {
    let raw = &origin.text[text.token.span().range()];
    let Some(content) = raw.get(1..raw.len().saturating_sub(1)) else { return };
    let sql = unescape_in_place(content).replace("\\'", " '");
    let inner = Origin { text: &sql, base: origin.base + text.token.start() + 1, collapsed: origin.collapsed };
    let mut splitter = Splitter::new(&sql, Span::new(0, sql.len()), engine);
    let mut kinds: Vec<(Span, Kind)> = Vec::new();
    while splitter.cut().is_some() {
        let cursor = Cursor::new(inner, splitter.tokens());
        match super::read(cursor) {
            Some(own) => kinds.extend(own),
            None => read(cursor, false, &mut kinds),
        }
    }
    let guard = if text.is_chosen { Guard::Condition(Looked::Otherwise) } else { Guard::None };
    found.extend(kinds.into_iter().map(|(span, kind)| Statement {
        span,
        kind,
        guard: guard.clone(),
        within: None,
        in_loop: false,
        is_defined_only: false,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    /// What runs, as text, and whether something chose it.
    fn check(sql: &str, expected: &[(&str, bool)]) {
        let statements = parse(sql, Span::new(0, sql.len()), Engine::MySql);
        let runs = statements.iter().filter(|statement| matches!(statement.kind, Kind::AlterTable(_) | Kind::Drop(_)));
        let runs: Vec<_> = runs.map(|run| (&sql[run.span.range()], run.guard != Guard::None)).collect();
        assert_eq!(runs, expected, "{sql}");
    }

    #[test]
    fn what_a_variable_holds_is_read_when_it_is_prepared() {
        check("SET @s = 'DROP TABLE t'; PREPARE p FROM @s; EXECUTE p;", &[("DROP TABLE t", false)]);
        check("PREPARE p FROM 'DROP TABLE t';", &[("DROP TABLE t", false)]);
        check("SET @s = 'DROP TABLE t';", &[]);
        check("SET @s = 'DROP TABLE t', @s = 'SELECT 1'; PREPARE p FROM @s;", &[]);
    }

    #[test]
    fn a_choice_between_strings_is_a_condition() {
        let ddl = "ALTER TABLE t ADD a int DEFAULT ''x'' NOT NULL";
        let sql = format!("SET @s := IF(@n = 0, '{ddl}', 'SELECT 1'); PREPARE p FROM @s;");
        check(&sql, &[(ddl, true)]);
        let sql = "SELECT IF(COUNT(*) = 0, 'ALTER TABLE t ADD b int', 'DO 0') INTO @s FROM x; PREPARE p FROM @s;";
        check(sql, &[("ALTER TABLE t ADD b int", true)]);
    }
}
