//! A rule's page, made from its own file: what `docs/rules/` holds and what `--explain` prints.

use std::fmt::Write as _;

use crate::engine::Engine;
use crate::evidence;
use crate::migration::TransactionMode;
use crate::rule::{Example, RuleInfo};

/// The page of one rule, in Markdown.
pub fn page(rule: &RuleInfo) -> String {
    let mut page = format!(
        "<!-- Generated from the rule's own file; do not edit. -->\n# {}\n\n{}\n\nClass `{}`, severity `{}` by default.\n\n{}\n",
        rule.id,
        rule.summary,
        rule.class.as_str(),
        rule.default_severity.as_str(),
        rule.docs.trim()
    );
    write_examples(&mut page, "Reported", rule.bad);
    write_examples(&mut page, "Not reported", rule.good);
    write_evidence(&mut page, rule.id);
    page
}

fn write_evidence(page: &mut String, rule: &str) {
    for (server, evidence) in evidence::of(rule).into_iter().filter(|(_, evidence)| !evidence.is_empty()) {
        let _ = write!(page, "\n## Seen on a real server ({server})\n\n| example | seen |\n|---|---|\n");
        for row in evidence {
            let _ = writeln!(page, "| {} {} | {} |", row.kind, row.number, row.seen.replace('|', "\\|"));
        }
    }
}

fn write_examples(page: &mut String, title: &str, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    let _ = write!(page, "\n## {title}\n");
    for example in examples {
        let engine = match example.engine {
            Engine::PostgreSql => "",
            Engine::MySql => " (MySQL)",
            Engine::MariaDb => " (MariaDB)",
            Engine::Sqlite => " (SQLite)",
        };
        let transaction = if example.transaction == TransactionMode::None {
            ""
        } else {
            " (the framework runs the file in a transaction)"
        };
        if !engine.is_empty() || !transaction.is_empty() {
            let _ = write!(page, "\n{}\n", format!("{engine}{transaction}").trim());
        }
        let _ = write!(page, "\n```sql\n{}\n```\n", example.sql.trim());
    }
}
