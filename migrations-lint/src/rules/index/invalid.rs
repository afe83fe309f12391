//! What CONCURRENTLY can leave behind.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static HIDDEN: Rule = Rule::new(
    RuleInfo {
        id: "if-not-exists-hides-invalid-index",
        class: Class::MayFail,
        default_severity: RuleSeverity::Off,
        summary: "IF NOT EXISTS skips the invalid index that a failed concurrent build has left.",
        docs: "A concurrent build that fails leaves an index marked invalid. The next run sees the name and does nothing, and nobody \
               notices that no query uses it. Off by default: put `DROP INDEX CONCURRENTLY IF EXISTS` before the build if you want to be safe.",
        bad: &[Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);")],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "DROP INDEX CONCURRENTLY IF EXISTS t_a;\nCREATE INDEX CONCURRENTLY t_a ON t (a);",
        )],
    },
    Engines::PostgreSql,
    hidden,
);

pub(crate) static CORRUPTION: Rule = Rule::new(
    RuleInfo {
        id: "concurrent-index-corruption",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "PostgreSQL 14.0 to 14.3 build corrupt indexes concurrently.",
        docs: "CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY of 14.0 to 14.3 can miss rows (fixed in 14.4). Only with \
               `--server-version 14.1`, `14.2` or `14.3`: a bare `14` says nothing of the minor version.",
        bad: &[],
        good: &[],
    },
    Engines::PostgreSql,
    corruption,
);

fn hidden(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateIndex(create) = view.kind() else { return };
    if create.is_concurrent && create.if_not_exists {
        found.push(
            Draft::new(view.statement.span, "an invalid index of this name would be taken for the index")
                .why("A concurrent build that failed leaves the name behind; IF NOT EXISTS then skips the build for ever.")
                .help("DROP INDEX CONCURRENTLY IF EXISTS … before it, without IF NOT EXISTS."),
        );
    }
}

fn corruption(view: &View<'_>, found: &mut Vec<Draft>) {
    let builds = matches!(view.kind(), Kind::CreateIndex(create) if create.is_concurrent)
        || matches!(view.kind(), Kind::Reindex { is_concurrent: true, .. });
    if builds && view.part.version.major == 14 && (1..=3).contains(&view.part.version.minor) {
        found.push(
            Draft::new(view.statement.span, "this server version builds corrupt indexes concurrently")
                .why("The index can miss rows that were updated during the build: queries through it return wrong answers.")
                .help("Update to 14.4 or later first."),
        );
    }
}
