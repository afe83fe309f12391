//! The server's grammar as a judge: does PostgreSQL accept this statement? The only file that knows squawk's parser.
//!
//! Its event parser answers without building a tree; what a statement says is read by the linter itself (`read.rs`),
//! so that the rules depend on no parser's types and other engines share the readers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use squawk_parser::{LexedStr, StrStep};

/// Beyond this the judge is not asked: its step limit panics, and chains of operators cost it quadratic time.
const MAX_TOKENS: usize = 20_000;

/// Nesting that the judge's recursion stands on the stack that `lint` gives it.
pub(super) const MAX_DEPTH: usize = 200;

/// What the grammar expected, and at which byte of `text`; `None` if it accepts the statement.
pub(super) fn problem(text: &str, n_tokens: usize, depth: usize) -> Option<(Box<str>, usize)> {
    if n_tokens > MAX_TOKENS || depth > MAX_DEPTH {
        return None;
    }
    // A panic in a parser of somebody else's must not take the report away; the statement counts as accepted.
    catch_unwind(AssertUnwindSafe(|| judge(text))).unwrap_or(None)
}

fn judge(text: &str) -> Option<(Box<str>, usize)> {
    let lexed = LexedStr::new(text);
    if let Some((range, message)) = lexed.errors().next() {
        return Some((message.into(), range.start as usize));
    }
    let output = squawk_parser::EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut found = None;
    lexed.intersperse_trivia(&output, &mut |step| {
        if let StrStep::Error { msg, pos } = step {
            found.get_or_insert_with(|| (Box::<str>::from(msg), pos));
        }
    });
    found
}
