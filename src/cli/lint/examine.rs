//! What a gate asks of the linter: which migrations are pending by what is known of the database, and what is in them.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::bail;
use migrations_lint::Options;
use migrations_lint::layout::{Applied, Layout};
use migrations_lint::migration::{Direction, MigrationFile};
use migrations_lint::report::Finding;
use migrations_lint::suppress::Suppressed;

use super::analyse::{Selection, analyse};
use super::pending::Histories;
use super::{collect, since};

/// Which migrations are to be judged.
#[derive(Debug)]
pub(crate) enum Which {
    /// Those added or changed since the merge base with this git ref.
    Since(String),
    /// Those that these tracking tables do not list.
    NotIn(HashMap<Layout, Vec<Applied>>),
    /// All of them.
    All,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Examined {
    /// The files that will run, with their texts.
    pub(crate) pending: Vec<(PathBuf, String)>,
    /// How many files there are.
    pub(crate) n_files: usize,
    /// What is wrong with those that will run.
    pub(crate) findings: Vec<Finding>,
    /// What comments left out.
    pub(crate) suppressed: Vec<Suppressed>,
    /// Versions that have run after everything that is here: this checkout is older than the database.
    pub(crate) ahead: Vec<String>,
    /// Whether a framework without a history has all its files in `pending`.
    pub(crate) has_untracked: bool,
    /// What is worth a line.
    pub(crate) notes: Vec<String>,
}

/// Lints. A baseline is not consulted: what is about to run is right, or somebody has signed for it in the file itself.
pub(crate) fn examine(
    paths: &[PathBuf],
    layout: Option<Layout>,
    options: &Options,
    which: Which,
) -> anyhow::Result<Examined> {
    let (mut changes, mut history, mut applied) = (None, None, HashMap::new());
    match which {
        Which::Since(reference) => changes = Some(since::changes(&reference, paths)?),
        Which::NotIn(rows) => {
            history = Some(Histories::of_layouts(rows.clone()));
            applied = rows;
        }
        Which::All => {}
    }
    let has_history = history.is_some();
    let selection = Selection { layout, changes, history };
    let mut analysis = analyse(collect::collect(paths)?, &selection, options);
    let notes = analysis.take_notes();
    if analysis.sets.is_empty() {
        bail!("no migrations are left to judge: {}", notes.join("; "));
    }
    let files = || analysis.sets.iter().flat_map(|found| &found.set.files).filter(|file| runs(file));
    let pending: Vec<_> = files()
        .filter(|file| file.reported)
        .map(|file| (file.source.path().to_owned(), file.source.text().to_owned()))
        .collect();
    let n_files = files().count();
    let mut ahead = Vec::new();
    for found in &analysis.sets {
        if let Some(rows) = applied.get(&found.layout).filter(|_| keeps_names(found.layout)) {
            ahead.extend(newer_than_here(&found.set.files, rows));
        }
    }
    let has_untracked = has_history && analysis.sets.iter().any(|found| found.layout.tracking().is_none());
    // Every finding about what ran already was left out by `reported`; suppressed ones were not asked yet.
    let is_pending = |finding: &Finding| pending.iter().any(|(path, _)| *path == finding.file);
    let mut suppressed = analysis.suppressed;
    suppressed.retain(|one| is_pending(&one.finding));
    Ok(Examined { n_files, findings: analysis.report.findings, suppressed, ahead, has_untracked, notes, pending })
}

/// Whether the file is one that a deployment runs, not one that takes it back.
fn runs(file: &MigrationFile) -> bool {
    file.parts.iter().any(|part| part.direction != Direction::Down)
}

/// Whether the framework's table has a row a file under the file's own version.
fn keeps_names(layout: Layout) -> bool {
    matches!(
        layout,
        Layout::Prisma
            | Layout::Supabase
            | Layout::Sqlx
            | Layout::Diesel
            | Layout::Dbmate
            | Layout::Atlas
            | Layout::Goose
    )
}

/// Rows without a file that are newer than every file that has run. Older ones were squashed away.
fn newer_than_here(files: &[MigrationFile], rows: &[Applied]) -> Vec<String> {
    let version = |file: &MigrationFile| file.version.clone().unwrap_or_else(|| file.name.clone());
    let known: Vec<String> = files.iter().map(version).collect();
    let order = |text: &str| (text.parse::<u128>().ok(), text.to_owned());
    let newest_applied = rows.iter().filter(|row| known.contains(&row.version)).map(|row| order(&row.version)).max();
    let is_newer = |row: &&Applied| newest_applied.as_ref().is_none_or(|newest| order(&row.version) > *newest);
    rows.iter().filter(|row| !known.contains(&row.version)).filter(is_newer).map(|row| row.version.clone()).collect()
}
