//! What a `DO` block runs: its statements with the conditions and exception handlers around them.

use super::cursor::{Cursor, Origin, dollar_body};
use super::read::read;
use super::token::{Lexer, Token, TokenKind};
use crate::engine::Engine;
use crate::source_text::Span;
use crate::statement::{ActionKind, Guard, Kind, Looked, Statement};

/// After DO: the body's statements, and where the block commits or rolls back, if it does.
pub(super) fn read_do(cursor: &Cursor<'_>, whole: Span, found: &mut Vec<Statement>) -> Option<Span> {
    let body = cursor.rest().iter().find(|token| matches!(token.kind, TokenKind::DollarString | TokenKind::String))?;
    read_body(cursor.origin, *body, whole, found)
}

/// After CREATE FUNCTION: of the body, the statements that change who may do what.
pub(super) fn read_function(cursor: &Cursor<'_>, whole: Span, found: &mut Vec<Statement>) {
    let mut after = *cursor;
    if !after.seek("as") {
        return;
    }
    after.advance();
    let Some(body) = after.peek().filter(|token| matches!(token.kind, TokenKind::DollarString | TokenKind::String))
    else {
        return;
    };
    let start = found.len();
    read_body(cursor.origin, body, whole, found);
    let mut idx = 0;
    found.retain_mut(|statement| {
        idx += 1;
        statement.is_defined_only |= idx > start;
        idx <= start || concerns_security(&statement.kind)
    });
}

fn concerns_security(kind: &Kind) -> bool {
    match kind {
        Kind::Grant(_) | Kind::Role(_) | Kind::Set(_) | Kind::AlterSystem => true,
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::DisableRowSecurity | ActionKind::NoForceRowSecurity)),
        _ => false,
    }
}

fn read_body(origin: Origin<'_>, body: Token, whole: Span, found: &mut Vec<Statement>) -> Option<Span> {
    let raw = &origin.text[body.span().range()];
    let mut text = String::new();
    let body_origin = if body.kind == TokenKind::DollarString {
        let (tag, content) = dollar_body(raw);
        let start = body.start() + tag;
        Origin { text: content, base: origin.base + start, collapsed: origin.collapsed }
    } else {
        text.push_str(&unescape_in_place(&raw[1..raw.len() - 1]));
        Origin { text: &text, base: origin.base + body.start() + 1, collapsed: origin.collapsed }
    };
    let mut lexer = Lexer::new(body_origin.text, Span::new(0, body_origin.text.len()), Engine::PostgreSql);
    let tokens: Vec<Token> = std::iter::from_fn(|| lexer.next_token()).collect();
    let mut block = Block { whole, found, frames: Vec::new(), commits: None };
    block.read(body_origin, &tokens);
    block.commits
}

/// A construct of the procedural language that is still open.
struct Frame {
    kind: FrameKind,
    /// What of `found` came before it.
    start: usize,
    guard: Guard,
    /// Of an IF: the strings in its condition, and where its branch starts in the text.
    asked: Option<(Vec<String>, usize)>,
}

#[derive(PartialEq, Eq)]
enum FrameKind {
    Block,
    Handlers { body_end: usize, conditions: Vec<Box<str>>, pending: Vec<Box<str>> },
    If,
    Case,
    Loop,
}

struct Block<'f> {
    whole: Span,
    found: &'f mut Vec<Statement>,
    frames: Vec<Frame>,
    commits: Option<Span>,
}

/// Blocks nested deeper than this are not looked into.
const MAX_FRAMES: usize = 64;

impl Block<'_> {
    fn read(&mut self, origin: Origin<'_>, tokens: &[Token]) {
        let mut cursor = Cursor::new(origin, tokens);
        let mut declares = false;
        while !cursor.is_done() && self.frames.len() < MAX_FRAMES {
            if cursor.eat_kind(TokenKind::End) {
                continue;
            }
            if cursor.eat("declare") {
                declares = true;
            } else if cursor.eat("begin") {
                declares = false;
                self.open(FrameKind::Block, Guard::None);
            } else if declares {
                take_statement(&mut cursor);
            } else {
                self.step(&mut cursor);
            }
        }
        while !self.frames.is_empty() {
            self.close();
        }
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) {
        if cursor.eat("if") {
            let condition = take_until(cursor, "then");
            self.open(FrameKind::If, condition_guard(&condition));
            if let Some(frame) = self.frames.last_mut() {
                frame.asked = Some((asked_names(&condition), cursor.offset()));
            }
        } else if cursor.eat_any(&["elsif", "elseif"]) {
            self.check_guard(cursor);
            let guard = condition_guard(&take_until(cursor, "then"));
            self.replace_guard(guard);
        } else if cursor.eat("else") {
            self.check_guard(cursor);
            self.flip_guard();
        } else if cursor.eat("exception") {
            self.open_handlers();
        } else if cursor.eat("when") {
            let conditions = take_until(cursor, "then");
            self.add_conditions(&conditions);
        } else if cursor.eat("case") {
            skip_to(cursor, "when");
            self.open(FrameKind::Case, Guard::Condition(Looked::Otherwise));
        } else if cursor.is_any(&["for", "foreach", "while"]) {
            let header = take_until(cursor, "loop");
            let guard = if reads_rows(&header) { Guard::Condition(Looked::Otherwise) } else { Guard::None };
            self.open(FrameKind::Loop, guard);
        } else if cursor.eat("loop") {
            self.open(FrameKind::Loop, Guard::None);
        } else if cursor.eat("end") {
            self.check_guard(cursor);
            cursor.eat_any(&["if", "loop", "case"]);
            self.close();
            take_statement(cursor);
        } else {
            let statement = take_statement(cursor);
            self.statement(&statement);
        }
    }

    fn statement(&mut self, cursor: &Cursor<'_>) {
        let mut words = *cursor;
        if words.is_any(&["commit", "rollback"]) && !words.has_ahead(&["to"]) {
            self.commits = self.commits.or(Some(cursor.span()));
        } else if words.eat("execute") {
            self.execute(&words, cursor.span());
        } else if words.eat("raise") {
            self.raise(&words);
        } else if !words
            .is_any(&["return", "null", "exit", "continue", "get", "open", "close", "fetch", "move", "assert"])
            && !is_assignment(cursor)
        {
            let mut kinds = Vec::new();
            read(*cursor, true, &mut kinds);
            for (span, kind) in kinds {
                self.push(span, kind);
            }
        }
    }

    /// EXECUTE of a string: its pieces are joined, with a stand-in for each value that only run time knows.
    fn execute(&mut self, cursor: &Cursor<'_>, span: Span) {
        let mut sql = String::new();
        let mut exact_base = None;
        for token in cursor.rest() {
            let raw = cursor.raw(*token);
            match token.kind {
                TokenKind::Word if raw.eq_ignore_ascii_case("using") || raw.eq_ignore_ascii_case("into") => break,
                TokenKind::String if raw.starts_with('\'') => {
                    exact_base = exact_base.or_else(|| sql.is_empty().then(|| cursor.origin.base + token.start() + 1));
                    sql.push_str(&unescape_in_place(&raw[1..raw.len() - 1]));
                }
                TokenKind::DollarString => {
                    let (tag, content) = dollar_body(raw);
                    exact_base =
                        exact_base.or_else(|| sql.is_empty().then(|| cursor.origin.base + token.start() + tag));
                    sql.push_str(content);
                }
                TokenKind::Comma if !sql.is_empty() => break,
                TokenKind::Word
                    if !matches!(
                        raw.to_ascii_lowercase().as_str(),
                        "format" | "quote_ident" | "quote_literal" | "concat"
                    ) =>
                {
                    sql.push_str("__");
                }
                _ => {}
            }
        }
        let sql = mask_format(&sql);
        let single_literal = cursor
            .rest()
            .iter()
            .filter(|token| matches!(token.kind, TokenKind::String | TokenKind::DollarString))
            .count()
            == 1;
        let collapsed = if single_literal { cursor.origin.collapsed } else { Some(span) };
        let origin = Origin { text: &sql, base: exact_base.unwrap_or(span.start), collapsed };
        let mut splitter = super::split::Splitter::new(&sql, Span::new(0, sql.len()), Engine::PostgreSql);
        let mut kinds = Vec::new();
        while splitter.cut().is_some() {
            read(Cursor::new(origin, splitter.tokens()), true, &mut kinds);
        }
        for (span, kind) in kinds {
            self.push(span, kind);
        }
    }

    fn push(&mut self, span: Span, kind: Kind) {
        let guard = self.frames.iter().rev().map(|frame| &frame.guard).find(|guard| **guard != Guard::None);
        let in_loop = self.frames.iter().any(|frame| frame.kind == FrameKind::Loop);
        let guard = guard.cloned().unwrap_or_default();
        self.found.push(Statement { span, kind, guard, within: Some(self.whole), in_loop, is_defined_only: false });
    }

    fn open(&mut self, kind: FrameKind, guard: Guard) {
        self.frames.push(Frame { kind, start: self.found.len(), guard, asked: None });
    }

    /// At the end of an IF's first branch: a condition that asks for the absence of things that the branch never names
    /// guards nothing in it.
    fn check_guard(&mut self, cursor: &Cursor<'_>) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some((names, start)) = frame.asked.take() else { return };
        if frame.guard != Guard::Condition(Looked::ForAbsence) || names.is_empty() {
            return;
        }
        let branch = cursor.origin.text.get(start..cursor.offset()).unwrap_or("").to_lowercase();
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let names_it = |word: &str| {
            let is_long = |text: &str| text.len() > 3;
            names.iter().any(|name| {
                word == name || is_long(name) && word.contains(name) || is_long(word) && name.contains(word)
            })
        };
        if branch.split(|character| !is_word(character)).any(|word| !word.is_empty() && names_it(word)) {
            return;
        }
        let (first, own) = (frame.start, frame.guard.clone());
        let outer = self.frames.iter().rev().skip(1).map(|frame| &frame.guard).find(|guard| **guard != Guard::None);
        let outer = outer.cloned().unwrap_or_default();
        for statement in self.found[first..].iter_mut().filter(|statement| statement.guard == own) {
            statement.guard = outer.clone();
        }
    }

    fn replace_guard(&mut self, guard: Guard) {
        if let Some(frame) = self.frames.last_mut() {
            frame.guard = guard;
        }
    }

    fn flip_guard(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        if let Guard::Condition(looked) = &mut frame.guard {
            *looked = match looked {
                Looked::ForAbsence => Looked::ForPresence,
                Looked::ForPresence => Looked::ForAbsence,
                Looked::Otherwise => Looked::Otherwise,
            };
        }
    }

    fn open_handlers(&mut self) {
        let body_end = self.found.len();
        if let Some(frame) = self.frames.last_mut() {
            frame.kind = FrameKind::Handlers { body_end, conditions: Vec::new(), pending: Vec::new() };
            frame.guard = Guard::Condition(Looked::Otherwise);
        }
    }

    fn add_conditions(&mut self, cursor: &Cursor<'_>) {
        let Some(Frame { kind: FrameKind::Handlers { conditions, pending, .. }, .. }) = self.frames.last_mut() else {
            return;
        };
        conditions.append(pending);
        for token in cursor.rest() {
            let raw = cursor.raw(*token).to_ascii_lowercase();
            match token.kind {
                TokenKind::String => pending.push(condition_name(raw.trim_matches('\'')).into()),
                TokenKind::Word if raw != "or" && raw != "sqlstate" => pending.push(raw.into()),
                _ => {}
            }
        }
    }

    /// A handler that raises again catches nothing.
    fn raise(&mut self, cursor: &Cursor<'_>) {
        if cursor.is_any(&["notice", "warning", "info", "log", "debug"]) {
            return;
        }
        for frame in self.frames.iter_mut().rev() {
            if let FrameKind::Handlers { pending, .. } = &mut frame.kind {
                pending.clear();
                return;
            }
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let FrameKind::Handlers { body_end, mut conditions, mut pending } = frame.kind else { return };
        conditions.append(&mut pending);
        for statement in &mut self.found[frame.start..body_end] {
            if statement.guard == Guard::None && !conditions.is_empty() {
                statement.guard = Guard::Exception(conditions.clone());
            }
        }
    }
}

/// The conditions that guards catch, by their SQLSTATE (PostgreSQL's `errcodes.txt`).
fn condition_name(code: &str) -> &str {
    match code {
        "42710" => "duplicate_object",
        "42p07" => "duplicate_table",
        "42701" => "duplicate_column",
        "42p06" => "duplicate_schema",
        "42723" => "duplicate_function",
        "42p04" => "duplicate_database",
        "23505" => "unique_violation",
        "42703" => "undefined_column",
        "42704" => "undefined_object",
        "42p01" => "undefined_table",
        "42883" => "undefined_function",
        "3f000" => "invalid_schema_name",
        "42p16" => "invalid_table_definition",
        other => other,
    }
}

/// `x := …` and `x = …`.
fn is_assignment(cursor: &Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    ahead.name().is_some()
        && ahead.peek().is_some_and(|token| token.kind == TokenKind::Equals || ahead.raw(token) == ":=")
}

/// Passes over tokens up to and with the next end of a statement.
fn take_statement<'a>(cursor: &mut Cursor<'a>) -> Cursor<'a> {
    let start = *cursor;
    while !cursor.is_done() && cursor.peek_kind() != Some(TokenKind::End) {
        cursor.skip_one();
    }
    let statement = Cursor::new(cursor.origin, cursor.since(&start));
    cursor.eat_kind(TokenKind::End);
    statement
}

fn take_until<'a>(cursor: &mut Cursor<'a>, keyword: &str) -> Cursor<'a> {
    let start = *cursor;
    skip_to(cursor, keyword);
    let taken = Cursor::new(cursor.origin, cursor.since(&start));
    cursor.eat(keyword);
    taken
}

fn skip_to(cursor: &mut Cursor<'_>, keyword: &str) {
    let mut cases = 0_usize;
    while !cursor.is_done() && cursor.peek_kind() != Some(TokenKind::End) && (cases > 0 || !cursor.is(keyword)) {
        if cursor.is("case") {
            cases += 1;
        } else if cursor.is("end") {
            cases = cases.saturating_sub(1);
        }
        cursor.skip_one();
    }
}

/// FOR … IN SELECT, FOREACH, WHILE EXISTS: the loop runs over what is there.
fn reads_rows(header: &Cursor<'_>) -> bool {
    header.rest().iter().any(|token| {
        let raw = header.raw(*token);
        raw.eq_ignore_ascii_case("select") || raw.eq_ignore_ascii_case("exists") || raw.eq_ignore_ascii_case("execute")
    })
}

/// What the condition of an IF looks for; a constant looks for nothing.
fn condition_guard(condition: &Cursor<'_>) -> Guard {
    if super::expression::expression(condition).is_tautology {
        return Guard::None;
    }
    let mut cursor = *condition;
    while let [first, .., last] = cursor.rest()
        && first.kind == TokenKind::LeftParen
        && last.kind == TokenKind::RightParen
    {
        let mut whole = cursor;
        match whole.skip_parens() {
            Some(inner) if whole.is_done() && !inner.is("select") => cursor = inner,
            _ => break,
        }
    }
    let (mut absence, mut presence) = (false, false);
    while !cursor.is_done() {
        if cursor.eat_all(&["is", "not", "null"]) {
            presence = true;
        } else if cursor.eat_all(&["is", "null"]) || cursor.eat("isnull") {
            absence = true;
        } else if cursor.eat("not") {
            absence = true;
            cursor.eat_any(&["exists", "found"]);
        } else if cursor.eat_any(&["exists", "found"]) {
            presence = true;
        } else if cursor.peek().is_some_and(|token| matches!(cursor.raw(token), "=" | "<")) {
            cursor.advance();
            absence |= cursor.peek().is_some_and(|token| matches!(cursor.raw(token), "0" | "1"));
        } else if cursor.peek().is_some_and(|token| cursor.raw(token) == ">") {
            cursor.advance();
            presence |= cursor.peek().is_some_and(|token| cursor.raw(token) == "0");
        } else {
            cursor.skip_one();
        }
    }
    Guard::Condition(match (absence, presence) {
        (true, false) => Looked::ForAbsence,
        (false, true) => Looked::ForPresence,
        _ => Looked::Otherwise,
    })
}

/// The names that the strings of a condition hold; none if one of them is no plain name.
fn asked_names(condition: &Cursor<'_>) -> Vec<String> {
    const EVERYWHERE: &[&str] = &["public", "pg_catalog", "information_schema"];
    let is_name = |name: &str| name.chars().all(|character| character.is_alphanumeric() || character == '_');
    let mut names = Vec::new();
    for token in condition.rest().iter().filter(|token| token.kind == TokenKind::String) {
        let text = condition.raw(*token).trim_matches('\'').to_lowercase();
        for name in text.split('.').map(|name| name.trim_matches('"')).filter(|name| !EVERYWHERE.contains(name)) {
            if name.is_empty() || !is_name(name) {
                return Vec::new();
            }
            names.push(name.to_owned());
        }
    }
    names
}

/// A string's content with `''` undone at the same length: the quote stays, its twin becomes a blank outside it.
pub(super) fn unescape_in_place(content: &str) -> String {
    let mut opens = true;
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(idx) = rest.find("''") {
        text.push_str(&rest[..idx]);
        text.push_str(if opens { " '" } else { "' " });
        opens = !opens;
        rest = &rest[idx + 2..];
    }
    text.push_str(rest);
    text
}

/// `%I`, `%s`, `%L`, `%1$I` of `format()`: identifiers and constants of the same length.
fn mask_format(sql: &str) -> String {
    let bytes = sql.as_bytes();
    let mut masked = bytes.to_vec();
    let mut idx = 0;
    while let Some(offset) = memchr::memchr(b'%', &bytes[idx..]) {
        let start = idx + offset;
        let mut end = start + 1;
        while bytes.get(end).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'$') {
            end += 1;
        }
        match bytes.get(end) {
            Some(b'I' | b's') => masked[start..=end].fill(b'_'),
            Some(b'L') => {
                masked[start..=end].fill(b' ');
                masked[start..start + 2].copy_from_slice(b"''");
            }
            _ => {}
        }
        idx = end;
    }
    String::from_utf8(masked).unwrap_or_else(|_| sql.to_owned())
}
