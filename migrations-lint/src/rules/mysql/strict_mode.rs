//! sql_mode without strict mode: the server changes values to fit, and says nothing.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-strict-mode-off",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "sql_mode is set without strict mode, so values that do not fit are cut, rounded or emptied without an error.",
        docs: "What should have stopped the migration becomes data: a long text is cut off, a number out of range becomes the nearest, a missing value 0. \
               Add to the mode instead of replacing it: `SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')`.",
        bad: &[Example::new(
            "CREATE TABLE t (a varchar(20)); INSERT INTO t VALUES ('a long text');",
            "SET sql_mode = '';\nALTER TABLE t MODIFY COLUMN a varchar(5);",
        )
        .mysql()],
        good: &[Example::new("", "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO';").mysql()],
    },
    Engines::MySql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Set(set) = view.kind() else { return };
    // Taken from a variable, or put together from what is set: kept.
    let keeps = set.value.contains("strict")
        || set.value.contains("traditional")
        || set.value.contains('@')
        || set.value.contains("default");
    if &*set.name == "sql_mode" && !keeps {
        found.push(
            Draft::new(view.statement.span, "sql_mode is set without STRICT_TRANS_TABLES")
                .why("From here on values that do not fit are cut off, rounded or emptied, with a warning that nobody reads.")
                .help("Add to the mode: SET sql_mode = CONCAT(@@sql_mode, ',…');"),
        );
    }
}
