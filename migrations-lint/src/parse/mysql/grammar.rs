//! The judges of MySQL, MariaDB and SQLite: does the server's grammar accept this statement? The only file that knows sqlparser.
//!
//! sqlparser accepts nine of ten statements that a server accepts; of the rest, those that the linter's own readers
//! recognise clause by clause count as accepted (see `clause.rs`). Nothing is made of sqlparser's tree.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlparser::dialect::{Dialect, MySqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};

use crate::engine::Engine;

/// Beyond this a statement is rows of data, and what a judge says of it is not worth the time.
const MAX_TOKENS: usize = 5_000;

/// What the grammar expected, and at which character of the text; `None` if it accepts it or has no say.
pub(crate) fn judge(text: &str, n_tokens: usize, engine: Engine) -> Option<(Box<str>, usize)> {
    if n_tokens > MAX_TOKENS {
        return None;
    }
    // A panic in a parser of somebody else's must not take the report away; the statement counts as accepted.
    catch_unwind(AssertUnwindSafe(|| ask(text, engine))).unwrap_or_default()
}

fn ask(text: &str, engine: Engine) -> Option<(Box<str>, usize)> {
    let dialect: &dyn Dialect = if engine == Engine::Sqlite { &SQLiteDialect {} } else { &MySqlDialect {} };
    let parsed = Parser::new(dialect).try_with_sql(text).and_then(|mut parser| {
        let statement = parser.parse_statement()?;
        parser.expect_token(&sqlparser::tokenizer::Token::EOF)?;
        Ok(statement)
    });
    match parsed {
        Ok(_) | Err(ParserError::RecursionLimitExceeded) => None,
        Err(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => Some(place(&message)),
    }
}

/// sqlparser ends its messages in ` at Line: 1, Column: 5`; the text given to it has one line.
fn place(message: &str) -> (Box<str>, usize) {
    let (what, place) = message.rsplit_once(" at Line: ").unwrap_or((message, ""));
    let column = place.rsplit_once("Column: ").and_then(|(_, column)| column.trim().parse::<usize>().ok()).unwrap_or(1);
    let what = what.strip_prefix("sql parser error: ").unwrap_or(what);
    let mut shown = what.replace("Expected: ", "expected ");
    if shown.len() > 160 {
        shown = "this is no statement that the server knows".into();
    }
    (shown.into(), column.saturating_sub(1))
}
