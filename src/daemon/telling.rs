//! What is told to whom, and when: by the holder of the slot alone, so that several daemons tell it once.
//!
//! What was told before follows from the records in the bucket. A failure is told when it begins, and once a day while it
//! lasts; a recovery when it ends; the result of every test restore.

use std::collections::BTreeMap;

use super::record;
use super::run::Run;
use super::story::{Failure, Told};
use super::workplace::Workplace;
use crate::catalog::{Alarm, Evidence, Manifest, Verdict};
use crate::lease::{Holder, State};
use crate::notify::{Beat, Event, Notice};
use crate::schedule::Kind;

/// How many losses one message lists.
const MOST_LOSSES: usize = 10;

/// Tells how a run went, if that is news.
pub(super) async fn of_run(run: Run<'_>, told: &Told) {
    let source = &run.due.job.source;
    let is_backup = run.due.job.kind == Kind::Backup;
    match told {
        Told::Done { .. } => {
            if is_backup {
                run.place.notifier.beat(source, Beat::Success);
            }
            recovered(run).await;
        }
        Told::Failed(failure) => {
            if is_backup {
                run.place.notifier.beat(source, Beat::Fail);
            }
            if !failure.is_told {
                failed(run, failure).await;
            }
        }
        Told::NothingYet | Told::Stopped => {}
    }
}

/// Tells what a test restore found.
pub(super) fn of_proof(run: Run<'_>, evidence: &Evidence) {
    let source = &evidence.source;
    let restore = format!("{:.1} s", evidence.restore_seconds);
    let summary = match evidence.verdict {
        Verdict::Proven => format!("{source}: the backup {} was restored in {restore} and is proven", evidence.backup),
        Verdict::Failed => format!("{source}: the backup {} FAILED its test restore", evidence.backup),
    };
    let mut notice = notice(run, Event::Proof, summary);
    let detail = evidence.rungs.last().map(|rung| rung.detail.clone()).unwrap_or_default();
    notice.details.insert("backup".to_owned(), evidence.backup.to_string());
    notice.details.insert("verdict".to_owned(), verdict(evidence.verdict).to_owned());
    notice.details.insert("found".to_owned(), detail);
    notice.details.extend(evidence.reason.clone().map(|reason| ("reason".to_owned(), reason)));
    run.place.notifier.tell(notice);
}

/// Tells that a backup holds much less than the one before it.
pub(super) fn of_alarm(run: Run<'_>, manifest: &Manifest, alarm: &Alarm) {
    let Manifest { source, id, .. } = manifest;
    let summary = format!("{source}: data is missing from the backup {id}: {}", alarm.summary());
    let mut notice = notice(run, Event::Alarm, summary);
    notice.details.insert("backup".to_owned(), id.to_string());
    notice.details.insert("compared with".to_owned(), alarm.against.to_string());
    for (loss_idx, loss) in alarm.losses.iter().take(MOST_LOSSES).enumerate() {
        notice.details.insert(format!("missing {}", loss_idx + 1), loss.message.clone());
    }
    let help = format!("nothing is pruned until `guard release {id}` says that it is as it should be");
    notice.details.insert("help".to_owned(), help);
    run.place.notifier.tell(notice);
}

/// Tells that something is wrong with the daemon itself.
pub(super) fn of_daemon(place: &Workplace, summary: String) {
    place.notifier.tell(Notice {
        event: Event::Failure,
        at: (place.clock)(),
        source: None,
        job: None,
        run: None,
        host: Holder::of_this_process().host,
        summary,
        details: BTreeMap::new(),
    });
}

async fn failed(run: Run<'_>, failure: &Failure) {
    let zone = run.place.jobs.iter().find(|job| job.id == run.due.job).map(|job| job.timetable.zone());
    let day = |at: chrono::DateTime<chrono::Utc>| zone.map(|zone| at.with_timezone(&zone).date_naive());
    match record::before(run.place, &run.due.job, run.due.slot.at).await {
        Ok(Some((at, before))) if is_failure(&before.state) && day(at) == day(run.due.slot.at) => {
            tracing::debug!("this failure goes on, and was told today");
            return;
        }
        Ok(_) => {}
        // Told twice is better than not told.
        Err(error) => tracing::warn!(%error, "whether this failure was told before is not known"),
    }
    let job = &run.due.job;
    let summary = format!("{}: the {} of schedule {} failed: {}", job.source, job.kind, job.schedule, failure.message);
    let mut notice = notice(run, Event::Failure, summary);
    notice.details.insert("code".to_owned(), failure.code.to_owned());
    notice.details.extend(failure.help.clone().map(|help| ("help".to_owned(), help)));
    run.place.notifier.tell(notice);
}

async fn recovered(run: Run<'_>) {
    let job = &run.due.job;
    match record::before(run.place, job, run.due.slot.at).await {
        Ok(Some((_, before))) if is_failure(&before.state) => {
            let summary = format!("{}: the {} of schedule {} succeeds again", job.source, job.kind, job.schedule);
            run.place.notifier.tell(notice(run, Event::Recovery, summary));
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "whether this is a recovery is not known"),
    }
}

fn is_failure(state: &State) -> bool {
    matches!(state, State::Failed { .. })
}

fn notice(run: Run<'_>, event: Event, summary: String) -> Notice {
    let details = [
        ("schedule".to_owned(), run.due.job.schedule.clone()),
        ("slot".to_owned(), run.due.slot.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    ];
    Notice {
        event,
        at: (run.place.clock)(),
        source: Some(run.due.job.source.clone()),
        job: Some(run.due.job.kind.to_string()),
        run: Some(run.note.id.clone()),
        host: Holder::of_this_process().host,
        summary,
        details: details.into_iter().collect(),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => "proven",
        Verdict::Failed => "failed",
    }
}
