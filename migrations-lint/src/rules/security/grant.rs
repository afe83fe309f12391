//! GRANT to everybody, or of everything.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static PUBLIC: Rule = Rule::new(
    RuleInfo {
        id: "grant-to-public",
        class: Class::Security,
        default_severity: RuleSeverity::Warning,
        summary: "A privilege is granted to PUBLIC, that is to every role there is or ever will be.",
        docs: "Grant to a role that stands for a purpose.",
        bad: &[Example::new("CREATE TABLE t (a int);", "GRANT SELECT ON t TO PUBLIC;")],
        good: &[Example::new("CREATE TABLE t (a int); CREATE ROLE reader;", "GRANT SELECT ON t TO reader;")],
    },
    Engines::PostgreSql,
    public,
);

pub(crate) static ALL: Rule = Rule::new(
    RuleInfo {
        id: "grant-all",
        class: Class::Security,
        default_severity: RuleSeverity::Warning,
        summary: "All privileges are granted, TRUNCATE, REFERENCES and TRIGGER among them.",
        docs: "Name what the role needs: usually SELECT, INSERT, UPDATE, DELETE.",
        bad: &[
            Example::new("CREATE TABLE t (a int); CREATE ROLE app;", "GRANT ALL ON t TO app;"),
            Example::new("CREATE USER 'app'@'%';", "GRANT ALL PRIVILEGES ON *.* TO 'app'@'%';").mysql(),
        ],
        good: &[Example::new(
            "CREATE TABLE t (a int); CREATE ROLE app;",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON t TO app;",
        )],
    },
    Engines::All,
    all,
);

fn public(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Grant(grant) = view.kind() else { return };
    let is_harmless = grant.on_language || grant.object.starts_with("type") || grant.object.starts_with("domain");
    if !grant.is_revoke && grant.to_public && !is_harmless {
        found.push(
            Draft::new(view.statement.span, "PUBLIC is every role, present and future")
                .why("Whoever can connect has the privilege; it cannot be taken from one role alone.")
                .help("Grant it to a role made for the purpose."),
        );
    }
}

fn all(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Grant(grant) = view.kind() else { return };
    let is_small = [
        "function",
        "procedure",
        "routine",
        "all function",
        "all procedure",
        "all routine",
        "sequence",
        "all sequence",
        "type",
        "language",
    ]
    .iter()
    .any(|kind| grant.object.starts_with(kind));
    // The superuser has them anyway.
    let to_superuser = view.sql().trim_end_matches('"').to_ascii_lowercase().ends_with("postgres");
    if !grant.is_revoke && grant.all_privileges && !grant.to_public && !is_small && !to_superuser {
        found.push(
            Draft::new(view.statement.span, "all privileges are granted, not those that are needed")
                .why(
                    "TRUNCATE, REFERENCES and TRIGGER come with it: a leaked password of the role can empty the table.",
                )
                .help("GRANT SELECT, INSERT, UPDATE, DELETE ON … TO …;"),
        );
    }
}
