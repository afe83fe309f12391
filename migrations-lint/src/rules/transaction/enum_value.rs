//! A new enum value used in the transaction that adds it.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind, TypeAction};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "enum-value-used-in-same-transaction",
        class: Class::Transaction,
        default_severity: RuleSeverity::Error,
        summary: "An enum value is used in the transaction that adds it, which the server refuses.",
        docs: "\"Unsafe use of new value of enum type\": the value must be committed first. Put ALTER TYPE … ADD VALUE into a migration of its own.",
        bad: &[Example::new(
            "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (m mood);",
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';\nALTER TABLE t ALTER COLUMN m SET DEFAULT 'happy';",
        )
        .in_transaction()],
        good: &[Example::new(
            "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (m mood);",
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';\nALTER TABLE t ALTER COLUMN m SET DEFAULT 'happy';",
        )],
    },
    Engines::PostgreSql,
    check,
)
.even_rolled_back();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Some(transaction) = view.place().transaction else { return };
    if matches!(view.kind(), Kind::AlterType(alter) if matches!(alter.action, TypeAction::AddValue { .. } | TypeAction::RenameValue { .. }))
    {
        return;
    }
    let is_only_defined = matches!(
        view.kind(),
        Kind::CreateFunction(_) | Kind::Other | Kind::Transaction(_) | Kind::Set(_) | Kind::Do { .. }
    );
    // Another enum may have a value of the same name.
    let is_other_type = matches!(view.kind(), Kind::Create(create) if create.kind == ObjectKind::Type);
    if is_only_defined || is_other_type {
        return;
    }
    let added = view.catalog.enum_types().flat_map(|facts| &facts.added);
    for (value, _) in added.filter(|(_, by)| *by == Some(transaction)) {
        let quoted = format!("'{value}'");
        let sql = view.sql();
        if let Some(at) = sql.find(&quoted) {
            let start = view.statement.span.start + at;
            let span = crate::source_text::Span::new(start, start + quoted.len());
            found.push(
                Draft::new(span, format!("{quoted} is used in the transaction that adds it"))
                    .why("The server stops here: unsafe use of new value of enum type; it must be committed first.")
                    .help("Put ALTER TYPE … ADD VALUE into a migration that runs before this one."),
            );
        }
    }
}
