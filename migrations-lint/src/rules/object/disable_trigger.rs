//! DISABLE TRIGGER without ENABLE after it.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "disable-trigger",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "Triggers are switched off and stay off.",
        docs: "What they enforce or record stops for everybody, silently; `ALL` also switches off the triggers that make foreign keys hold. \
               Silent if the file enables them again.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER audit BEFORE INSERT ON t EXECUTE FUNCTION f();",
            "ALTER TABLE t DISABLE TRIGGER ALL;",
        )],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DISABLE TRIGGER ALL;\nALTER TABLE t ENABLE TRIGGER ALL;",
        )],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    for action in &alter.actions {
        let ActionKind::DisableTrigger { name } = &action.kind else { continue };
        let is_enabled_again = view.following().any(|statement| match &statement.kind {
            Kind::AlterTable(other) => {
                other.name.name == alter.name.name
                    && other.actions.iter().any(|action| matches!(action.kind, ActionKind::EnableTrigger))
            }
            _ => false,
        });
        if is_enabled_again || view.catalog.is_new(&alter.name) {
            continue;
        }
        found.push(
            Draft::new(
                action.span,
                format!("trigger {name} of {} is switched off and stays off", view.written(&alter.name)),
            )
            .why("Checks, audit rows and foreign keys that rely on it no longer hold for anybody's writes.")
            .help(format!("ALTER TABLE {} ENABLE TRIGGER {name}; in the same file", view.written(&alter.name))),
        );
    }
}
