//! Versions that occur twice or run out of order.

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

pub(crate) static OUT_OF_ORDER: Rule = Rule::of_set(
    RuleInfo {
        id: "out-of-order-version",
        class: Class::MigrationSet,
        default_severity: RuleSeverity::Error,
        summary: "A new migration has a version before one that is there already: databases that are ahead skip it or refuse it.",
        docs: "Only with `--since` or `--pending`, which tell new from old. Rename it so that it comes last.",
        bad: &[],
        good: &[],
    },
    out_of_order,
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

/// The files are in order of execution; a file that is not reported was there before.
fn out_of_order(set: &MigrationSet, found: &mut Vec<SetDraft>) {
    let last_old = set.files.iter().rposition(|file| !file.reported && file.version.is_some());
    let Some(last_old) = last_old else { return };
    for (file_idx, file) in set.files[..last_old].iter().enumerate() {
        let Some(version) =
            file.version.as_deref().filter(|_| file.reported && !has_direction(file, Direction::Repeatable))
        else {
            continue;
        };
        let older = &set.files[last_old];
        if older.version.as_deref() == Some(version) {
            continue;
        }
        let draft = Draft::new(
            Span::default(),
            format!("version {version} comes before {}, which is there already", older.source.path().display()),
        )
        .why("Databases that have run the later one skip this migration for good, or refuse the whole set.")
        .help("Give it a version after the last.");
        found.push(SetDraft { file_idx, draft });
    }
}
