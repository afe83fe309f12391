//! SECURITY DEFINER without a fixed search path.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{Kind, Name, ObjectAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "security-definer-search-path",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "A SECURITY DEFINER function has no fixed search_path, so its caller decides which tables and functions it uses.",
        docs: "The caller puts a schema of his own first and the function runs his code with its owner's rights. Write \
               `SET search_path = pg_catalog, app` (or `''` and qualified names).",
        bad: &[Example::new(
            "",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$;",
        )],
        good: &[
            Example::new(
                "",
                "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$ SELECT 1 $$;",
            ),
            Example::new(
                "",
                "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$;\nALTER FUNCTION f() SET search_path = '';",
            ),
        ],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let (name, span): (&Name, Span) = match view.kind() {
        Kind::CreateFunction(create) if create.is_security_definer && !create.sets_search_path => {
            (&create.name, create.definer_span)
        }
        Kind::AlterObject(alter)
            if matches!(alter.action, ObjectAction::SecurityDefiner { sets_search_path: false }) =>
        {
            (&alter.name, alter.action_span)
        }
        _ => return,
    };
    let follows = view.following().any(|statement| match &statement.kind {
        Kind::AlterObject(alter) => {
            alter.name.name == name.name
                && matches!(
                    alter.action,
                    ObjectAction::SetSearchPath | ObjectAction::SecurityDefiner { sets_search_path: true }
                )
        }
        _ => false,
    });
    if !follows {
        found.push(
            Draft::new(
                span,
                format!("{} runs with its owner's rights over its caller's search_path", view.written(name)),
            )
            .why(
                "A caller who can create objects in any schema puts his own in front of those that the function means.",
            )
            .help("Add SET search_path = '' (and qualify names), or SET search_path = pg_catalog, your_schema."),
        );
    }
}
