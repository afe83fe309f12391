//! ALTER COLUMN … TYPE: which changes are free, which rewrite the table, which fail or lose data.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, Expr, Ident, Kind, Name, Type};

pub(crate) static REWRITES: Rule = Rule::new(
    RuleInfo {
        id: "change-column-type",
        class: Class::Lock,
        default_severity: RuleSeverity::Error,
        summary: "A column gets a type for which the whole table is written anew under a lock.",
        docs: "Free of cost are: a longer or unlimited `varchar`, `varchar` to `text` and back without a limit, `citext` from and to `text`, more \
               precision of `numeric` at the same scale, of `timestamp`, `timestamptz`, `time` and `interval`, a longer `varbit`, `cidr` to \
               `inet`. Everything else copies the table and its indexes under `ACCESS EXCLUSIVE`. Add a column of the new type, write both, \
               back-fill in batches, move the readers, drop the old one.\n\n\
               The old type is known when a migration of the set has made the column.",
        bad: &[
            Example::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1);", "ALTER TABLE t ALTER COLUMN a TYPE bigint;"),
            Example::new("CREATE TABLE t (a text); INSERT INTO t VALUES ('1');", "ALTER TABLE t ALTER COLUMN a TYPE int USING a::int;"),
        ],
        good: &[],
    },
    Engines::PostgreSql,
    rewrites,
)
.in_downs();

pub(crate) static BREAKS: Rule = Rule::new(
    RuleInfo {
        id: "change-column-type-breaks-code",
        class: Class::Breaking,
        default_severity: RuleSeverity::Warning,
        summary: "A column changes its type under code that reads and writes the old one.",
        docs: "Prepared statements, ORM mappings and views that use the column fail or convert on their own. Silent where the new type only admits \
               more of the same values.",
        bad: &[Example::new(
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('1');",
            "ALTER TABLE t ALTER COLUMN a TYPE int USING a::int;",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    breaks,
);

pub(crate) static NARROWS: Rule = Rule::new(
    RuleInfo {
        id: "narrow-column-type",
        class: Class::MayFail,
        default_severity: RuleSeverity::Warning,
        summary: "A column gets a type that not every stored value fits.",
        docs: "The statement fails at the first value that does not fit: a string that is too long, a number out of range, a text that is no number.",
        bad: &[Example::new(
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('abc');",
            "ALTER TABLE t ALTER COLUMN a TYPE varchar(2);",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    narrows,
);

pub(crate) static LOSES: Rule = Rule::new(
    RuleInfo {
        id: "lossy-type-change",
        class: Class::Irreversible,
        default_severity: RuleSeverity::Warning,
        summary: "A change of type throws part of each value away; changing it back does not bring that back.",
        docs: "`timestamp` to `date`, `numeric` to an integer or a smaller scale, a USING that cuts or rounds. Keep the old column until \
               nobody can need it.",
        bad: &[Example::new(
            "CREATE TABLE t (a numeric(10,2)); INSERT INTO t VALUES (1.23);",
            "ALTER TABLE t ALTER COLUMN a TYPE int USING round(a)::int;",
        )],
        good: &[],
    },
    Engines::PostgreSql,
    loses,
);

/// One change of one column.
struct Change<'a> {
    table: &'a Name,
    column: &'a Ident,
    from: Option<Type>,
    to: &'a Type,
    using: Option<&'a Expr>,
    span: Span,
    /// With the session in UTC, `timestamp` and `timestamptz` hold the same bytes (PostgreSQL 12 and later).
    is_utc: bool,
}

fn changes<'a>(view: &View<'a>) -> Vec<Change<'a>> {
    let Kind::AlterTable(alter) = view.kind() else { return Vec::new() };
    let is_utc = view.part.version.major >= 12
        && view
            .catalog
            .setting("timezone")
            .is_some_and(|zone| matches!(&*zone.to_ascii_lowercase(), "utc" | "gmt" | "etc/utc"));
    let changes = alter.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::AlterType { column, ty, using } if !view.catalog.is_new_column(&alter.name, &column.name) => {
            Some(Change {
                table: &alter.name,
                column,
                from: view.catalog.column(&alter.name, &column.name).and_then(|facts| facts.ty.clone()).map(stored),
                to: ty,
                using: using.as_ref(),
                span: action.span,
                is_utc,
            })
        }
        _ => None,
    });
    changes.collect()
}

impl Change<'_> {
    /// As `ATColumnChangeRequiresRewrite` in PostgreSQL's `tablecmds.c` decides, for what the files tell.
    fn is_free(&self) -> bool {
        let is_plain =
            self.using.is_none_or(|using| using.calls.is_empty() && using.words.len() == 1 && !using.has_arithmetic);
        is_plain && self.from.as_ref().is_some_and(|from| is_free(&self.in_session(from), self.to))
    }
}

impl Change<'_> {
    /// The old type as the session sees its bytes.
    fn in_session(&self, from: &Type) -> Type {
        let is_moment = |ty: &Type| matches!(&*ty.name, "timestamp" | "timestamptz");
        let mut from = from.clone();
        if self.is_utc && is_moment(&from) && is_moment(self.to) {
            from.name.clone_from(&self.to.name);
        }
        from
    }
}

/// Kinds of text that hold the same bytes.
const TEXTS: &[&str] = &["varchar", "text", "citext"];

fn is_free(from: &Type, to: &Type) -> bool {
    if from.is_array != to.is_array {
        return false;
    }
    let (from_name, to_name) = (&*from.name, &*to.name);
    let grows = |from: Option<&i64>, to: Option<&i64>| match (from, to) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(to)) => to >= from,
    };
    if TEXTS.contains(&from_name) && TEXTS.contains(&to_name) {
        return grows(from.modifiers.first(), to.modifiers.first());
    }
    match (from_name, to_name) {
        ("numeric", "numeric") => {
            to.modifiers.is_empty()
                || !from.modifiers.is_empty()
                    && grows(from.modifiers.first(), to.modifiers.first())
                    && from.modifiers.get(1).unwrap_or(&0) == to.modifiers.get(1).unwrap_or(&0)
        }
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", _) if from_name == to_name => {
            // Six digits are all there are.
            to.modifiers.first().is_none_or(|to| *to >= 6) || grows(from.modifiers.first(), to.modifiers.first())
        }
        ("varbit", "varbit") => grows(from.modifiers.first(), to.modifiers.first()),
        ("cidr", "inet") | ("xml", "text") | ("int4", "oid") | ("oid", "int4") => true,
        _ => from_name == to_name && from.modifiers == to.modifiers,
    }
}

/// A serial is an integer with a default.
fn stored(mut ty: Type) -> Type {
    ty.name = match &*ty.name {
        "serial" => "int4".into(),
        "bigserial" => "int8".into(),
        "smallserial" => "int2".into(),
        _ => ty.name,
    };
    ty
}

/// Whether every old value is a new one as it stands.
fn is_widening(from: &Type, to: &Type) -> bool {
    const ORDER: &[&str] = &["int2", "int4", "int8", "numeric"];
    let rank = |ty: &Type| ORDER.iter().position(|name| **name == *ty.name);
    match (rank(from), rank(to)) {
        (Some(from_rank), Some(to_rank)) if to.modifiers.is_empty() => to_rank > from_rank,
        _ => matches!(
            (&*from.name, &*to.name),
            ("float4", "float8") | ("json", "jsonb") | ("date", "timestamp" | "timestamptz")
        ),
    }
}

fn described(ty: Option<&Type>) -> String {
    ty.map_or_else(
        || "a type that no migration of the set tells".to_owned(),
        |ty| {
            let modifiers: Vec<String> = ty.modifiers.iter().map(ToString::to_string).collect();
            let array = if ty.is_array { "[]" } else { "" };
            if modifiers.is_empty() {
                format!("{}{array}", ty.name)
            } else {
                format!("{}({}){array}", ty.name, modifiers.join(","))
            }
        },
    )
}

fn rewrites(view: &View<'_>, found: &mut Vec<Draft>) {
    for change in
        changes(view).into_iter().filter(|change| !change.is_free() && !view.catalog.has_no_rows(change.table))
    {
        let (table, column) = (view.written(change.table), &change.column.name);
        let message = format!(
            "changing {column} of {table} from {} to {} writes the whole table anew",
            described(change.from.as_ref()),
            view.text(change.to.span)
        );
        found.push(
            Draft::new(change.span, message)
                .why("ACCESS EXCLUSIVE for as long as the copy of the table and its indexes takes: all reads and writes wait.")
                .help(format!("Add a column of type {}, write both, back-fill in batches, move the readers, drop {} later.", view.text(change.to.span), view.quoted(column))),
        );
    }
}

fn breaks(view: &View<'_>, found: &mut Vec<Draft>) {
    for change in changes(view) {
        let is_compatible = change.is_free()
            || change.from.as_ref().is_some_and(|from| is_widening(from, change.to) || narrows_text(from, change.to));
        if is_compatible {
            continue;
        }
        found.push(
            Draft::new(
                change.span,
                format!(
                    "running code reads and writes {} of {} with its old type",
                    change.column.name,
                    view.written(change.table)
                ),
            )
            .why("Prepared statements, mappings and comparisons made for the old type fail or convert on their own.")
            .help("Add a column of the new type and move readers and writers over before the old one goes."),
        );
    }
}

fn narrows_text(from: &Type, to: &Type) -> bool {
    TEXTS.contains(&&*from.name) && TEXTS.contains(&&*to.name)
}

/// Whether a value of the old type may not be one of the new.
fn is_narrowing(from: &Type, to: &Type) -> bool {
    const INTEGERS: &[&str] = &["int2", "int4", "int8"];
    let rank = |ty: &Type| INTEGERS.iter().position(|name| **name == *ty.name);
    let is_text = |ty: &Type| TEXTS.contains(&&*ty.name) || &*ty.name == "bpchar";
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => to < from,
        (None, Some(_)) => &*from.name != "bool",
        (None, None) if &*from.name == "bpchar" && &*to.name == "varchar" => {
            // The blanks at the end do not count.
            to.modifiers.first().is_some_and(|to| from.modifiers.first().unwrap_or(&1) > to)
        }
        _ if is_text(from) && is_text(to) => !is_free(from, to) && !to.modifiers.is_empty(),
        _ if is_text(from) => true,
        _ => {
            &*from.name == "numeric"
                && &*to.name == "numeric"
                && !is_free(from, to)
                && from.modifiers.first() > to.modifiers.first()
                || &*from.name == "jsonb" && &*to.name != "text" && &*to.name != "json"
        }
    }
}

fn narrows(view: &View<'_>, found: &mut Vec<Draft>) {
    for change in changes(view) {
        let is_narrowing = match &change.from {
            _ if view.catalog.has_no_rows(change.table) => false,
            Some(from) => is_narrowing(from, change.to),
            // A limit or an integer type cut from what nobody knows may not hold it.
            None => {
                matches!(&*change.to.name, "int2" | "int4")
                    || &*change.to.name == "varchar" && !change.to.modifiers.is_empty()
            }
        };
        if is_narrowing {
            found.push(
                Draft::new(
                    change.span,
                    format!(
                        "a value of {} in {} may not fit {}",
                        change.column.name,
                        view.written(change.table),
                        view.text(change.to.span)
                    ),
                )
                .why("The statement fails at the first such value, in production only, where the old rows are.")
                .help("Ask for rows that do not fit first, and correct them."),
            );
        }
    }
}

/// Functions that throw part of a value away.
const CUTS: &[&str] =
    &["left", "right", "substring", "substr", "round", "trunc", "floor", "ceil", "date_trunc", "date", "split_part"];

fn loses(view: &View<'_>, found: &mut Vec<Draft>) {
    for change in changes(view) {
        // What reads no column at all writes the same into every row.
        let cuts = change.using.is_some_and(|using| {
            using.calls.iter().any(|call| CUTS.contains(&&**call)) || using.words.is_empty() && !using.has_subquery
        });
        let is_lossy = change.from.as_ref().is_some_and(|from| {
            let scale = |ty: &Type| ty.modifiers.get(1).copied().unwrap_or(0);
            match (&*from.name, &*change.to.name) {
                ("timestamp" | "timestamptz", "date" | "time")
                | ("numeric" | "float4" | "float8", "int2" | "int4" | "int8")
                | ("float8", "float4") => true,
                ("numeric", "numeric") => !change.to.modifiers.is_empty() && scale(change.to) < scale(from),
                _ => false,
            }
        });
        if (cuts || is_lossy) && !view.catalog.has_no_rows(change.table) {
            found.push(
                Draft::new(
                    change.span,
                    format!(
                        "part of each value of {} in {} is thrown away",
                        change.column.name,
                        view.written(change.table)
                    ),
                )
                .why("Changing the type back does not bring it back; only a restore does.")
                .help("Write the converted value into a new column, and keep the old one until nobody can need it."),
            );
        }
    }
}
