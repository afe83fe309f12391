//! Which backups of a source are kept and which may go, and why: a pure function of what is there, the rules and the time.
//!
//! Invariants (R5), each a property in `tests/retention.rs`:
//! 1. the newest complete backup is kept, and the newest that did not fail its test restore, and the newest proven one, and
//!    every pinned one
//! 2. a backup that failed its test restore counts towards no quota: it is kept beside those that do, never instead of one
//! 3. while the newest sound backup is older than the RPO target nothing goes: the source is failing; nor while the data-loss
//!    alarm of any backup is open: what is missing may be in the older ones alone
//! 4. what guard did not write, or cannot read, stays
//! 5. days, weeks, months and years are cut in the policy's own time zone
//! 6. `last`, `within`, `daily` … compose as in restic; every kept backup says why
//! 7. what is dated in the future stays, and is nobody's newest: clocks lie
//!
//! How a deletion is carried out, in which order, is `prune`'s matter.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::catalog::BackupId;

mod reason;
mod rules;

pub use reason::{Period, Reason};

/// How far a backup may be dated into the future before its date is not believed: as far as clocks may differ.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(1);

/// A backup as far as its keeping is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The backup.
    pub id: BackupId,
    /// What is known of it.
    pub standing: Standing,
    /// Why somebody pinned it; empty text for no reason given.
    pub pinned: Option<String>,
    /// Whether it holds much less than the one before it, and nobody has said that this is as it should be.
    pub alarmed: bool,
}

/// What is known of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its manifest is guard's, of this repository and source, and whole.
    Complete {
        /// When it was begun, by a clock that was held against the store's.
        begun: DateTime<Utc>,
        /// The moment of its data: what RPO counts from.
        data_of: DateTime<Utc>,
        /// What its newest test restore said.
        proof: Proof,
    },
    /// Its manifest cannot be read, is of a newer format, or names another repository or source.
    NotOurs {
        /// Why.
        reason: String,
    },
}

/// What the newest test restore of a backup said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// There was none.
    Never,
    /// Everything came back.
    Proven,
    /// Something did not.
    Failed,
}

/// One schedule's rules. A policy without any rule keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The newest so many.
    pub last: Option<NonZeroU32>,
    /// All not older than this, counted from the newest sound backup as in restic.
    pub within: Option<TimeDelta>,
    /// The newest of each of so many days that have one.
    pub daily: Option<NonZeroU32>,
    /// The newest of each of so many weeks (ISO 8601) that have one.
    pub weekly: Option<NonZeroU32>,
    /// The newest of each of so many months that have one.
    pub monthly: Option<NonZeroU32>,
    /// The newest of each of so many years that have one.
    pub yearly: Option<NonZeroU32>,
    /// The zone in which all these are cut.
    pub timezone: Tz,
}

/// All that is promised and wanted for one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules of each schedule that covers it; none keeps everything.
    pub policies: Vec<Policy>,
    /// The strictest RPO target, if there is one.
    pub rpo: Option<TimeDelta>,
}

/// What becomes of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The backup.
    pub id: BackupId,
    /// Whether it stays.
    pub keep: bool,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
}

/// Decides about every backup of one source, in the order of their ids. A backup stays if any policy keeps it; without a
/// policy everything does. `rpo` is the strictest target, `now` the store's time.
pub fn plan(history: &[Candidate], policies: &[Policy], rpo: Option<TimeDelta>, now: DateTime<Utc>) -> Vec<Decision> {
    let dated = dated(history, now);
    let freezes: Vec<Reason> = freeze(&dated, rpo, now).into_iter().chain(alarms(history)).collect();
    let mut decisions: Vec<Decision> = history.iter().map(|candidate| decide_alone(candidate, now)).collect();
    for (dated_idx, reason) in newest(&dated) {
        decisions[dated[dated_idx].idx].keep_for(reason);
    }
    if policies.is_empty() {
        for each in &dated {
            decisions[each.idx].keep_for(Reason::NoRule);
        }
    }
    for policy in policies {
        for (idx, reason) in rules::kept(policy, &dated) {
            decisions[idx].keep_for(reason);
        }
    }
    for decision in &mut decisions {
        if decision.keep {
            continue;
        }
        if freezes.is_empty() {
            decision.reasons.push(Reason::NoRuleKeepsIt);
        }
        for freeze in &freezes {
            decision.keep_for(freeze.clone());
        }
    }
    decisions.sort_by(|one, two| one.id.cmp(&two.id));
    decisions
}

/// A complete backup whose date can be believed.
#[derive(Debug, Clone, Copy)]
struct Dated {
    /// Where it is in the history.
    idx: usize,
    begun: DateTime<Utc>,
    data_of: DateTime<Utc>,
    proof: Proof,
}

impl Dated {
    fn is_sound(&self) -> bool {
        self.proof != Proof::Failed
    }
}

impl Decision {
    fn keep_for(&mut self, reason: Reason) {
        self.keep = true;
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Newest first.
fn dated(history: &[Candidate], now: DateTime<Utc>) -> Vec<Dated> {
    let mut dated: Vec<(Dated, &BackupId)> = Vec::new();
    for (idx, candidate) in history.iter().enumerate() {
        if let Standing::Complete { begun, data_of, proof } = candidate.standing
            && begun <= now + MAX_SKEW
        {
            dated.push((Dated { idx, begun, data_of, proof }, &candidate.id));
        }
    }
    dated.sort_by(|(one, one_id), (two, two_id)| (two.begun, two_id).cmp(&(one.begun, one_id)));
    dated.into_iter().map(|(dated, _)| dated).collect()
}

/// What is decided by the backup itself, whatever else there is.
fn decide_alone(candidate: &Candidate, now: DateTime<Utc>) -> Decision {
    let mut decision = Decision { id: candidate.id.clone(), keep: false, reasons: Vec::new() };
    if let Some(why) = &candidate.pinned {
        decision.keep_for(Reason::Pinned { why: why.clone() });
    }
    match &candidate.standing {
        Standing::NotOurs { reason } => decision.keep_for(Reason::NotOurs { reason: reason.clone() }),
        Standing::Complete { begun, .. } if *begun > now + MAX_SKEW => {
            decision.keep_for(Reason::Future { begun: *begun, now });
        }
        Standing::Complete { .. } => {}
    }
    decision
}

/// The newest of each kind.
fn newest(dated: &[Dated]) -> Vec<(usize, Reason)> {
    let first = |is: fn(&Dated) -> bool| dated.iter().position(is);
    let kinds = [
        (first(|_| true), Reason::Newest),
        (first(Dated::is_sound), Reason::NewestSound),
        (first(|each| each.proof == Proof::Proven), Reason::NewestProven),
    ];
    let mut found: Vec<(usize, Reason)> =
        kinds.into_iter().filter_map(|(position, reason)| Some((position?, reason))).collect();
    // The newest that is sound, as it should be, need not be told twice.
    if let [(newest, _), (sound, Reason::NewestSound), ..] = found[..]
        && newest == sound
    {
        found.remove(1);
    }
    found
}

/// Backups whose alarm is open.
fn alarms(history: &[Candidate]) -> impl Iterator<Item = Reason> {
    let alarmed = history.iter().filter(|candidate| candidate.alarmed);
    alarmed.map(|candidate| Reason::Alarm { backup: candidate.id.clone() })
}

/// Why nothing may go, if so. Whoever has no backup at all is failing as well, and has nothing to lose.
fn freeze(dated: &[Dated], rpo: Option<TimeDelta>, now: DateTime<Utc>) -> Option<Reason> {
    let rpo = rpo?;
    // Data cannot be newer than the backup of it, whatever the source's clock says.
    let newest = dated.iter().filter(|each| each.is_sound()).map(|each| each.data_of.min(each.begun)).max();
    match newest {
        Some(data_of) if now - data_of <= rpo => None,
        data_of => Some(Reason::Frozen { data_of, rpo }),
    }
}
