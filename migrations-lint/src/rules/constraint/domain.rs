//! ALTER DOMAIN that checks every table which uses the domain.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectAction, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "domain-constraint-scans",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A constraint is added to a domain and checked in every table that uses it, under locks on all of them.",
        docs: "`ADD CONSTRAINT … NOT VALID` takes a moment, `VALIDATE CONSTRAINT` afterwards reads without the strong locks.",
        bad: &[Example::new(
            "CREATE DOMAIN d AS int; CREATE TABLE t (a d);",
            "ALTER DOMAIN d DROP CONSTRAINT IF EXISTS positive;\nALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0);",
        )],
        good: &[Example::new(
            "CREATE DOMAIN d AS int; CREATE TABLE t (a d);",
            "ALTER DOMAIN d DROP CONSTRAINT IF EXISTS positive;\nALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;",
        )],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterObject(alter) = view.kind() else { return };
    let scans = matches!(alter.action, ObjectAction::AddConstraint { not_valid: false, .. } | ObjectAction::SetNotNull);
    if alter.kind == ObjectKind::Domain && scans && !view.catalog.is_new_object(ObjectKind::Domain, &alter.name) {
        found.push(
            Draft::new(alter.action_span, format!("every table with a column of domain {} is read under a lock", view.written(&alter.name)))
                .why("SHARE locks on all of those tables until the scans are done: their writes wait; one bad value fails it all.")
                .help("ALTER DOMAIN … ADD CONSTRAINT … NOT VALID; then VALIDATE CONSTRAINT in another transaction."),
        );
    }
}
