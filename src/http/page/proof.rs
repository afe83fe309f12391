//! Evidence as a page: what was restored, what was compared, and what was found.

use std::sync::Arc;

use maud::{Markup, html};

use super::{Page, badge, date, path, wide_table};
use crate::catalog::{Evidence, Verdict};
use crate::status::history::moment_name;
use crate::status::words;

/// How many differences a page lists.
const DIFFERENCES: usize = 200;

/// The page of one piece of evidence.
pub(in super::super) fn render(page: &Page, evidence: &Evidence) -> Markup {
    let (source, id) = (evidence.source.as_str(), evidence.backup.as_str());
    let title = format!("Test restore of {source}");
    let trail =
        [(path(&["source", source]), source), (path(&["source", source, id]), id), (String::new(), "test restore")];
    page.document(&title, &trail, &html! { h1 { (title) } (sections(page, evidence)) })
}

/// The list of all evidence.
pub(in super::super) fn list(page: &Page, evidence: &[Arc<Evidence>]) -> Markup {
    let body = html! {
        h1 { "Evidence of test restores" }
        p.muted { (summary(evidence)) }
        @if !evidence.is_empty() { section.card aria-label="Evidence" { (table(page, evidence)) } }
        p { "For an auditor: " code { "guard status --evidence --since 1y --format html" } " writes all of it into one file." }
    };
    page.document("Evidence", &[(String::new(), "Evidence")], &body)
}

/// All evidence in one document that stands alone.
pub(in super::super) fn dossier(page: &Page, evidence: &[Arc<Evidence>], scope: &str) -> Markup {
    let body = html! {
        h1 { "Evidence of test restores" }
        p { (scope) " " (summary(evidence)) }
        @if !evidence.is_empty() { section.card aria-label="All test restores" { (table(page, evidence)) } }
        @for evidence in evidence {
            article.dossier id=(anchor(evidence)) {
                h2 { (evidence.source) ", " (words::minute(evidence.finished)) }
                (sections(page, evidence))
            }
        }
    };
    page.document("Evidence of test restores", &[], &body)
}

/// A line a test restore.
pub(super) fn table(page: &Page, evidence: &[Arc<Evidence>]) -> Markup {
    wide_table(
        "Test restores",
        &html! {
            table {
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "Verdict" } th scope="col" { "Source" } th scope="col" { "Backup" }
                    th.num scope="col" { "Rows compared" } th.num scope="col" { "Restore" } th.num scope="col" { "Comparison" }
                    th scope="col" { "Started by" }
                } }
                tbody {
                    @for evidence in evidence {
                        tr {
                            th scope="row" { a href=(link(page, evidence)) { (date(evidence.finished)) } }
                            td { (verdict_badge(evidence.verdict)) @if let Some(reason) = &evidence.reason { " " code { (reason) } } }
                            td { (evidence.source) }
                            td.id { code { (evidence.backup) } }
                            td.num { (words::count(evidence.compared.rows)) }
                            td.num { (words::seconds(evidence.restore_seconds)) }
                            td.num { (words::seconds(evidence.proof_seconds)) }
                            td { (evidence.started_by) }
                        }
                    }
                }
            }
        },
    )
}

/// A verdict in a word.
pub(super) fn verdict_badge(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::Proven => badge("good", "proven"),
        Verdict::Failed => badge("bad", "failed"),
    }
}

fn summary(evidence: &[Arc<Evidence>]) -> String {
    let proven = evidence.iter().filter(|evidence| evidence.verdict == Verdict::Proven).count();
    match evidence.len() {
        0 => "No backup was restored and compared.".to_owned(),
        all => format!("{}, {proven} proven and {} failed.", words::counted(all, "test restore"), all - proven),
    }
}

fn link(page: &Page, evidence: &Evidence) -> String {
    if page.alone {
        return format!("#{}", anchor(evidence));
    }
    path(&["source", &evidence.source, evidence.backup.as_str(), "proof", &moment_name(evidence)])
}

fn anchor(evidence: &Evidence) -> String {
    format!("{}-{}", evidence.backup, moment_name(evidence))
}

fn sections(page: &Page, evidence: &Evidence) -> Markup {
    let (class, verdict) = match (evidence.verdict, &evidence.reason) {
        (Verdict::Proven, _) => ("good", "Proven: what came back is exactly what was dumped".to_owned()),
        (Verdict::Failed, reason) => {
            let rung = evidence.rungs.iter().rev().find(|rung| !rung.ok);
            let found = rung.map(|rung| rung.detail.as_str()).or(reason.as_deref()).unwrap_or("no reason is on record");
            ("bad", format!("Failed: {found}"))
        }
    };
    html! {
        p class=(format!("headline {class}")) { (verdict) @if let Some(reason) = &evidence.reason { " " code { (reason) } } }
        (measures(evidence))
        section.card aria-label="Rungs" {
            (heading(page, "What was checked, in order"))
            (wide_table("Rungs", &html! {
                table.rungs {
                    thead { tr { th scope="col" { "Rung" } th scope="col" { "Found" } th.num scope="col" { "Took" } } }
                    tbody { @for rung in &evidence.rungs {
                        tr {
                            th scope="row" {
                                (rung.name) " " (if rung.ok { badge("good", "holds") } else { badge("bad", "fails") })
                            }
                            td.text { (rung.detail) }
                            td.num { (words::seconds(rung.seconds)) }
                        }
                    } }
                }
            }))
        }
        (differences(page, evidence))
        (facts(page, evidence))
    }
}

/// In the document that holds many, each has a heading of its own above this one.
fn heading(page: &Page, words: &str) -> Markup {
    if page.alone {
        html! { h3 { (words) } }
    } else {
        html! { h2 { (words) } }
    }
}

fn measures(evidence: &Evidence) -> Markup {
    let against = |measured: f64, target: Option<f64>| {
        html! {
            (words::seconds(measured))
            @match target {
                None => span.muted { " (no target)" },
                Some(target) => {
                    " of " (words::seconds(target)) " "
                    (if measured <= target { badge("good", "within") } else { badge("bad", "missed") })
                }
            }
        }
    };
    let compared = &evidence.compared;
    html! {
        section.card aria-label="Figures" {
            dl.facts {
                dt { "Data lost at most (RPO)" } dd { (against(evidence.rpo_seconds, evidence.rpo_target_seconds)) }
                dt { "Restored in (RTO)" } dd { (against(evidence.restore_seconds, evidence.rto_target_seconds)) }
                dt { "Compared" }
                dd {
                    (words::count(compared.tables)) " tables, " (words::count(compared.rows)) " rows, "
                    (words::count(compared.sequences)) " sequences, " (words::count(compared.large_objects)) " large objects, "
                    (words::count(compared.objects)) " definitions, in " (words::seconds(evidence.proof_seconds))
                }
            }
        }
    }
}

fn differences(page: &Page, evidence: &Evidence) -> Markup {
    if evidence.differences.is_empty() {
        return html! {};
    }
    let n_more = evidence.differences.len().saturating_sub(DIFFERENCES);
    html! {
        section.card aria-label="Differences" {
            (heading(page, "Differences"))
            (wide_table("Differences", &html! {
                table.rungs {
                    thead { tr { th scope="col" { "Object" } th scope="col" { "Backed up" } th scope="col" { "Came back" } th scope="col" { "Code" } } }
                    tbody { @for difference in evidence.differences.iter().take(DIFFERENCES) {
                        tr {
                            th scope="row" { (difference.object) }
                            td.text { (difference.expected) } td.text { (difference.found) } td { code { (code(difference)) } }
                        }
                    } }
                }
            }))
            @if n_more > 0 { p.muted { "and " (n_more) " more in the evidence file" } }
        }
    }
}

fn code(difference: &crate::contents::Difference) -> String {
    serde_json::to_value(difference.code).ok().and_then(|code| code.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn facts(page: &Page, evidence: &Evidence) -> Markup {
    html! {
        section.card aria-label="Circumstances" {
            dl.facts {
                dt { "Backup" }
                dd {
                    @if page.alone { code.break { (evidence.source) "/" (evidence.backup) } }
                    @else { a href=(path(&["source", &evidence.source, evidence.backup.as_str()])) { code { (evidence.backup) } } }
                }
                @if let Some(environment) = &evidence.environment { dt { "Environment" } dd { (environment) } }
                dt { "Began" } dd { (words::moment(evidence.started)) }
                dt { "Ended" } dd { (words::moment(evidence.finished)) }
                dt { "Started by" } dd { (evidence.started_by) }
                @if let Some(scratch) = &evidence.scratch { dt { "Restored into" } dd { (scratch) } }
                dt { "Tested by" } dd { "guard " (evidence.guard) }
                dt { "Manifest" } dd { code.break { "sha256 " (evidence.manifest) } }
            }
        }
    }
}
