//! What all pages share: the frame, the style, the headers, and the small pieces that everything is made of.
//!
//! No script, no request for anything else, no style outside the one sheet whose hash the policy names. Every text goes
//! through maud, which escapes it; nothing here marks a text as safe but the sheet itself.

use std::sync::LazyLock;

use axum::http::HeaderName;
use axum::http::header::{self, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::board::Board;
use crate::status::{Finding, Health, words};

pub(super) mod backup;
pub(super) mod overview;
pub(super) mod proof;
pub(super) mod source;

/// What a page needs besides its content.
pub(super) struct Page {
    /// The moment it is made.
    pub(super) now: DateTime<Utc>,
    /// Reload it every so many seconds; only on request, for a reload disturbs who reads.
    pub(super) refresh: Option<u32>,
    /// Whether it stands alone: a file without a server to link to.
    pub(super) alone: bool,
}

/// The headers of every answer.
pub(super) static HEADERS: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| {
    let policy = format!("{}; frame-ancestors 'none'", policy());
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let policy = HeaderValue::from_str(&policy).expect("a policy is ASCII");
    let fixed = fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
    fixed.chain([(header::CONTENT_SECURITY_POLICY, policy)]).collect()
});

const STYLE: &str = include_str!("page/style.css");

/// The mark: a shield with a tick.
const MARK: &str = "M12 2 4 5v6c0 5 3.4 8.700 8 11 4.600-2.300 8-6 8-11V5zM8 12l3 3 5-6";

fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
}

impl Page {
    /// A page of this board, now.
    pub(super) fn of(board: &Board) -> Self {
        Self { now: board.now(), refresh: None, alone: false }
    }

    /// The whole document.
    fn document(&self, title: &str, trail: &[(String, &str)], body: &Markup) -> Markup {
        let icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill='%232457c5' \
                    d='M12 2 4 5v6c0 5 3.4 8.700 8 11 4.600-2.300 8-6 8-11V5z'/%3E%3C/svg%3E";
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    @if self.alone { meta http-equiv="Content-Security-Policy" content=(policy()); }
                    @if let Some(seconds) = self.refresh { meta http-equiv="refresh" content=(seconds.clamp(5, 3600)); }
                    title { (title) " · guard" }
                    link rel="icon" href=(icon);
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header.top {
                        div.wide {
                            (self.brand())
                            @if !self.alone {
                                nav aria-label="Pages" {
                                    a href="/" { "Sources" } a href="/evidence" { "Evidence" } a href="/metrics" { "Metrics" }
                                }
                            }
                        }
                    }
                    main #content.wide {
                        @if !trail.is_empty() && !self.alone { (self::trail(trail)) }
                        (body)
                    }
                    footer {
                        p.wide {
                            "guard " (env!("CARGO_PKG_VERSION")) " · " (words::moment(self.now)) " · all times are UTC"
                            @if !self.alone { " · " a href="?refresh=60" { "reload every minute" } }
                        }
                    }
                }
            }
        }
    }

    fn brand(&self) -> Markup {
        let mark = html! {
            svg.mark viewBox="0 0 24 24" aria-hidden="true" { path d=(MARK) {} }
            "guard"
        };
        html! { @if self.alone { span.brand { (mark) } } @else { a.brand href="/" { (mark) } } }
    }

    /// A moment with how far away it is.
    fn time(&self, at: DateTime<Utc>) -> Markup {
        html! { (date(at)) " " span.muted { (words::relative(at, self.now)) } }
    }

    /// How far away a moment is, with the moment as its title.
    fn away(&self, at: DateTime<Utc>) -> Markup {
        html! { time datetime=(at.to_rfc3339()) title=(words::moment(at)) { (words::relative(at, self.now)) } }
    }
}

/// A page that says that there is none.
pub(super) fn missing(page: &Page, what: &str) -> Markup {
    let body = html! { h1 { "Not found" } p { (what) } p { a href="/" { "All sources" } } };
    page.document("Not found", &[], &body)
}

fn trail(steps: &[(String, &str)]) -> Markup {
    html! {
        nav.trail aria-label="Where this is" {
            ol {
                li { a href="/" { "Sources" } }
                @for (link, name) in steps {
                    li { @if link.is_empty() { span aria-current="page" { (name) } } @else { a href=(link) { (name) } } }
                }
            }
        }
    }
}

/// A moment to the minute.
fn date(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.to_rfc3339()) title=(words::moment(at)) { (at.format("%Y-%m-%d %H:%M")) } }
}

/// A state in a word, a colour and a sign: none of them alone.
fn badge(class: &str, text: &str) -> Markup {
    let sign = match class {
        "good" => "M4 9l3 3 6-7",
        "bad" => "M4.500 4.500l7 7m0-7l-7 7",
        "warn" => "M8 3v6m0 3v.500",
        _ => "M4 8h8",
    };
    html! {
        span class=(format!("badge {class}")) {
            svg viewBox="0 0 16 16" aria-hidden="true" { path d=(sign) {} }
            (text)
        }
    }
}

fn health_class(health: Health) -> &'static str {
    match health {
        Health::Ok => "good",
        Health::Warning => "warn",
        Health::Breach => "bad",
    }
}

fn findings(findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    li class=(health_class(finding.health)) { (finding.message) " " code { (finding.code) } }
                }
            }
        }
    }
}

/// A table that scrolls by itself where the page is narrower.
fn wide_table(label: &str, table: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (table) } }
}

/// The link of a page below: names of sources are safe in a path, and escaped all the same.
fn path(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| {
        let encoded = percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC);
        format!("{path}/{encoded}")
    })
}
