//! What is different between two records, object by object and always in the same order.
//!
//! Definitions are compared by their canonical digest. Not compared is what only names or configures the database as a
//! whole, since a scratch database has another name and owner and `pg_restore` uses these entries with `--create`
//! alone: `DATABASE`, `DATABASE PROPERTIES`, and comments, grants and labels on the database.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keyspace::{self, Keyspace, KeyspaceDifference, KeyspaceDifferenceCode};
use super::{Contents, LargeObjects, SchemaEntry, SequenceState, TableContents};

/// One object that is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What kind of difference.
    pub code: DifferenceCode,
    /// The object: `table public.orders`, `INDEX public.orders_pkey`.
    pub object: String,
    /// What was expected, shortly; empty if nothing was.
    pub expected: String,
    /// What was found; empty if nothing was.
    pub found: String,
    /// All of it in one sentence for people.
    pub message: String,
}

/// The kinds of difference; their names in reports are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceCode {
    /// A table's rows are not there at all.
    TableMissing,
    /// Rows of a table that was not expected.
    TableUnexpected,
    /// A table has other columns.
    ColumnsDiffer,
    /// A table has more or fewer rows.
    RowsDiffer,
    /// A table has as many rows, but not the same ones.
    DigestDiffers,
    /// A sequence is elsewhere, missing or unexpected.
    SequenceDiffers,
    /// Other large objects, or other bytes in them.
    LargeObjectsDiffer,
    /// A definition is not there.
    ObjectMissing,
    /// A definition that was not expected.
    ObjectUnexpected,
    /// An object is defined in another way.
    DefinitionDiffers,
    /// An object belongs to another role.
    OwnerDiffers,
    /// Fewer keys of a kind.
    KeysMissing,
    /// More keys of a kind.
    KeysUnexpected,
    /// As many keys, but not the same ones, or with other values or another expiry.
    ValuesDiffer,
    /// Other function libraries.
    FunctionsDiffer,
    /// Modules that wrote more, less or in another version.
    ModulesDiffer,
}

impl Difference {
    /// Whether it is about owners and grants alone, which a restore may leave out on purpose.
    pub fn is_about_roles(&self) -> bool {
        let is_grant = self.object.starts_with("ACL ") || self.object.starts_with("DEFAULT ACL ");
        is_grant || self.code == DifferenceCode::OwnerDiffers
    }

    /// Whether something is there that was not expected, and nothing else.
    pub fn is_surplus(&self) -> bool {
        matches!(self.code, DifferenceCode::TableUnexpected | DifferenceCode::ObjectUnexpected)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything in which `found` is not `expected`: tables, sequences, large objects, then definitions, each by name; of a
/// keyspace, its keys by database and kind.
pub fn differences(expected: &Contents, found: &Contents) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, pair) in pairs(&expected.tables, &found.tables) {
        differences.extend(compare_tables(name, pair));
    }
    for (name, pair) in pairs(&expected.sequences, &found.sequences) {
        differences.extend(compare_sequences(name, pair));
    }
    differences.extend(compare_large_objects(&expected.large_objects, &found.large_objects));
    for (name, pair) in pairs(&schema_by_name(expected), &schema_by_name(found)) {
        let (expected, found) = (pair.0.map_or(&[][..], Vec::as_slice), pair.1.map_or(&[][..], Vec::as_slice));
        differences.extend(compare_entries(name, expected, found));
    }
    let none = Keyspace::default();
    let (left, right) = (expected.keyspace.as_ref().unwrap_or(&none), found.keyspace.as_ref().unwrap_or(&none));
    differences.extend(keyspace::differences(left, right).into_iter().map(Difference::from));
    differences
}

impl From<KeyspaceDifference> for Difference {
    fn from(difference: KeyspaceDifference) -> Self {
        let KeyspaceDifference { code, object, expected, found, message } = difference;
        let code = match code {
            KeyspaceDifferenceCode::KeysMissing => DifferenceCode::KeysMissing,
            KeyspaceDifferenceCode::KeysUnexpected => DifferenceCode::KeysUnexpected,
            KeyspaceDifferenceCode::ValuesDiffer => DifferenceCode::ValuesDiffer,
            KeyspaceDifferenceCode::FunctionsDiffer => DifferenceCode::FunctionsDiffer,
            KeyspaceDifferenceCode::ModulesDiffer => DifferenceCode::ModulesDiffer,
        };
        Self { code, object, expected, found, message }
    }
}

/// What either side has under a name.
type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// The union of two maps, by key.
fn pairs<'a, K: Ord, T>(expected: &'a BTreeMap<K, T>, found: &'a BTreeMap<K, T>) -> BTreeMap<&'a K, Pair<'a, T>> {
    let mut pairs: BTreeMap<&K, Pair<'_, T>> = expected.iter().map(|(key, value)| (key, (Some(value), None))).collect();
    for (key, value) in found {
        pairs.entry(key).or_default().1 = Some(value);
    }
    pairs
}

fn compare_tables(name: &str, pair: Pair<'_, TableContents>) -> Vec<Difference> {
    let object = format!("table {name}");
    let rows = |table: &TableContents| format!("{} rows", table.rows);
    match pair {
        (Some(expected), None) => vec![difference(DifferenceCode::TableMissing, object, rows(expected), String::new())],
        (None, Some(found)) => vec![difference(DifferenceCode::TableUnexpected, object, String::new(), rows(found))],
        (Some(expected), Some(found)) => compare_rows(&object, expected, found),
        (None, None) => Vec::new(),
    }
}

fn compare_rows(object: &str, expected: &TableContents, found: &TableContents) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |code, expected, found| differences.push(difference(code, object.to_owned(), expected, found));
    if expected.columns != found.columns {
        differ(DifferenceCode::ColumnsDiffer, expected.columns.join(", "), found.columns.join(", "));
    }
    if expected.rows != found.rows {
        differ(DifferenceCode::RowsDiffer, format!("{} rows", expected.rows), format!("{} rows", found.rows));
    } else if expected.columns == found.columns && expected.digest != found.digest {
        let text = |table: &TableContents| format!("{} rows with digest {}", table.rows, table.digest);
        differ(DifferenceCode::DigestDiffers, text(expected), text(found));
    }
    differences
}

fn compare_sequences(name: &str, (expected, found): Pair<'_, SequenceState>) -> Option<Difference> {
    let text = |state: Option<&SequenceState>| {
        let called = |state: &SequenceState| if state.is_called { "used" } else { "next" };
        state.map_or_else(String::new, |state| format!("{} ({})", state.last_value, called(state)))
    };
    let object = format!("sequence {name}");
    (expected != found).then(|| difference(DifferenceCode::SequenceDiffers, object, text(expected), text(found)))
}

fn compare_large_objects(expected: &LargeObjects, found: &LargeObjects) -> Option<Difference> {
    let content = |objects: &LargeObjects| (objects.count, objects.bytes, objects.digest);
    let object = "large objects".to_owned();
    if content(expected) != content(found) {
        let text = |objects: &LargeObjects| {
            format!("{} objects of {} bytes with digest {}", objects.count, objects.bytes, objects.digest)
        };
        return Some(difference(DifferenceCode::LargeObjectsDiffer, object, text(expected), text(found)));
    }
    let text = |objects: &LargeObjects| format!("owners with digest {}", objects.owners);
    (expected.owners != found.owners)
        .then(|| difference(DifferenceCode::OwnerDiffers, object, text(expected), text(found)))
}

/// Kind, schema and tag. Several entries may share them, such as default privileges of several roles.
type EntryName = (String, String, String);

fn schema_by_name(contents: &Contents) -> BTreeMap<EntryName, Vec<&SchemaEntry>> {
    let mut by_name: BTreeMap<EntryName, Vec<&SchemaEntry>> = BTreeMap::new();
    for entry in contents.schema.iter().filter(|entry| !is_about_database(entry)) {
        by_name.entry((entry.kind.clone(), entry.schema.clone(), entry.name.clone())).or_default().push(entry);
    }
    for entries in by_name.values_mut() {
        entries.sort_by_key(|entry| (entry.canonical.0, &entry.owner));
    }
    by_name
}

fn is_about_database(entry: &SchemaEntry) -> bool {
    match entry.kind.as_str() {
        "DATABASE" | "DATABASE PROPERTIES" => true,
        "COMMENT" | "ACL" | "SECURITY LABEL" => entry.schema.is_empty() && entry.name.starts_with("DATABASE "),
        _ => false,
    }
}

fn compare_entries(name: &EntryName, expected: &[&SchemaEntry], found: &[&SchemaEntry]) -> Vec<Difference> {
    let object = object_name(name);
    // Entries that share a name are paired only after those that agree have left.
    let (left, right) = (without(expected, found), without(found, expected));
    let n_pairs = left.len().min(right.len());
    let definition = |entry: &SchemaEntry| format!("definition {}", entry.canonical);
    let mut differences: Vec<_> =
        left.iter().zip(&right).flat_map(|(left, right)| compare_entry(&object, left, right)).collect();
    differences.extend(
        left[n_pairs..].iter().map(|missing| {
            difference(DifferenceCode::ObjectMissing, object.clone(), definition(missing), String::new())
        }),
    );
    differences.extend(right[n_pairs..].iter().map(|unexpected| {
        difference(DifferenceCode::ObjectUnexpected, object.clone(), String::new(), definition(unexpected))
    }));
    differences
}

/// `INDEX public.orders_pkey`, `ACL on TABLE orders in schema public`: the tag of the latter names a kind too.
fn object_name((kind, schema, tag): &EntryName) -> String {
    match (kind.as_str(), schema.is_empty()) {
        ("ACL" | "COMMENT" | "SECURITY LABEL", true) => format!("{kind} on {tag}"),
        ("ACL" | "COMMENT" | "SECURITY LABEL", false) => format!("{kind} on {tag} in schema {schema}"),
        (_, true) => format!("{kind} {tag}"),
        (_, false) => format!("{kind} {schema}.{tag}"),
    }
}

/// The entries that have no equal among the others, each of which counts once.
fn without<'a>(entries: &[&'a SchemaEntry], others: &[&SchemaEntry]) -> Vec<&'a SchemaEntry> {
    let mut others = others.to_vec();
    let is_alone = |entry: &&&SchemaEntry| {
        let equal = others.iter().position(|other| entry.canonical == other.canonical && same_owner(entry, other));
        equal.map(|position| others.swap_remove(position)).is_none()
    };
    entries.iter().filter(is_alone).copied().collect()
}

fn compare_entry(object: &str, expected: &SchemaEntry, found: &SchemaEntry) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |code, expected, found| differences.push(difference(code, object.to_owned(), expected, found));
    if expected.canonical != found.canonical {
        let text = |entry: &SchemaEntry| format!("definition {}", entry.canonical);
        differ(DifferenceCode::DefinitionDiffers, text(expected), text(found));
    }
    if !same_owner(expected, found) {
        differ(DifferenceCode::OwnerDiffers, expected.owner.clone(), found.owner.clone());
    }
    differences
}

/// Constraints, indexes and the like belong to their table's owner: one difference is enough.
fn same_owner(one: &SchemaEntry, other: &SchemaEntry) -> bool {
    one.owner == other.owner || PARTS_OF_OTHERS.contains(&one.kind.as_str())
}

/// The archive's words for entries that have no owner of their own.
const PARTS_OF_OTHERS: [&str; 20] = [
    "ACL",
    "CHECK CONSTRAINT",
    "COMMENT",
    "CONSTRAINT",
    "DEFAULT",
    "DEFAULT ACL",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "MATERIALIZED VIEW DATA",
    "POLICY",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "ROW SECURITY",
    "RULE",
    "SECURITY LABEL",
    "SEQUENCE OWNED BY",
    "TABLE ATTACH",
    "TRIGGER",
    "USER MAPPING",
];

fn difference(code: DifferenceCode, object: String, expected: String, found: String) -> Difference {
    let message = match code {
        DifferenceCode::TableMissing | DifferenceCode::ObjectMissing => format!("{object} is missing ({expected})"),
        DifferenceCode::TableUnexpected | DifferenceCode::ObjectUnexpected => {
            format!("{object} was not expected ({found})")
        }
        DifferenceCode::ColumnsDiffer => format!("{object} has the columns ({found}), expected ({expected})"),
        DifferenceCode::RowsDiffer => format!("{object} has {found}, expected {expected}"),
        DifferenceCode::DigestDiffers => format!("{object} has other rows: {found}, expected {expected}"),
        DifferenceCode::SequenceDiffers => match (expected.is_empty(), found.is_empty()) {
            (_, true) => format!("{object} is missing (expected at {expected})"),
            (true, _) => format!("{object} was not expected (at {found})"),
            _ => format!("{object} is at {found}, expected {expected}"),
        },
        DifferenceCode::LargeObjectsDiffer
        | DifferenceCode::ValuesDiffer
        | DifferenceCode::FunctionsDiffer
        | DifferenceCode::ModulesDiffer => format!("{object} differ: {found}, expected {expected}"),
        DifferenceCode::KeysMissing | DifferenceCode::KeysUnexpected => {
            format!("{found} {object}, expected {expected}")
        }
        DifferenceCode::DefinitionDiffers => format!("{object} is defined differently: {found}, expected {expected}"),
        DifferenceCode::OwnerDiffers => format!("{object} belongs to {found}, expected {expected}"),
    };
    Difference { code, object, expected, found, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::Digest;

    fn entry(kind: &str, name: &str, canonical: u128) -> SchemaEntry {
        let [schema, owner] = ["public", "app"].map(str::to_owned);
        let (digest, canonical) = (Digest(0), Digest(canonical));
        SchemaEntry { kind: kind.to_owned(), schema, name: name.to_owned(), owner, digest, canonical }
    }

    fn check(expected: Vec<SchemaEntry>, found: Vec<SchemaEntry>, codes: &[DifferenceCode]) {
        let record = |schema| Contents { schema, ..Contents::default() };
        let differences = differences(&record(expected), &record(found));
        assert_eq!(differences.iter().map(|difference| difference.code).collect::<Vec<_>>(), codes);
    }

    #[test]
    fn entries_of_one_name_are_compared_as_a_set() {
        let grants = |digests: &[u128]| digests.iter().map(|digest| entry("DEFAULT ACL", "t", *digest)).collect();
        check(grants(&[1, 2]), grants(&[2, 1]), &[]);
        check(grants(&[1, 2, 2]), grants(&[2, 1]), &[DifferenceCode::ObjectMissing]);
        check(grants(&[1]), grants(&[1, 1]), &[DifferenceCode::ObjectUnexpected]);
        check(grants(&[1, 2]), grants(&[2, 3]), &[DifferenceCode::DefinitionDiffers]);
    }

    #[test]
    fn the_database_itself_may_have_another_name_and_owner() {
        let mut comment = entry("COMMENT", "DATABASE shop", 1);
        comment.schema.clear();
        check(vec![entry("DATABASE", "shop", 1), comment], vec![entry("DATABASE", "scratch", 2)], &[]);
        check(vec![entry("COMMENT", "DATABASE shop", 1)], vec![], &[DifferenceCode::ObjectMissing]);
    }

    #[test]
    fn an_owner_counts_once_for_a_table_and_its_parts() {
        let owned = |owner: &str| {
            let entries = [entry("TABLE", "t", 1), entry("INDEX", "i", 1), entry("ACL", "TABLE t", 1)];
            entries.map(|entry| SchemaEntry { owner: owner.to_owned(), ..entry }).to_vec()
        };
        check(owned("app"), owned("other"), &[DifferenceCode::OwnerDiffers]);
    }

    #[test]
    fn a_difference_reads_as_a_sentence() {
        let table = |rows| TableContents { rows, ..TableContents::default() };
        let record = |rows| Contents { tables: [("public.t".to_owned(), table(rows))].into(), ..Contents::default() };
        let found = differences(&record(3), &record(2));
        assert_eq!(found[0].to_string(), "table public.t has 2 rows, expected 3 rows");
        assert_eq!(serde_json::to_value(&found[0]).unwrap()["code"], "rows-differ");
        assert_eq!(differences(&record(3), &Contents::default())[0].to_string(), "table public.t is missing (3 rows)");
    }
}
