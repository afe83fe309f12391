//! Whether guard can do its work now: a pure judgement of the last look at the store, the clock and the sources.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// What a look at everything outside gave.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// When it was taken; none before the first.
    pub at: Option<DateTime<Utc>>,
    /// How far guard's clock is ahead of the store's, or why the store does not answer.
    pub store: Option<Result<TimeDelta, String>>,
    /// Why the repository could not be read, if so.
    pub unreadable: Option<String>,
    /// Each source and why it does not answer, if so.
    pub sources: Vec<Reached>,
}

/// Whether a source answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its configured name.
    pub source: String,
    /// Why it does not, if so. Without secrets.
    pub failure: Option<String>,
}

/// The answer to a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// In a word.
    pub status: State,
    /// Why it is not ready.
    pub reasons: Vec<Reason>,
    /// When the last look was taken.
    pub checked: Option<DateTime<Utc>>,
}

/// How ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Everything answers.
    Ready,
    /// Some work can be done, some cannot.
    Degraded,
    /// No backup can be taken now.
    Down,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How bad it is by itself.
    pub status: State,
    /// Stable, for scripts.
    pub code: &'static str,
    /// What it is about: `store`, `clock`, a source's name.
    pub subject: String,
    /// The same in a sentence.
    pub message: String,
}

/// A host's clock may be off by this much from the store's.
pub const MAX_SKEW: TimeDelta = TimeDelta::seconds(60);

/// A look older than this says that looking itself hangs.
const STALLED: TimeDelta = TimeDelta::seconds(180);

/// Judges the last look.
pub fn readiness(look: &Look, now: DateTime<Utc>) -> Readiness {
    let mut reasons = Vec::new();
    let mut say = |status, code, subject: &str, message: String| {
        reasons.push(Reason { status, code, subject: subject.to_owned(), message });
    };
    match look.at {
        None => say(State::Down, "starting", "guard", "nothing was checked yet".to_owned()),
        Some(at) if now - at > STALLED => {
            say(State::Down, "checks-stalled", "guard", format!("nothing could be checked since {at:?}"));
        }
        Some(_) => {}
    }
    match &look.store {
        Some(Err(reason)) => say(State::Down, "store-unreachable", "store", reason.clone()),
        Some(Ok(skew)) if skew.abs() > MAX_SKEW => {
            let seconds = skew.num_seconds();
            let direction = if seconds > 0 { "ahead of" } else { "behind" };
            let message = format!("this host's clock is {} s {direction} the store's", seconds.abs());
            say(State::Down, "clock-skew", "clock", message);
        }
        _ => {}
    }
    if let Some(reason) = &look.unreadable {
        say(State::Down, "repository-unreadable", "store", reason.clone());
    }
    let n_silent = look.sources.iter().filter(|source| source.failure.is_some()).count();
    let status = if n_silent == look.sources.len() { State::Down } else { State::Degraded };
    for Reached { source, failure } in &look.sources {
        if let Some(failure) = failure {
            say(status, "source-unreachable", source, failure.clone());
        }
    }
    let status = reasons.iter().map(|reason| reason.status).max().unwrap_or(State::Ready);
    Readiness { status, reasons, checked: look.at }
}

impl State {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Look, Reached, State, readiness};

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn good() -> Look {
        let reached = |source: &str| Reached { source: source.to_owned(), failure: None };
        Look {
            at: Some(now()),
            store: Some(Ok(TimeDelta::zero())),
            unreadable: None,
            sources: vec![reached("orders"), reached("users")],
        }
    }

    #[test]
    fn degraded_is_told_from_down() {
        let check = |change: fn(&mut Look), status: State, code: &str| {
            let mut look = good();
            change(&mut look);
            let found = readiness(&look, now());
            assert_eq!((found.status, found.reasons.first().map_or("", |reason| reason.code)), (status, code));
        };
        check(|_| {}, State::Ready, "");
        check(|look| look.sources[0].failure = Some("refused".to_owned()), State::Degraded, "source-unreachable");
        check(
            |look| look.sources.iter_mut().for_each(|source| source.failure = Some("refused".to_owned())),
            State::Down,
            "source-unreachable",
        );
        check(|look| look.sources.clear(), State::Ready, "");
        check(|look| look.store = Some(Err("no route".to_owned())), State::Down, "store-unreachable");
        check(|look| look.store = Some(Ok(TimeDelta::seconds(-61))), State::Down, "clock-skew");
        check(|look| look.store = Some(Ok(TimeDelta::seconds(59))), State::Ready, "");
        check(|look| look.unreadable = Some("denied".to_owned()), State::Down, "repository-unreadable");
        check(|look| look.at = None, State::Down, "starting");
        check(|look| look.at = Some(now() - TimeDelta::minutes(4)), State::Down, "checks-stalled");
    }
}
