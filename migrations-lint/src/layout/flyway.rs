//! Flyway: `V<version>__<description>.sql`, `U…` to undo, `R__…` repeatable, `B…` a baseline, in folders of any depth.
//!
//! Read in `ChecksumCalculator.java` and `PostgreSQLParser.java`. Each file runs in a transaction, unless its sidecar
//! `<file>.conf` says `executeInTransaction=false` or it holds a statement that cannot run in one. Repeatable files run
//! after the versioned ones, in the order of their descriptions. Prefixes, separator and suffixes are those of the nearest
//! `flyway.conf` or `flyway.toml` above, else Flyway's own; files whose suffix does not end in `.sql` are not read.

use std::cmp::Ordering;
use std::path::Path;

use super::tree::{InputFile, Tree, folder_of};
use super::{SetBuilder, Title, checksum, engine_named, name};
use crate::migration::{Direction, MigrationFile, TransactionMode};
use crate::scan::scan;

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    let naming = Naming::of(tree, folder);
    tree.sql_in(folder).any(|(_, file)| naming.parse(file.file_name()).is_some())
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    set.engine = engine_of_url(tree, folder);
    let naming = Naming::of(tree, folder);
    let mut files: Vec<_> = tree.sql_below(folder).map(|(idx, file)| (idx, naming.parse(file.file_name()))).collect();
    files.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    for (idx, script) in files {
        let sidecar = tree.sidecar(idx);
        let Some(file) = tree.take(idx) else { continue };
        let Some(script) = script else {
            if naming.looks_versioned(file.file_name()) && !is_callback(file.file_name()) {
                set.not_run(file, &naming.expected());
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

/// `afterMigrate.sql`, `beforeEachMigrate__what.sql`: run at that event, whatever the version (`Event.java`).
fn is_callback(file_name: &str) -> bool {
    const EVENTS: [&str; 10] =
        ["Migrate", "Clean", "Info", "Validate", "Baseline", "Repair", "Undo", "Versioned", "Repeatables", "Connect"];
    let event = name::stem(file_name).split("__").next().unwrap_or("");
    let Some(event) = event.strip_prefix("before").or_else(|| event.strip_prefix("after")) else {
        return event == "createSchema";
    };
    let event = event.strip_prefix("Each").unwrap_or(event);
    EVENTS.iter().any(|known| event.starts_with(known))
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

/// How a project names its migrations.
#[derive(Debug)]
struct Naming {
    versioned: String,
    undo: String,
    repeatable: String,
    baseline: String,
    separator: String,
    suffixes: Vec<String>,
}

impl Naming {
    fn of(tree: &Tree, folder: &Path) -> Self {
        let setting = |name: &str| setting(tree, folder, name);
        let or = |name: &str, default: &str| setting(name).unwrap_or_else(|| default.to_owned());
        let suffixes = or("sqlMigrationSuffixes", ".sql");
        Self {
            versioned: or("sqlMigrationPrefix", "V"),
            undo: or("undoSqlMigrationPrefix", "U"),
            repeatable: or("repeatableSqlMigrationPrefix", "R"),
            baseline: or("baselineMigrationPrefix", "B"),
            separator: or("sqlMigrationSeparator", "__"),
            suffixes: suffixes.split(',').map(|suffix| suffix.trim().to_owned()).collect(),
        }
    }

    /// Descriptions read as Flyway stores them, with blanks for underscores.
    fn parse(&self, file_name: &str) -> Option<Script> {
        let stem = self.suffixes.iter().find_map(|suffix| strip_end(file_name, suffix))?;
        let of = |prefix: &str| -> Option<(&str, &str)> {
            let rest = stem.strip_prefix(prefix)?;
            rest.split_once(self.separator.as_str())
        };
        let is_version = |version: &str| {
            version.starts_with(|first: char| first.is_ascii_digit())
                && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_')
        };
        let versioned =
            [(&self.versioned, Direction::Up), (&self.baseline, Direction::Up), (&self.undo, Direction::Down)];
        for (prefix, direction) in versioned {
            if let Some((version, description)) = of(prefix).filter(|(version, _)| is_version(version)) {
                let version = Some(normal_version(version));
                return Some(Script { version, description: description.replace('_', " "), direction });
            }
        }
        let (_, description) = of(&self.repeatable).filter(|(version, _)| version.is_empty())?;
        Some(Script { version: None, description: description.replace('_', " "), direction: Direction::Repeatable })
    }

    /// `V12_name.sql`, `V12-name.sql`, `v12__name.sql`: meant as a migration, named so that Flyway passes over it.
    fn looks_versioned(&self, file_name: &str) -> bool {
        let prefix = file_name.get(..self.versioned.len()).unwrap_or("");
        let starts = prefix.eq_ignore_ascii_case(&self.versioned)
            && file_name[prefix.len()..].starts_with(|first: char| first.is_ascii_digit());
        starts || name::stem(file_name).contains(&self.separator)
    }

    fn expected(&self) -> String {
        let Self { versioned, undo, repeatable, baseline, separator, suffixes } = self;
        let suffix = suffixes.join(" or ");
        format!(
            "Flyway runs only files named {versioned}<version>{separator}<description>{suffix}, {undo}…, {baseline}… or \
             {repeatable}{separator}…{suffix}"
        )
    }
}

/// Suffixes are compared without regard to case, for this is how the files were found.
fn strip_end<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    let start = text.len().checked_sub(end.len())?;
    text.get(start..).filter(|tail| tail.eq_ignore_ascii_case(end)).map(|_| &text[..start])
}

/// A setting of the nearest configuration: `flyway.<name>=…` in `flyway.conf`, `<name> = …` below `[flyway]` in
/// `flyway.toml`. An empty value counts as none, as a list of suffixes or a separator cannot be empty.
fn setting(tree: &Tree, folder: &Path, name: &str) -> Option<String> {
    let from_conf = tree.above(folder, "flyway.conf").and_then(|conf| {
        let pairs = conf.text.lines().filter_map(|line| line.split_once('='));
        let key = format!("flyway.{name}");
        pairs.filter(|(found, _)| found.trim() == key).map(|(_, value)| value.trim().to_owned()).next_back()
    });
    let from_toml = || {
        let table: toml::Table = tree.above(folder, "flyway.toml")?.text.parse().ok()?;
        match table.get("flyway")?.get(name)? {
            toml::Value::String(text) => Some(text.clone()),
            toml::Value::Array(items) => {
                Some(items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(","))
            }
            _ => None,
        }
    };
    from_conf.or_else(from_toml).filter(|value| !value.is_empty())
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
