//! Flyway: `V<version>__<description>.sql`, `U…` to undo, `R__…` repeatable, `B…` a baseline, in folders of any depth.
//!
//! Read in `ChecksumCalculator.java` and `PostgreSQLParser.java`. Each file runs in a transaction, unless its sidecar
//! `<file>.conf` says `executeInTransaction=false` or it holds a statement that cannot run in one. Repeatable files run
//! after the versioned ones, in the order of their descriptions. Prefix and separator are those of the defaults.

use std::cmp::Ordering;
use std::path::Path;

use super::tree::{InputFile, Tree, folder_of};
use super::{SetBuilder, Title, checksum, engine_named, name};
use crate::migration::{Direction, MigrationFile, TransactionMode};
use crate::scan::scan;

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.sql_in(folder).any(|(_, file)| parse(file.file_name()).is_some())
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = engine_of_url(tree, folder);
    let mut files: Vec<_> = tree.sql_below(folder).map(|(idx, file)| (idx, parse(file.file_name()))).collect();
    files.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    for (idx, script) in files {
        let sidecar = tree.sidecar(idx);
        let Some(file) = tree.take(idx) else { continue };
        let Some(script) = script else {
            if name::stem(file.file_name()).contains("__") || looks_versioned(file.file_name()) {
                set.not_run(file, "Flyway runs only files named V<version>__<description>.sql, U…, B… or R__….sql");
            } else {
                // Callbacks (`afterMigrate.sql`) and scripts for other tools lie in these folders on purpose.
                set.add_whole(file, Title::default(), Direction::Repeatable, TransactionMode::PerPart);
            }
            continue;
        };
        let transaction = transaction_mode(&file, sidecar.as_deref());
        let title = Title { version: script.version, name: script.description };
        set.add_whole(file, title, script.direction, transaction);
    }
}

/// CRC-32 as a signed number.
pub(super) fn checksums(file: &MigrationFile) -> Vec<String> {
    vec![checksum::flyway_crc32(file.source.text()).to_string()]
}

/// A version as Flyway compares it: parts by `.` or `_`, without leading zeros and without zero parts at the end.
pub(super) fn normal_version(version: &str) -> String {
    let mut parts: Vec<_> = version.split(['.', '_']).map(name::number).collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part == "0") {
        parts.pop();
    }
    parts.join(".")
}

/// A character of a word in a regular expression's sense.
pub(super) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[derive(Debug)]
struct Script {
    version: Option<String>,
    description: String,
    direction: Direction,
}

impl Script {
    fn compare(&self, other: &Self) -> Ordering {
        let versions = match (&self.version, &other.version) {
            (Some(a), Some(b)) => compare_versions(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        let is_down = |script: &Self| script.direction == Direction::Down;
        versions.then(is_down(self).cmp(&is_down(other))).then_with(|| self.description.cmp(&other.description))
    }
}

fn compare_versions(a: &str, b: &str) -> Ordering {
    let mut b_parts = b.split('.');
    for part in a.split('.') {
        match name::compare_numbers(part, b_parts.next().unwrap_or("0")) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    if b_parts.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

/// Descriptions read as Flyway stores them, with blanks for underscores.
fn parse(file_name: &str) -> Option<Script> {
    let stem = name::stem(file_name);
    let (version, description) = stem.get(1..)?.split_once("__").unwrap_or((&stem[1..], ""));
    let description = description.replace('_', " ");
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_');
    let has_separator = stem.contains("__");
    let direction = match stem.as_bytes()[0] {
        b'V' | b'B' if is_version && has_separator => Direction::Up,
        b'U' if is_version && has_separator => Direction::Down,
        b'R' if version.is_empty() && has_separator => Direction::Repeatable,
        _ => return None,
    };
    let version = (direction != Direction::Repeatable).then(|| normal_version(version));
    Some(Script { version, description, direction })
}

/// `V12_name.sql`, `V12-name.sql`, `v12__name.sql`: meant as a migration, named so that Flyway passes over it.
fn looks_versioned(file_name: &str) -> bool {
    file_name.strip_prefix(['V', 'v']).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn transaction_mode(file: &InputFile, sidecar: Option<&str>) -> TransactionMode {
    let setting = sidecar.and_then(|conf| {
        conf.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "executeInTransaction")
    });
    let leaves_out = match setting {
        Some((_, value)) => value.trim().eq_ignore_ascii_case("false"),
        None => has_non_transactional_statement(&file.text),
    };
    if leaves_out { TransactionMode::None } else { TransactionMode::PerPart }
}

/// The statements for which Flyway itself leaves the transaction out (`PostgreSQLParser.detectCanExecuteInTransaction`).
fn has_non_transactional_statement(text: &str) -> bool {
    const STARTS: [&[&str]; 13] = [
        &["CREATE", "DATABASE"],
        &["DROP", "DATABASE"],
        &["CREATE", "TABLESPACE"],
        &["DROP", "TABLESPACE"],
        &["CREATE", "SUBSCRIPTION"],
        &["DROP", "SUBSCRIPTION"],
        &["ALTER", "SYSTEM"],
        &["CREATE", "INDEX", "CONCURRENTLY"],
        &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"],
        &["DROP", "INDEX", "CONCURRENTLY"],
        &["REINDEX"],
        &["VACUUM"],
        &["DISCARD", "ALL"],
    ];
    let suspicious =
        ["concurrently", "vacuum", "reindex", "database", "tablespace", "subscription", "system", "discard"];
    let lower = text.to_ascii_lowercase();
    if !suspicious.iter().any(|word| lower.contains(word)) {
        return false;
    }
    scan(text).statements.iter().any(|span| {
        let words: Vec<_> = text[span.range()].split_ascii_whitespace().take(4).collect();
        STARTS.iter().any(|start| {
            words.len() >= start.len()
                && start.iter().zip(&words).all(|(a, b)| b.trim_end_matches(';').eq_ignore_ascii_case(a))
        })
    })
}

/// The engine in `flyway.url = jdbc:postgresql://…` of a configuration above the migrations.
fn engine_of_url(tree: &Tree, folder: &Path) -> Option<crate::engine::Engine> {
    let config = ["flyway.conf", "flyway.toml"].iter().find_map(|name| tree.above(folder, name))?;
    let (_, url) = config.text.split_once("jdbc:")?;
    engine_named(url.split(':').next()?)
}

impl Tree {
    /// The text of `<file>.conf` beside a file.
    fn sidecar(&self, idx: usize) -> Option<String> {
        let file = self.peek(idx)?;
        let name = format!("{}.conf", file.file_name());
        Some(self.file(folder_of(&file.location), &name)?.text.clone())
    }
}
