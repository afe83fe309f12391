//! Splits the SQL that `pg_dump` writes into tokens: just enough of PostgreSQL's lexer (`scan.l`) for definitions.

use memchr::memmem;

/// One token, with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, a name or a quoted name.
    Word(&'a [u8]),
    /// A number or a string with its quotes.
    Literal(&'a [u8]),
    /// An operator, or one of `, ; .`.
    Symbol(&'a [u8]),
    /// `::`
    Cast,
    /// `(` or `[`
    Open(u8),
    /// `)` or `]`
    Close(u8),
}

/// The tokens of `sql`; white space and comments are between them.
pub(super) fn tokens(mut sql: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while let Some(&first) = sql.first() {
        let length = match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => 1,
            b'-' if sql.starts_with(b"--") => sql.iter().position(|byte| *byte == b'\n').unwrap_or(sql.len()),
            _ => {
                let (token, length) = token(sql, first);
                tokens.push(token);
                length
            }
        };
        sql = &sql[length..];
    }
    tokens
}

fn token(sql: &[u8], first: u8) -> (Token<'_>, usize) {
    let text = |length: usize| (&sql[..length], length);
    match first {
        b'(' | b'[' => (Token::Open(first), 1),
        b')' | b']' => (Token::Close(first), 1),
        b':' if sql.starts_with(b"::") => (Token::Cast, 2),
        b'\'' => literal(text(quoted_length(sql, b'\'', false))),
        b'E' if sql.starts_with(b"E'") => literal(text(1 + quoted_length(&sql[1..], b'\'', true))),
        b'"' => word(text(quoted_length(sql, b'"', false))),
        b'$' => dollar_quoted_length(sql).map_or_else(|| word(text(1 + run(&sql[1..], is_word))), |n| literal(text(n))),
        b'0'..=b'9' => literal(text(run(sql, |byte| is_word(byte) || byte == b'.'))),
        _ if is_word(first) => word(text(run(sql, is_word))),
        _ if is_operator(first) => symbol(text(operator_length(sql))),
        _ => symbol(text(1)),
    }
}

fn word((text, length): (&[u8], usize)) -> (Token<'_>, usize) {
    (Token::Word(text), length)
}

fn literal((text, length): (&[u8], usize)) -> (Token<'_>, usize) {
    (Token::Literal(text), length)
}

fn symbol((text, length): (&[u8], usize)) -> (Token<'_>, usize) {
    (Token::Symbol(text), length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&byte)
}

fn run(sql: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    sql.iter().position(|byte| !belongs(*byte)).unwrap_or(sql.len())
}

/// An operator ends where a comment begins.
fn operator_length(sql: &[u8]) -> usize {
    let length = run(sql, is_operator);
    memmem::find(&sql[..length], b"--").filter(|at| *at > 0).unwrap_or(length)
}

/// Bytes up to and with the closing quote, or all of them; a doubled quote is part of the text.
fn quoted_length(sql: &[u8], quote: u8, backslashes: bool) -> usize {
    let mut position = 1;
    while let Some(&byte) = sql.get(position) {
        position += match byte {
            b'\\' if backslashes => 2,
            _ if byte == quote && sql.get(position + 1) == Some(&quote) => 2,
            _ if byte == quote => return position + 1,
            _ => 1,
        };
    }
    sql.len()
}

/// `$tag$ … $tag$`; nothing if this is no such string, as in `$1`.
fn dollar_quoted_length(sql: &[u8]) -> Option<usize> {
    let name = run(&sql[1..], |byte| is_word(byte) && byte != b'$');
    if sql.get(1).is_some_and(u8::is_ascii_digit) || sql.get(1 + name) != Some(&b'$') {
        return None;
    }
    let (tag, body) = sql.split_at(name + 2);
    Some(memmem::find(body, tag).map_or(sql.len(), |at| at + 2 * tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[Token<'_>]) {
        assert_eq!(tokens(sql.as_bytes()), expected, "{sql}");
    }

    #[test]
    fn strings_are_one_token_whatever_they_hold() {
        check("'a''(b'::text", &[Token::Literal(b"'a''(b'"), Token::Cast, Token::Word(b"text")]);
        check(r"E'a\'b' 'c\'", &[Token::Literal(br"E'a\'b'"), Token::Literal(br"'c\'")]);
        check("$_$ ';$$ $_$ $1", &[Token::Literal(b"$_$ ';$$ $_$"), Token::Word(b"$1")]);
        check("\"a\"\"(\"", &[Token::Word(b"\"a\"\"(\"")]);
    }

    #[test]
    fn comments_and_white_space_are_not_tokens() {
        check("a\n -- b\n+ -- c", &[Token::Word(b"a"), Token::Symbol(b"+")]);
    }

    #[test]
    fn an_unfinished_string_ends_with_the_text() {
        check("'a", &[Token::Literal(b"'a")]);
        check("E'a\\", &[Token::Literal(b"E'a\\")]);
        check("$x$a", &[Token::Literal(b"$x$a")]);
    }
}
