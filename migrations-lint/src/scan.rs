//! A tolerant walk over SQL text that tells comments and statements apart; no grammar, for what only needs places.

use crate::source_text::Span;

/// Where the comments and the statements of a text are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// `--` comments up to their line's end, and `/* … */` comments, in order.
    pub(crate) comments: Vec<Span>,
    /// From the first character that is neither blank nor comment, past the `;` or to the end of the last token.
    pub(crate) statements: Vec<Span>,
}

/// Walks `text` once. Quotes, dollar quotes and nested comments are honoured; an unclosed one runs to the end.
pub(crate) fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut found = Scan::default();
    let mut statement: Option<Span> = None;
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < bytes.len() {
        let from = at;
        at = match bytes[at] {
            b'-' if bytes[at..].starts_with(b"--") => {
                at = memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                found.comments.push(Span::new(from, at));
                continue;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                at = block_comment_end(bytes, at);
                found.comments.push(Span::new(from, at));
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b';' => {
                let start = statement.take().map_or(at, |span| span.start);
                if start < at {
                    found.statements.push(Span::new(start, at + 1));
                }
                at += 1;
                continue;
            }
            b'\'' => quoted_end(bytes, at, is_escape_string(bytes, at)),
            b'"' | b'`' => quoted_end(bytes, at, false),
            b'$' => dollar_end(text, at),
            byte if is_word(byte) => {
                at + bytes[at..].iter().take_while(|byte| is_word(**byte) || **byte == b'$').count()
            }
            _ => at + 1,
        };
        statement = Some(Span::new(statement.map_or(from, |span| span.start), at));
    }
    found.statements.extend(statement);
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether the quote at `at` opens an `E'…'` string, in which a backslash escapes.
fn is_escape_string(bytes: &[u8], at: usize) -> bool {
    at > 0 && matches!(bytes[at - 1], b'e' | b'E') && (at < 2 || !is_word(bytes[at - 2]))
}

fn quoted_end(bytes: &[u8], at: usize, backslash_escapes: bool) -> usize {
    let quote = bytes[at];
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if backslash_escapes => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = at;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The end of a `$tag$ … $tag$` string that opens at `at`; just past the `$` if none does.
fn dollar_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let tag_length = bytes[at + 1..].iter().take_while(|byte| is_word(**byte)).count();
    let tag_end = at + 1 + tag_length;
    let begins_with_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    if bytes.get(tag_end) != Some(&b'$') || begins_with_digit {
        return at + 1;
    }
    let tag = &bytes[at..=tag_end];
    memchr::memmem::find(&bytes[tag_end + 1..], tag).map_or(bytes.len(), |n| tag_end + 1 + n + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, statements: &[&str], comments: &[&str]) {
        let found = scan(text);
        assert_eq!(found.statements.iter().map(|span| &text[span.range()]).collect::<Vec<_>>(), statements);
        assert_eq!(found.comments.iter().map(|span| &text[span.range()]).collect::<Vec<_>>(), comments);
    }

    #[test]
    fn statements_and_comments_are_told_apart() {
        check(
            "-- one\nselect 1; /* two */ select 2\n-- three",
            &["select 1;", "select 2"],
            &["-- one", "/* two */", "-- three"],
        );
    }

    #[test]
    fn a_semicolon_or_comment_mark_in_a_quote_is_text() {
        check(
            "select ';--', \"a;b\", E'\\';', $x$ ; -- no $$ $x$;",
            &["select ';--', \"a;b\", E'\\';', $x$ ; -- no $$ $x$;"],
            &[],
        );
    }

    #[test]
    fn a_parameter_is_no_dollar_quote() {
        check("select $1, a$b$; select 2", &["select $1, a$b$;", "select 2"], &[]);
    }

    #[test]
    fn comments_nest_and_lone_semicolons_are_nothing() {
        check("/* a /* b */ c */ ; ;", &[], &["/* a /* b */ c */"]);
    }

    #[test]
    fn an_unclosed_quote_or_comment_runs_to_the_end() {
        check("select 'abc; select 2", &["select 'abc; select 2"], &[]);
        check("select 1; /* abc", &["select 1;"], &["/* abc"]);
        check("do $$ begin;", &["do $$ begin;"], &[]);
    }
}
