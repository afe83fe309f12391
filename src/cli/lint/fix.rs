//! `--fix` and `--diff`: the rewrites that keep the meaning, on disk or as a patch.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use migrations_lint::fix::{Fixed, apply, diff as unified_diff};
use migrations_lint::layout::Observation;
use migrations_lint::report::Finding;
use migrations_lint::source_text::SourceText;

use super::analyse::Analysis;
use super::collect::Collected;

/// A fix may make another one possible; this many in a row do not happen unless two rules undo each other.
const MAX_ROUNDS: usize = 8;

/// A patch of what one round of fixes changes.
pub(super) fn diff(analysis: &Analysis) -> String {
    fixes(analysis).into_iter().map(|(source, fixed)| unified_diff(source, &fixed.edits)).collect()
}

/// Fixes until nothing is left to fix, writes the files that changed, and returns the analysis of what they hold now.
pub(super) fn fix(
    analysis: Analysis,
    collected: Collected,
    again: impl Fn(Collected) -> Analysis,
    notes: &mut Vec<String>,
) -> anyhow::Result<Analysis> {
    let (mut analysis, mut collected) = (analysis, collected);
    let mut changed: BTreeMap<_, String> = BTreeMap::new();
    let mut n_fixed = 0;
    for _ in 0..MAX_ROUNDS {
        let texts: HashMap<_, _> =
            fixes(&analysis).into_iter().map(|(source, fixed)| (source.path().to_owned(), fixed)).collect();
        if texts.is_empty() {
            break;
        }
        for file in &mut collected.files {
            if let Some(fixed) = texts.get(&file.path) {
                n_fixed += fixed.n_applied;
                file.text.clone_from(&fixed.text);
                changed.insert((file.path.clone(), file.location.clone()), fixed.text.clone());
            }
        }
        analysis = again(collected.clone());
    }
    for ((path, location), text) in &changed {
        write(location, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if n_fixed > 0 {
        notes.push(format!(
            "{n_fixed} findings fixed in {} files; a checksum that a framework keeps of them has changed",
            changed.len()
        ));
    }
    Ok(analysis)
}

fn fixes(analysis: &Analysis) -> Vec<(&SourceText, Fixed)> {
    let mut by_file: HashMap<&Path, Vec<&Finding>> = HashMap::new();
    for finding in analysis.report.findings.iter().filter(|finding| !finding.fix.is_empty()) {
        by_file.entry(&finding.file).or_default().push(finding);
    }
    // What could not be read exactly must not be written back.
    let lossy: HashSet<&Path> = analysis.sets.iter().flat_map(|found| &found.observations).filter_map(lossy).collect();
    let files = analysis.sets.iter().flat_map(|found| &found.set.files);
    files
        .filter(|file| !lossy.contains(file.source.path()))
        .filter_map(|file| {
            let findings = by_file.get(file.source.path())?;
            Some((&file.source, apply(&file.source, findings.iter().copied())?))
        })
        .collect()
}

fn lossy(observation: &Observation) -> Option<&Path> {
    match observation {
        Observation::NotUtf8 { file } => Some(file),
        _ => None,
    }
}

/// Replaces a file in one step, so that an interruption leaves the old text or the new one.
fn write(location: &Path, text: &str) -> std::io::Result<()> {
    let permissions = fs::metadata(location)?.permissions();
    let folder = location.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(location)?;
    Ok(())
}
