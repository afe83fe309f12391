//! LOCK TABLE.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "lock-table",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A table is locked by hand until the transaction ends.",
        docs: "`LOCK TABLE` without a mode takes `ACCESS EXCLUSIVE`: nobody reads or writes until the commit.",
        bad: &[Example::new("CREATE TABLE t (a int);", "BEGIN;\nLOCK TABLE t;\nCOMMIT;")],
        good: &[Example::new("CREATE TABLE t (a int);", "BEGIN;\nLOCK TABLE t IN ACCESS SHARE MODE;\nCOMMIT;")],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::LockTable(lock) = view.kind() else { return };
    if matches!(&*lock.mode, "access share" | "row share") || lock.tables.iter().all(|table| view.catalog.is_new(table))
    {
        return;
    }
    let is_mysql = Engines::MySql.include(view.part.engine);
    found.push(
        Draft::new(
            view.statement.span,
            format!(
                "the table is locked in {} mode until the {} ends",
                lock.mode.to_uppercase(),
                if is_mysql { "session" } else { "transaction" }
            ),
        )
        .why(match &*lock.mode {
            "access exclusive" | "write" => {
                "Everybody who needs the table waits, and whoever comes later waits behind them."
            }
            _ => "Everybody who writes to the table waits, and whoever comes later waits behind them.",
        })
        .help("Let each statement take the lock that it needs, and keep the transaction short."),
    );
}
