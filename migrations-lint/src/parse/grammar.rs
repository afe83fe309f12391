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

/// The judge's answer about one statement's text.
#[derive(Default)]
pub(super) struct Verdict {
    /// What the grammar expected, and at which byte of the text; `None` if it accepts it.
    pub(super) problem: Option<(Box<str>, usize)>,
    /// Where statements start in it: more than one if semicolons are missing, which the judge forgives.
    pub(super) starts: Vec<usize>,
}

/// Whether PostgreSQL's grammar accepts the text as one statement.
pub(super) fn judge(text: &str, n_tokens: usize, depth: usize) -> Verdict {
    if n_tokens > MAX_TOKENS || depth > MAX_DEPTH {
        return Verdict::default();
    }
    // A panic in a parser of somebody else's must not take the report away; the statement counts as accepted.
    catch_unwind(AssertUnwindSafe(|| ask(text))).unwrap_or_default()
}

fn ask(text: &str) -> Verdict {
    let lexed = LexedStr::new(text);
    if let Some((range, message)) = lexed.errors().next() {
        return Verdict { problem: Some((message.into(), range.start as usize)), starts: Vec::new() };
    }
    let output = squawk_parser::EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut verdict = Verdict::default();
    let (mut nesting, mut offset) = (0_usize, 0);
    lexed.intersperse_trivia(&output, &mut |step| match step {
        StrStep::Enter { .. } => {
            nesting += 1;
            // The file itself is the first level, its statements are the second.
            if nesting == 2 {
                verdict.starts.push(offset);
            }
        }
        StrStep::Exit => nesting -= 1,
        StrStep::Token { text, .. } => offset += text.len(),
        StrStep::Error { msg, pos } => {
            verdict.problem.get_or_insert_with(|| (Box::<str>::from(msg), pos));
        }
    });
    verdict
}
