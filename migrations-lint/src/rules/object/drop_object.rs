//! DROP of views, types, sequences, functions and all else that others may depend on.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{Drop, Kind, Name, ObjectKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleInfo {
        id: "drop-object",
        class: Class::Destructive,
        default_severity: RuleSeverity::Error,
        summary: "A view, type, sequence, function, trigger, policy, extension, role or other object is dropped for good.",
        docs: "Running code that uses it fails. A sequence loses its position, a materialized view its contents, an extension every column \
               of its types (with CASCADE), a policy or trigger the protection it gave.\n\n\
               Silent when the same file creates it again (`DROP VIEW IF EXISTS v; CREATE VIEW v …` replaces it) or has made it.",
        bad: &[
            Example::new("CREATE VIEW v AS SELECT 1;", "DROP VIEW IF EXISTS v;"),
            Example::new("CREATE TYPE mood AS ENUM ('ok');", "DROP TYPE IF EXISTS mood;"),
            Example::new("CREATE SEQUENCE s;", "DROP SEQUENCE IF EXISTS s;"),
            Example::new("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "DROP FUNCTION IF EXISTS f();"),
            Example::new("CREATE EXTENSION pg_trgm;", "DROP EXTENSION IF EXISTS pg_trgm;"),
            Example::new("CREATE ROLE app; CREATE TABLE t (a int); ALTER TABLE t OWNER TO app;", "DROP OWNED BY app;"),
            Example::new("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;", "DROP VIEW IF EXISTS v;").mysql(),
            Example::new(
                "CREATE TABLE t (a int); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;",
                "DROP TRIGGER IF EXISTS tr;",
            )
            .mysql(),
            Example::new("CREATE PROCEDURE p() SELECT 1;", "DROP PROCEDURE IF EXISTS p;").mysql(),
            Example::new("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;", "DROP EVENT IF EXISTS e;").mysql(),
            Example::new("CREATE VIEW v AS SELECT 1 AS a;", "DROP VIEW IF EXISTS v;").sqlite(),
        ],
        good: &[
            Example::new("CREATE VIEW v AS SELECT 1;", "DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT 2;"),
            Example::new(
                "CREATE TABLE t (a int); CREATE POLICY p ON t;",
                "DROP POLICY IF EXISTS p ON t;\nCREATE POLICY p ON t USING (a = 1);",
            ),
        ],
    },
    Engines::All,
    check,
);

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let drop = match view.kind() {
        Kind::Drop(drop) => drop,
        Kind::DropOwned => {
            found.push(
                Draft::new(view.statement.span, "everything that a role owns in this database is dropped")
                    .why("Tables and their rows go with it, whatever the migration's author had in mind.")
                    .help("REASSIGN OWNED BY … TO … first, and name what is to be dropped."),
            );
            return;
        }
        _ => return,
    };
    let Some(what) = word(drop.kind) else { return };
    for name in &drop.names {
        if view.catalog.is_new_object_on(drop.kind, name, drop.on.as_ref()) || is_made_again(view, drop, name) {
            continue;
        }
        let written = view.written(name);
        found.push(
            Draft::new(name.span, format!("{what} {written} is dropped")).why(loss(drop.kind)).help(
                "Drop it in a release after the one that stops using it, or create its successor in the same file.",
            ),
        );
    }
}

fn word(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::Table | ObjectKind::Schema | ObjectKind::Database | ObjectKind::Index => return None,
        ObjectKind::ForeignTable => "foreign table",
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized view",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Type => "type",
        ObjectKind::Domain => "domain",
        ObjectKind::Extension => "extension",
        ObjectKind::Function => "function",
        ObjectKind::Procedure => "procedure",
        ObjectKind::Routine => "routine",
        ObjectKind::Aggregate => "aggregate",
        ObjectKind::Trigger => "trigger",
        ObjectKind::EventTrigger => "event trigger",
        ObjectKind::Policy => "policy",
        ObjectKind::Rule => "rule",
        ObjectKind::Role => "role",
        ObjectKind::Publication => "publication",
        ObjectKind::Subscription => "subscription",
        ObjectKind::Server => "server",
        ObjectKind::Cast => "cast",
        ObjectKind::Operator => "operator",
        ObjectKind::Statistics => "statistics object",
        _ => "object",
    })
}

fn loss(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Sequence => "Its position is lost: a sequence of the same name starts again at its beginning.",
        ObjectKind::MaterializedView => "Its contents are lost and queries on it fail.",
        ObjectKind::Extension => {
            "Functions, types and operators that it brought are gone, and columns of its types with CASCADE."
        }
        ObjectKind::Policy => {
            "With row level security on, the rows it let through can no longer be seen; without it, they always could."
        }
        ObjectKind::Trigger | ObjectKind::EventTrigger | ObjectKind::Rule => {
            "What it enforced or recorded no longer happens, and nothing says so."
        }
        ObjectKind::Role => "Sessions of the role cannot connect again.",
        ObjectKind::Publication | ObjectKind::Subscription => {
            "Replication of what it carried stops; the other side misses changes."
        }
        _ => "Running code that uses it fails from this moment on.",
    }
}

/// Whether the file goes on to create it anew.
fn is_made_again(view: &View<'_>, drop: &Drop, name: &Name) -> bool {
    let same_table = |on: &Option<Name>| match (on, &drop.on) {
        (Some(one), Some(other)) => one.name == other.name,
        _ => true,
    };
    let views = [ObjectKind::View, ObjectKind::MaterializedView, ObjectKind::ForeignTable];
    let routines = [ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Routine, ObjectKind::Aggregate];
    let types = [ObjectKind::Type, ObjectKind::Domain];
    view.following().any(|statement| match &statement.kind {
        Kind::Create(create) => {
            let same_kind = create.kind == drop.kind
                || [&views[..], &routines[..], &types[..]].iter().any(|group| group.contains(&create.kind) && group.contains(&drop.kind));
            same_kind && same_table(&create.on) && (create.name.name == name.name)
        }
        Kind::CreateFunction(create) => routines.contains(&drop.kind) && create.name.name == name.name,
        Kind::CreateTable(create) => views.contains(&drop.kind) && create.name.name == name.name,
        Kind::Role(role) => drop.kind == ObjectKind::Role && role.is_create && role.name.name == name.name,
        Kind::AlterType(alter) => {
            types.contains(&drop.kind)
                && matches!(&alter.action, crate::statement::TypeAction::RenameTo { to } if to.name == name.name)
        }
        _ => false,
    })
    // The usual swap: the old type was renamed aside in this file and its successor took its place.
    || types.contains(&drop.kind)
        && view.preceding().any(|statement| {
            matches!(&statement.kind, Kind::AlterType(alter)
                if matches!(&alter.action, crate::statement::TypeAction::RenameTo { to } if to.name == name.name))
        })
}
