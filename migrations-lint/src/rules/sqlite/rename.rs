//! The table renamed out of the way, and made anew under its old name: what referred to it follows the old one.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "sqlite-rename-drags-references",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A table is renamed out of the way and made anew: foreign keys, triggers and views of others follow the old table.",
        docs: "Since SQLite 3.26 a rename also rewrites what refers to the table. Once the old one is dropped, every INSERT into a table that referred to it \
               fails with \"no such table\". The order is the other way round: create the new table under another name, copy, drop the old one, and \
               rename the new one (SQLite's manual, \"Making Other Kinds Of Table Schema Changes\"). `PRAGMA legacy_alter_table = ON` before it prevents \
               the rewriting, too.",
        bad: &[Example::new(
            "CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE child (t_id int REFERENCES t (id));",
            "ALTER TABLE t RENAME TO t_old;\nCREATE TABLE t (id integer PRIMARY KEY, a int);\nINSERT INTO t (id) SELECT id FROM t_old;\nDROP TABLE t_old;",
        )
        .sqlite()],
        good: &[],
    },
    Engines::Sqlite,
    check,
)
.in_downs();

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    let Some(ActionKind::RenameTo { to }) = alter.actions.first().map(|action| &action.kind) else { return };
    let keeps = view
        .catalog
        .setting("pragma legacy_alter_table")
        .is_some_and(|value| matches!(value, "on" | "1" | "true" | "yes"));
    if keeps || view.catalog.is_new(&alter.name) || !view.catalog.may_be_referenced(&alter.name) {
        return;
    }
    let is_made_anew = view
        .following()
        .any(|later| matches!(&later.kind, Kind::CreateTable(create) if create.name.name == alter.name.name));
    if is_made_anew {
        let table = view.written(&alter.name);
        found.push(
            Draft::new(view.statement.span, format!("what refers to {table} will refer to {} from here on", to.name))
                .why(format!("The new {table} further down gets none of the references, and when {} is dropped they lead nowhere.", to.name))
                .help(format!("Create the new table under another name, copy the rows, drop {table}, and rename the new one to {table}.")),
        );
    }
}
