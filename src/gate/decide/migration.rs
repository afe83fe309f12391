//! What the migrations themselves must show: no findings, or somebody's name under them, and a rehearsal.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use migrations_lint::report::{Class, Finding};
use migrations_lint::suppress::Suppressed;

use super::super::approval::Approval;
use super::super::facts::{Migrations, PendingFile};
use super::super::policy::Policy;
use super::super::reason::{Code, Reason};
use super::super::rehearsal::Rehearsal;
use super::{Check, age, in_words, older_than};

/// Findings at or above the level. Those that need an approval are that check's business, whatever their level.
pub(super) fn lint(migrations: &Migrations, policy: &Policy) -> Check {
    let counts = |finding: &&Finding| policy.fail_on.is_some_and(|level| finding.severity >= level);
    let for_approval = |finding: &&Finding| policy.approval_for.contains(&finding.class);
    let found = migrations.findings.iter().filter(|finding| counts(finding) && !for_approval(finding));
    let reasons: Vec<Reason> =
        found.map(|finding| Reason::new(Code::Finding, told(finding), way_out(finding))).collect();
    let n_below = migrations.findings.iter().filter(|finding| !counts(finding) && !for_approval(finding)).count();
    let detail = match (n_below, policy.fail_on) {
        (0, _) => "no findings".to_owned(),
        (_, None) => format!("{n_below} findings, and fail_on = never"),
        (_, Some(_)) => format!("no findings at the fail level, {n_below} below"),
    };
    Check::of("lint", reasons, detail)
}

/// Findings of the classes that need somebody's name.
pub(super) fn approval(migrations: &Migrations, policy: &Policy, now: DateTime<Utc>) -> Check {
    const NAME: &str = "approval";
    let needs = |finding: &Finding| policy.approval_for.contains(&finding.class);
    let mut reasons: Vec<Reason> = migrations.findings.iter().filter(|finding| needs(finding)).map(unsigned).collect();
    let mut owners = BTreeSet::new();
    for suppressed in migrations.suppressed.iter().filter(|suppressed| needs(&suppressed.finding)) {
        match signed(suppressed, policy, now.date_naive()) {
            Ok(owner) => drop(owners.insert(owner)),
            Err(reason) => reasons.push(reason),
        }
    }
    let detail = match owners.len() {
        0 => "nothing needs one".to_owned(),
        _ => format!("signed by {}", owners.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Check::of(NAME, reasons, detail)
}

fn unsigned(finding: &Finding) -> Reason {
    Reason::new(Code::NotApproved, format!("{}, and nobody has signed for it", told(finding)), sign(finding))
}

/// What to write, for this very finding.
fn sign(finding: &Finding) -> String {
    format!(
        "take it out, or sign for it in the line above: -- guard:ignore {} -- why this is right owner=NAME expires=YYYY-MM-DD",
        finding.rule
    )
}

/// The owner of the first approval that holds, or what is wrong with the one that comes nearest.
fn signed(suppressed: &Suppressed, policy: &Policy, today: NaiveDate) -> Result<String, Reason> {
    let mut nearest = None;
    for reason in &suppressed.reasons {
        match holds(&Approval::read(reason), &suppressed.finding, policy, today) {
            Ok(owner) => return Ok(owner),
            Err(reason) => nearest = Some(reason),
        }
    }
    Err(nearest.unwrap_or_else(|| unsigned(&suppressed.finding)))
}

fn holds(approval: &Approval, finding: &Finding, policy: &Policy, today: NaiveDate) -> Result<String, Reason> {
    let closed = |code, what: String| Err(Reason::new(code, format!("{}: {what}", told(finding)), sign(finding)));
    if let Some(word) = &approval.not_a_day {
        return closed(Code::ApprovalIncomplete, format!("`expires={word}` is no day such as 2026-12-31"));
    }
    let (owner, expires) = match (&approval.owner, approval.expires) {
        (Some(owner), Some(expires)) => (owner, expires),
        (None, None) => return closed(Code::NotApproved, "its guard:ignore names neither owner nor expiry".to_owned()),
        (None, _) => return closed(Code::ApprovalIncomplete, "its guard:ignore names no owner".to_owned()),
        (_, None) => return closed(Code::ApprovalIncomplete, "its guard:ignore never expires".to_owned()),
    };
    if !policy.approvers.is_empty() && !policy.approvers.contains(owner) {
        return closed(
            Code::ApproverUnknown,
            format!("{owner} is not one of approvers = {}", policy.approvers.join(", ")),
        );
    }
    if expires <= today {
        return closed(Code::ApprovalExpired, format!("the approval of {owner} expired on {expires}"));
    }
    let term = Duration::from_secs(86_400 * u64::try_from((expires - today).num_days()).unwrap_or(u64::MAX / 86_400));
    if term > policy.approval_max_term {
        let limit = humantime::format_duration(policy.approval_max_term);
        return closed(
            Code::ApprovalTooLong,
            format!("the approval of {owner} lasts until {expires}, longer than approval_max_term = {limit}"),
        );
    }
    Ok(owner.clone())
}

/// Findings of the classes that must have been tried on a restored copy, signed for or not.
pub(super) fn rehearsal(
    migrations: &Migrations,
    rehearsals: &[Rehearsal],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Check {
    const NAME: &str = "rehearsal";
    let all = migrations.findings.iter().chain(migrations.suppressed.iter().map(|suppressed| &suppressed.finding));
    let needing: Vec<&Finding> = all.filter(|finding| policy.rehearsal_for.contains(&finding.class)).collect();
    let classes: BTreeSet<Class> = needing.iter().map(|finding| finding.class).collect();
    if classes.is_empty() {
        return Check::skipped(NAME, "nothing needs one");
    }
    let classes = classes.into_iter().map(Class::as_str).collect::<Vec<_>>().join(" and ");
    let is_needed = |file: &&PendingFile| needing.iter().any(|finding| finding.file == file.file);
    let wanted: BTreeSet<&str> = migrations.pending.iter().filter(is_needed).map(|file| file.sha256.as_str()).collect();
    let covers = |rehearsal: &&Rehearsal| wanted.iter().all(|file| rehearsal.files.iter().any(|run| run == file));
    let try_it = "try it on a restored copy: guard rehearse PATH";
    let closed = |code, message: String| Check::closed(NAME, vec![Reason::new(code, message, try_it)]);
    // A failure stops in the middle: it counts whatever it had not reached.
    let tried = |rehearsal: &&Rehearsal| rehearsal.files.iter().any(|run| wanted.contains(run.as_str()));
    if let Some(Rehearsal { backup, at, passed: false, .. }) = rehearsals.iter().rfind(tried) {
        return closed(Code::RehearsalFailed, format!("the rehearsal on a copy of {backup} at {at} failed"));
    }
    let Some(Rehearsal { backup, at, .. }) = rehearsals.iter().rfind(covers) else {
        return closed(Code::NotRehearsed, format!("{classes} findings, and these very files were not rehearsed"));
    };
    match age(*at, now) {
        Some(age) if !older_than(age, policy.rehearsal_max_age) => {
            Check::pass(NAME, format!("rehearsed on a copy of {backup} {} ago", in_words(age)))
        }
        Some(age) => {
            let limit = humantime::format_duration(policy.rehearsal_max_age);
            closed(
                Code::RehearsalTooOld,
                format!("rehearsed {} ago, more than rehearsal_max_age = {limit}", in_words(age)),
            )
        }
        None => closed(
            Code::RehearsalTooOld,
            format!("the rehearsal on a copy of {backup} is dated {at}, which is yet to come"),
        ),
    }
}

fn told(finding: &Finding) -> String {
    format!("{}:{}: {} ({})", finding.file.display(), finding.start.line, finding.message, finding.rule)
}

/// The linter's own help, on one line.
fn way_out(finding: &Finding) -> String {
    let help = finding.help.split_whitespace().collect::<Vec<_>>().join(" ");
    if help.is_empty() { format!("guard lint --explain {}", finding.rule) } else { help }
}
