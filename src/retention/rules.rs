//! The rules as restic composes them: from the newest to the oldest, a backup is kept by a rule if it opens a new period and
//! the rule has room left; the oldest fills what room remains, so that the history is as long as the rules allow.
//! <https://restic.readthedocs.io/en/stable/060_forget.html>

use std::num::NonZeroU32;

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

use super::reason::{Period, Reason};
use super::{Dated, Policy};

/// The backups (by their place in the history) that the policy keeps, each with one reason; `dated` is newest first.
pub(super) fn kept(policy: &Policy, dated: &[Dated]) -> Vec<(usize, Reason)> {
    let sound: Vec<Dated> = dated.iter().copied().filter(Dated::is_sound).collect();
    let mut kept = apply(policy, &sound);
    // The failed are kept as if they counted, after the others were counted without them.
    for (idx, reason) in apply(policy, dated) {
        let is_failed = dated.iter().any(|each| each.idx == idx && !each.is_sound());
        match reason {
            reason @ Reason::NoRule => kept.push((idx, reason)),
            Reason::Rule { period, .. } if is_failed => kept.push((idx, Reason::FailedBesides { period })),
            _ => {}
        }
    }
    kept
}

fn apply(policy: &Policy, dated: &[Dated]) -> Vec<(usize, Reason)> {
    let Policy { last, within, daily, weekly, monthly, yearly, timezone } = *policy;
    let rules = [
        (Period::Last, last),
        (Period::Daily, daily),
        (Period::Weekly, weekly),
        (Period::Monthly, monthly),
        (Period::Yearly, yearly),
    ];
    if within.is_none() && rules.iter().all(|(_, count)| count.is_none()) {
        return dated.iter().map(|each| (each.idx, Reason::NoRule)).collect();
    }
    let mut kept = Vec::new();
    if let (Some(within), Some(newest)) = (within, dated.first()) {
        let young = dated.iter().filter(|each| newest.begun - each.begun <= within);
        let reason = Reason::Rule { period: Period::Within, bucket: String::new(), oldest: false };
        kept.extend(young.map(|each| (each.idx, reason.clone())));
    }
    for (period, count) in rules {
        if let Some(count) = count {
            kept.extend(keep_by(period, count, timezone, dated));
        }
    }
    kept
}

fn keep_by(period: Period, count: NonZeroU32, zone: Tz, dated: &[Dated]) -> Vec<(usize, Reason)> {
    let mut left = count.get();
    let mut last_bucket = None;
    let mut kept = Vec::new();
    for (position, each) in dated.iter().enumerate() {
        if left == 0 {
            break;
        }
        let bucket = bucket(period, each.begun, zone);
        let is_new = period == Period::Last || last_bucket.as_ref() != Some(&bucket);
        if is_new || position + 1 == dated.len() {
            left -= 1;
            kept.push((each.idx, Reason::Rule { period, bucket: bucket.clone(), oldest: !is_new }));
            last_bucket = Some(bucket);
        }
    }
    kept
}

/// The name of the day, week, month or year that an instant is in.
fn bucket(period: Period, at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    match period {
        Period::Last | Period::Within => String::new(),
        Period::Daily => local.format("%Y-%m-%d").to_string(),
        Period::Weekly => format!("{}-W{:02}", local.iso_week().year(), local.iso_week().week()),
        Period::Monthly => local.format("%Y-%m").to_string(),
        Period::Yearly => local.format("%Y").to_string(),
    }
}
