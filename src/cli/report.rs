//! The evidence of a test restore as text.

use crate::catalog::{Evidence, Verdict};

/// The report as a person reads it, verdict last.
pub(super) fn text(evidence: &Evidence) -> String {
    let mut text = format!("test restore of {}/{}\n", evidence.source, evidence.backup);
    for rung in &evidence.rungs {
        let mark = if rung.ok { "ok  " } else { "FAIL" };
        text.push_str(&format!("  {mark} {:<18} {:>6.1} s  {}\n", rung.name, rung.seconds, rung.detail));
    }
    for difference in evidence.differences.iter().take(20) {
        text.push_str(&format!("       {difference}\n"));
    }
    if evidence.differences.len() > 20 {
        text.push_str(&format!("       and {} more, see --json\n", evidence.differences.len() - 20));
    }
    let verdict = match (evidence.verdict, &evidence.reason) {
        (Verdict::Proven, _) => "PROVEN: what came back is exactly what was dumped".to_owned(),
        (Verdict::Failed, Some(reason)) => format!("FAILED: {reason}"),
        (Verdict::Failed, None) => "FAILED".to_owned(),
    };
    text.push_str(&format!(
        "{verdict} (restore {:.1} s, proof {:.1} s)\n",
        evidence.restore_seconds, evidence.proof_seconds
    ));
    text
}
