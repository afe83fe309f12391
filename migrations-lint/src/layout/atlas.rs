//! Atlas: `<version>_<name>.sql` beside `atlas.sum`.
//!
//! Read in `sql/migrate/dir.go`. Files run in the order of their names. Directives are the `-- atlas:…` comments that a
//! file begins with, parted from its statements by an empty line. The sum is one running SHA-256 over the name and the
//! bytes of each file in order, so each line depends on all files before it; it is kept by teams that run the files with
//! another tool as well, so it is checked for every layout.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::section;
use super::tree::{InputFile, Tree};
use super::{Layout, Observation, SetBuilder, Title, checksum, golang_migrate, goose, name};
use crate::migration::{Direction, Part, TransactionMode};
use crate::source_text::Span;

const SUM: &str = "atlas.sum";

/// A sum whose files are not in another tool's format.
pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.has(folder, SUM)
        && tree.sql_in(folder).next().is_some()
        && !golang_migrate::recognises(tree, folder)
        && !goose::recognises(tree, folder)
        && !super::dbmate::recognises(tree, folder)
        && !super::liquibase::recognises(tree, folder)
        && !super::flyway::recognises(tree, folder)
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let idxs: Vec<_> = tree.sql_in(folder).map(|(idx, _)| idx).collect();
    for file in idxs.into_iter().filter_map(|idx| tree.take(idx)) {
        let stem = name::stem(file.file_name()).to_owned();
        let (version, name) = stem.split_once('_').unwrap_or((&stem, ""));
        let parts = parts(&file.text);
        set.add(file, Title::new(version, name), parts);
    }
}

/// Compares `atlas.sum` in `folder` with the files, up to the first that differs.
pub(super) fn check_sum(tree: &Tree, folder: &Path, layout: Layout) -> Vec<Observation> {
    let Some(sum) = tree.file(folder, SUM) else { return Vec::new() };
    let listed: Vec<_> = sum.text.lines().skip(1).filter_map(|line| line.rsplit_once(" h1:")).collect();
    let files: Vec<_> = tree
        .sql_in(folder)
        .map(|(_, file)| file)
        // Atlas leaves the downs of another tool's format out of its sum.
        .filter(|file| layout == Layout::Atlas || listed.iter().any(|(name, _)| *name == file.file_name()))
        .collect();
    first_mismatch(&listed, &files, sum).into_iter().collect()
}

fn first_mismatch(listed: &[(&str, &str)], files: &[&InputFile], sum: &InputFile) -> Option<Observation> {
    let mismatch = |file: &InputFile, what| Some(Observation::SumMismatch { file: file.path.clone(), what });
    let mut hasher = Sha256::new();
    let mut listed = listed.iter();
    for file in files {
        hasher.update(file.file_name());
        if file.text.lines().next().is_some_and(|line| line.contains("atlas:sum ignore")) {
            continue;
        }
        hasher.update(&file.text);
        let Some((name, hash)) = listed.next() else { return mismatch(file, "it is not listed") };
        if *name != file.file_name() {
            let is_there = files.iter().any(|file| file.file_name() == *name);
            let missing = || Some(Observation::Missing { listing: sum.path.clone(), name: (*name).to_owned() });
            return if is_there { mismatch(file, "it is not listed") } else { missing() };
        }
        if checksum::base64(&hasher.clone().finalize()) != *hash {
            return mismatch(file, "its text differs from the one that was hashed");
        }
    }
    let (name, _) = listed.next()?;
    Some(Observation::Missing { listing: sum.path.clone(), name: (*name).to_owned() })
}

fn parts(text: &str) -> Vec<Part> {
    let directives = directives(text);
    let has = |directive: &str| directives.iter().any(|line| line == directive);
    // A checkpoint stands for the files before it on a new database; no existing one runs it.
    if directives.iter().any(|line| line.starts_with("checkpoint")) {
        return Vec::new();
    }
    let transaction = match () {
        () if has("txmode none") => TransactionMode::None,
        () if has("txmode all") => TransactionMode::WholeSet,
        () => TransactionMode::PerPart,
    };
    if directives.iter().any(|line| line.starts_with("txtar")) {
        return archive_parts(text, transaction);
    }
    vec![Part { direction: Direction::Up, span: super::whole_span(text), transaction }]
}

/// The `atlas:` directives at the top of a file, without that word; none unless an empty line parts them from the rest.
fn directives(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, line) in section::lines(text) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("--").or_else(|| line.strip_prefix('#')) {
            found.extend(comment.trim().strip_prefix("atlas:").map(|directive| directive.trim().to_owned()));
        } else if line.is_empty() {
            return found;
        } else {
            return Vec::new();
        }
    }
    found
}

/// The files inside a `txtar` archive: `-- migration.sql --` runs, `-- down.sql --` undoes, checks are neither.
fn archive_parts(text: &str, transaction: TransactionMode) -> Vec<Part> {
    let mut parts: Vec<(Option<Direction>, Span)> = Vec::new();
    for (start, line) in section::lines(text) {
        let Some(name) = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) else {
            continue;
        };
        if let Some((_, open)) = parts.last_mut() {
            open.end = start;
        }
        let direction = match name {
            "migration.sql" => Some(Direction::Up),
            "down.sql" => Some(Direction::Down),
            _ => None,
        };
        parts.push((direction, Span::new((start + line.len() + 1).min(text.len()), text.len())));
    }
    parts.into_iter().filter_map(|(direction, span)| Some(Part { direction: direction?, span, transaction })).collect()
}
