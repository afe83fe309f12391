//! `/source/NAME`: one source with its charts, its tables and its history.

use maud::{Markup, html};

use super::super::chart::{Chart, Dot, Series, Unit, spark};
use super::overview::{promise, state_badge, subject};
use super::proof::{self, verdict_badge};
use super::{Page, badge, date, findings, path, wide_table};
use crate::catalog::Verdict;
use crate::status::growth::TableGrowth;
use crate::status::live::Running;
use crate::status::{BackupSummary, Decision, SourceReport, words};

/// How many backups a page lists.
const PER_PAGE: usize = 50;
/// How many of the newest are drawn.
const DRAWN: usize = 200;
/// How much of the evidence is listed here; all of it has a page.
const EVIDENCE: usize = 10;

/// The whole page. `before` is the id of the backup whose elders are listed.
pub(in super::super) fn render(page: &Page, source: &SourceReport, before: Option<&str>) -> Markup {
    let name = source.source.as_str();
    let body = html! {
        div.title { h1 { (name) } (state_badge(source)) }
        p.muted.subject { (subject(source)) }
        (findings(&source.findings))
        section.card aria-labelledby="promise" {
            h2 #promise { "Promise" }
            (promise(source))
            (next(page, source))
        }
        @for running in &source.running { (running_note(page, running)) }
        @if !source.history.is_empty() {
            section.charts aria-label="Charts" { (size_chart(source)) (duration_chart(source)) }
        }
        (tables(source))
        (history(page, source, before))
        (evidence(page, source))
    };
    page.document(name, &[(String::new(), name)], &body)
}

fn next(page: &Page, source: &SourceReport) -> Markup {
    html! {
        @if source.next.is_empty() {
            p.muted { "Nothing is scheduled for this source." }
        } @else {
            ul.next {
                @for upcoming in &source.next {
                    li { strong { (upcoming.job.name()) } " " (page.time(upcoming.at)) " "
                        span.muted { "by schedule " (upcoming.schedule) } }
                }
            }
        }
        @for (job, attempt) in &source.attempts {
            p.muted {
                "Last " (job) " run " (page.away(attempt.ended)) ": "
                @match &attempt.failure { None => "succeeded", Some(failure) => { "failed: " (failure) } }
            }
        }
    }
}

fn running_note(page: &Page, running: &Running) -> Markup {
    html! {
        section.note.live aria-label="Running now" {
            strong { (running.job.name()) " is running" } " since " (page.away(running.started)) ": " (running.phase)
            @if let Some(table) = &running.table { " " code { (table) } }
            @if running.estimate > 0 {
                " · " (words::bytes(running.bytes)) " of about " (words::bytes(running.estimate)) " "
                progress max=(running.estimate) value=(running.bytes.min(running.estimate)) aria-label="Bytes so far" {}
            }
        }
    }
}

fn size_chart(source: &SourceReport) -> Markup {
    let points = |value: fn(&BackupSummary) -> u64, what: &str| {
        drawn(source)
            .map(|backup| Dot {
                at: backup.data_at,
                value: value(backup) as f64,
                title: format!("{}: {} {what}", words::minute(backup.data_at), words::bytes(value(backup))),
            })
            .collect()
    };
    let newest = source.last_backup.as_ref();
    Chart {
        title: "Size",
        summary: format!(
            "Sizes of {}; the newest is {} stored as {}",
            words::counted(source.history.len().min(DRAWN), "backup"),
            words::bytes(newest.map_or(0, |backup| backup.plain_bytes)),
            words::bytes(newest.map_or(0, |backup| backup.stored_bytes)),
        ),
        unit: Unit::Bytes,
        series: vec![
            Series {
                label: "dumped",
                class: "two",
                joined: true,
                points: points(|backup| backup.plain_bytes, "dumped"),
            },
            Series {
                label: "stored",
                class: "one",
                joined: true,
                points: points(|backup| backup.stored_bytes, "stored"),
            },
        ],
        limit: None,
    }
    .render()
}

fn duration_chart(source: &SourceReport) -> Markup {
    let backups = drawn(source).map(|backup| Dot {
        at: backup.data_at,
        value: backup.seconds,
        title: format!("{}: backup in {}", words::minute(backup.data_at), words::seconds(backup.seconds)),
    });
    let oldest = drawn(source).next().map(|backup| backup.data_at);
    let evidence = source.evidence();
    let restores = |verdict: Verdict| {
        let fitting = evidence.iter().rev().filter(|evidence| {
            evidence.verdict == verdict && evidence.restore_seconds > 0.0 && Some(evidence.finished) >= oldest
        });
        fitting
            .map(|evidence| Dot {
                at: evidence.finished,
                value: evidence.restore_seconds,
                title: format!(
                    "{}: restored in {}",
                    words::minute(evidence.finished),
                    words::seconds(evidence.restore_seconds)
                ),
            })
            .collect()
    };
    Chart {
        title: "Duration",
        summary: format!(
            "Durations of {} and {}; the newest backup took {}",
            words::counted(source.history.len().min(DRAWN), "backup"),
            words::counted(evidence.len(), "test restore"),
            words::seconds(source.last_backup.as_ref().map_or(0.0, |backup| backup.seconds)),
        ),
        unit: Unit::Seconds,
        series: vec![
            Series { label: "backup", class: "one", joined: true, points: backups.collect() },
            Series { label: "test restore", class: "three", joined: false, points: restores(Verdict::Proven) },
            Series { label: "failed test restore", class: "bad", joined: false, points: restores(Verdict::Failed) },
        ],
        limit: source.rto_target_seconds.map(|rto| (rto, "RTO")),
    }
    .render()
}

/// The newest backups, oldest first.
fn drawn(source: &SourceReport) -> impl Iterator<Item = &BackupSummary> {
    source.history.iter().take(DRAWN).rev()
}

fn tables(source: &SourceReport) -> Markup {
    let Some(newest) = &source.last_backup else { return html! {} };
    let has_elder = source.history.len() > 1;
    html! {
        section.card aria-labelledby="tables" {
            h2 #tables { "Tables" }
            p.muted { (words::count(newest.tables)) " tables with " (words::count(newest.rows)) " rows in the newest backup. These are the largest and the fastest growing; changes are against the backup before." }
            (wide_table("Tables", &html! {
                table {
                    thead { tr {
                        th scope="col" { "Table" } th.num scope="col" { "Rows" }
                        @if has_elder { th.num scope="col" { "Change" } }
                        th.num scope="col" { "Size" }
                        @if has_elder { th.num scope="col" { "Change" } th scope="col" { "Trend" } }
                    } }
                    tbody { @for table in &source.tables { (table_row(table, has_elder)) } }
                }
            }))
        }
    }
}

fn table_row(table: &TableGrowth, has_elder: bool) -> Markup {
    let points: Vec<_> = table.series.iter().map(|point| (point.at, point.bytes as f64)).collect();
    let change = |now: u64, change: Option<i64>, words: fn(i64) -> String| match change {
        Some(change) => {
            html! { td class=(if has_shrunk(now, change) { "num shrunk" } else { "num" }) { (words(change)) } }
        }
        None => html! { td.num { "new" } },
    };
    html! {
        tr {
            th scope="row" { code { (&*table.name) } @if table.vanished { " " (badge("bad", "vanished")) } }
            td.num { (words::count(table.rows)) }
            @if has_elder { (change(table.rows, table.rows_change, words::count_change)) }
            td.num { (words::bytes(table.bytes)) }
            @if has_elder {
                (change(table.bytes, table.bytes_change, words::bytes_change))
                td.trend { (spark(&format!("Size of {} over {}", table.name, words::counted(points.len(), "backup")), &points)) }
            }
        }
    }
}

/// Tables breathe; a tenth less is worth a look.
fn has_shrunk(now: u64, change: i64) -> bool {
    let before = i128::from(now) - i128::from(change);
    i128::from(change) * -10 > before
}

fn history(page: &Page, source: &SourceReport, before: Option<&str>) -> Markup {
    let name = source.source.as_str();
    let elders = source.history.iter().filter(|backup| before.is_none_or(|before| backup.id.as_str() < before));
    let listed: Vec<&BackupSummary> = elders.clone().take(PER_PAGE).collect();
    let has_more = elders.clone().count() > PER_PAGE;
    let retention = source.retention.as_ref();
    let stored: u64 = source.history.iter().map(|backup| backup.stored_bytes).sum();
    html! {
        section.card aria-labelledby="backups" {
            h2 #backups { "Backups" }
            p.muted {
                (words::counted(source.history.len(), "backup")) ", " (words::bytes(stored)) " in the store."
                @if let Some(before) = before { " Older than " code { (before) } "; " a href=(path(&["source", name])) { "the newest" } "." }
            }
            @for untrusted in &source.untrusted {
                p.note.bad { code { (untrusted.id) } " cannot be trusted: " (untrusted.reason) }
            }
            @if let Some(frozen) = retention.and_then(|preview| preview.frozen.as_ref()) {
                p.note.warn { "Nothing is removed now: " (frozen) }
            }
            @if !listed.is_empty() {
                (wide_table("Backups", &html! {
                    table {
                        thead { tr {
                            th scope="col" { "Data as of" } th.num scope="col" { "Stored" } th.num scope="col" { "Took" }
                            th scope="col" { "Proof" } th scope="col" { "Retention" } th.num scope="col" { "Rows" }
                            th.num scope="col" { "Tables" } th.num scope="col" { "Dumped" } th scope="col" { "Id" }
                        } }
                        tbody {
                            @for backup in &listed {
                                (history_row(page, name, backup, decision(source, backup)))
                            }
                        }
                    }
                }))
            }
            @if let (true, Some(last)) = (has_more, listed.last()) {
                p { a href=(format!("{}?before={}", path(&["source", name]), last.id)) rel="next" { "Older backups" } }
            }
        }
    }
}

fn decision<'a>(source: &'a SourceReport, backup: &BackupSummary) -> Option<&'a Decision> {
    source.retention.as_ref()?.decisions.iter().find(|decision| decision.id == backup.id)
}

fn history_row(page: &Page, source: &str, backup: &BackupSummary, decision: Option<&Decision>) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(path(&["source", source, backup.id.as_str()])) { (date(backup.data_at)) } }
            td.num { (words::bytes(backup.stored_bytes)) }
            td.num { (words::seconds(backup.seconds)) }
            td { @match &backup.proven {
                None => span.muted { "–" },
                Some(proof) => { (verdict_badge(proof.verdict)) " " (page.away(proof.at)) }
            } }
            td {
                @if backup.kept { (badge("good", "pinned")) " " }
                @match decision {
                    Some(decision) if decision.keep => span.muted { (decision.reasons.join(", ")) },
                    Some(decision) => { (badge("warn", "goes next")) " " span.muted { (decision.reasons.join(", ")) } }
                    None if !backup.kept => span.muted { "–" },
                    None => "",
                }
            }
            td.num { (words::count(backup.rows)) }
            td.num { (words::count(backup.tables)) }
            td.num { (words::bytes(backup.plain_bytes)) }
            td.id { code { (backup.id) } }
        }
    }
}

fn evidence(page: &Page, source: &SourceReport) -> Markup {
    let evidence: Vec<_> = source.evidence().into_iter().take(EVIDENCE).cloned().collect();
    html! {
        section.card aria-labelledby="evidence" {
            h2 #evidence { "Evidence" }
            @if evidence.is_empty() {
                p { "No backup of this source was restored and compared yet. " code { "guard restore --to scratch" } " does it now." }
            } @else {
                (proof::table(page, &evidence))
                p { a href=(format!("/evidence?source={}", source.source)) { "All evidence of this source" } }
            }
        }
    }
}
