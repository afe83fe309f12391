//! The rungs of a proof in their order, and how one is climbed.

use std::time::Duration;

use super::ProveError;
use crate::catalog::{Compared, EvidenceRung};
use crate::contents::Difference;

/// The rungs. Their names are public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    StoredBytes,
    TableOfContents,
    Restore,
    Contents,
    Structure,
    Freshness,
}

impl Rung {
    fn name(self) -> &'static str {
        match self {
            Self::StoredBytes => "stored-bytes",
            Self::TableOfContents => "table-of-contents",
            Self::Restore => "restore",
            Self::Contents => "contents",
            Self::Structure => "structure",
            Self::Freshness => "freshness",
        }
    }
}

/// What a rung found: a value and its figures, or a failure.
pub(super) type Outcome<T> = Result<(T, String), Failure>;

/// Why a rung does not hold.
#[derive(Debug)]
pub(super) struct Failure {
    /// Stable code.
    pub(super) reason: &'static str,
    /// What is wrong.
    pub(super) detail: String,
}

/// Why the climb ended early.
#[derive(Debug)]
pub(super) enum Slip {
    /// A rung does not hold; the ladder has it on record.
    Failed,
    /// No verdict is possible.
    Unable(Box<ProveError>),
}

/// What was climbed so far.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    pub(super) rungs: Vec<EvidenceRung>,
    pub(super) reason: Option<&'static str>,
    pub(super) differences: Vec<Difference>,
    pub(super) compared: Compared,
    pub(super) restore_seconds: f64,
    pub(super) proof_seconds: f64,
}

impl Ladder {
    /// Records a rung; one that does not hold ends the climb.
    pub(super) fn rung<T>(&mut self, rung: Rung, took: Duration, outcome: Outcome<T>) -> Result<T, Slip> {
        let name = rung.name().to_owned();
        let seconds = took.as_secs_f64();
        match outcome {
            Ok((value, detail)) => {
                self.rungs.push(EvidenceRung { name, ok: true, detail, seconds });
                Ok(value)
            }
            Err(Failure { reason, detail }) => {
                self.rungs.push(EvidenceRung { name, ok: false, detail, seconds });
                self.reason = Some(reason);
                Err(Slip::Failed)
            }
        }
    }
}

impl<E: Into<ProveError>> From<E> for Slip {
    fn from(error: E) -> Self {
        Self::Unable(Box::new(error.into()))
    }
}
