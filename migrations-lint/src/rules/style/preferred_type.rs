//! Types that are regretted later: one table.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Column, Kind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "preferred-type",
        class: Class::Style,
        default_severity: RuleSeverity::Off,
        summary: "A column has a type for which PostgreSQL has a better one.",
        docs: "`bigint` for `int` keys (they run out), identity for `serial` (its sequence has rights of its own), `text` for `varchar(n)` and `char(n)` \
               (a limit is a CHECK that is costly to change), `timestamptz` for `timestamp` (a moment, not a wall clock), `jsonb` for `json`, \
               `numeric` for `money`.",
        bad: &[
            Example::new("", "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY);"),
            Example::new("", "CREATE TABLE IF NOT EXISTS t (at timestamp);"),
        ],
        good: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, doc jsonb);",
        )],
    },
    Engines::PostgreSql,
    check,
);

const PREFERRED: &[(&str, &str)] = &[
    ("serial", "bigint GENERATED ALWAYS AS IDENTITY"),
    ("bigserial", "bigint GENERATED ALWAYS AS IDENTITY"),
    ("smallserial", "bigint GENERATED ALWAYS AS IDENTITY"),
    ("varchar", "text"),
    ("bpchar", "text"),
    ("timestamp", "timestamptz"),
    ("timetz", "timestamptz"),
    ("json", "jsonb"),
    ("money", "numeric"),
];

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let columns: Vec<&Column> = match view.kind() {
        Kind::CreateTable(create) => create.columns.iter().collect(),
        Kind::AlterTable(alter) => {
            let added = alter.actions.iter().filter_map(|action| match &action.kind {
                ActionKind::AddColumn { column, .. } => Some(&**column),
                _ => None,
            });
            added.collect()
        }
        _ => return,
    };
    for column in columns {
        let is_small_key = column.primary_key && matches!(&*column.ty.name, "int4" | "int2");
        let better = PREFERRED.iter().find(|(ty, _)| **ty == *column.ty.name).map(|(_, better)| *better);
        let Some(better) = better.or(is_small_key.then_some("bigint")) else { continue };
        found.push(
            Draft::new(column.ty.span, format!("column {} is better served by {better}", column.name.name))
                .why("Changing the type of a column that has grown writes its whole table anew.")
                .help(format!("{} {better}", column.name.name)),
        );
    }
}
