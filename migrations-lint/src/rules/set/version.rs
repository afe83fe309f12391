//! Versions that occur twice.

use rustc_hash::FxHashMap;

use crate::migration::{Direction, MigrationFile, MigrationSet};
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Rule, RuleInfo, SetDraft};
use crate::source_text::Span;

pub(crate) static DUPLICATE: Rule = Rule::of_set(
    RuleInfo {
        id: "duplicate-version",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Error,
        summary: "Two migrations have the same version: the framework runs one of them, or refuses both.",
        docs: "It happens when two branches are merged. Give the later one a new version.",
        bad: &[],
        good: &[],
    },
    duplicate,
);

fn has_direction(file: &MigrationFile, direction: Direction) -> bool {
    file.parts.iter().any(|part| part.direction == direction)
}

fn duplicate(set: &MigrationSet, found: &mut Vec<SetDraft>) {
    let mut seen: FxHashMap<(&str, bool), &MigrationFile> = FxHashMap::default();
    for (file_idx, file) in set.files.iter().enumerate() {
        let Some(version) = file.version.as_deref() else { continue };
        if has_direction(file, Direction::Repeatable) {
            continue;
        }
        let is_down_only = has_direction(file, Direction::Down) && !has_direction(file, Direction::Up);
        if let Some(other) = seen.insert((version, is_down_only), file) {
            let draft = Draft::new(
                Span::default(),
                format!("version {version} is also that of {}", other.source.path().display()),
            )
            .why("Most frameworks record versions, not files: one of the two never runs, or the set is refused.")
            .help("Give this migration a version of its own.");
            found.push(SetDraft { file_idx, draft });
        }
    }
}
