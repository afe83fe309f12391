//! ON DELETE CASCADE added to tables in use.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ConstraintFact;
use crate::statement::{ActionKind, ConstraintKind, Ident, Kind, Name, Reference};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "foreign-key-cascade",
        class: Class::Destructive,
        default_severity: RuleSeverity::Warning,
        summary: "A foreign key with ON DELETE CASCADE is added: deleting one row silently deletes others from now on.",
        docs: "Code that deletes a parent row was written when that failed or left the children alone. Tables that the file makes are not \
               reported, nor a key that takes the place of one that cascaded.",
        bad: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int); INSERT INTO p VALUES (1); INSERT INTO t VALUES (1);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_p;\nALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE NOT VALID;",
        )],
        good: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY);",
            "CREATE TABLE IF NOT EXISTS t (p_id int REFERENCES p (id) ON DELETE CASCADE);",
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
        let (reference, columns) = match &action.kind {
            ActionKind::AddConstraint(constraint) => match &constraint.kind {
                ConstraintKind::ForeignKey { reference, columns }
                    if !columns.iter().all(|column| view.catalog.is_new_column(&alter.name, &column.name)) =>
                {
                    (reference, columns)
                }
                _ => continue,
            },
            _ => continue,
        };
        if !reference.cascades
            || view.catalog.is_new(&reference.table)
            || cascaded_before(view, &alter.name, columns, reference)
        {
            continue;
        }
        let (table, other) = (view.written(&alter.name), view.written(&reference.table));
        found.push(
            Draft::new(action.span, format!("deleting a row of {other} deletes its rows of {table} from now on"))
                .why("Code that deletes from the other table was not written for that; what goes with it is not listed anywhere.")
                .help("Use ON DELETE RESTRICT or NO ACTION, and delete the children where the code deletes the parent."),
        );
    }
}

/// Whether a key from these columns to the same table cascaded already when the part began.
fn cascaded_before(view: &View<'_>, table: &Name, columns: &[Ident], reference: &Reference) -> bool {
    let did = |fact: &ConstraintFact| match fact {
        ConstraintFact::ForeignKey { columns: held, to, cascades: true } => {
            *to == reference.table.name && held.iter().all(|held| columns.iter().any(|column| column.name == *held))
        }
        _ => false,
    };
    let stands = view.catalog.table(table).is_some_and(|facts| facts.constraints.iter().any(|facts| did(&facts.kind)));
    stands || view.catalog.dropped_constraints(table).iter().any(did)
}
