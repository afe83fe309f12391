//! Settings that switch protection off, or change the server.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

pub(crate) static REPLICATION_ROLE: Rule = Rule::new(
    RuleInfo {
        id: "session-replication-role",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "session_replication_role switches off triggers, and with them foreign keys.",
        docs: "Rows that violate foreign keys go in unseen; audit triggers do not fire.",
        bad: &[Example::new("", "SET session_replication_role = replica;")],
        good: &[Example::new("", "SET session_replication_role = DEFAULT;")],
    },
    Engines::PostgreSql,
    replication_role,
);

pub(crate) static ALTER_SYSTEM: Rule = Rule::new(
    RuleInfo {
        id: "alter-system",
        class: Class::Security,
        default_severity: RuleSeverity::Error,
        summary: "A migration of one database changes the configuration of the whole server.",
        docs: "Server settings belong to those who run the server; managed services refuse the statement.",
        bad: &[Example::new("", "ALTER SYSTEM SET work_mem = '8MB';")],
        good: &[Example::new("", "SET work_mem = '8MB';")],
    },
    Engines::PostgreSql,
    alter_system,
)
.in_downs();

fn replication_role(view: &View<'_>, found: &mut Vec<Draft>) {
    if is_lasting(view) {
        found.push(
            Draft::new(view.statement.span, "triggers and foreign keys are switched off for every later session")
                .why("Rows that violate foreign keys are stored by all of them and found much later, by a restore that fails on them.")
                .help("Leave it out; a load that needs it sets it for its own session."),
        );
    }
    let Kind::Set(set) = view.kind() else { return };
    if &*set.name == "session_replication_role" && !set.is_reset && matches!(&*set.value, "replica" | "local") {
        found.push(
            Draft::new(view.statement.span, "triggers and foreign keys are switched off for this session")
                .why("Rows that violate foreign keys are stored and found much later, by a restore that fails on them.")
                .help("Load the rows in an order that the foreign keys allow, or make the constraints DEFERRABLE."),
        );
    }
}

/// ALTER ROLE … SET or ALTER DATABASE … SET of this setting.
fn is_lasting(view: &View<'_>) -> bool {
    let has_settings = match view.kind() {
        Kind::Role(role) => !role.is_create,
        Kind::AlterObject(alter) => alter.kind == ObjectKind::Database,
        _ => false,
    };
    let sql = view.sql().to_ascii_lowercase();
    let value = sql.split_once("session_replication_role").filter(|_| has_settings).map(|(_, value)| value);
    value.is_some_and(|value| value.contains("replica") || value.contains("local"))
}

fn alter_system(view: &View<'_>, found: &mut Vec<Draft>) {
    if matches!(view.kind(), Kind::AlterSystem) {
        found.push(
            Draft::new(view.statement.span, "this changes the configuration of the whole server")
                .why("Every database of the server is affected, at the next reload or restart, when nobody thinks of this file.")
                .help("ALTER DATABASE … SET or ALTER ROLE … SET, or the server's own configuration."),
        );
    }
}
