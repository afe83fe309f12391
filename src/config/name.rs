//! The name of a source: a folder of the store, an argument on the command line, a label of a metric.

use std::fmt;
use std::str::FromStr;

use crate::store::Key;

/// A source's name: one segment of a store key that is not taken by the repository itself and is not mistaken for a flag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(String);

/// Why a text is not a source's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name for a source: {reason}")]
pub struct NameError {
    text: String,
    reason: &'static str,
}

/// What the repository keeps at its root beside the sources.
const TAKEN: [&str; 2] = ["leases", "guard.json"];

impl SourceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest name to a database's own.
    pub fn of_database(database: &str) -> Self {
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() || "._-+=@".contains(letter) { letter } else { '-' };
        let text: String = database.chars().map(plain).take(100).collect();
        let candidates = [text.clone(), format!("db{text}"), format!("{text}-db")];
        let name = candidates.iter().find_map(|candidate| candidate.parse().ok());
        name.unwrap_or_else(|| Self("database".to_owned()))
    }
}

impl FromStr for SourceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = |reason| Err(NameError { text: text.to_owned(), reason });
        if text.len() > 100 || text.contains('/') || text.parse::<Key>().is_err() {
            return refuse("use 1 to 100 ASCII letters, digits and ._-+=@");
        }
        if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return refuse("it must begin with a letter or a digit");
        }
        if TAKEN.contains(&text) {
            return refuse("the store keeps something of its own under it");
        }
        if text == "latest" {
            return refuse("it means the newest backup");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SourceName;

    #[test]
    fn any_database_has_a_name_as_a_source() {
        let check = |database: &str, expected: &str| assert_eq!(SourceName::of_database(database).as_str(), expected);
        check("shop", "shop");
        check("my shop/2", "my-shop-2");
        check("-x", "db-x");
        check("leases", "dbleases");
        check("", "db");
        check("магазин", "db-------");
    }

    #[test]
    fn names_that_collide_with_the_repository_are_refused() {
        for text in ["", "leases", "guard.json", "a/b", "-x", ".", "ü", "latest"] {
            assert!(text.parse::<SourceName>().is_err(), "{text:?}");
        }
    }
}
