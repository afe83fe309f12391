//! A linter for SQL migrations: text in, findings out; no clock, network, database or global state.
//!
//! Reading order: `parse` cuts and reads text into `statement`s; `transaction` finds where each one runs; `schema` and
//! `session` carry what is known from statement to statement; `rerun` plays a part a second time; `rules` judge; `run` is
//! the walk that brings them together.

pub mod baseline;
pub mod engine;
pub mod fix;
pub mod layout;
pub mod migration;
pub mod options;
pub mod render;
pub mod report;
pub mod rule;
mod scan;
pub mod set_rules;
pub mod source_text;
pub mod suppress;

mod docs;
mod evidence;
mod fingerprint;
mod parse;
mod rerun;
mod rules;
mod run;
mod schema;
mod session;
// Facts of a text are independent of each other: no state machine hides in them.
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names)]
mod statement;
mod transaction;

use std::sync::LazyLock;

pub use docs::page;
use engine::Engine;
use migration::MigrationSet;
pub use options::{Options, RuleSeverity};
use report::Report;
pub use rule::{Example, RuleInfo};
use source_text::Span;

/// Lints a whole set: files in order of execution, each seen in the context of those before it.
pub fn lint(set: &MigrationSet, options: &Options) -> Report {
    run::run(set, options)
}

/// Where the statements of a text are, from the first to the last token of each.
pub fn statement_spans(text: &str, engine: Engine) -> Vec<Span> {
    parse::statement_spans(text, engine)
}

/// Every rule, in the order of the documentation.
pub fn rules() -> &'static [RuleInfo] {
    static RULES: LazyLock<Vec<RuleInfo>> =
        LazyLock::new(|| rules::ALL.iter().map(|rule| &rule.info).chain(set_rules::RULES).cloned().collect());
    &RULES
}
