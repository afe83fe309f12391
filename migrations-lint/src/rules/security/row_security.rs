//! Row level security switched off, or missing where its neighbours have it.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind, ObjectKind, Statement};

pub(crate) static DISABLED: Rule = Rule::new(
    RuleInfo {
        id: "disable-row-level-security",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "Row level security is switched off: whoever may read the table reads every row.",
        docs: "With PostgREST or Supabase in front, that is everybody who has the public key. `NO FORCE` lets the owner, which many applications log \
               in as, see everything.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
                "ALTER TABLE t DISABLE ROW LEVEL SECURITY;",
            ),
            Example::new("CREATE TABLE t (a int);", "ALTER TABLE t NO FORCE ROW LEVEL SECURITY;"),
        ],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ENABLE ROW LEVEL SECURITY;")],
    },
    Engines::PostgreSql,
    disabled,
);

pub(crate) static MISSING: Rule = Rule::new(
    RuleInfo {
        id: "table-without-row-level-security",
        class: Class::Security,
        default_severity: RuleSeverity::Warning,
        summary: "A table is made without row level security where the other tables have it.",
        docs: "Reported for Supabase, whose API serves every table of `public`, and for sets in which an earlier migration has enabled row level \
               security on at least one other table.",
        bad: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS a (id int);\nALTER TABLE a ENABLE ROW LEVEL SECURITY;\nCREATE TABLE IF NOT EXISTS b (id int);",
        )],
        good: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS a (id int);\nALTER TABLE a ENABLE ROW LEVEL SECURITY;\nCREATE TABLE IF NOT EXISTS b (id int);\nALTER TABLE b ENABLE ROW LEVEL SECURITY;",
        )],
    },
    Engines::PostgreSql,
    missing,
);

fn disabled(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    let drops_it = |statement: &Statement| match &statement.kind {
        Kind::Drop(drop) => {
            drop.kind == ObjectKind::Table && drop.names.iter().any(|name| name.name == alter.name.name)
        }
        _ => false,
    };
    for action in &alter.actions {
        if matches!(action.kind, ActionKind::DisableRowSecurity | ActionKind::NoForceRowSecurity)
            && !view.following().any(drops_it)
        {
            found.push(
                Draft::new(action.span, format!("row level security of {} is switched off", view.written(&alter.name)))
                    .why("Policies no longer apply: who may read the table reads every tenant's rows.")
                    .help("Leave it on and write a policy for who needs more."),
            );
        }
    }
}

fn missing(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateTable(create) = view.kind() else { return };
    if create.is_temporary || create.partition_of.is_some() {
        return;
    }
    let is_public = create.name.schema.as_deref().is_none_or(|schema| schema == "public");
    let is_served = view.part.layout == "supabase" && is_public;
    if !is_served && (view.catalog.n_rls_tables() == 0 || !is_public) {
        return;
    }
    let follows = view.part.is_secured_after(view.statement_idx, &create.name.name);
    if !follows && !view.catalog.table(&create.name).is_some_and(|table| table.has_rls) {
        let table = view.written(&create.name);
        found.push(
            Draft::new(create.name.span, format!("table {table} has no row level security, unlike its neighbours"))
                .why(
                    "Every row is open to every role that may read the table; behind a REST gateway that is everybody.",
                )
                .help(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; and the policies for it.")),
        );
    }
}
