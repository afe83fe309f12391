//! DISABLE TRIGGER without ENABLE after it.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectKind};

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

/// CREATE and ENABLE TRIGGER lock for a moment, behind whatever runs.
pub(crate) static CREATE: Rule = Rule::new(
    RuleInfo {
        id: "create-trigger-locks",
        class: Class::Lock,
        default_severity: RuleSeverity::Off,
        summary: "A trigger is created or enabled on a table in use: writers wait behind whatever runs, and pay for it from then on.",
        docs: "`SHARE ROW EXCLUSIVE` for a moment, without a scan. Off by default; with `lock_timeout` set it is harmless.",
        bad: &[Example::new(
            "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
            "CREATE OR REPLACE TRIGGER audit BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    create,
);

fn create(view: &View<'_>, found: &mut Vec<Draft>) {
    let table = match view.kind() {
        Kind::Create(create) if create.kind == ObjectKind::Trigger => create.on.as_ref(),
        Kind::AlterTable(alter)
            if alter.actions.iter().any(|action| matches!(action.kind, ActionKind::EnableTrigger)) =>
        {
            Some(&alter.name)
        }
        _ => None,
    };
    if let Some(table) = table.filter(|table| !view.catalog.is_new(table)) {
        found.push(
            Draft::new(
                view.statement.span,
                format!("writers of {} wait while the trigger is put in place", view.written(table)),
            )
            .why("SHARE ROW EXCLUSIVE waits behind every open write, and all later writes wait behind it.")
            .help("SET lock_timeout = '2s'; before it, and run it again when it gives up."),
        );
    }
}

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
