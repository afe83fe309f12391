//! Names of objects: paths of plain segments, relative to the store's root.

use std::fmt;
use std::str::FromStr;

/// A path of one or more segments joined by `/`. Each segment is 1–200 bytes of ASCII letters, digits and `._-+=@`, and is
/// neither `.` nor `..`: so a key is the same on every store, needs no escaping, and cannot leave the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid object name: {reason}")]
pub struct KeyError {
    text: String,
    reason: &'static str,
}

impl KeyError {
    /// A refusal of `text`, for names that are keys with rules of their own.
    pub(crate) fn new(text: &str, reason: &'static str) -> Self {
        Self { text: text.to_owned(), reason }
    }
}

impl Key {
    /// The key as text, without a leading or trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This key with a further segment (or several, joined by `/`).
    pub fn child(&self, segment: &str) -> Result<Self, KeyError> {
        format!("{}/{segment}", self.0).parse()
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether this key lies below `prefix` (segment-wise).
    pub fn is_below(&self, prefix: &Key) -> bool {
        self.0.strip_prefix(&prefix.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let refuse = |reason| Err(KeyError::new(text, reason));
        for segment in text.split('/') {
            if segment.is_empty() {
                return refuse("it has an empty segment");
            }
            if segment == "." || segment == ".." {
                return refuse("`.` and `..` are not names");
            }
            if segment.len() > 200 {
                return refuse("a segment is longer than 200 bytes");
            }
            if !segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+=@".contains(&byte)) {
                return refuse("only ASCII letters, digits and ._-+=@ are allowed");
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_prefix_is_a_whole_path() {
        let key = |text: &str| text.parse::<Key>().unwrap();
        assert!(key("app/1/x").is_below(&key("app")));
        assert!(!key("app_old/1").is_below(&key("app")));
        assert!(!key("app").is_below(&key("app")));
    }

    #[test]
    fn names_that_could_escape_or_differ_between_stores_are_refused() {
        for text in ["", "/", "a//b", "../a", "a/./b", "a b", "ü", "a/", "/a", "a\nb"] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
    }
}
