//! `/`: every source with its promise, the worst first.

use maud::{Markup, html};

use super::super::chart::{gauge, spark};
use super::super::readiness::{Readiness, State};
use super::proof::verdict_badge;
use super::{Page, badge, date, findings, health_class, path};
use crate::status::live::Job;
use crate::status::{Health, Report, SourceReport, words};

/// The whole page.
pub(in super::super) fn render(page: &Page, report: &Report, readiness: &Readiness) -> Markup {
    let body = html! {
        (headline(report))
        (readiness_note(readiness))
        @if report.sources.is_empty() {
            section.card.empty {
                h2 { "Nothing is backed up yet" }
                p { "No source is configured and " (report.store) " holds no backups. Set " code { "DATABASE_URL" }
                    " or name sources in " code { "guard.toml" } ", then run " code { "guard backup" } "." }
            }
        }
        div.cards { @for source in &report.sources { (card(page, source)) } }
        p.muted.about { "Store " code { (report.store) } ", read " (page.away(report.read_at)) "." }
    };
    page.document("Backups", &[], &body)
}

fn headline(report: &Report) -> Markup {
    let watched = report.sources.iter().filter(|source| source.configured);
    let n_watched = watched.clone().count();
    let bad = |health: Health| watched.clone().filter(|source| source.health == health).count();
    let (class, text) = match (n_watched, bad(Health::Breach), bad(Health::Warning)) {
        (0, _, _) => ("none", "No source is configured".to_owned()),
        (1, 0, 0) => ("good", "Every promise is kept".to_owned()),
        (all, 0, 0) => ("good", format!("All {all} sources keep their promise")),
        (all, 0, warned) => {
            ("warn", format!("No promise is broken; {warned} of {} to look at", words::counted(all, "source")))
        }
        (all, broken, _) => (
            "bad",
            format!(
                "{broken} of {} {} a promise",
                words::counted(all, "source"),
                if broken == 1 { "breaks" } else { "break" }
            ),
        ),
    };
    html! { h1 class=(format!("headline {class}")) { (text) } }
}

fn readiness_note(readiness: &Readiness) -> Markup {
    let (class, text) = match readiness.status {
        State::Ready => return html! {},
        State::Degraded => ("warn", "guard cannot do all of its work now"),
        State::Down => ("bad", "guard cannot take backups now"),
    };
    html! {
        section class=(format!("note {class}")) aria-label="Readiness" {
            strong { (text) }
            ul { @for reason in &readiness.reasons { li { (reason.subject) ": " (reason.message) " " code { (reason.code) } } } }
        }
    }
}

fn card(page: &Page, source: &SourceReport) -> Markup {
    let name = source.source.as_str();
    let heading = format!("source-{name}");
    html! {
        article class=(format!("card {}", if source.configured { health_class(source.health) } else { "none" }))
            aria-labelledby=(heading) {
            header {
                h2 id=(heading) { a href=(path(&["source", name])) { (name) } }
                (state_badge(source))
            }
            p.muted.subject { (subject(source)) }
            (findings(&source.findings))
            @for running in &source.running {
                p.running { strong { (running.job.name()) } " runs since " (page.away(running.started)) ": " (running.phase)
                    @if let Some(table) = &running.table { " " code { (table) } } }
            }
            (promise(source))
            dl.facts {
                dt { "Last backup" }
                dd {
                    @match &source.last_backup {
                        None => "never",
                        Some(backup) => {
                            a href=(path(&["source", name, backup.id.as_str()])) { (date(backup.data_at)) } " "
                            span.muted { (words::bytes(backup.stored_bytes)) " in " (words::seconds(backup.seconds)) }
                        }
                    }
                }
                dt { "Last proof" }
                dd {
                    @match &source.last_proof {
                        None => span.muted { "never" },
                        Some(proof) => { (verdict_badge(proof.verdict)) " " (page.away(proof.at)) }
                    }
                }
                dt { "Next" }
                dd {
                    @match (source.next(Job::Backup), source.next(Job::TestRestore)) {
                        (None, None) => span.muted { "nothing is scheduled" },
                        (backup, proof) => {
                            @if let Some(backup) = backup { "backup " (page.away(backup.at)) }
                            @if backup.is_some() && proof.is_some() { ", " }
                            @if let Some(proof) = proof { "test restore " (page.away(proof.at)) }
                        }
                    }
                }
            }
            (sizes(source))
        }
    }
}

/// How the source stands, in a word.
pub(super) fn state_badge(source: &SourceReport) -> Markup {
    if !source.configured {
        return badge("none", "not configured");
    }
    match source.health {
        Health::Ok => badge("good", "as promised"),
        Health::Warning => badge("warn", "look at this"),
        Health::Breach => badge("bad", "promise broken"),
    }
}

/// What a source is.
pub(super) fn subject(source: &SourceReport) -> String {
    let recorded = source.backups.first().map(|backup| backup.subject.clone());
    let subject = recorded.or_else(|| source.kind.map(ToOwned::to_owned)).unwrap_or_default();
    match &source.environment {
        Some(environment) => format!("{environment} · {subject}"),
        None => subject,
    }
}

/// Age against RPO, restore against RTO.
pub(super) fn promise(source: &SourceReport) -> Markup {
    html! {
        div.promise {
            (measure("Data age", source.age_seconds, source.rpo_target_seconds, "RPO"))
            (measure("Restore took", source.restore_seconds, source.rto_target_seconds, "RTO"))
        }
    }
}

fn measure(label: &str, measured: Option<f64>, allowed: Option<f64>, promise: &str) -> Markup {
    let (measured_text, allowed_text) = (measured.map(words::seconds), allowed.map(words::seconds));
    html! {
        div.measure {
            span.label { (label) }
            span.value { (measured_text.as_deref().unwrap_or("–")) }
            span.target {
                @match &allowed_text { Some(allowed) => { "of " (allowed) " " abbr { (promise) } }, None => { "no " (promise) " set" } }
            }
            @if let (Some(measured), Some(allowed)) = (measured, allowed) {
                (gauge(&format!("{label}: {} of {} allowed", words::seconds(measured), words::seconds(allowed)), measured, allowed))
            }
        }
    }
}

fn sizes(source: &SourceReport) -> Markup {
    let newest = source.history.iter().take(60).rev();
    let points: Vec<_> = newest.map(|backup| (backup.data_at, backup.stored_bytes as f64)).collect();
    let (Some(oldest), Some(newest)) = (source.history.get(points.len().saturating_sub(1)), source.history.first())
    else {
        return html! {};
    };
    let label = format!(
        "Stored size of the last {}: from {} to {}",
        words::counted(points.len(), "backup"),
        words::bytes(oldest.stored_bytes),
        words::bytes(newest.stored_bytes)
    );
    html! {
        @if points.len() > 1 { figure.trend { (spark(&label, &points)) figcaption { (label) } } }
    }
}
