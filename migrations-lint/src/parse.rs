//! SQL text to statements: cut by tokens, judged by the server's grammar, read into the linter's own words.

mod alter;
mod block;
mod cursor;
mod data;
mod expression;
mod grammar;
mod mask;
mod mysql;
mod object;
mod read;
mod session;
mod sign;
mod split;
mod sqlite;
mod table;
mod token;
mod types;

pub(crate) use session::POWERFUL_ROLES;
pub(crate) use sign::Signs;

use cursor::{Cursor, Origin};
use split::Splitter;
use token::{Token, TokenKind};

use crate::engine::Engine;
use crate::source_text::Span;
use crate::statement::{Guard, Kind, Statement};

/// Nesting that no migration needs; PostgreSQL's own stack gives up somewhat later.
const MAX_NESTING: usize = 500;

/// More than this in one part is not looked at. Statements that define something weigh more: they stay in the context.
const MAX_WEIGHT: usize = 1_000_000;

/// What a statement other than INSERT weighs.
const WEIGHT: usize = 3;

/// Everything under `span` of `text`, in order; what a `DO` block runs follows the block.
pub(crate) fn parse(text: &str, span: Span, engine: Engine) -> Vec<Statement> {
    if u32::try_from(text.len()).is_err() {
        return vec![statement(Span::new(span.start, span.start), Kind::Limit("the file is 4 GiB or larger".into()))];
    }
    let text = mask::mask_placeholders(text, span);
    let mut splitter = Splitter::new(&text, span, engine);
    let mut statements: Vec<Statement> = Vec::new();
    let (mut weight, mut n_weighed) = (0, 0);
    let mut prepared = mysql::prepared::Prepared::default();
    while let Some(cut) = splitter.cut() {
        if weight >= MAX_WEIGHT {
            let start = splitter.tokens().first().map_or(span.start, |token| token.start());
            statements.push(statement(
                Span::new(start, start),
                Kind::Limit("there are more statements than the linter keeps in mind".into()),
            ));
            break;
        }
        let origin = Origin { text: &text, base: 0, collapsed: None };
        if cut.depth > MAX_NESTING {
            let cursor = Cursor::new(origin, splitter.tokens());
            let reason = format!("parentheses are nested {} deep, more than {MAX_NESTING}", cut.depth);
            statements.push(statement(cursor.span(), Kind::Limit(reason.into())));
        }
        if engine == Engine::Sqlite {
            let tokens = sqlite::without_database(&text, splitter.tokens());
            read_judged(origin, &tokens, cut.depth, engine, &mut statements);
        } else {
            read_judged(origin, splitter.tokens(), cut.depth, engine, &mut statements);
        }
        if matches!(engine, Engine::MySql | Engine::MariaDb) {
            prepared.read(Cursor::new(origin, splitter.tokens()), engine, &mut statements);
        }
        weight += statements[n_weighed..]
            .iter()
            .map(|statement| if matches!(statement.kind, Kind::Insert(_)) { 1 } else { WEIGHT })
            .sum::<usize>();
        n_weighed = statements.len();
    }
    statements
}

/// The statements' places alone.
pub(crate) fn statement_spans(text: &str, engine: Engine) -> Vec<Span> {
    let whole = Span::new(0, text.len());
    let text = mask::mask_placeholders(text, whole);
    let mut splitter = Splitter::new(&text, whole, engine);
    let mut spans = Vec::new();
    while splitter.cut().is_some() {
        let tokens = splitter.tokens();
        spans.push(Span::new(tokens[0].start(), tokens[tokens.len() - 1].end()));
    }
    spans
}

/// What stands for a part on which the linter itself failed.
pub(crate) fn unreadable(span: Span) -> Statement {
    statement(Span::new(span.start, span.start), Kind::Limit("the linter failed on this text; please report it".into()))
}

/// Reads a statement that the grammar accepts; of one that it rejects, what can be told apart still counts.
fn read_judged(origin: Origin<'_>, tokens: &[Token], depth: usize, engine: Engine, found: &mut Vec<Statement>) {
    let verdict = judged(origin, tokens, depth, engine);
    let is_doubted = verdict.starts.len() > 1 || verdict.problem.is_some();
    if is_doubted && (uses_psql_variables(origin, tokens) || is_psql_copy(origin, tokens)) {
        return read_statement(Cursor::new(origin, tokens), engine, found);
    }
    if verdict.starts.len() > 1 {
        return read_unseparated(origin, tokens, &verdict.starts, engine, found);
    }
    let Some((message, place)) = verdict.problem else {
        return read_statement(Cursor::new(origin, tokens), engine, found);
    };
    for piece in pieces_at_line_starts(origin, tokens) {
        let verdict = if piece.len() == tokens.len() {
            Some((message.clone(), place))
        } else {
            judged(origin, piece, depth, engine).problem
        };
        match verdict {
            None => read_statement(Cursor::new(origin, piece), engine, found),
            Some((message, place)) => found.push(unparsed(Cursor::new(origin, piece).span(), &message, place)),
        }
    }
}

/// The grammar's verdict with places in the file; other engines' grammars are not judged.
fn judged(origin: Origin<'_>, tokens: &[Token], depth: usize, engine: Engine) -> grammar::Verdict {
    if let Some(last) = tokens.last().filter(|last| last.kind == TokenKind::Unterminated) {
        return grammar::Verdict { problem: Some(("an unterminated quote".into(), last.start())), starts: Vec::new() };
    }
    if engine != Engine::PostgreSql {
        return grammar::Verdict { problem: judged_elsewhere(origin, tokens, engine), starts: Vec::new() };
    }
    let span = Cursor::new(origin, tokens).span();
    let verdict = grammar::judge(&origin.text[span.range()], tokens.len(), depth);
    grammar::Verdict {
        problem: verdict.problem.map(|(message, at)| (message, span.start + at)),
        starts: verdict.starts.into_iter().map(|at| span.start + at).collect(),
    }
}

/// MySQL, MariaDB and SQLite: sqlparser first, then the linter's own recogniser, since sqlparser knows too little.
fn judged_elsewhere(origin: Origin<'_>, tokens: &[Token], engine: Engine) -> Option<(Box<str>, usize)> {
    let cursor = Cursor::new(origin, tokens);
    // A dump is mostly INSERT: its rows tell nothing.
    if cursor.is("insert") && tokens.len() > 500 {
        return None;
    }
    let span = cursor.span();
    let (problem, at) = mysql::grammar::judge(&on_one_line(origin, tokens), tokens.len(), engine)?;
    if mysql::clause::recognises(cursor) {
        return None;
    }
    let text = &origin.text[span.range()];
    let offset = text.char_indices().nth(at).map_or(text.len(), |(offset, _)| offset);
    Some((problem, span.start + offset))
}

/// The statement without its comments and marks of versions, each character in its old place.
fn on_one_line(origin: Origin<'_>, tokens: &[Token]) -> String {
    let mut line = String::new();
    let mut at = tokens.first().map_or(0, |token| token.start());
    for token in tokens {
        line.extend(origin.text[at..token.start()].chars().map(|_| ' '));
        line.extend(
            origin.text[token.span().range()].chars().map(|character| if character == '\n' { ' ' } else { character }),
        );
        at = token.end();
    }
    line
}

/// Statements without semicolons between them: each is read, and the place of the first that is missing reported.
fn read_unseparated(
    origin: Origin<'_>,
    tokens: &[Token],
    starts: &[usize],
    engine: Engine,
    found: &mut Vec<Statement>,
) {
    let mut rest = tokens;
    for (idx, _) in starts.iter().enumerate() {
        let end = starts.get(idx + 1).map_or(rest.len(), |next| rest.partition_point(|token| token.start() < *next));
        let (piece, after) = rest.split_at(end);
        rest = after;
        if piece.is_empty() {
            continue;
        }
        if idx == 1 {
            let span = Cursor::new(origin, piece).span();
            found.push(unparsed(
                span,
                "this does not belong to the statement before it, or a semicolon is missing",
                span.start,
            ));
        }
        read_statement(Cursor::new(origin, piece), engine, found);
    }
}

fn read_statement(cursor: Cursor<'_>, engine: Engine, found: &mut Vec<Statement>) {
    if engine == Engine::PostgreSql && cursor.is("do") {
        let idx = found.len();
        let span = cursor.span();
        found.push(statement(span, Kind::Do { commits: None }));
        let commits = block::read_do(&cursor, span, found);
        found[idx].kind = Kind::Do { commits };
        return;
    }
    let mut kinds = Vec::new();
    let own = match engine {
        Engine::PostgreSql => None,
        Engine::MySql | Engine::MariaDb => mysql::read(cursor),
        Engine::Sqlite => sqlite::read(cursor),
    };
    match own {
        Some(own) => kinds = own,
        None => read::read(cursor, false, &mut kinds),
    }
    let is_cut_off = |kind: &Kind| matches!(kind, Kind::AlterTable(alter) if alter.actions.len() >= alter::MAX_ACTIONS);
    if kinds.iter().any(|(_, kind)| is_cut_off(kind)) {
        let reason = format!("an ALTER TABLE has {} actions or more", alter::MAX_ACTIONS);
        found.push(statement(cursor.span(), Kind::Limit(reason.into())));
    }
    let defines_function =
        engine == Engine::PostgreSql && kinds.iter().any(|(_, kind)| matches!(kind, Kind::CreateFunction(_)));
    found.extend(kinds.into_iter().map(|(span, kind)| statement(span, kind)));
    if defines_function {
        block::read_function(&cursor, cursor.span(), found);
    }
}

fn statement(span: Span, kind: Kind) -> Statement {
    Statement { span, kind, guard: Guard::None, within: None, in_loop: false, is_defined_only: false }
}

fn unparsed(whole: Span, message: &str, place: usize) -> Statement {
    let start = place.clamp(whole.start, whole.end);
    statement(
        Span::new(whole.start, whole.end),
        Kind::Unparsed(format!("{message} (at byte {} of the statement)", start - whole.start).into()),
    )
}

/// `:name`, `:'name'`: psql puts a value there, so the grammar has no say.
fn uses_psql_variables(origin: Origin<'_>, tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| {
        &origin.text[pair[0].span().range()] == ":"
            && pair[0].end() == pair[1].start()
            && matches!(pair[1].kind, TokenKind::Word | TokenKind::String | TokenKind::QuotedWord)
    })
}

/// `\copy t from file`: psql reads the file's name, which needs no quotes.
fn is_psql_copy(origin: Origin<'_>, tokens: &[Token]) -> bool {
    tokens.first().is_some_and(|first| origin.text[..first.start()].ends_with('\\'))
}

/// A forgotten semicolon glues statements together: cuts where a line starts with a word that starts statements.
fn pieces_at_line_starts<'t>(origin: Origin<'_>, tokens: &'t [Token]) -> Vec<&'t [Token]> {
    const STARTS: &[&str] =
        &["create", "alter", "drop", "insert", "update", "delete", "truncate", "grant", "comment", "do"];
    let mut pieces = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (idx, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => depth = depth.saturating_sub(1),
            TokenKind::Word if idx > start && depth == 0 => {
                let raw = &origin.text[token.span().range()];
                let before = &origin.text[tokens[idx - 1].end()..token.start()];
                if before.contains('\n') && STARTS.iter().any(|word| raw.eq_ignore_ascii_case(word)) {
                    pieces.push(&tokens[start..idx]);
                    start = idx;
                }
            }
            _ => {}
        }
    }
    pieces.push(&tokens[start..]);
    pieces
}
