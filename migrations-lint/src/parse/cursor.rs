//! A place in the tokens of one statement, and the small steps that every reader takes: words, names, lists, parentheses.

use super::token::{Token, TokenKind};
use crate::source_text::Span;
use crate::statement::{Ident, Name};

/// SQL text and where it stands in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The text that the tokens' offsets count in.
    pub(crate) text: &'a str,
    /// Where that text starts in the file.
    pub(crate) base: usize,
    /// Set where offsets cannot be mapped (SQL put together at run time): the place to report instead.
    pub(crate) collapsed: Option<Span>,
}

impl Origin<'_> {
    /// A span of the text in the file's coordinates.
    pub(crate) fn in_file(&self, span: Span) -> Span {
        self.collapsed.unwrap_or_else(|| span.shifted(self.base))
    }
}

/// Reads forward through one statement; cheap to copy, so that a reader can look ahead and come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) origin: Origin<'a>,
    tokens: &'a [Token],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(origin: Origin<'a>, tokens: &'a [Token]) -> Self {
        Self { origin, tokens, position: 0 }
    }

    pub(crate) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.position).copied()
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.position + ahead).copied()
    }

    pub(crate) fn peek_kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.position >= self.tokens.len()
    }

    pub(crate) fn advance(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.position += 1;
        Some(token)
    }

    /// The tokens from the current one on.
    pub(crate) fn rest(&self) -> &'a [Token] {
        &self.tokens[self.position..]
    }

    /// The tokens between an earlier copy of this cursor and here.
    pub(crate) fn since(&self, earlier: &Self) -> &'a [Token] {
        &self.tokens[earlier.position..self.position]
    }

    pub(crate) fn raw(&self, token: Token) -> &'a str {
        &self.origin.text[token.span().range()]
    }

    /// Whether the token `ahead` is this keyword (given in any case).
    pub(crate) fn is_at(&self, ahead: usize, keyword: &str) -> bool {
        self.peek_at(ahead)
            .is_some_and(|token| token.kind == TokenKind::Word && self.raw(token).eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.is_at(0, keyword)
    }

    pub(crate) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether these keywords follow one another here.
    pub(crate) fn is_all(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.is_at(ahead, keyword))
    }

    pub(crate) fn eat(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        self.position += usize::from(found);
        found
    }

    pub(crate) fn eat_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.eat(keyword))
    }

    /// Eats the keywords in order, or nothing.
    pub(crate) fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_all(keywords);
        self.position += if found { keywords.len() } else { 0 };
        found
    }

    pub(crate) fn eat_kind(&mut self, kind: TokenKind) -> bool {
        let found = self.peek_kind() == Some(kind);
        self.position += usize::from(found);
        found
    }

    /// Moves to the next occurrence of the keyword outside parentheses; stays put and says no if there is none.
    pub(crate) fn seek(&mut self, keyword: &str) -> bool {
        let mut ahead = *self;
        while !ahead.is_done() {
            if ahead.is(keyword) {
                *self = ahead;
                return true;
            }
            ahead.skip_one();
        }
        false
    }

    /// Whether the keywords follow one another somewhere ahead, outside parentheses.
    pub(crate) fn has_ahead(&self, keywords: &[&str]) -> bool {
        let mut ahead = *self;
        while !ahead.is_done() {
            if ahead.is_all(keywords) {
                return true;
            }
            ahead.skip_one();
        }
        false
    }

    /// Whether `SET name` begins here, the name quoted or not.
    pub(crate) fn sets(&self, name: &str) -> bool {
        let mut ahead = *self;
        ahead.eat("set") && ahead.ident().is_some_and(|setting| setting.name.eq_ignore_ascii_case(name))
    }

    /// Whether `SET name` stands somewhere ahead, outside parentheses.
    pub(crate) fn has_setting_ahead(&self, name: &str) -> bool {
        let mut ahead = *self;
        while !ahead.is_done() {
            if ahead.sets(name) {
                return true;
            }
            ahead.skip_one();
        }
        false
    }

    /// Passes over one token, or a whole parenthesis.
    pub(crate) fn skip_one(&mut self) {
        if self.peek_kind() == Some(TokenKind::LeftParen) {
            self.skip_parens();
        } else {
            self.advance();
        }
    }

    /// At `(`: moves past the matching `)` and gives a cursor over what is between.
    pub(crate) fn skip_parens(&mut self) -> Option<Cursor<'a>> {
        if self.peek_kind() != Some(TokenKind::LeftParen) {
            return None;
        }
        let mut depth = 0_usize;
        for (offset, token) in self.rest().iter().enumerate() {
            match token.kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inner = &self.tokens[self.position + 1..self.position + offset];
                self.position += offset + 1;
                return Some(Cursor::new(self.origin, inner));
            }
        }
        let inner = &self.tokens[self.position + 1..];
        self.position = self.tokens.len();
        Some(Cursor::new(self.origin, inner))
    }

    /// Moves to the next comma outside parentheses, or to the end; the cursor that is returned covers what was passed.
    pub(crate) fn take_item(&mut self) -> Cursor<'a> {
        let start = *self;
        let mut brackets = 0_usize;
        while let Some(kind) = self.peek_kind() {
            match kind {
                TokenKind::Comma if brackets == 0 => break,
                TokenKind::LeftBracket => brackets += 1,
                TokenKind::RightBracket => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            self.skip_one();
        }
        Cursor::new(self.origin, self.since(&start))
    }

    /// The items of a comma-separated list up to the end.
    pub(crate) fn items(mut self) -> impl Iterator<Item = Cursor<'a>> {
        std::iter::from_fn(move || {
            if self.is_done() {
                return None;
            }
            let item = self.take_item();
            self.eat_kind(TokenKind::Comma);
            Some(item)
        })
    }

    /// The place from the first remaining token to the last.
    pub(crate) fn span(&self) -> Span {
        span_of(&self.origin, self.rest())
    }

    /// The place of all its tokens, those before it too.
    pub(crate) fn whole_span(&self) -> Span {
        span_of(&self.origin, self.tokens)
    }

    /// The place of the tokens between an earlier copy and here.
    pub(crate) fn span_since(&self, earlier: &Self) -> Span {
        span_of(&self.origin, self.since(earlier))
    }

    /// The end of the token before this one, in the file.
    pub(crate) fn end_of_previous(&self) -> usize {
        self.origin.in_file(self.previous()).end
    }

    /// The same in the text that the tokens count in.
    pub(crate) fn offset(&self) -> usize {
        self.previous().end
    }

    fn previous(&self) -> Span {
        let previous = self.position.checked_sub(1).and_then(|idx| self.tokens.get(idx));
        previous.map_or(Span::default(), |token| token.span())
    }

    /// Where the token before this one ends in the text that the tokens count in, which inside a block is not the file's.
    pub(crate) fn offset(&self) -> usize {
        self.position.checked_sub(1).and_then(|idx| self.tokens.get(idx)).map_or(0, |token| token.end())
    }

    /// An identifier, or a keyword used as one.
    pub(crate) fn ident(&mut self) -> Option<Ident> {
        let token = self.peek()?;
        let name = fold(self.raw(token), token.kind)?;
        self.position += 1;
        Some(Ident { name, span: self.origin.in_file(token.span()) })
    }

    /// `name`, `schema.name`, `database.schema.name`.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let first = self.ident()?;
        let mut name = Name { schema: None, name: first.name, span: first.span };
        while self.peek_kind() == Some(TokenKind::Dot) {
            self.position += 1;
            let next = self.ident()?;
            let span = Span::new(name.span.start.min(next.span.start), name.span.end.max(next.span.end));
            name = Name { schema: Some(name.name), name: next.name, span };
        }
        Some(name)
    }

    /// A string constant's content, doubled quotes undone.
    pub(crate) fn string(&mut self) -> Option<Box<str>> {
        let token = self.peek()?;
        let raw = self.raw(token);
        let content = match token.kind {
            TokenKind::String => {
                let quote = raw.as_bytes()[raw.len() - 1] as char;
                let open = raw.find(quote)?;
                raw[open + 1..raw.len() - 1].replace(if quote == '"' { "\"\"" } else { "''" }, &quote.to_string())
            }
            TokenKind::DollarString => dollar_body(raw).1.to_owned(),
            _ => return None,
        };
        self.position += 1;
        Some(content.into())
    }

    /// The remaining tokens joined by single blanks, lower case: to compare signatures.
    pub(crate) fn normalised(&self) -> Box<str> {
        let mut text = String::new();
        for token in self.rest() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&self.raw(*token).to_ascii_lowercase());
        }
        text.into()
    }

    /// Eats IF EXISTS.
    pub(crate) fn if_exists(&mut self) -> bool {
        self.eat_all(&["if", "exists"])
    }

    /// Eats IF NOT EXISTS.
    pub(crate) fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["if", "not", "exists"])
    }
}

/// The body of a dollar-quoted string and the length of its tag.
pub(crate) fn dollar_body(raw: &str) -> (usize, &str) {
    let tag = raw[1..].find('$').map_or(0, |idx| idx + 2);
    (tag, raw.get(tag..raw.len() - tag).unwrap_or(""))
}

fn span_of(origin: &Origin<'_>, tokens: &[Token]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => origin.in_file(Span::new(first.start(), last.end())),
        _ => Span::default(),
    }
}

/// The identifier that a token spells, as the server stores it.
fn fold(raw: &str, kind: TokenKind) -> Option<Box<str>> {
    match kind {
        TokenKind::Word => Some(raw.to_lowercase().into()),
        TokenKind::QuotedWord => {
            if let Some(content) = raw.strip_prefix('[') {
                return Some(content.trim_end_matches(']').to_lowercase().into());
            }
            let quote = raw.as_bytes()[raw.len() - 1] as char;
            let open = raw.find(quote)?;
            let content = &raw[open + 1..raw.len() - 1];
            if quote == '`' {
                // MySQL compares names of columns, and on most machines of tables, without their case, quoted or not.
                return Some(content.replace("``", "`").to_lowercase().into());
            }
            Some(if content.contains(quote) {
                content.replace(&format!("{quote}{quote}"), &quote.to_string()).into()
            } else {
                content.into()
            })
        }
        _ => None,
    }
}
