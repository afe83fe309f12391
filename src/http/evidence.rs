//! The evidence of test restores for an auditor: chosen, and written as text or as one HTML document.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::page::{Page, proof};
use crate::catalog::{Evidence, Verdict};
use crate::status::{Report, words};

/// The evidence of one source or of all, not older than `since`, newest first.
pub fn select(report: &Report, source: Option<&str>, since: Option<DateTime<Utc>>) -> Vec<Arc<Evidence>> {
    let sources = report.sources.iter().filter(|each| source.is_none_or(|source| each.source.as_str() == source));
    let mut evidence: Vec<Arc<Evidence>> = sources.flat_map(|source| source.evidence().into_iter().cloned()).collect();
    evidence.retain(|evidence| since.is_none_or(|since| evidence.finished >= since));
    evidence.sort_by_key(|evidence| std::cmp::Reverse(evidence.finished));
    evidence
}

/// One document with all of it, which needs nothing else to be read or printed.
pub fn html(evidence: &[Arc<Evidence>], scope: &str, now: DateTime<Utc>) -> String {
    let page = Page { now, refresh: None, alone: true };
    proof::dossier(&page, evidence, scope).into_string()
}

/// The same for a terminal: a line a test restore, and what failed.
pub fn text(evidence: &[Arc<Evidence>]) -> String {
    let mut text = String::new();
    for evidence in evidence {
        let (verdict, reason) = match evidence.verdict {
            Verdict::Proven => ("proven", String::new()),
            Verdict::Failed => ("FAILED", format!(": {}", evidence.reason.as_deref().unwrap_or("no reason"))),
        };
        text.push_str(&format!(
            "{}  {verdict}  {}/{}  {} rows, restored in {}, data {} old, by {}{reason}\n",
            words::minute(evidence.finished),
            evidence.source,
            evidence.backup,
            words::count(evidence.compared.rows),
            words::seconds(evidence.restore_seconds),
            words::seconds(evidence.rpo_seconds),
            evidence.started_by,
        ));
        for difference in evidence.differences.iter().take(5) {
            text.push_str(&format!("    {difference}\n"));
        }
    }
    let proven = evidence.iter().filter(|evidence| evidence.verdict == Verdict::Proven).count();
    text.push_str(&format!("{}, {proven} proven\n", words::counted(evidence.len(), "test restore")));
    text
}
