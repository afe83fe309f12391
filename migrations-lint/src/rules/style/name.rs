//! Names that are too long, or leave the schema to the search path; columns named twice.

use rustc_hash::FxHashSet;

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{Kind, Name};

/// `NAMEDATALEN - 1`.
const MAX_BYTES: usize = 63;

pub(crate) static TOO_LONG: Rule = Rule::new(
    RuleInfo {
        id: "identifier-too-long",
        class: Class::Style,
        default_severity: RuleSeverity::Off,
        summary: "A name has more than 63 bytes: the server cuts it off, and what was meant to differ may become equal.",
        docs: "PostgreSQL cuts with a notice only.",
        bad: &[Example::new(
            "",
            "CREATE TABLE IF NOT EXISTS a_name_that_goes_on_and_on_until_the_server_stops_reading_its_letters (a int);",
        )],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS short (a int);")],
    },
    Engines::PostgreSql,
    too_long,
);

pub(crate) static UNQUALIFIED: Rule = Rule::new(
    RuleInfo {
        id: "unqualified-name",
        class: Class::Style,
        default_severity: RuleSeverity::Off,
        summary: "A table is created or altered without its schema: the search path of whoever runs the migration decides.",
        docs: "Write `public.t`, or set `search_path` at the start of the file.",
        bad: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a int);")],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS public.t (a int);")],
    },
    Engines::PostgreSql,
    unqualified,
);

pub(crate) static DUPLICATE_COLUMN: Rule = Rule::new(
    RuleInfo {
        id: "duplicate-column",
        class: Class::MayFail,
        default_severity: RuleSeverity::Error,
        summary: "A table is created with two columns of one name, which always fails.",
        docs: "The server refuses the statement.",
        bad: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a int, b int, a text);")],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a int, b int);")],
    },
    Engines::All,
    duplicate_column,
);

fn created_name<'a>(view: &View<'a>) -> Option<(&'a str, Span)> {
    match view.kind() {
        Kind::CreateTable(create) => Some((&create.name.name, create.name.span)),
        Kind::Create(create) => Some((&create.name.name, create.name.span)),
        Kind::CreateFunction(create) => Some((&create.name.name, create.name.span)),
        Kind::CreateIndex(create) => create.name.as_ref().map(|name| (&*name.name, name.span)),
        _ => None,
    }
}

fn too_long(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Some((name, span)) = created_name(view).filter(|(name, _)| name.len() > MAX_BYTES) {
        found.push(
            Draft::new(span, format!("the name has {} bytes and is cut off after {MAX_BYTES}", name.len()))
                .why("Two long names that differ at the end become one, and code that compares names does not find it.")
                .help("Choose a shorter name."),
        );
    }
}

fn unqualified(view: &View<'_>, found: &mut Vec<Draft>) {
    let name: &Name = match view.kind() {
        Kind::CreateTable(create) if !create.is_temporary => &create.name,
        Kind::AlterTable(alter) => &alter.name,
        _ => return,
    };
    if name.schema.is_none() && view.catalog.setting("search_path").is_none() {
        found.push(
            Draft::new(name.span, format!("{} is found by the search path", view.written(name)))
                .why("Whoever runs the migration may have another search path, and another table of that name.")
                .help(format!("Write the schema: public.{}", view.written(name))),
        );
    }
}

/// A statement with more mistakes of one kind is not written by hand.
const MAX_SHOWN: usize = 100;

fn duplicate_column(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateTable(create) = view.kind() else { return };
    let mut seen = FxHashSet::default();
    for column in create.columns.iter().filter(|column| !seen.insert(&column.name.name)).take(MAX_SHOWN) {
        found.push(
            Draft::new(column.name.span, format!("column {} is there twice", column.name.name))
                .why("The server refuses the statement.")
                .help("Leave one of them out."),
        );
    }
}
