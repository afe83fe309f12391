//! Passwords in the text, and roles with power over the server.

use crate::options::RuleSeverity;
use crate::parse::POWERFUL_ROLES;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

pub(crate) static PASSWORD: Rule = Rule::new(
    RuleInfo {
        id: "password-literal",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "A password stands in the migration, and so in the repository and the server's log.",
        docs: "Create the role without a password and set it from a secret store, outside the migrations.",
        bad: &[
            Example::new("CREATE ROLE app;", "ALTER ROLE app PASSWORD 'secret';"),
            Example::new("", "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'secret';").mysql(),
            Example::new("CREATE USER 'app'@'%';", "SET PASSWORD FOR 'app'@'%' = PASSWORD('secret');").mariadb(),
        ],
        good: &[Example::new("CREATE ROLE app;", "ALTER ROLE app LOGIN;")],
    },
    Engines::All,
    password,
)
.in_downs();

pub(crate) static POWER: Rule = Rule::new(
    RuleInfo {
        id: "grant-superuser",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "A role gets power over the whole server: superuser, BYPASSRLS, reading files, running programs.",
        docs: "Whoever has the role's password has the machine. Grant what is needed on the objects that need it.",
        bad: &[
            Example::new("CREATE ROLE app;", "ALTER ROLE app SUPERUSER;"),
            Example::new("CREATE ROLE app;", "GRANT pg_execute_server_program TO app;"),
            Example::new(
                "",
                "CREATE OR REPLACE FUNCTION promote() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE app SUPERUSER; END $$;",
            ),
        ],
        good: &[Example::new("CREATE ROLE app; CREATE ROLE reader;", "GRANT reader TO app;")],
    },
    Engines::PostgreSql,
    power,
);

fn password(view: &View<'_>, found: &mut Vec<Draft>) {
    let span = match view.kind() {
        Kind::Role(role) => role.password,
        Kind::Grant(_) => {
            let has_password = view.sql().to_ascii_lowercase().contains("identified by '");
            has_password.then_some(view.statement.span)
        }
        Kind::Create(create) if create.kind == ObjectKind::UserMapping => {
            let has_password = view.sql().to_ascii_lowercase().contains("password '");
            has_password.then_some(view.statement.span)
        }
        Kind::Create(create) if create.kind == ObjectKind::Subscription => {
            view.sql().to_ascii_lowercase().contains("password=").then_some(view.statement.span)
        }
        _ => None,
    };
    if let Some(span) = span {
        found.push(
            Draft::new(span, "a password stands in the migration")
                .why("It is in the repository for ever, in the server's log, and in every copy of both.")
                .help("Set it outside the migrations, from a secret store; change this one, it is known."),
        );
    }
}

fn power(view: &View<'_>, found: &mut Vec<Draft>) {
    let (span, what) = match view.kind() {
        Kind::Role(role) => match &role.power {
            Some(power) => (power.span, power.name.to_uppercase()),
            None => return,
        },
        Kind::Grant(grant) if !grant.is_revoke => {
            match grant.roles.iter().find(|role| POWERFUL_ROLES.contains(&&***role)) {
                Some(role) => (view.statement.span, role.to_string()),
                None => return,
            }
        }
        _ => return,
    };
    found.push(
        Draft::new(span, format!("{what} reaches beyond this database's privileges"))
            .why("Row level security and grants no longer hold the role back; with some of these, nor does the database.")
            .help("Grant the privileges on the objects that the role needs."),
    );
}
