//! What other linters' suppression comments mean here, so that a switch costs nothing.

use super::comment::{Comment, Scope, Target};
use crate::report::Class;
use crate::rules;

/// The rest of a `squawk-ignore` comment: `[-file] [rule[, rule]]`; none means all of them.
pub(super) fn squawk(rest: &str, blank: Comment) -> Comment {
    let (scope, names) = match rest.strip_prefix("-file") {
        Some(rest) => (Scope::File, rest),
        None => (Scope::Statement, rest),
    };
    // squawk's own comments may carry a remark behind a second `--`.
    let names = names.split("--").next().unwrap_or("");
    let mut targets: Vec<_> = names.split(',').flat_map(|name| squawk_targets(name.trim())).collect();
    if names.trim().is_empty() {
        targets.push(Target::All);
    }
    Comment { scope, targets, ..blank }
}

/// The rest of an `atlas:nolint` comment: analyzers' names or codes of checks; none means all of them.
pub(super) fn atlas(rest: &str, blank: Comment) -> Option<Comment> {
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let mut targets: Vec<_> = rest.split_whitespace().flat_map(atlas_targets).collect();
    if rest.trim().is_empty() {
        targets.push(Target::All);
    }
    Some(Comment { targets, ..blank })
}

/// squawk's rules and the rules here that say the same of a statement.
const SQUAWK: &[(&str, &[&str])] = &[];

fn squawk_targets(name: &str) -> Vec<Target> {
    let ours = SQUAWK.iter().find(|(squawk, _)| *squawk == name).map_or(&[][..], |(_, ours)| *ours);
    // Some names are the same in both.
    let same = rules().iter().map(|rule| rule.id).filter(|id| *id == name);
    ours.iter().copied().chain(same).map(Target::Rule).collect()
}

fn atlas_targets(name: &str) -> Vec<Target> {
    let code: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    let classes: &[Class] = match (name, code.as_str()) {
        ("destructive", _) | (_, "DS") => &[Class::Destructive],
        ("data_depend", _) | (_, "MF") => &[Class::MayFail],
        ("incompatible", _) | (_, "BC") => &[Class::Breaking],
        ("concurrent_index", _) | (_, "PG") => &[Class::Lock, Class::Transaction],
        ("nonlinear", _) => &[Class::MigrationSet],
        ("naming", _) | (_, "NM") => &[Class::Style],
        _ => &[],
    };
    classes.iter().copied().map(Target::Class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_stands_for_a_squawk_rule_exists() {
        for id in SQUAWK.iter().flat_map(|(_, ours)| *ours) {
            assert!(rules().iter().any(|rule| rule.id == *id), "{id}");
        }
    }
}
