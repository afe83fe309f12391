//! What the words of a text say of the database that it is for, where nothing else does.

use super::token::{Lexer, Token, TokenKind};
use crate::engine::Engine;
use crate::source_text::Span;

/// Looked at of each text.
const MAX_BYTES: usize = 64 * 1024;

/// What follows the name in CREATE TABLE, INDEX and DATABASE IF NOT EXISTS, where a column has its type.
const NO_TYPE: [&str; 8] = ["select", "like", "as", "on", "character", "default", "charset", "collate"];

/// Words that only one kind of server knows, seen in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    pub(crate) postgresql: usize,
    pub(crate) mysql: usize,
    pub(crate) mariadb: usize,
    pub(crate) sqlite: usize,
}

impl Signs {
    /// The signs of a text, its comments and strings left out; none if none is there for another than PostgreSQL.
    pub(crate) fn of(text: &str) -> Self {
        if may_be_foreign(&text.as_bytes()[..text.len().min(MAX_BYTES)]) { Self::all_of(text) } else { Self::default() }
    }

    /// All signs of a text, PostgreSQL's own too.
    pub(crate) fn all_of(text: &str) -> Self {
        let mut end = text.len().min(MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut signs = Self::default();
        let mut lexer = Lexer::new(text, Span::new(0, end), Engine::PostgreSql);
        let tokens: Vec<Token> = std::iter::from_fn(|| lexer.next_token()).collect();
        for idx in 0..tokens.len() {
            signs.read(text, &tokens[idx..tokens.len().min(idx + 6)]);
        }
        signs
    }

    /// Adds those of another text.
    pub(crate) fn add(&mut self, other: Self) {
        self.postgresql += other.postgresql;
        self.mysql += other.mysql;
        self.mariadb += other.mariadb;
        self.sqlite += other.sqlite;
    }

    /// The engine that they speak for, if it is not PostgreSQL.
    pub(crate) fn engine(self) -> Option<Engine> {
        let mysql = self.mysql + self.mariadb;
        if self.sqlite > self.postgresql && self.sqlite * 4 > mysql {
            Some(Engine::Sqlite)
        } else if mysql > self.postgresql && self.mysql > 0 {
            Some(if self.mariadb > 0 { Engine::MariaDb } else { Engine::MySql })
        } else {
            None
        }
    }

    fn read(&mut self, text: &str, tokens: &[Token]) {
        let raw = |idx: usize| tokens.get(idx).map_or("", |token| &text[token.span().range()]);
        let is = |idx: usize, word: &str| raw(idx).eq_ignore_ascii_case(word);
        match tokens[0].kind {
            TokenKind::QuotedWord if raw(0).starts_with('`') => self.mysql += 1,
            TokenKind::Cast | TokenKind::DollarString => self.postgresql += 1,
            TokenKind::Word if is(0, "auto_increment") => self.mysql += 1,
            TokenKind::Word if is(0, "engine") && is(1, "=") => self.mysql += 1,
            TokenKind::Word
                if ["utf8mb4", "mediumtext", "longtext", "unsigned"].iter().any(|word| is(0, word))
                    || raw(0).get(..7).is_some_and(|start| start.eq_ignore_ascii_case("innodb_")) =>
            {
                self.mysql += 1;
            }
            TokenKind::Word if is(0, "delimiter") && !is(1, ",") => {
                self.mysql += usize::from(matches!(raw(1), "//" | "$$"));
            }
            // ADD COLUMN IF NOT EXISTS `a` int, which only MariaDB has.
            TokenKind::Word
                if is(0, "if")
                    && is(1, "not")
                    && is(2, "exists")
                    && raw(3).starts_with('`')
                    && tokens.get(4).is_some_and(|next| next.kind == TokenKind::Word)
                    && !NO_TYPE.iter().any(|word| is(4, word)) =>
            {
                self.mariadb += 1;
            }
            TokenKind::Word if is(0, "autoincrement") => self.sqlite += 2,
            TokenKind::Word if is(0, "pragma") => self.sqlite += 4,
            TokenKind::Word if is(0, "without") && is(1, "rowid") => self.sqlite += 4,
            TokenKind::Word
                if ["serial", "bigserial", "jsonb", "timestamptz", "bytea", "plpgsql", "tsvector", "ilike"]
                    .iter()
                    .any(|word| is(0, word)) =>
            {
                self.postgresql += 1;
            }
            _ => {}
        }
    }
}

/// Whether a sign may be there at all, seen in one pass over the bytes.
fn may_be_foreign(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    memchr::memchr(b'`', bytes).is_some()
        || [
            &b"AUTO"[..],
            b"auto",
            b"ENGINE",
            b"engine",
            b"Engine",
            b"PRAGMA",
            b"pragma",
            b"ROWID",
            b"rowid",
            b"DELIMITER",
            b"delimiter",
        ]
        .iter()
        .any(|word| has(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Engine>) {
        assert_eq!(Signs::of(text).engine(), expected, "{text}");
    }

    #[test]
    fn words_that_only_one_server_knows_tell_it() {
        check("CREATE TABLE `users` (`id` int);", Some(Engine::MySql));
        check("CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;", Some(Engine::MySql));
        check("ALTER TABLE `t` ADD COLUMN IF NOT EXISTS `a` int;", Some(Engine::MariaDb));
        check("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);", Some(Engine::Sqlite));
        check("PRAGMA foreign_keys=OFF; CREATE TABLE `new_t` (`id` text);", Some(Engine::Sqlite));
    }

    #[test]
    fn what_stands_in_comments_strings_and_bodies_tells_nothing() {
        check("-- a `b`\nSELECT '`auto_increment`', $$ `x` engine= $$;", None);
        check("CREATE TABLE t (id serial, engine text, auto int);", None);
        check("SELECT 1;", None);
    }
}
