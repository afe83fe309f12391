//! REFRESH MATERIALIZED VIEW without CONCURRENTLY.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "refresh-not-concurrent",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A materialized view is refreshed under a lock that stops its readers until the query is done.",
        docs: "`REFRESH MATERIALIZED VIEW CONCURRENTLY` needs a unique index on the view and lets readers go on. It may run in a transaction.",
        bad: &[Example::new("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a;", "REFRESH MATERIALIZED VIEW v;")],
        good: &[Example::new(
            "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE UNIQUE INDEX v_a ON v (a);",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v;",
        )],
    },
    Engines::PostgreSql,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Refresh { name, is_concurrent: false } = view.kind() else { return };
    if view.catalog.is_new_object(ObjectKind::MaterializedView, name) {
        return;
    }
    found.push(
        Draft::new(
            view.statement.span,
            format!("materialized view {} is refreshed while its readers wait", view.written(name)),
        )
        .why("ACCESS EXCLUSIVE on the view for as long as its query runs: all reads of it wait.")
        .help(format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {}; (needs a unique index on it)", view.written(name))),
    );
}
