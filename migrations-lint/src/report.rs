//! What the linter says: findings with spans, reasons and edits, in a form every renderer reads.

use std::path::PathBuf;

use crate::source_text::{Position, Span};

/// What kind of harm a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Data or objects are lost.
    Destructive,
    /// A second run fails, or changes data again.
    NonIdempotent,
    /// Reads or writes are blocked for long, or the table is rewritten.
    Lock,
    /// Running application code breaks.
    Breaking,
    /// Fails on data that may exist.
    MayFail,
    /// Cannot run, or behaves differently, in the way the framework runs it.
    Transaction,
    /// There is no way back.
    Irreversible,
    /// Weakens access control or exposes a secret.
    Security,
    /// A matter of taste; off unless asked for.
    Style,
    /// The set as a whole: order, edits after apply, missing downs.
    MigrationSet,
}

impl Class {
    /// The stable kebab-case name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destructive => "destructive",
            Self::NonIdempotent => "non-idempotent",
            Self::Lock => "lock",
            Self::Breaking => "breaking",
            Self::MayFail => "may-fail",
            Self::Transaction => "transaction",
            Self::Irreversible => "irreversible",
            Self::Security => "security",
            Self::Style => "style",
            Self::MigrationSet => "migration-set",
        }
    }
}

/// How bad a finding is; `off` rules make none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Look at it.
    Warning,
    /// Do not deploy it like this.
    Error,
}

/// A replacement of the text under `span`; an empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced, in the file's coordinates.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One thing that is wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id, kebab-case, public API.
    pub rule: &'static str,
    /// Its class.
    pub class: Class,
    /// How bad it is here, after configuration.
    pub severity: Severity,
    /// The file, as its path was given.
    pub file: PathBuf,
    /// The exact place, in the file's byte coordinates.
    pub span: Span,
    /// `span.start` for people.
    pub start: Position,
    /// `span.end` for people.
    pub end: Position,
    /// The text of the statement it is in, whole.
    pub statement: String,
    /// One sentence: what is wrong, naming the object.
    pub message: String,
    /// What happens in production: lock mode, what it blocks, what is lost, why a second run fails.
    pub why: String,
    /// The safe way for this very statement, as SQL or a sentence.
    pub help: String,
    /// Edits that keep the meaning; empty where there are none.
    pub fix: Vec<Edit>,
    /// Stable under line moves: of rule, file name, normalised statement and its occurrence number.
    pub fingerprint: String,
}

/// The answer for a whole run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Files read.
    pub n_files: usize,
    /// Statements read.
    pub n_statements: usize,
    /// In order of file and place.
    pub findings: Vec<Finding>,
}
