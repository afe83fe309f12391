//! NOT VALID and VALIDATE in one transaction: the strong lock of the first is held through the scan of the second.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "validate-in-same-transaction",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A constraint is added NOT VALID and validated in one transaction, so the strong lock is held through the scan after all.",
        docs: "Locks are released at the end of the transaction. Put `VALIDATE CONSTRAINT` into the next migration.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int);",
                "BEGIN;\nALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT positive;\nCOMMIT;",
            ),
            Example::new(
                "CREATE TABLE t (a int);",
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT positive;",
            )
            .in_transaction(),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0));",
            "ALTER TABLE t VALIDATE CONSTRAINT positive;",
        )
        .in_transaction()],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let (Kind::AlterTable(alter), Some(transaction)) = (view.kind(), view.place().transaction) else { return };
    if view.catalog.is_new(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let ActionKind::ValidateConstraint { name } = &action.kind else { continue };
        let added_here = view.catalog.table(&alter.name).is_some_and(|table| {
            table.constraints.iter().any(|constraint| {
                constraint.name == name.name && !constraint.is_valid && constraint.transaction == Some(transaction)
            })
        });
        if added_here {
            found.push(
                Draft::new(action.span, format!("{} is validated in the transaction that added it", name.name))
                    .why("The lock that ADD CONSTRAINT took is held until the commit, so the scan runs under it after all.")
                    .help("Put VALIDATE CONSTRAINT into the next migration, or COMMIT before it."),
            );
        }
    }
}
