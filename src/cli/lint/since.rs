//! `--since`: what git says was added or changed since the merge base, in the working tree and untracked files too.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The base does not have it.
    Added,
    /// The base has it with other content.
    Changed,
}

/// Changes by absolute path.
#[derive(Debug, Default)]
pub(super) struct Changes {
    by_location: HashMap<PathBuf, Change>,
}

impl Changes {
    pub(super) fn of(&self, location: &Path) -> Option<Change> {
        self.by_location.get(location).copied()
    }
}

/// The changes in every repository that `paths` lie in.
pub(super) fn changes(reference: &str, paths: &[PathBuf]) -> anyhow::Result<Changes> {
    let mut changes = Changes::default();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in paths {
        let location = fs::canonicalize(path).with_context(|| format!("cannot read {}", path.display()))?;
        let folder = if location.is_dir() { location.as_path() } else { location.parent().unwrap_or(&location) };
        let top = git(folder, &["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(top.trim_end_matches(['\n', '\r']));
        if !seen.contains(&top) {
            changes.by_location.extend(changes_in(&top, reference)?);
            seen.push(top);
        }
    }
    Ok(changes)
}

fn changes_in(top: &Path, reference: &str) -> anyhow::Result<Vec<(PathBuf, Change)>> {
    let commit =
        git(top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{reference}^{{commit}}")])
            .with_context(|| format!("git knows no commit {reference:?}; in CI, fetch it first (fetch-depth: 0)"))?;
    let base = git(top, &["merge-base", commit.trim(), "HEAD"]).with_context(|| {
        format!("{reference:?} and HEAD have no common base; a shallow clone hides it (fetch-depth: 0)")
    })?;
    let diff = git(top, &["diff", "--name-status", "--no-renames", "-z", base.trim(), "--"])?;
    let mut fields = diff.split('\0');
    let mut found = Vec::new();
    while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
        match status {
            "A" => found.push((top.join(path), Change::Added)),
            "D" => {}
            _ => found.push((top.join(path), Change::Changed)),
        }
    }
    let untracked = git(top, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    found.extend(untracked.split('\0').filter(|path| !path.is_empty()).map(|path| (top.join(path), Change::Added)));
    Ok(found)
}

fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).env("GIT_OPTIONAL_LOCKS", "0");
    let output = command.output().context("cannot run git, which --since needs")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("git {} in {} failed: {}", arguments.join(" "), folder.display(), reason.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
