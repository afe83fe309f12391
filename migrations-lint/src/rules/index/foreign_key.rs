//! A foreign key whose columns no index starts with.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, ConstraintKind, CreateIndex, Ident, Kind, Name};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "foreign-key-without-index",
        class: Class::Lock,
        default_severity: RuleSeverity::Off,
        summary: "A foreign key has no index on its own side, so each delete in the other table reads this one as a whole.",
        docs: "PostgreSQL indexes the referenced key, not the referring columns. Off by default: small tables do well without.",
        bad: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY);",
            "CREATE TABLE IF NOT EXISTS t (p_id int REFERENCES p (id));",
        )],
        good: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY);",
            "CREATE TABLE IF NOT EXISTS t (p_id int REFERENCES p (id));\nCREATE INDEX IF NOT EXISTS t_p ON t (p_id);",
        )],
    },
    Engines::PostgreSql,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    match view.kind() {
        Kind::CreateTable(create) => {
            for column in create
                .columns
                .iter()
                .filter(|column| column.references.is_some() && !column.primary_key && !column.unique)
            {
                report(view, &create.name, std::slice::from_ref(&column.name), column.span, found);
            }
            for constraint in &create.constraints {
                if let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind {
                    report(view, &create.name, columns, constraint.span, found);
                }
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                match &action.kind {
                    ActionKind::AddConstraint(constraint) => {
                        if let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind {
                            report(view, &alter.name, columns, action.span, found);
                        }
                    }
                    ActionKind::AddColumn { column, .. } if column.references.is_some() => {
                        report(view, &alter.name, std::slice::from_ref(&column.name), action.span, found);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn report(view: &View<'_>, table: &Name, columns: &[Ident], span: Span, found: &mut Vec<Draft>) {
    let columns: Vec<Box<str>> = columns.iter().map(|column| column.name.clone()).collect();
    let covers = |index: &CreateIndex| {
        index.table.name == table.name
            && columns.iter().all(|column| index.columns.iter().take(columns.len()).any(|c| c == column))
    };
    let follows =
        view.following().any(|statement| matches!(&statement.kind, Kind::CreateIndex(index) if covers(index)));
    if follows || view.catalog.has_index_on(table, &columns) {
        return;
    }
    let columns: Vec<_> = columns.iter().map(|column| view.quoted(column)).collect();
    let (table, columns) = (view.written(table), columns.join(", "));
    found.push(
        Draft::new(span, format!("no index of {table} starts with ({columns})"))
            .why("Each delete or key change in the referenced table reads this one as a whole, holding its locks meanwhile.")
            .help(format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS … ON {table} ({columns});")),
    );
}
