//! What the linter could not look into is said, never passed over.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::Kind;

/// A statement that the server's grammar rejects.
pub(crate) static UNPARSED_STATEMENT: Rule = Rule::new(
    RuleInfo {
        id: "unparsed-statement",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "A statement is not valid SQL for the engine, so nothing in it was checked.",
        docs: "The server will most likely reject it too. The rest of the file is still linted. If the server does accept the \
               statement, this is a fault of the linter: please report it.",
        bad: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (id bigint;")],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (id bigint);")],
    },
    Engines::All,
    unparsed,
)
.in_downs()
.even_rolled_back();

/// Something is too large to look into.
pub(crate) static LIMIT_EXCEEDED: Rule = Rule::new(
    RuleInfo {
        id: "limit-exceeded",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "A file or statement is beyond the linter's limits, so part of it was not checked.",
        docs: "Limits: 500 nested parentheses, 2,000 actions of one ALTER TABLE, a million INSERTs or a third as many other \
               statements and 10,000 findings in a file, 4 GiB of text. They keep the \
               linter's time and memory in proportion to its input.",
        bad: &[],
        good: &[],
    },
    Engines::All,
    limited,
)
.in_downs()
.even_rolled_back();

fn unparsed(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Kind::Unparsed(problem) = view.kind() {
        found.push(
            Draft::new(view.statement.span, format!("this is not valid SQL here: {problem}"))
                .why("The server rejects the migration at this statement; the linter could not check what it does.")
                .help("Correct the statement, or run it through the server's parser to see where it stops."),
        );
    }
}

fn limited(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Kind::Limit(reason) = view.kind() {
        found.push(
            Draft::new(view.statement.span, format!("not fully checked: {reason}"))
                .why("What lies beyond the limit may hold any of the problems that the linter looks for.")
                .help("Split it into smaller pieces."),
        );
    }
}

/// The finding that ends a file with too many.
pub(crate) fn too_many(span: Span, limit: usize) -> Draft {
    Draft::new(span, format!("the rest of the file is not checked: it has more than {limit} findings"))
        .why("What comes after may hold any of the problems that the linter looks for.")
        .help("Correct what is reported and lint again, or leave the file out if it is a dump and no migration.")
}
