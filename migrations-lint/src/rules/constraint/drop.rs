//! DROP CONSTRAINT.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ConstraintFact;
use crate::statement::{ActionKind, AlterTable, ConstraintKind, Kind, Name, ObjectKind, Statement};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-constraint",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "A constraint is dropped: rows that violate it can be stored from now on, and then it cannot come back.",
        docs: "Silent if the same file adds it again (under another name, or as a unique index, where the files tell what it held), has added it, has used it as \
               the stepping stone of SET NOT NULL, or drops what it was about: its table, its columns, or the table it referred to.",
        bad: &[Example::new(
            "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0));",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;",
        ),
Example::new("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, CONSTRAINT t_p FOREIGN KEY (a) REFERENCES p (id));", "ALTER TABLE t DROP FOREIGN KEY t_p;").mysql(),
],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;",
        )],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_new(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let ActionKind::DropConstraint { name, .. } = &action.kind else { continue };
        let adds = |kind: &Kind| match kind {
            Kind::AlterTable(other) if other.name.name == alter.name.name => {
                other.actions.iter().any(|action| match &action.kind {
                    ActionKind::AddConstraint(constraint) => {
                        is_successor(&name.name, constraint.name.as_ref().map(|name| &*name.name))
                    }
                    ActionKind::SetNotNull { .. } => true,
                    _ => false,
                })
            }
            _ => false,
        };
        let stands_in = view.following().any(|statement| adds(&statement.kind))
            || view.preceding().any(|statement| adds(&statement.kind))
            || adds(view.kind())
            || view.catalog.table(&alter.name).is_some_and(|table| is_stepping_stone(table, &name.name))
            || Held::of(view, alter, &name.name).settle(view);
        if stands_in {
            continue;
        }
        found.push(
            Draft::new(action.span, format!("constraint {} of {} is dropped", name.name, view.written(&alter.name)))
                .why("Rows that violate it can be stored from this moment on; adding it again then fails on them.")
                .help("Make sure that all code keeps what the constraint kept, or add its successor in the same file."),
        );
    }
}

/// What a dropped constraint was about, followed through the renames of the rest of the part.
struct Held<'a> {
    name: &'a str,
    table: Box<str>,
    /// As far as the files tell.
    fact: ConstraintFact,
}

impl<'a> Held<'a> {
    fn of(view: &View<'_>, alter: &AlterTable, name: &'a str) -> Self {
        let constraints = view.catalog.table(&alter.name).map_or(&[][..], |table| table.constraints.as_slice());
        let fact = constraints.iter().find(|constraint| *constraint.name == *name);
        let fact = fact.map_or(ConstraintFact::Other, |constraint| constraint.kind.clone());
        Self { name, table: alter.name.name.clone(), fact }
    }

    /// Whether something in the part holds the rows to as much, or nothing is left that could be held.
    fn settle(mut self, view: &View<'_>) -> bool {
        std::iter::once(view.statement).chain(view.following()).any(|statement| self.is_settled_by(view, statement))
    }

    fn is_settled_by(&mut self, view: &View<'_>, statement: &Statement) -> bool {
        match &statement.kind {
            Kind::AlterTable(alter) => {
                let is_own = alter.name.name == self.table;
                alter.actions.iter().any(|action| self.is_settled_by_action(&alter.name, is_own, &action.kind))
            }
            Kind::CreateIndex(create) if create.is_unique && create.table.name == self.table => {
                let sql = view.text(statement.span).to_ascii_lowercase();
                let is_plain = !sql.contains(" where ") && sql.matches('(').count() == 1;
                let takes_name = create.name.as_ref().is_some_and(|name| *name.name == *self.name);
                takes_name || is_plain && self.is_unique_over(&create.columns)
            }
            Kind::Drop(drop) if drop.kind == ObjectKind::Table => drop.names.iter().any(|name| {
                name.name == self.table
                    || matches!(&self.fact, ConstraintFact::ForeignKey { to, .. } if *to == name.name)
            }),
            _ => false,
        }
    }

    fn is_settled_by_action(&mut self, table: &Name, is_own: bool, action: &ActionKind) -> bool {
        match action {
            ActionKind::RenameTo { to } => {
                if is_own {
                    self.table.clone_from(&to.name);
                } else if let ConstraintFact::ForeignKey { to: other, .. } = &mut self.fact
                    && *other == table.name
                {
                    other.clone_from(&to.name);
                }
                false
            }
            ActionKind::RenameColumn { from, to } if is_own => {
                self.fact.rename_column(&from.name, &to.name);
                false
            }
            ActionKind::DropColumn { column, .. } => is_own && self.fact.columns().contains(&column.name),
            ActionKind::AddConstraint(constraint) if is_own => match (&constraint.kind, &self.fact) {
                (
                    ConstraintKind::ForeignKey { columns, reference },
                    ConstraintFact::ForeignKey { columns: held, to, .. },
                ) => {
                    *to == reference.table.name
                        && held.iter().all(|held| columns.iter().any(|column| column.name == *held))
                }
                (
                    ConstraintKind::Unique { columns, using_index: None }
                    | ConstraintKind::PrimaryKey { columns, using_index: None },
                    ConstraintFact::Unique(_) | ConstraintFact::PrimaryKey(_),
                ) => self.is_unique_over(&columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether rows that are unique over these columns cannot violate it.
    fn is_unique_over(&self, columns: &[Box<str>]) -> bool {
        matches!(&self.fact, ConstraintFact::Unique(held) | ConstraintFact::PrimaryKey(held)
            if !columns.is_empty() && columns.iter().all(|column| held.contains(column)))
    }
}

/// The same name, or a new version of it: `t_status_check2`, or unnamed.
fn is_successor(dropped: &str, added: Option<&str>) -> bool {
    added.is_none_or(|added| added == dropped || added.starts_with(dropped) || dropped.starts_with(added))
}

/// A CHECK of columns that are NOT NULL by now has done its work.
fn is_stepping_stone(table: &crate::schema::Table, name: &str) -> bool {
    table.constraints.iter().filter(|constraint| *constraint.name == *name).any(|constraint| {
        matches!(&constraint.kind, ConstraintFact::Check(columns)
            if !columns.is_empty() && columns.iter().all(|column| table.columns.get(column).is_some_and(|facts| facts.not_null)))
    })
}
