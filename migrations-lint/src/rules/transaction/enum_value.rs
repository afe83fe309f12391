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
        let used = sql.match_indices(&quoted).map(|(at, _)| at).find(|at| !is_text(sql, *at, at + quoted.len()));
        if let Some(at) = used {
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

/// Whether the literal is compared with text, or made text itself: the server does not read it as a value of the enum.
fn is_text(sql: &str, start: usize, end: usize) -> bool {
    const TEXTS: [&str; 3] = ["::text", "::varchar", "::character varying"];
    let after = sql[end..].trim_start().to_ascii_lowercase();
    if TEXTS.iter().any(|cast| after.starts_with(cast)) {
        return true;
    }
    let mut before = sql[..start].trim_end();
    if let Some(open) = opening_of_list(before) {
        before = before[..open].trim_end();
        let word = before.len() - before.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        if !before[word..].eq_ignore_ascii_case("in") {
            return false;
        }
        before = before[..word].trim_end();
        before = before.strip_suffix("NOT").or_else(|| before.strip_suffix("not")).unwrap_or(before).trim_end();
    } else {
        let operand = before.trim_end_matches(['=', '<', '>', '!']);
        if operand.len() == before.len() {
            return false;
        }
        before = operand.trim_end();
    }
    let before = before.to_ascii_lowercase();
    TEXTS.iter().any(|cast| before.ends_with(cast))
}

/// Where the parenthesis opens that `before` ends in, if nothing but literals and commas stands behind it.
fn opening_of_list(before: &str) -> Option<usize> {
    let mut is_inside = false;
    for (at, byte) in before.bytes().enumerate().rev() {
        match byte {
            b'\'' => is_inside = !is_inside,
            _ if is_inside => {}
            b'(' => return Some(at),
            b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn a_literal_compared_with_text_is_no_enum_value() {
        let check = |sql: &str| {
            let start = sql.find("'b'").unwrap();
            is_text(sql, start, start + 3)
        };
        for sql in ["m::text = 'b'", "m::text NOT IN ('a', 'b')", "x = 'b'::text", "m :: int = 1 AND n::text <> 'b'"] {
            assert!(check(sql), "{sql}");
        }
        for sql in
            ["m = 'b'", "m IN ('a', 'b')", "VALUES ('a', 'b')", "f(m::text, 'b')", "SET DEFAULT 'b'", "'b'::mood"]
        {
            assert!(!check(sql), "{sql}");
        }
    }
}
