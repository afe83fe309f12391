//! Indexes and constraints without a name: each run makes one more.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rerun::Reason;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "unnamed-object",
        class: Class::NonIdempotent,
        default_severity: RuleSeverity::Error,
        summary: "An index or constraint has no name, so every run makes one more under another generated name.",
        docs: "Nothing fails; the table just gets a second index or constraint that costs every write. Only a name lets `IF NOT EXISTS` or \
               `DROP … IF EXISTS` recognise it. A failed `CREATE INDEX CONCURRENTLY` without a name leaves an invalid index that nobody finds.",
        bad: &[
            Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY ON t (a);"),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD CHECK (a > 0) NOT VALID;"),
            Example::new(
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int);",
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id) NOT VALID;",
            ),
Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD INDEX (a);").mysql(),
Example::new("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int);", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id);").mysql(),
],
        good: &[Example::new("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a);")],
    },
    Engines::All,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for failure in view.failures() {
        if let Reason::MakesAnother { table, .. } = &failure.reason {
            found.push(
                Draft::new(failure.span, format!("an index or constraint of {table} has no name of its own"))
                    .why(super::consequence(&failure.reason))
                    .help("Give it a name, and guard it: IF NOT EXISTS for an index, DROP CONSTRAINT IF EXISTS before a constraint."),
            );
        }
    }
}
