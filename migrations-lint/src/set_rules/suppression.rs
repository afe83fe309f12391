//! Rules about suppression comments; `suppress` finds what they report.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::RuleInfo;

pub(crate) const WITHOUT_REASON: RuleInfo = RuleInfo {
    id: "suppression-without-reason",
    class: Class::Style,
    default_severity: RuleSeverity::Warning,
    summary: "A suppression does not say why.",
    docs: "Whoever reads it next cannot tell whether the reason still holds, so it suppresses nothing.\n\n\
           Add the reason: `-- guard:ignore drop-table -- unused since 2.4`.",
    bad: &[],
    good: &[],
};

pub(crate) const UNKNOWN_RULE: RuleInfo = RuleInfo {
    id: "unknown-rule-in-suppression",
    class: Class::Style,
    default_severity: RuleSeverity::Warning,
    summary: "A suppression names no rule that exists.",
    docs: "It suppresses nothing; a typing error here hides itself.\n\n\
           `guard lint --list-rules` lists the names.",
    bad: &[],
    good: &[],
};

pub(crate) const UNUSED: RuleInfo = RuleInfo {
    id: "unused-suppression",
    class: Class::Style,
    default_severity: RuleSeverity::Warning,
    summary: "A suppression suppresses nothing.",
    docs: "It would hide the next thing of that kind that someone writes here.\n\nRemove it.",
    bad: &[],
    good: &[],
};
