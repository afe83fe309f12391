//! What is different between two keyspaces: per database and kind, always in the same order.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Functions, KeyKind, Keys, Keyspace, KindContents, ModuleUse};

/// One thing that is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyspaceDifference {
    /// What kind of difference.
    pub code: KeyspaceDifferenceCode,
    /// The object: `expiring hash keys of database 3`.
    pub object: String,
    /// What was expected, shortly.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// All of it in one sentence for people.
    pub message: String,
}

/// The kinds of difference; their names in reports are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyspaceDifferenceCode {
    /// Fewer keys.
    KeysMissing,
    /// More keys.
    KeysUnexpected,
    /// As many keys, but not the same ones, or with other values or another expiry.
    ValuesDiffer,
    /// Other function libraries.
    FunctionsDiffer,
    /// Modules that wrote more, less or in another version.
    ModulesDiffer,
}

impl fmt::Display for KeyspaceDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything in which `found` is not `expected`. Passing keys may be fewer than expected, or none, but never more.
pub fn differences(expected: &Keyspace, found: &Keyspace) -> Vec<KeyspaceDifference> {
    let mut differences = Vec::new();
    for (database, kind) in places(expected, found) {
        let [expected, found] = [expected, found].map(|keyspace| at(keyspace, database, kind));
        let object = |which: &str| format!("{which} {} keys of database {database}", kind.name());
        differences.extend(compare_keys(object("persistent"), &expected.persistent, &found.persistent));
        differences.extend(compare_keys(object("expiring"), &expected.expiring, &found.expiring));
        if found.passing.keys > expected.passing.keys {
            differences.extend(compare_keys(object("passing"), &expected.passing, &found.passing));
        }
    }
    differences.extend(compare_functions(&expected.functions, &found.functions));
    differences.extend(compare_modules(expected, found));
    differences
}

/// Every database and kind that either side has.
fn places(expected: &Keyspace, found: &Keyspace) -> BTreeSet<(u64, KeyKind)> {
    let databases = expected.databases.iter().chain(&found.databases);
    databases.flat_map(|(database, kinds)| kinds.keys().map(|kind| (*database, *kind))).collect()
}

fn at(keyspace: &Keyspace, database: u64, kind: KeyKind) -> KindContents {
    keyspace.databases.get(&database).and_then(|kinds| kinds.get(&kind)).copied().unwrap_or_default()
}

fn compare_keys(object: String, expected: &Keys, found: &Keys) -> Option<KeyspaceDifference> {
    let code = match found.keys.cmp(&expected.keys) {
        std::cmp::Ordering::Less => KeyspaceDifferenceCode::KeysMissing,
        std::cmp::Ordering::Greater => KeyspaceDifferenceCode::KeysUnexpected,
        std::cmp::Ordering::Equal if expected == found => return None,
        std::cmp::Ordering::Equal => KeyspaceDifferenceCode::ValuesDiffer,
    };
    let text = |keys: &Keys| match code {
        KeyspaceDifferenceCode::ValuesDiffer if expected.elements != found.elements => {
            format!("{} elements", keys.elements)
        }
        KeyspaceDifferenceCode::ValuesDiffer => format!("{} bytes with digest {}", keys.bytes, keys.digest),
        _ => keys.keys.to_string(),
    };
    Some(difference(code, object, text(expected), text(found)))
}

fn compare_functions(expected: &Functions, found: &Functions) -> Option<KeyspaceDifference> {
    let text = |functions: &Functions| format!("{} with digest {}", functions.libraries, functions.digest);
    let (code, object) = (KeyspaceDifferenceCode::FunctionsDiffer, "function libraries".to_owned());
    (expected != found).then(|| difference(code, object, text(expected), text(found)))
}

fn compare_modules(expected: &Keyspace, found: &Keyspace) -> Vec<KeyspaceDifference> {
    let names: BTreeSet<&String> = expected.modules.keys().chain(found.modules.keys()).collect();
    // How many keys there are is compared above, with their expiry; here it is who wrote them, and how.
    let version =
        |module: Option<&ModuleUse>| module.map_or("absent".to_owned(), |it| format!("version {}", it.version));
    let pairs = names.into_iter().map(|name| (name, expected.modules.get(name), found.modules.get(name)));
    let changed = pairs.filter(|(_, expected, found)| version(*expected) != version(*found));
    changed
        .map(|(name, expected, found)| {
            let (code, object) = (KeyspaceDifferenceCode::ModulesDiffer, format!("module type {name}"));
            difference(code, object, version(expected), version(found))
        })
        .collect()
}

fn difference(code: KeyspaceDifferenceCode, object: String, expected: String, found: String) -> KeyspaceDifference {
    let message = match code {
        KeyspaceDifferenceCode::KeysMissing | KeyspaceDifferenceCode::KeysUnexpected => {
            format!("{found} {object}, expected {expected}")
        }
        KeyspaceDifferenceCode::ValuesDiffer => format!("{object} have {found}, expected {expected}"),
        _ => format!("{object} differ: {found}, expected {expected}"),
    };
    KeyspaceDifference { code, object, expected, found, message }
}

#[cfg(test)]
mod tests {
    use super::KeyspaceDifferenceCode::{FunctionsDiffer, KeysMissing, KeysUnexpected, ModulesDiffer};
    use super::*;
    use crate::contents::Digest;

    fn keys(keys: u64, digest: u128) -> Keys {
        Keys { keys, elements: keys, bytes: keys, digest: Digest(digest) }
    }

    fn record(contents: KindContents) -> Keyspace {
        Keyspace { databases: [(3, [(KeyKind::Hash, contents)].into())].into(), ..Keyspace::default() }
    }

    fn check(expected: KindContents, found: KindContents, messages: &[&str]) {
        let found = differences(&record(expected), &record(found));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), messages);
    }

    #[test]
    fn persistent_and_expiring_keys_are_compared_exactly() {
        let with = |persistent, expiring| KindContents { persistent, expiring, ..KindContents::default() };
        check(with(keys(2, 7), keys(1, 8)), with(keys(2, 7), keys(1, 8)), &[]);
        check(
            with(keys(2, 7), keys(1, 8)),
            with(keys(1, 7), keys(2, 8)),
            &["1 persistent hash keys of database 3, expected 2", "2 expiring hash keys of database 3, expected 1"],
        );
        let found = differences(&record(with(keys(2, 7), Keys::default())), &record(with(keys(2, 9), Keys::default())));
        assert_eq!(found[0].code, KeyspaceDifferenceCode::ValuesDiffer);
        assert_eq!(serde_json::to_value(&found[0]).unwrap()["code"], "values-differ");
    }

    #[test]
    fn passing_keys_may_be_gone_but_not_be_more() {
        let with = |passing| KindContents { passing, ..KindContents::default() };
        check(with(keys(3, 7)), with(Keys::default()), &[]);
        check(with(keys(3, 7)), with(keys(2, 1)), &[]);
        check(with(keys(1, 7)), with(keys(2, 1)), &["2 passing hash keys of database 3, expected 1"]);
    }

    #[test]
    fn a_database_a_library_or_a_module_on_one_side_alone_is_a_difference() {
        let contents = KindContents { persistent: keys(1, 1), ..KindContents::default() };
        let full = Keyspace {
            functions: Functions { libraries: 1, bytes: 3, digest: Digest(5) },
            modules: [("graphdata".to_owned(), ModuleUse { version: 19, keys: 1, records: 0 })].into(),
            ..record(contents)
        };
        let (empty, codes) =
            (Keyspace::default(), |found: Vec<KeyspaceDifference>| found.iter().map(|it| it.code).collect::<Vec<_>>());
        assert_eq!(codes(differences(&full, &empty)), [KeysMissing, FunctionsDiffer, ModulesDiffer]);
        assert_eq!(codes(differences(&empty, &full)), [KeysUnexpected, FunctionsDiffer, ModulesDiffer]);
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Keyspace>(&json).unwrap(), full, "{json}");
    }
}
