//! Definers, and settings of the whole server.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::Kind;

pub(crate) static DEFINER: Rule = Rule::new(
    RuleInfo {
        id: "mysql-definer-account",
        class: Class::Security,
        default_severity: RuleSeverity::Warning,
        summary: "A view, routine, trigger or event names the account with whose rights it runs.",
        docs: "Unless it says `SQL SECURITY INVOKER`, whoever may call it acts as that account, which is often root. Where the account does not exist (another \
               environment, a restore) every use fails with error 1449. Leave DEFINER out: the account that migrates becomes the definer. The clause \
               usually comes from a dump.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int);",
                "CREATE OR REPLACE DEFINER=`root`@`localhost` VIEW v AS SELECT a FROM t;",
            )
            .mysql(),
            Example::new("", "DROP PROCEDURE IF EXISTS p;\nCREATE DEFINER='root'@'localhost' PROCEDURE p() SELECT 1;")
                .mysql(),
        ],
        good: &[
            Example::new(
                "CREATE TABLE t (a int);",
                "CREATE OR REPLACE SQL SECURITY INVOKER VIEW v AS SELECT a FROM t;",
            )
            .mysql(),
            Example::new(
                "CREATE TABLE t (a int);",
                "CREATE OR REPLACE DEFINER=CURRENT_USER VIEW v AS SELECT a FROM t;",
            )
            .mysql(),
        ],
    },
    Engines::MySql,
    definer,
);

pub(crate) static GLOBAL: Rule = Rule::new(
    RuleInfo {
        id: "mysql-set-global",
        class: Class::Security,
        default_severity: RuleSeverity::Warning,
        summary: "A setting is changed for the whole server, every database and every later connection.",
        docs: "It needs administrator rights, is gone at the next start (unless PERSIST), and reaches applications that know nothing of this migration. \
               Settings belong into the server's configuration; a migration may set its own session.",
        bad: &[Example::new("", "SET GLOBAL log_bin_trust_function_creators = 1;").mysql()],
        good: &[Example::new("", "SET SESSION sort_buffer_size = 1048576;").mysql()],
    },
    Engines::MySql,
    global,
);

fn definer(view: &View<'_>, found: &mut Vec<Draft>) {
    let span = match view.kind() {
        Kind::Create(create) => create.definer,
        Kind::CreateFunction(create) => create.definer,
        _ => None,
    };
    let Some(span) = span else { return };
    let is_invoker = view.sql().to_ascii_lowercase().contains("security invoker");
    if !is_invoker {
        found.push(
            Draft::new(span, format!("it runs with the rights of {}", view.text(span)))
                .why("Whoever may use it acts as that account; where the account does not exist, every use fails.")
                .help("Leave DEFINER out, or add SQL SECURITY INVOKER."),
        );
    }
}

fn global(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::Set(set) = view.kind() else { return };
    if set.is_global {
        found.push(
            Draft::new(view.statement.span, format!("{} is set for the whole server", set.name))
                .why("Every database and every later connection has it, until the next start; it needs administrator rights.")
                .help("SET SESSION … in the migration, or the server's configuration."),
        );
    }
}
