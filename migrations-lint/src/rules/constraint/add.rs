//! ADD CONSTRAINT that checks or indexes every row under its lock: one family, one remedy.

use std::borrow::Cow;

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::schema::ConstraintFact;
use crate::source_text::Span;
use crate::statement::{
    ActionKind, AlterTable, ConstraintKind, Ident, IndexKind, Kind, Name, ObjectAction, ObjectKind, TableConstraint,
};

pub(crate) static FOREIGN_KEY: Rule = Rule::new(
    RuleInfo {
        id: "add-foreign-key-not-valid",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A foreign key is added and checked at once: writes to both tables wait for the whole check.",
        docs: "`ADD CONSTRAINT … FOREIGN KEY … NOT VALID` takes its locks for a moment only; `VALIDATE CONSTRAINT` afterwards, in another \
               transaction, lets reads and writes go on.",
        bad: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_p;\nALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);",
        )],
        good: &[Example::new(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_p;\nALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT t_p;",
        )],
    },
    Engines::PostgreSql,
    foreign_key,
);

pub(crate) static CHECK: Rule = Rule::new(
    RuleInfo {
        id: "add-check-not-valid",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A CHECK is added and checked at once: reads and writes wait for a scan of the whole table.",
        docs: "Add it `NOT VALID`, then `VALIDATE CONSTRAINT` in another transaction.",
        bad: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0);",
        )],
        good: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT positive;",
        )],
    },
    Engines::PostgreSql,
    check,
);

pub(crate) static UNIQUE: Rule = Rule::new(
    RuleInfo {
        id: "add-unique-using-index",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "A UNIQUE, PRIMARY KEY or EXCLUDE constraint builds its index while reads and writes wait.",
        docs: "Build the index with `CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD CONSTRAINT … UNIQUE USING INDEX`, which takes a moment. \
               EXCLUDE has no such way: it needs a maintenance window or a new table.",
        bad: &[Example::new(
            "CREATE TABLE t (a int);",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_a;\nALTER TABLE t ADD CONSTRAINT t_a UNIQUE (a);",
        )],
        good: &[Example::new(
            "CREATE TABLE t (a int); CREATE UNIQUE INDEX u ON t (a);",
            "DO $$ BEGIN\n  ALTER TABLE t ADD CONSTRAINT t_a UNIQUE USING INDEX u;\nEXCEPTION WHEN duplicate_table OR undefined_object THEN NULL;\nEND $$;",
        )],
    },
    Engines::PostgreSql,
    unique,
);

pub(crate) static MAY_FAIL: Rule = Rule::new(
    RuleInfo {
        id: "constraint-fails-on-existing-rows",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "A constraint or unique index is established at once and fails if one stored row violates it.",
        docs: "Duplicates, orphans and values out of range are in production only. Ask for them first; `NOT VALID` and `VALIDATE CONSTRAINT` separate \
               new rows from old ones.",
        bad: &[
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);",
                "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON t (a);",
            ),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (-1);",
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;\nALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0);",
            ),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);", "CREATE UNIQUE INDEX t_a ON t (a);")
                .mysql(),
            Example::new(
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);",
            )
            .mysql(),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);", "CREATE UNIQUE INDEX t_a ON t (a);")
                .sqlite(),
        ],
        good: &[],
    },
    Engines::All,
    may_fail,
);

/// The constraints that a statement adds to a table that is in use.
fn added<'a>(view: &View<'a>) -> Vec<(&'a AlterTable, &'a TableConstraint)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    if alter.kind != ObjectKind::Table || view.catalog.is_blank(&alter.name) {
        return Vec::new();
    }
    let constraints = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::AddConstraint(constraint) if !constraint.not_valid => Some((&**alter, &**constraint)),
        _ => None,
    });
    constraints.collect()
}

fn name_of<'a>(view: &View<'a>, constraint: &'a TableConstraint) -> Cow<'a, str> {
    match &constraint.name {
        Some(name) if view.statement.within.is_none() => view.text(name.span).into(),
        Some(name) => view.quoted(&name.name),
        None => "it".into(),
    }
}

fn foreign_key(view: &View<'_>, found: &mut Vec<Draft>) {
    for (alter, constraint) in added(view) {
        let ConstraintKind::ForeignKey { reference, .. } = &constraint.kind else { continue };
        let (table, other) = (view.written(&alter.name), view.written(&reference.table));
        let mut draft = Draft::new(
            constraint.span,
            format!("every row of {table} is looked up in {other} while writers to both wait"),
        )
        .why("SHARE ROW EXCLUSIVE on both tables until the check is done: all INSERT, UPDATE and DELETE wait.")
        .help(format!(
            "Add NOT VALID, and in another transaction: ALTER TABLE {table} VALIDATE CONSTRAINT {};",
            name_of(view, constraint)
        ));
        if !view.in_transaction()
            && view.statement.within.is_none()
            && constraint.name.is_some()
            && alter.actions.len() == 1
        {
            let text = format!(" NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {}", name_of(view, constraint));
            draft = draft.insert(view.statement.span.end, text);
        }
        found.push(draft);
    }
}

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for (alter, constraint) in added(view) {
        let ConstraintKind::Check(expr) = &constraint.kind else { continue };
        let columns_are_new =
            !expr.words.is_empty() && expr.words.iter().all(|word| view.catalog.is_new_column(&alter.name, word));
        if columns_are_new && expr.not_null.is_empty() {
            continue;
        }
        let table = view.written(&alter.name);
        let mut draft =
            Draft::new(constraint.span, format!("all of {table} is read for the CHECK while nobody may use it"))
                .why("ACCESS EXCLUSIVE for the time of a whole scan: all reads and writes wait.")
                .help(format!(
                    "Add NOT VALID, and in another transaction: ALTER TABLE {table} VALIDATE CONSTRAINT {};",
                    name_of(view, constraint)
                ));
        if !view.in_transaction()
            && view.statement.within.is_none()
            && constraint.name.is_some()
            && alter.actions.len() == 1
        {
            let text = format!(" NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {}", name_of(view, constraint));
            draft = draft.insert(view.statement.span.end, text);
        }
        found.push(draft);
    }
}

fn unique(view: &View<'_>, found: &mut Vec<Draft>) {
    for (alter, constraint) in added(view) {
        let (what, help) = match &constraint.kind {
            ConstraintKind::Unique { using_index: None, .. } => {
                ("UNIQUE", "CREATE UNIQUE INDEX CONCURRENTLY …; then ADD CONSTRAINT … UNIQUE USING INDEX …;")
            }
            ConstraintKind::PrimaryKey { using_index: None, .. } => {
                ("PRIMARY KEY", "CREATE UNIQUE INDEX CONCURRENTLY …; then ADD CONSTRAINT … PRIMARY KEY USING INDEX …;")
            }
            ConstraintKind::Exclude => {
                ("EXCLUDE", "Do it in a maintenance window, or on a new table that is filled and swapped in.")
            }
            _ => continue,
        };
        found.push(
            Draft::new(
                constraint.span,
                format!("the index of the {what} constraint is built while {} is locked", view.written(&alter.name)),
            )
            .why("ACCESS EXCLUSIVE for the time of the build: all reads and writes wait.")
            .help(help),
        );
    }
}

/// MySQL: unique keys that a statement adds to a table in use, not over new columns.
fn unique_keys<'a>(view: &View<'a>) -> Vec<(Span, &'a Name)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    if view.catalog.is_new(&alter.name) {
        return Vec::new();
    }
    let is_old = |columns: &[Box<str>]| columns.iter().any(|column| !view.catalog.is_new_column(&alter.name, column));
    let keys = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::AddIndex { columns, kind: IndexKind::Unique, .. } if is_old(columns) => {
            Some((action.span, &alter.name))
        }
        _ => None,
    });
    keys.collect()
}

/// A foreign key dropped in this part and added under the same name, or over the same columns: its rows were held to it until now.
fn puts_back(view: &View<'_>, alter: &AlterTable, constraint: &TableConstraint) -> bool {
    if let ConstraintKind::ForeignKey { columns, reference } = &constraint.kind {
        let is_same = |fact: &ConstraintFact| match fact {
            ConstraintFact::ForeignKey { columns: held, to, .. } => {
                *to == reference.table.name && held.iter().eq(columns.iter().map(|column| &column.name))
            }
            _ => false,
        };
        if view.catalog.dropped_constraints(&alter.name).iter().any(is_same) {
            return true;
        }
    }
    let Some(added) = &constraint.name else { return false };
    let drops = |alter: &AlterTable| {
        let mut actions = alter.actions.iter();
        actions.any(|action| matches!(&action.kind, ActionKind::DropConstraint { name, .. } if name.name == added.name))
    };
    drops(alter)
        || view.preceding().any(|earlier| match &earlier.kind {
            Kind::AlterTable(earlier) => earlier.name.name == alter.name.name && drops(earlier),
            _ => false,
        })
}

/// Whether rows were unique over some of these columns when the part began, and are still.
fn is_unique_already(view: &View<'_>, table: &Name, columns: &[Box<str>]) -> bool {
    let is_within = |fact: &ConstraintFact| {
        matches!(fact, ConstraintFact::Unique(held) | ConstraintFact::PrimaryKey(held)
            if !held.is_empty() && held.iter().all(|column| columns.contains(column)))
    };
    let stands =
        view.catalog.table(table).is_some_and(|facts| facts.constraints.iter().any(|facts| is_within(&facts.kind)));
    let changes_rows = || {
        view.preceding().any(|earlier| match &earlier.kind {
            Kind::Update(update) => {
                update.table.name == table.name
                    && update.assignments.iter().any(|assignment| columns.contains(&assignment.column))
            }
            Kind::Insert(insert) => insert.table.name == table.name,
            _ => false,
        })
    };
    stands || view.catalog.dropped_constraints(table).iter().any(is_within) && !changes_rows()
}

fn may_fail(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Kind::CreateIndex(create) = view.kind() {
        let columns_are_new = !create.columns.is_empty()
            && create.columns.iter().all(|column| view.catalog.is_new_column(&create.table, column));
        let is_new = view.catalog.is_new(&create.table)
            || view.catalog.is_new_object(ObjectKind::MaterializedView, &create.table);
        let cannot_fail = is_new
            || columns_are_new
            || view.catalog.has_no_rows(&create.table)
            || is_unique_already(view, &create.table, &create.columns);
        if create.is_unique && !create.is_concurrent && !cannot_fail {
            found.push(
                Draft::new(
                    view.statement.span,
                    format!("the unique index fails if {} has duplicates", view.written(&create.table)),
                )
                .why("The migration stops at the first duplicate, in production only, where the old rows are.")
                .help("Ask for duplicates first: SELECT … GROUP BY … HAVING count(*) > 1;"),
            );
        }
        return;
    }
    if let Kind::AlterObject(alter) = view.kind() {
        let holds =
            matches!(alter.action, ObjectAction::AddConstraint { not_valid: false, .. } | ObjectAction::SetNotNull);
        if alter.kind == ObjectKind::Domain && holds && !view.catalog.is_new_object(ObjectKind::Domain, &alter.name) {
            let domain = view.written(&alter.name);
            found.push(
                Draft::new(
                    alter.action_span,
                    format!("the constraint fails if a column of domain {domain} violates it"),
                )
                .why("The migration stops there, in production only, where the old rows are.")
                .help("Ask for such values in every table that uses the domain first, and correct them."),
            );
        }
        return;
    }
    for (span, table) in unique_keys(view) {
        found.push(
            Draft::new(span, format!("the unique key fails if {} has duplicates", view.written(table)))
                .why("The migration stops at the first duplicate, in production only, where the old rows are.")
                .help("Ask for duplicates first: SELECT … GROUP BY … HAVING count(*) > 1;"),
        );
    }
    for (alter, constraint) in added(view) {
        if view.catalog.has_no_rows(&alter.name) {
            continue;
        }
        let problem = match &constraint.kind {
            ConstraintKind::Unique { columns, using_index: None }
            | ConstraintKind::PrimaryKey { columns, using_index: None } => {
                let columns: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
                let is_null_told = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
                    || view.text(constraint.span).to_ascii_lowercase().contains("not distinct");
                let may_be_null =
                    |column: &Box<str>| view.catalog.column(&alter.name, column).is_none_or(|facts| !facts.not_null);
                let has_nulls = is_null_told && columns.iter().any(may_be_null);
                if !has_nulls && is_unique_already(view, &alter.name, &columns) {
                    continue;
                }
                "two rows have the same key"
            }
            ConstraintKind::Check(expr) => {
                if !expr.words.is_empty() && expr.words.iter().all(|word| view.catalog.is_new_column(&alter.name, word))
                {
                    continue;
                }
                "a row violates the CHECK"
            }
            ConstraintKind::ForeignKey { columns, .. } => {
                let is_new = |column: &Ident| view.catalog.is_new_column(&alter.name, &column.name);
                if columns.iter().all(is_new) || puts_back(view, alter, constraint) {
                    continue;
                }
                "a row refers to nothing"
            }
            ConstraintKind::Exclude => "two rows exclude each other",
            _ => continue,
        };
        found.push(
            Draft::new(constraint.span, format!("the constraint fails if in {} {problem}", view.written(&alter.name)))
                .why("The migration stops there, in production only, where the old rows are.")
                .help("Ask for such rows first and correct them; NOT VALID, where the server has it, holds new rows to it meanwhile."),
        );
    }
}
