//! DDL that waits for a metadata lock without a limit worth the name.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Kind, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-lock-wait-timeout",
        class: Class::Lock,
        default_severity: RuleSeverity::Off,
        summary: "A table is changed without a limit on the wait for its metadata lock, which by default is a day (MariaDB) or a year (MySQL).",
        docs: "Even an instant change needs the metadata lock for a moment. Behind one open transaction that has read the table the ALTER waits, and behind the \
               ALTER everybody else. `SET SESSION lock_wait_timeout = 5` makes it give up instead, to be tried again. Off by default, since many set it for \
               the account that migrates.",
        bad: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t COMMENT = 'things';").mysql()],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "SET SESSION lock_wait_timeout = 5;\nALTER TABLE t COMMENT = 'things';",
        )
        .mysql()],
    },
    Engines::MySql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.catalog.setting("lock_wait_timeout").is_some() {
        return;
    }
    let table = match view.kind() {
        Kind::AlterTable(alter) => Some(&alter.name),
        Kind::Truncate(truncate) => truncate.tables.first(),
        Kind::Drop(drop) if drop.kind == ObjectKind::Table => drop.names.first(),
        Kind::Create(create) => create.on.as_ref(),
        _ => None,
    };
    if let Some(table) = table.filter(|table| !view.catalog.is_new(table)) {
        found.push(
            Draft::new(view.statement.span, format!("the metadata lock of {} is waited for without a limit", view.written(table)))
                .why("While it waits behind a transaction that has used the table, every later query of the table waits behind it.")
                .help("SET SESSION lock_wait_timeout = 5; at the start of the file, and run it again when it gives up."),
        );
    }
}
