//! ADD COLUMN that writes the table anew: volatile defaults, stored generated columns, serials and identities.

use super::volatility::volatile_call;
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, Column, Generated, Kind};

pub(crate) static REWRITES: Rule = Rule::new(
    RuleInfo {
        id: "add-column-rewrites-table",
        class: Class::Lock,
        default_severity: RuleSeverity::Error,
        summary: "A column is added whose value differs per row, so the whole table is written anew under a lock.",
        docs: "Since PostgreSQL 11 a constant default (and a STABLE one like `now()`) is kept in the catalogue and costs nothing. A VOLATILE \
               function (`random()`, `clock_timestamp()`, `gen_random_uuid()`, `nextval()`), a serial or identity column, and a stored generated \
               column need a value in each row: the server copies the table and all its indexes under `ACCESS EXCLUSIVE`. Add the column \
               without a default, set the default afterwards (it holds for new rows only), and back-fill in batches.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS k uuid DEFAULT gen_random_uuid();"),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS at timestamptz NOT NULL DEFAULT clock_timestamp();",
            ),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS n bigserial;"),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS n bigint GENERATED ALWAYS AS IDENTITY;",
            ),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int GENERATED ALWAYS AS (a * 2) STORED;",
            ),
        ],
        good: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS at timestamptz NOT NULL DEFAULT now();"),
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS s text DEFAULT lower('A');"),
            Example::new(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS k uuid;\nALTER TABLE t ALTER COLUMN k SET DEFAULT gen_random_uuid();",
            ),
        ],
    },
    Engines::PostgreSql,
    rewrites,
)
.in_downs();

pub(crate) static JSON: Rule = Rule::new(
    RuleInfo {
        id: "add-column-json",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A json column is added: the type has no equality, so SELECT DISTINCT and GROUP BY over the whole row fail.",
        docs: "`jsonb` has equality, is smaller to process and can be indexed.",
        bad: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS doc json;")],
        good: &[Example::new("CREATE TABLE t (a int);", "ALTER TABLE t ADD COLUMN IF NOT EXISTS doc jsonb;")],
    },
    Engines::PostgreSql,
    json,
);

fn added<'a>(view: &View<'a>) -> Vec<(&'a Column, crate::source_text::Span, &'a str)> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    if view.catalog.is_new(&alter.name) {
        return Vec::new();
    }
    let table = view.written(&alter.name);
    let columns = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::AddColumn { column, .. } => Some((&**column, action.span, table)),
        _ => None,
    });
    columns.collect()
}

fn rewrites(view: &View<'_>, found: &mut Vec<Draft>) {
    // A table that the file has emptied is copied in no time.
    if matches!(view.kind(), Kind::AlterTable(alter) if view.catalog.has_no_rows(&alter.name)) {
        return;
    }
    for (column, span, table) in added(view) {
        let cause = if column.ty.name.ends_with("serial") {
            format!("{} numbers every row", column.ty.name)
        } else if column.is_identity {
            "an identity numbers every row".to_owned()
        } else if column.generated == Generated::Stored {
            "a stored generated column is computed for every row".to_owned()
        } else if let Some(call) = column.default.as_ref().and_then(volatile_call) {
            format!("its default calls {call}(), which is not known to give every row the same value")
        } else if view.part.version.major < 11 && column.default.as_ref().is_some_and(|default| !default.is_null) {
            "before PostgreSQL 11 any default is written into every row".to_owned()
        } else {
            continue;
        };
        let name = view.quoted(&column.name.name);
        found.push(
            Draft::new(span, format!("adding {} writes all of {table} anew: {cause}", column.name.name))
                .why("ACCESS EXCLUSIVE for as long as the copy of the table and its indexes takes: all reads and writes wait.")
                .help(if column.generated == Generated::Stored {
                    format!("Add {name} as an ordinary column, let a trigger fill it for new rows, then back-fill in batches.")
                } else {
                    format!("Add {name} without a default, then ALTER COLUMN {name} SET DEFAULT …, then back-fill in batches.")
                }),
        );
    }
}

fn json(view: &View<'_>, found: &mut Vec<Draft>) {
    for (column, span, _) in added(view).into_iter().filter(|(column, ..)| &*column.ty.name == "json") {
        found.push(
            Draft::new(span, format!("column {} has type json, which has no equality", column.name.name))
                .why("SELECT DISTINCT, GROUP BY and UNION over rows of the table fail from now on.")
                .help("Use jsonb."),
        );
    }
}
