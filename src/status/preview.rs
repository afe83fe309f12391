//! What retention would do with a source's backups at this moment, from what is known of them.

use chrono::{DateTime, Utc};

use super::history::{Listed, Recorded};
use super::{Decision, Preview};
use crate::catalog::Verdict;
use crate::retention::{Candidate, Proof, Reason, Rules, Standing, plan};

/// The decisions, newest first; none if no rule applies, for then everything is kept.
pub(super) fn preview(listed: &[Listed], rules: &Rules, now: DateTime<Utc>) -> Option<Preview> {
    if rules.policies.is_empty() || listed.is_empty() {
        return None;
    }
    let history: Vec<Candidate> = listed.iter().map(candidate).collect();
    let mut frozen = None;
    let mut decisions = Vec::new();
    for decision in plan(&history, &rules.policies, rules.rpo, now).into_iter().rev() {
        let freeze = decision.reasons.iter().find(|reason| reason.is_freeze());
        frozen = frozen.or_else(|| freeze.map(Reason::to_string));
        let reasons = decision.reasons.iter().map(Reason::to_string).collect();
        decisions.push(Decision { id: decision.id, keep: decision.keep, reasons });
    }
    Some(Preview { frozen, decisions })
}

fn candidate(listed: &Listed) -> Candidate {
    match listed {
        Listed::Untrusted(untrusted) => {
            let standing = Standing::NotOurs { reason: untrusted.reason.clone() };
            Candidate { id: untrusted.id.clone(), standing, pinned: None, alarmed: false }
        }
        Listed::Backup(backup) => {
            let Recorded { id, started: begun, data_at: data_of, proofs, kept, .. } = &**backup;
            let proof = match proofs.last().map(|evidence| evidence.verdict) {
                None => Proof::Never,
                Some(Verdict::Proven) => Proof::Proven,
                Some(Verdict::Failed) => Proof::Failed,
            };
            let pinned = kept.as_ref().map(|pin| pin.reason.clone().unwrap_or_default());
            let standing = Standing::Complete { begun: *begun, data_of: *data_of, proof };
            Candidate { id: id.clone(), standing, pinned, alarmed: backup.open_alarm().is_some() }
        }
    }
}
