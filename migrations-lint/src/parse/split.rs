//! Cuts text into statements by its tokens alone, in linear time, so that a broken statement costs only itself.

use super::token::{Lexer, Token, TokenKind};
use crate::engine::Engine;
use crate::source_text::Span;

/// Gives the tokens of one statement after the other; the buffer is reused.
pub(super) struct Splitter<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    engine: Engine,
    tokens: Vec<Token>,
    /// A parenthesis never closed: from there on, every semicolon ends a statement.
    ignores_parens: bool,
    /// No COPY data ends after this place, so none is looked for again.
    no_more_copy_data: bool,
}

/// What was cut out.
pub(super) struct Cut {
    /// The deepest nesting of parentheses.
    pub(super) depth: usize,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(text: &'a str, span: Span, engine: Engine) -> Self {
        let lexer = Lexer::new(text, span, engine);
        Self { text, lexer, engine, tokens: Vec::new(), ignores_parens: false, no_more_copy_data: false }
    }

    /// The tokens of the statement that was cut last.
    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Cuts the next statement that is not empty.
    pub(super) fn cut(&mut self) -> Option<Cut> {
        loop {
            self.tokens.clear();
            let (found_end, depth) = self.collect();
            self.skip_copy_data();
            if !self.tokens.is_empty() {
                return Some(Cut { depth });
            }
            if !found_end {
                return None;
            }
        }
    }

    /// Collects tokens up to the end of a statement; says whether there was one, and how deep parentheses went.
    fn collect(&mut self) -> (bool, usize) {
        let mut nesting = Nesting::default();
        let (mut depth, mut deepest) = (0_usize, 0_usize);
        let mut first_inner_end: Option<(usize, usize)> = None;
        while let Some(token) = self.lexer.next_token() {
            match token.kind {
                TokenKind::End if nesting.depth == 0 && (depth == 0 || self.ignores_parens) => return (true, deepest),
                TokenKind::End => {
                    first_inner_end = first_inner_end.or(Some((self.tokens.len(), token.end())));
                }
                TokenKind::Meta => {
                    if self.ends_statement(token) {
                        return (true, deepest);
                    }
                    if self.tokens.is_empty() && self.is_copy(token) {
                        self.collect_copy(token);
                        return (true, deepest);
                    }
                    continue;
                }
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.saturating_sub(1),
                TokenKind::Word => nesting.read(&self.text[token.span().range()], self.tokens.len(), self.engine),
                _ => {}
            }
            deepest = deepest.max(depth);
            self.tokens.push(token);
        }
        if let Some((n_tokens, position)) = first_inner_end.filter(|_| depth > 0 || nesting.depth > 0) {
            self.tokens.truncate(n_tokens);
            self.lexer.seek(position);
            self.ignores_parens = true;
            return (true, deepest);
        }
        (false, deepest)
    }

    /// `\g`, `\gexec` and their like send what was typed before them; other psql commands pass unseen.
    fn ends_statement(&self, meta: Token) -> bool {
        !self.tokens.is_empty() && self.text[meta.span().range()].starts_with("\\g")
    }

    /// psql's `\copy`: COPY with a file of the client, which ends with its line.
    fn is_copy(&self, meta: Token) -> bool {
        let line = self.text[meta.span().range()].as_bytes();
        line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"\\copy"))
            && line.get(5).is_some_and(u8::is_ascii_whitespace)
    }

    fn collect_copy(&mut self, meta: Token) {
        self.lexer.seek(meta.start() + 1);
        while let Some(token) = self.lexer.next_token().filter(|token| token.end() <= meta.end()) {
            if token.kind == TokenKind::End {
                break;
            }
            self.tokens.push(token);
        }
        self.lexer.seek(meta.end());
    }

    /// After COPY … FROM STDIN come lines of data up to `\.`.
    fn skip_copy_data(&mut self) {
        let is = |idx: usize, word: &str| {
            self.tokens.get(idx).is_some_and(|token| self.text[token.span().range()].eq_ignore_ascii_case(word))
        };
        if self.no_more_copy_data || !is(0, "copy") {
            return;
        }
        let reads_stdin = (1..self.tokens.len().min(4096)).any(|idx| is(idx, "from") && is(idx + 1, "stdin"));
        if !reads_stdin {
            return;
        }
        let position = self.lexer.position();
        match memchr::memmem::find(&self.text.as_bytes()[position..], b"\n\\.") {
            Some(offset) => self.lexer.seek(position + offset + 3),
            None => self.no_more_copy_data = true,
        }
    }
}

/// Bodies whose statements belong to the statement around them: BEGIN ATOMIC, and MySQL's and SQLite's BEGIN … END.
#[derive(Default)]
// Four memories of the words before, no states of one machine.
#[allow(clippy::struct_excessive_bools)]
struct Nesting {
    depth: usize,
    has_body: bool,
    is_create: bool,
    after_begin: bool,
    after_end: bool,
}

impl Nesting {
    fn read(&mut self, word: &str, idx: usize, engine: Engine) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if idx == 0 {
            self.is_create = is("create");
            return;
        }
        if !self.is_create {
            return;
        }
        if idx < 12 && !self.has_body {
            self.has_body = match engine {
                Engine::PostgreSql => is("function") || is("procedure"),
                Engine::MySql | Engine::MariaDb => is("function") || is("procedure") || is("trigger") || is("event"),
                Engine::Sqlite => is("trigger"),
            };
        }
        if !self.has_body {
            return;
        }
        let is_plain_end = std::mem::take(&mut self.after_end);
        if is_plain_end && (is("if") || is("loop") || is("while") || is("repeat")) {
            self.depth += 1;
            return;
        }
        let opens_atomic = std::mem::take(&mut self.after_begin) && is("atomic");
        if engine == Engine::PostgreSql {
            self.after_begin = is("begin");
            self.depth += usize::from(opens_atomic || self.depth > 0 && is("case") && !is_plain_end);
        } else {
            self.depth += usize::from(is("begin") || self.depth > 0 && is("case") && !is_plain_end);
        }
        if is("end") && self.depth > 0 {
            self.depth -= 1;
            self.after_end = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, engine: Engine, expected: &[&str]) {
        let mut splitter = Splitter::new(text, Span::new(0, text.len()), engine);
        let mut found = Vec::new();
        while splitter.cut().is_some() {
            let tokens = splitter.tokens();
            found.push(&text[tokens[0].start()..tokens[tokens.len() - 1].end()]);
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn semicolons_cut_except_inside_quotes_parentheses_and_bodies() {
        let pg = Engine::PostgreSql;
        check("a; b;;c", pg, &["a", "b", "c"]);
        check("do $$ a; b; $$; c", pg, &["do $$ a; b; $$", "c"]);
        check("create rule r as on insert to t do (a; b); c", pg, &["create rule r as on insert to t do (a; b)", "c"]);
        check(
            "create function f() begin atomic select case when a then 1 end; select 2; end; c",
            pg,
            &["create function f() begin atomic select case when a then 1 end; select 2; end", "c"],
        );
    }

    #[test]
    fn copy_data_and_client_commands_are_passed_over() {
        let pg = Engine::PostgreSql;
        check("copy t from stdin;\n1\tdrop table x;\n\\.\nb;", pg, &["copy t from stdin", "b"]);
        check("copy t from stdin;\nb;", pg, &["copy t from stdin", "b"]);
        check("\\set x 1\na \\gexec\nb", pg, &["a", "b"]);
        check("\\copy t from /a/b.csv csv\nb", pg, &["copy t from /a/b.csv csv", "b"]);
        check("\\copy t from stdin\n1;\n\\.\nb", pg, &["copy t from stdin", "b"]);
        check("a\n--> statement-breakpoint\nb", pg, &["a", "b"]);
    }

    #[test]
    fn other_engines_bodies_belong_to_their_statement() {
        check(
            "create trigger t after insert on u begin update v set a = 1; end; b",
            Engine::Sqlite,
            &["create trigger t after insert on u begin update v set a = 1; end", "b"],
        );
        check(
            "delimiter //\ncreate procedure p() begin a; end//\ndelimiter ;\nb;",
            Engine::MySql,
            &["create procedure p() begin a; end", "b"],
        );
        check(
            "create procedure p() begin if a then b; end if; c; end; d",
            Engine::MySql,
            &["create procedure p() begin if a then b; end if; c; end", "d"],
        );
    }
}
