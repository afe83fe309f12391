//! Tokens of SQL text with byte offsets, in linear time and without ever failing: what no dialect knows is `Unknown`.

use crate::engine::Engine;
use crate::source_text::Span;

/// What a token is, as far as splitting and reading statements needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or an unquoted identifier.
    Word,
    /// An identifier in double quotes (PostgreSQL, SQLite) or backticks (MySQL).
    QuotedWord,
    /// A string constant in single quotes, with any prefix.
    String,
    /// A dollar-quoted string constant.
    DollarString,
    /// A string constant that the end of the file cut off.
    Unterminated,
    /// A number.
    Number,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `[`
    LeftBracket,
    /// `]`
    RightBracket,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `;`, a custom delimiter, or a framework's statement breakpoint.
    End,
    /// `=` alone.
    Equals,
    /// `*` alone.
    Star,
    /// `::`
    Cast,
    /// A whole psql command line.
    Meta,
    /// Any other operator.
    Operator,
    /// A byte that belongs to no token.
    Unknown,
}

/// One token; files of 4 GiB and more are refused before the lexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    start: u32,
    end: u32,
}

impl Token {
    fn new(kind: TokenKind, start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { kind, start: narrow(start), end: narrow(end) }
    }

    /// Offset of its first byte.
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    /// Offset just past its last byte.
    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    /// Its place in the text.
    pub(crate) fn span(self) -> Span {
        Span::new(self.start(), self.end())
    }
}

/// Drizzle's mark between statements, which may stand right behind one.
const BREAKPOINT: &[u8] = b"--> statement-breakpoint";

/// Walks over a text from token to token; comments and white space are passed over.
pub(crate) struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
    end: usize,
    is_mysql: bool,
    is_mariadb: bool,
    is_sqlite: bool,
    /// Set by `DELIMITER`, which only MySQL's clients know.
    delimiter: Option<&'a [u8]>,
}

impl<'a> Lexer<'a> {
    /// A lexer over `span` of `text`.
    pub(crate) fn new(text: &'a str, span: Span, engine: Engine) -> Self {
        let is_mysql = matches!(engine, Engine::MySql | Engine::MariaDb);
        let (is_mariadb, is_sqlite) = (engine == Engine::MariaDb, engine == Engine::Sqlite);
        let (bytes, position, end) = (text.as_bytes(), span.start, span.end);
        Self { bytes, position, end, is_mysql, is_mariadb, is_sqlite, delimiter: None }
    }

    /// Where the next token is searched from.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Continues at `position`: over COPY data, or back to a place where splitting went wrong.
    pub(crate) fn seek(&mut self, position: usize) {
        self.position = position.min(self.end);
    }

    /// The next token, or `None` at the end.
    pub(crate) fn next_token(&mut self) -> Option<Token> {
        loop {
            let start = self.position;
            let byte = self.at(start)?;
            if let Some(delimiter) = self.delimiter
                && self.bytes[start..self.end].starts_with(delimiter)
            {
                return Some(self.token(TokenKind::End, start, start + delimiter.len()));
            }
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.position += 1,
                0xef if self.bytes[start..self.end].starts_with(b"\xef\xbb\xbf") => self.position += 3,
                b'-' if self.at(start + 1) == Some(b'-') && self.is_line_comment(start) => {
                    if let Some(breakpoint) = self.line_comment(start) {
                        return Some(breakpoint);
                    }
                }
                b'#' if self.is_mysql => self.position = self.line_end(start),
                b'/' if self.at(start + 1) == Some(b'*') => self.block_comment(start),
                b'*' if self.is_mysql && self.at(start + 1) == Some(b'/') => self.position += 2,
                _ => return Some(self.significant(byte, start)),
            }
        }
    }

    fn significant(&mut self, byte: u8, start: usize) -> Token {
        match byte {
            b'(' => self.token(TokenKind::LeftParen, start, start + 1),
            b')' => self.token(TokenKind::RightParen, start, start + 1),
            b'[' if self.is_sqlite => match memchr::memchr(b']', &self.bytes[start..self.end]) {
                Some(offset) => self.token(TokenKind::QuotedWord, start, start + offset + 1),
                None => self.token(TokenKind::Unterminated, start, self.end),
            },
            b'[' => self.token(TokenKind::LeftBracket, start, start + 1),
            b']' => self.token(TokenKind::RightBracket, start, start + 1),
            b',' => self.token(TokenKind::Comma, start, start + 1),
            b';' if self.delimiter.is_none() => self.token(TokenKind::End, start, start + 1),
            b'.' if !self.at(start + 1).is_some_and(|next| next.is_ascii_digit()) => {
                self.token(TokenKind::Dot, start, start + 1)
            }
            b'\'' => self.quoted(start, start, TokenKind::String, self.is_mysql),
            b'"' if self.is_mysql => self.quoted(start, start, TokenKind::String, true),
            b'"' | b'`' => self.quoted(start, start, TokenKind::QuotedWord, false),
            b'\\' if !self.is_mysql => {
                let end = self.line_end(start);
                self.token(TokenKind::Meta, start, end)
            }
            b'$' => self.dollar(start),
            b'0'..=b'9' | b'.' => self.number(start),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => self.word(start),
            b':' => self.operator(start),
            _ if is_operator(byte) => self.operator(start),
            _ => self.token(TokenKind::Unknown, start, start + 1),
        }
    }

    fn at(&self, position: usize) -> Option<u8> {
        if position < self.end { self.bytes.get(position).copied() } else { None }
    }

    fn token(&mut self, kind: TokenKind, start: usize, end: usize) -> Token {
        self.position = end;
        Token::new(kind, start, end)
    }

    fn line_end(&self, start: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[start..self.end]).map_or(self.end, |offset| start + offset)
    }

    /// Passes over a comment; Drizzle's breakpoint is a comment that ends a statement.
    fn line_comment(&mut self, start: usize) -> Option<Token> {
        let end = self.line_end(start);
        self.position = end;
        self.bytes[start..end].starts_with(BREAKPOINT).then(|| Token::new(TokenKind::End, start, end))
    }

    /// MySQL wants a blank after the two dashes (`a--1` is a sum); at a line's start people leave it out.
    fn is_line_comment(&self, start: usize) -> bool {
        !self.is_mysql
            || self.at(start + 2).is_none_or(|byte| byte <= b' ')
            || self.bytes[start..self.end].starts_with(BREAKPOINT)
            || self.bytes[..start]
                .iter()
                .rev()
                .find(|byte| !matches!(byte, b' ' | b'\t'))
                .is_none_or(|byte| *byte == b'\n')
    }

    /// PostgreSQL nests comments; MySQL does not, and runs what stands in `/*! … */`.
    fn block_comment(&mut self, start: usize) {
        if let Some(content) = self.versioned_content(start) {
            self.position = content;
            return;
        }
        let mut depth = 1_usize;
        let mut position = start + 2;
        while depth > 0 {
            let Some(offset) = memchr::memchr2(b'*', b'/', &self.bytes[position..self.end]) else {
                self.position = self.end;
                return;
            };
            position += offset;
            match (self.bytes[position], self.at(position + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    position += 2;
                }
                (b'/', Some(b'*')) if !self.is_mysql => {
                    depth += 1;
                    position += 2;
                }
                _ => position += 1,
            }
        }
        self.position = position;
    }

    /// Where the SQL in `/*! … */`, `/*!80016 … */` or `/*M! … */` starts, if a server of today runs it: MySQL's own are for
    /// versions below 10.0, MariaDB passes over those of MySQL 5.7 and later.
    fn versioned_content(&self, start: usize) -> Option<usize> {
        let is_mariadbs = self.at(start + 2) == Some(b'M') && self.at(start + 3) == Some(b'!');
        if !self.is_mysql || !is_mariadbs && self.at(start + 2) != Some(b'!') {
            return None;
        }
        let digits = start + 3 + usize::from(is_mariadbs);
        let n_digits = self.bytes[digits..self.end].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        let version = std::str::from_utf8(&self.bytes[digits..digits + n_digits]).ok()?.parse::<u32>().unwrap_or(0);
        let runs = if self.is_mariadb {
            version < 50_700 || (100_000..200_000).contains(&version)
        } else {
            !is_mariadbs && version < 100_000
        };
        runs.then_some(digits + n_digits)
    }

    /// From `start` (its prefix included) with the opening quote at `open`; a doubled quote stands for itself.
    fn quoted(&mut self, start: usize, open: usize, kind: TokenKind, escapes: bool) -> Token {
        let quote = self.bytes[open];
        let mut position = open + 1;
        loop {
            let rest = &self.bytes[position.min(self.end)..self.end];
            let found = if escapes { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) };
            let Some(offset) = found else {
                return self.token(TokenKind::Unterminated, start, self.end);
            };
            position += offset;
            if self.bytes[position] == b'\\' || self.at(position + 1) == Some(quote) {
                position += 2;
            } else {
                return self.token(kind, start, position + 1);
            }
        }
    }

    fn dollar(&mut self, start: usize) -> Token {
        let mut tag_end = start + 1;
        while self.at(tag_end).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80) {
            tag_end += 1;
        }
        let starts_with_digit = self.at(start + 1).is_some_and(|byte| byte.is_ascii_digit());
        if self.is_mysql || starts_with_digit || self.at(tag_end) != Some(b'$') {
            return self.token(TokenKind::Unknown, start, tag_end.max(start + 1));
        }
        let tag = &self.bytes[start..=tag_end];
        let body = tag_end + 1;
        match memchr::memmem::find(&self.bytes[body..self.end], tag) {
            Some(offset) => self.token(TokenKind::DollarString, start, body + offset + tag.len()),
            None => self.token(TokenKind::Unterminated, start, self.end),
        }
    }

    fn number(&mut self, start: usize) -> Token {
        let mut position = start + 1;
        while let Some(byte) = self.at(position) {
            let is_exponent_sign = matches!(byte, b'+' | b'-')
                && matches!(self.bytes[position - 1], b'e' | b'E')
                && self.at(position + 1).is_some_and(|next| next.is_ascii_digit());
            let is_fraction = byte == b'.' && self.at(position + 1) != Some(b'.');
            if byte.is_ascii_alphanumeric() || byte == b'_' || is_fraction || is_exponent_sign {
                position += 1;
            } else {
                break;
            }
        }
        self.token(TokenKind::Number, start, position)
    }

    fn word(&mut self, start: usize) -> Token {
        let mut end = start + 1;
        while self
            .at(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'$'))
        {
            end += 1;
        }
        if self.is_mysql {
            // `END$$` is a word and the delimiter after it.
            if let Some(delimiter) = self.delimiter.filter(|delimiter| matches!(delimiter[0], b'$' | b'_'))
                && let Some(offset) =
                    memchr::memmem::find(&self.bytes[start..end], delimiter).filter(|offset| *offset > 0)
            {
                end = start + offset;
            }
            if self.bytes[start..end].eq_ignore_ascii_case(b"delimiter") && self.is_client_line(start, end) {
                return self.set_delimiter(start, end);
            }
        }
        match (&self.bytes[start..end], self.at(end)) {
            (b"e" | b"E", Some(b'\'')) => self.quoted(start, end, TokenKind::String, true),
            (b"b" | b"B" | b"x" | b"X" | b"n" | b"N", Some(b'\'')) => {
                self.quoted(start, end, TokenKind::String, self.is_mysql)
            }
            (b"u" | b"U", Some(b'&')) if self.at(end + 1) == Some(b'\'') => {
                self.quoted(start, end + 1, TokenKind::String, false)
            }
            (b"u" | b"U", Some(b'&')) if self.at(end + 1) == Some(b'"') => {
                self.quoted(start, end + 1, TokenKind::QuotedWord, false)
            }
            _ => self.token(TokenKind::Word, start, end),
        }
    }

    /// Whether the word is the client's command, not a column's name: alone on its line with one short word of no list.
    fn is_client_line(&self, start: usize, end: usize) -> bool {
        let mut before = self.bytes[..start].iter().rev().take_while(|byte| **byte != b'\n');
        if !before.all(u8::is_ascii_whitespace) || !self.at(end).is_none_or(|byte| byte.is_ascii_whitespace()) {
            return false;
        }
        let delimiter = self.bytes[end..self.line_end(end)].trim_ascii();
        !delimiter.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b',' | b'\'' | b'`'))
    }

    /// `DELIMITER //` is a line of the client; the line itself ends whatever stood before it.
    fn set_delimiter(&mut self, start: usize, word_end: usize) -> Token {
        let mut line_end = self.line_end(start);
        let mut delimiter = self.bytes[word_end..line_end].trim_ascii();
        if delimiter.is_empty() {
            // Flyway also takes it from the next line.
            let next_end = self.line_end((line_end + 1).min(self.end));
            let next = self.bytes[line_end..next_end].trim_ascii();
            if !next.is_empty() && next.len() <= 3 && next.iter().all(u8::is_ascii_punctuation) {
                (delimiter, line_end) = (next, next_end);
            }
        }
        self.delimiter = if delimiter.is_empty() || delimiter == b";" { None } else { Some(delimiter) };
        self.token(TokenKind::End, start, line_end)
    }

    /// As in PostgreSQL's lexer, only an operator with an unusual character in it may end in `+` or `-`: `a=-1` is two.
    fn operator(&mut self, start: usize) -> Token {
        let mut end = start + 1;
        if self.bytes[start] == b':' {
            end += usize::from(matches!(self.at(end), Some(b':' | b'=')));
        } else {
            while self.at(end).is_some_and(is_operator)
                && !self.starts_comment(end)
                && !self.starts_variable(start, end)
            {
                end += 1;
            }
            let is_unusual = self.bytes[start..end].iter().any(|byte| b"~!@#%^&|?".contains(byte));
            while !is_unusual && end > start + 1 && matches!(self.bytes[end - 1], b'+' | b'-') {
                end -= 1;
            }
        }
        let kind = match &self.bytes[start..end] {
            b"=" => TokenKind::Equals,
            b"*" => TokenKind::Star,
            b"::" => TokenKind::Cast,
            _ => TokenKind::Operator,
        };
        self.token(kind, start, end)
    }

    /// MySQL's `=@x`: the sign belongs to the variable.
    fn starts_variable(&self, start: usize, position: usize) -> bool {
        self.is_mysql && self.bytes[position] == b'@' && self.bytes[start] != b'@'
    }

    fn starts_comment(&self, position: usize) -> bool {
        match (self.bytes[position], self.at(position + 1)) {
            (b'/', Some(b'*')) => true,
            (b'-', Some(b'-')) => self.is_line_comment(position),
            _ => false,
        }
    }
}

fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, engine: Engine, expected: &[(TokenKind, &str)]) {
        let mut lexer = Lexer::new(text, Span::new(0, text.len()), engine);
        let found: Vec<_> =
            std::iter::from_fn(|| lexer.next_token()).map(|token| (token.kind, &text[token.span().range()])).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn quotes_comments_and_operators_are_told_apart() {
        use TokenKind::{Cast, DollarString, End, Equals, Number, Operator, QuotedWord, String, Unterminated, Word};
        let pg = Engine::PostgreSql;
        check("a--x\n;/* /* */ */b", pg, &[(Word, "a"), (End, ";"), (Word, "b")]);
        check("E'a\\'b' 'it''s' $q$;$q$", pg, &[(String, "E'a\\'b'"), (String, "'it''s'"), (DollarString, "$q$;$q$")]);
        check("\"a\"\"b\"::int", pg, &[(QuotedWord, "\"a\"\"b\""), (Cast, "::"), (Word, "int")]);
        check("a=-1e-5", pg, &[(Word, "a"), (Equals, "="), (Operator, "-"), (Number, "1e-5")]);
        check("a = 'b", pg, &[(Word, "a"), (Equals, "="), (Unterminated, "'b")]);
        check("a\n--> statement-breakpoint\nb", pg, &[(Word, "a"), (End, "--> statement-breakpoint"), (Word, "b")]);
    }

    #[test]
    fn mysql_has_its_own_quotes_comments_and_delimiter() {
        use TokenKind::{End, QuotedWord, String, Word};
        check(
            "`a` \"b\\\"\" # c\n/*!50000 d */\nDELIMITER //\ne;//",
            Engine::MySql,
            &[
                (QuotedWord, "`a`"),
                (String, "\"b\\\"\""),
                (Word, "d"),
                (End, "DELIMITER //"),
                (Word, "e"),
                (TokenKind::Unknown, ";"),
                (End, "//"),
            ],
        );
    }

    #[test]
    fn what_a_versioned_comment_holds_runs_on_the_servers_that_it_names() {
        use TokenKind::{Number, Word};
        let text = "/*!40101 a */ /*!80000 b */ /*M! c */ /*M!100500 d */ /*!999999\\- e */ f";
        check(text, Engine::MySql, &[(Word, "a"), (Word, "b"), (Word, "f")]);
        check(text, Engine::MariaDb, &[(Word, "a"), (Word, "c"), (Word, "d"), (Word, "f")]);
        check(
            "1--1",
            Engine::MySql,
            &[(Number, "1"), (TokenKind::Operator, "-"), (TokenKind::Operator, "-"), (Number, "1")],
        );
    }

    #[test]
    fn a_delimiter_is_seen_behind_a_word_and_a_column_may_have_its_name() {
        use TokenKind::{End, Word};
        check("delimiter $$\nend$$", Engine::MySql, &[(End, "delimiter $$"), (Word, "end"), (End, "$$")]);
        check(
            "a\n delimiter char,",
            Engine::MySql,
            &[(Word, "a"), (Word, "delimiter"), (Word, "char"), (TokenKind::Comma, ",")],
        );
    }
}
