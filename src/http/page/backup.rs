//! `/source/NAME/ID`: one backup as its manifest describes it.

use maud::{Markup, html};

use super::proof;
use super::{Page, badge, path, wide_table};
use crate::status::history::Recorded;
use crate::status::{SourceReport, words};

/// How many tables are listed.
const TABLES: usize = 500;

/// The whole page.
pub(in super::super) fn render(page: &Page, source: &SourceReport, backup: &Recorded) -> Markup {
    let name = source.source.as_str();
    let id = backup.id.as_str();
    let body = html! {
        div.title { h1 { code { (id) } } @if backup.kept.is_some() { (badge("good", "pinned")) } }
        (alarm(page, backup))
        (facts(page, backup))
        section.card aria-labelledby="evidence" {
            h2 #evidence { "Evidence" }
            @if backup.proofs.is_empty() {
                p { "This backup was not restored and compared. " code { "guard restore " (id) " --to scratch" } " does it now." }
            } @else {
                (proof::table(page, &backup.proofs.iter().rev().cloned().collect::<Vec<_>>()))
            }
        }
        (tables(backup))
    };
    page.document(id, &[(path(&["source", name]), name), (String::new(), id)], &body)
}

/// What it holds much less of than the one before it.
fn alarm(page: &Page, backup: &Recorded) -> Markup {
    let Some(alarm) = &backup.alarm else { return html! {} };
    html! {
        section.card aria-labelledby="alarm" {
            h2 #alarm { "Data that is missing" }
            p {
                "Compared with " code { (alarm.against) } ". "
                @match &backup.released {
                    Some(release) => {
                        "Released " (page.time(release.at)) @if let Some(reason) = &release.reason { ": " (reason) } "."
                    }
                    None => { "Nothing of this source is pruned until " code { "guard release " (backup.id) } " says that it is as it should be." }
                }
            }
            ul.findings { @for loss in &alarm.losses {
                li class=(if backup.released.is_some() { "warn" } else { "bad" }) { (loss.message) }
            } }
        }
    }
}

fn facts(page: &Page, backup: &Recorded) -> Markup {
    html! {
        section.card aria-label="Facts" {
            dl.facts {
                dt { "Source" } dd { (backup.subject) @if let Some(environment) = &backup.environment { " · " (environment) } }
                dt { "Data as of" } dd { (page.time(backup.data_at)) }
                dt { "Taken" } dd { (words::moment(backup.started)) ", in " (words::seconds(backup.seconds())) }
                dt { "Size" } dd { (words::bytes(backup.plain_bytes)) " stored as " (words::bytes(backup.stored_bytes)) }
                dt { "Holds" } dd { (words::count(backup.n_tables)) " tables with " (words::count(backup.rows)) " rows" }
                dt { "Encryption" }
                dd { @if backup.recipients.is_empty() { "none" } @else { "age, readable by " @for recipient in &backup.recipients { code.break { (recipient) } " " } } }
                dt { "Written by" } dd { "guard " (backup.guard) @for tool in &backup.tools { ", " (tool.version) } }
                dt { "Manifest" } dd { code.break { "sha256 " (backup.manifest) } }
                @if let Some(pin) = &backup.kept {
                    dt { "Pinned" } dd { (words::minute(pin.at)) @if let Some(reason) = &pin.reason { ": " (reason) } }
                }
            }
        }
    }
}

fn tables(backup: &Recorded) -> Markup {
    if backup.tables.is_empty() {
        return html! {};
    }
    html! {
        section.card aria-labelledby="tables" {
            h2 #tables { "Tables" }
            @if backup.tables.len() > TABLES {
                p.muted { "The first " (TABLES) " of " (words::count(backup.n_tables)) " by name; " code { "guard show " (backup.id) } " lists all." }
            }
            (wide_table("Tables", &html! {
                table {
                    thead { tr { th scope="col" { "Table" } th.num scope="col" { "Rows" } th.num scope="col" { "Size" } } }
                    tbody {
                        @for table in backup.tables.iter().take(TABLES) {
                            tr { th scope="row" { code { (&*table.name) } } td.num { (words::count(table.rows)) } td.num { (words::bytes(table.bytes)) } }
                        }
                    }
                }
            }))
        }
    }
}
