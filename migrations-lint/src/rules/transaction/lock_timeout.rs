//! Strong locks without a limit on the wait for them.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::session::{LockMode, locks};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "lock-without-timeout",
        class: Class::Lock,
        default_severity: RuleSeverity::Off,
        summary: "A lock that stops reads and writes is asked for without lock_timeout.",
        docs: "The lock itself may last a millisecond, but the wait for it does not: behind one long query the ALTER TABLE queues, and behind it everybody \
               else. `SET lock_timeout = '2s'` makes it give up instead, to be tried again. Off by default, since many set it for the role that migrates.",
        bad: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int;")],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "SET lock_timeout = '2s';\nALTER TABLE t ADD COLUMN IF NOT EXISTS b int;",
        )],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.catalog.setting("lock_timeout").is_some_and(|value| value != "0") {
        return;
    }
    let strong = locks(view.kind())
        .into_iter()
        .find(|(table, mode)| *mode >= LockMode::ShareRowExclusive && !view.catalog.is_new(table));
    if let Some((table, mode)) = strong {
        found.push(
            Draft::new(
                view.statement.span,
                format!("{} on {} is waited for without a limit", mode.as_str(), view.written(table)),
            )
            .why(format!(
                "While it waits behind a long query, all later {} of the table wait behind it.",
                mode.blocks()
            ))
            .help("SET lock_timeout = '2s'; at the start of the file, and run it again when it gives up."),
        );
    }
}
