//! Facts about expressions, read from their tokens: calls, columns, tautologies, what must not be null.

use super::cursor::Cursor;
use super::token::{Token, TokenKind};
use crate::statement::{Call, Expr};

/// Words that are neither calls nor columns.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "collate",
    "desc",
    "distinct",
    "else",
    "end",
    "exists",
    "extract",
    "false",
    "filter",
    "from",
    "group",
    "having",
    "ilike",
    "in",
    "is",
    "isnull",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "not",
    "notnull",
    "null",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "row",
    "select",
    "similar",
    "some",
    "then",
    "to",
    "true",
    "union",
    "using",
    "values",
    "when",
    "where",
    "within",
];

/// Functions that SQL writes without parentheses.
const BARE_CALLS: &[&str] = &[
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "user",
];

/// Reads all that remains of the cursor as one expression.
pub(super) fn expression(cursor: &Cursor<'_>) -> Expr {
    let tokens = cursor.rest();
    let mut expr = Expr { span: cursor.span(), ..Expr::default() };
    for (idx, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Word | TokenKind::QuotedWord => read_word(&mut expr, cursor, tokens, idx),
            TokenKind::Star => expr.has_arithmetic = true,
            TokenKind::Operator => {
                expr.has_arithmetic |= matches!(cursor.raw(*token), "+" | "-" | "/" | "%" | "||");
            }
            _ => {}
        }
    }
    expr.is_tautology = !tokens.is_empty() && is_tautology(cursor, tokens, 0);
    collect_not_null(cursor, tokens, 0, &mut expr.not_null);
    expr
}

/// Reads up to a comma, one of the stop words, or the end; the first token is never a stop.
pub(super) fn expression_until(cursor: &mut Cursor<'_>, stops: &[&str]) -> Expr {
    let start = *cursor;
    cursor.skip_one();
    let mut brackets = 0_usize;
    while let Some(kind) = cursor.peek_kind() {
        match kind {
            TokenKind::Comma if brackets == 0 => break,
            TokenKind::LeftBracket => brackets += 1,
            TokenKind::RightBracket => brackets = brackets.saturating_sub(1),
            TokenKind::Word if cursor.is_any(stops) => break,
            _ => {}
        }
        cursor.skip_one();
    }
    expression(&Cursor::new(cursor.origin, cursor.since(&start)))
}

/// The calls in the remaining tokens, with what their first arguments say.
pub(super) fn calls(cursor: &Cursor<'_>) -> Vec<Call> {
    let mut found = Vec::new();
    let mut ahead = *cursor;
    while !ahead.is_done() {
        let start = ahead;
        let is_call = ahead.peek_kind() == Some(TokenKind::Word)
            && ahead.peek_at(1).is_some_and(|next| next.kind == TokenKind::LeftParen)
            && !ahead.is_any(KEYWORDS);
        let Some(function) = ahead.ident().filter(|_| is_call) else {
            if ahead.peek() == start.peek() {
                ahead.advance();
            }
            continue;
        };
        let mut after = ahead;
        let Some(inner) = after.skip_parens() else { continue };
        let mut arguments = inner.items();
        let first = arguments.next().and_then(|mut item| item.string());
        let second = arguments.next().map(|item| item.normalised());
        let span = after.span_since(&start);
        found.push(Call { function: function.name, span, arguments: expression(&inner), first, second });
        if found.len() >= 64 {
            break;
        }
    }
    found
}

fn read_word(expr: &mut Expr, cursor: &Cursor<'_>, tokens: &[Token], idx: usize) {
    let token = tokens[idx];
    let raw = cursor.raw(token);
    let next = tokens.get(idx + 1).map(|token| token.kind);
    let is_type = idx > 0 && tokens[idx - 1].kind == TokenKind::Cast;
    let name: Box<str> = match token.kind {
        TokenKind::QuotedWord => raw.trim_matches(['"', '`', '[', ']']).into(),
        _ => raw.to_lowercase().into(),
    };
    let is_function_left = &*name == "left" && next == Some(TokenKind::LeftParen);
    if token.kind == TokenKind::Word && KEYWORDS.contains(&&*name) && !is_function_left {
        expr.has_subquery |= &*name == "select";
        expr.is_null = &*name == "null" && tokens.len() == 1;
        // EXTRACT and CAST are syntax, and immutable at that; ARRAY and ROW build values.
        return;
    }
    if is_type || next == Some(TokenKind::Dot) {
        return;
    }
    if next == Some(TokenKind::LeftParen) || (token.kind == TokenKind::Word && BARE_CALLS.contains(&&*name)) {
        expr.calls.push(name);
    } else {
        if next == Some(TokenKind::Cast) {
            expr.cast.push(name.clone());
        }
        expr.words.push(name);
    }
}

/// Splits at a keyword outside parentheses; BETWEEN keeps its AND.
fn split<'t>(cursor: &Cursor<'_>, tokens: &'t [Token], keyword: &str) -> Vec<&'t [Token]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let (mut depth, mut between) = (0_usize, false);
    for (idx, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 => {
                let raw = cursor.raw(*token);
                if raw.eq_ignore_ascii_case("between") {
                    between = true;
                } else if raw.eq_ignore_ascii_case(keyword) {
                    if std::mem::take(&mut between) && keyword == "and" {
                        continue;
                    }
                    parts.push(&tokens[start..idx]);
                    start = idx + 1;
                }
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// Without the parentheses around the whole, if there are any.
fn unwrap_parens(tokens: &[Token]) -> Option<&[Token]> {
    let [first, inner @ .., last] = tokens else { return None };
    if first.kind != TokenKind::LeftParen || last.kind != TokenKind::RightParen {
        return None;
    }
    let mut depth = 0_i64;
    for token in inner {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    Some(inner)
}

const MAX_DEPTH: usize = 16;

fn is_tautology(cursor: &Cursor<'_>, tokens: &[Token], depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    if let Some(inner) = unwrap_parens(tokens) {
        return is_tautology(cursor, inner, depth + 1);
    }
    let branches = split(cursor, tokens, "or");
    if branches.len() > 1 {
        return branches.iter().any(|branch| is_tautology(cursor, branch, depth + 1))
            || is_null_or_not(cursor, &branches);
    }
    let conjuncts = split(cursor, tokens, "and");
    if conjuncts.len() > 1 {
        return conjuncts.iter().all(|conjunct| is_tautology(cursor, conjunct, depth + 1));
    }
    is_true_atom(cursor, tokens)
}

/// `a IS NULL OR a IS NOT NULL`.
fn is_null_or_not(cursor: &Cursor<'_>, branches: &[&[Token]]) -> bool {
    let ends = |tokens: &[Token], words: &[&str]| {
        let at = tokens.len().checked_sub(words.len()).filter(|at| *at > 0)?;
        let is_end = tokens[at..].iter().zip(words).all(|(token, word)| cursor.raw(*token).eq_ignore_ascii_case(word));
        is_end.then(|| tokens[..at].iter().map(|token| cursor.raw(*token).to_lowercase()).collect::<String>())
    };
    let nulls: Vec<String> = branches.iter().take(16).filter_map(|branch| ends(branch, &["is", "null"])).collect();
    let others = branches.iter().take(16).filter_map(|branch| ends(branch, &["is", "not", "null"]));
    others.into_iter().any(|other| nulls.contains(&other))
}

fn is_true_atom(cursor: &Cursor<'_>, tokens: &[Token]) -> bool {
    let raw = |token: &Token| cursor.raw(*token);
    match tokens {
        [only] => raw(only).eq_ignore_ascii_case("true") || raw(only) == "1",
        [not, only] => raw(not).eq_ignore_ascii_case("not") && raw(only).eq_ignore_ascii_case("false"),
        [left, operator, right]
            if left.kind == TokenKind::Number
                && right.kind == TokenKind::Number
                && operator.kind == TokenKind::Operator =>
        {
            let (left, right) = (raw(left).parse::<f64>(), raw(right).parse::<f64>());
            match (left, right, raw(operator)) {
                (Ok(left), Ok(right), "<") => left < right,
                (Ok(left), Ok(right), ">") => left > right,
                (Ok(left), Ok(right), "<>" | "!=") => (left - right).abs() > f64::EPSILON,
                (Ok(left), Ok(right), "<=") => left <= right,
                (Ok(left), Ok(right), ">=") => left >= right,
                _ => false,
            }
        }
        _ => {
            let Some(operator) = tokens.iter().position(|token| token.kind == TokenKind::Equals) else { return false };
            let (left, right) = (&tokens[..operator], &tokens[operator + 1..]);
            !left.is_empty()
                && left.len() == right.len()
                && left.iter().zip(right).all(|(a, b)| raw(a).eq_ignore_ascii_case(raw(b)))
                && !left.iter().any(|token| token.kind == TokenKind::LeftParen)
        }
    }
}

fn collect_not_null(cursor: &Cursor<'_>, tokens: &[Token], depth: usize, found: &mut Vec<Box<str>>) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(inner) = unwrap_parens(tokens) {
        return collect_not_null(cursor, inner, depth + 1, found);
    }
    let conjuncts = split(cursor, tokens, "and");
    if conjuncts.len() > 1 {
        for conjunct in conjuncts {
            collect_not_null(cursor, conjunct, depth + 1, found);
        }
        return;
    }
    let column = match tokens {
        [column, is, not, null]
            if cursor.raw(*is).eq_ignore_ascii_case("is")
                && cursor.raw(*not).eq_ignore_ascii_case("not")
                && cursor.raw(*null).eq_ignore_ascii_case("null") =>
        {
            column
        }
        [column, notnull] if cursor.raw(*notnull).eq_ignore_ascii_case("notnull") => column,
        _ => return,
    };
    let single = [*column];
    if let Some(column) = Cursor::new(cursor.origin, &single).ident() {
        found.push(column.name);
    }
}
