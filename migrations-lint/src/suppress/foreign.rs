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
const SQUAWK: &[(&str, &[&str])] = &[
    ("adding-field-with-default", &["add-column-rewrites-table"]),
    (
        "adding-foreign-key-constraint",
        &["add-foreign-key-not-valid", "add-column-with-constraint", "constraint-fails-on-existing-rows"],
    ),
    (
        "adding-not-nullable-field",
        &["add-column-not-null", "add-required-column", "set-not-null-scans", "set-not-null-fails-on-nulls"],
    ),
    ("adding-required-field", &["add-column-not-null", "add-required-column"]),
    (
        "adding-primary-key-constraint",
        &["add-unique-using-index", "add-column-with-constraint", "constraint-fails-on-existing-rows"],
    ),
    ("adding-serial-primary-key-field", &["add-unique-using-index", "add-column-with-constraint"]),
    ("ban-alter-domain-with-add-constraint", &["domain-constraint-scans"]),
    ("ban-char-field", &["preferred-type"]),
    ("ban-concurrent-index-creation-in-transaction", &["concurrently-in-transaction"]),
    ("ban-create-domain-with-constraint", &["domain-constraint-scans"]),
    ("ban-disable-trigger", &["disable-trigger"]),
    ("ban-drop-column", &["drop-column"]),
    ("ban-drop-constraint", &["drop-constraint"]),
    ("ban-drop-database", &["drop-object"]),
    ("ban-drop-default", &["drop-default"]),
    ("ban-drop-domain", &["drop-object"]),
    ("ban-drop-extension", &["drop-object"]),
    ("ban-drop-function", &["drop-object"]),
    ("ban-drop-index", &["drop-object", "drop-index-not-concurrent"]),
    ("ban-drop-not-null", &["drop-not-null"]),
    ("ban-drop-policy", &["drop-object"]),
    ("ban-drop-schema", &["drop-object", "drop-cascade"]),
    ("ban-drop-sequence", &["drop-object"]),
    ("ban-drop-table", &["drop-table"]),
    ("ban-drop-trigger", &["drop-object"]),
    ("ban-drop-type", &["drop-object"]),
    ("ban-drop-view", &["drop-object"]),
    ("ban-duplicate-column-assignments", &["duplicate-column"]),
    ("ban-truncate-cascade", &["truncate-table"]),
    ("ban-uncommitted-transaction", &["unclosed-transaction"]),
    (
        "changing-column-type",
        &["change-column-type", "change-column-type-breaks-code", "narrow-column-type", "lossy-type-change"],
    ),
    (
        "constraint-missing-not-valid",
        &[
            "add-foreign-key-not-valid",
            "add-check-not-valid",
            "validate-in-same-transaction",
            "constraint-fails-on-existing-rows",
        ],
    ),
    (
        "disallowed-unique-constraint",
        &["add-unique-using-index", "add-column-with-constraint", "constraint-fails-on-existing-rows"],
    ),
    ("identifier-too-long", &["identifier-too-long"]),
    ("prefer-big-int", &["preferred-type"]),
    ("prefer-bigint-over-int", &["preferred-type"]),
    ("prefer-bigint-over-smallint", &["preferred-type"]),
    ("prefer-identity", &["preferred-type"]),
    ("prefer-repack", &["rewrite-table"]),
    (
        "prefer-robust-stmts",
        &[
            "create-without-guard",
            "drop-without-if-exists",
            "add-column-without-if-not-exists",
            "add-constraint-without-guard",
            "add-enum-value-without-if-not-exists",
            "rename-without-guard",
            "unnamed-object",
            "statement-fails-second-time",
        ],
    ),
    ("prefer-text-field", &["preferred-type"]),
    ("prefer-timestamp-tz", &["preferred-type"]),
    ("renaming-column", &["rename-column"]),
    ("renaming-object", &["rename-object"]),
    ("renaming-table", &["rename-object"]),
    ("require-concurrent-index-creation", &["create-index-not-concurrent"]),
    ("require-concurrent-index-deletion", &["drop-index-not-concurrent"]),
    ("require-concurrent-partition-detach", &["detach-partition-not-concurrent"]),
    ("require-concurrent-reindex", &["reindex-not-concurrent"]),
    ("require-table-schema", &["unqualified-name"]),
    ("require-timeout-settings", &["lock-without-timeout"]),
    ("transaction-nesting", &["nested-transaction"]),
];

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
