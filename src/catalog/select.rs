//! How a user names a backup: `latest`, `latest~2`, an id, the beginning of one, or a time.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{CatalogError, CompleteBackup, ListedBackup};

/// Which backup of a source is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest but `n`.
    Latest(usize),
    /// The one whose id begins so.
    Prefix(String),
    /// The newest whose data is not younger than this.
    At(DateTime<Utc>),
}

/// A text that names no backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no backup; use latest, latest~N, or (the beginning of) an id from `guard list`")]
pub struct SelectorError(String);

impl Selector {
    /// Picks from a source's backups, oldest first. If the one that is meant cannot be trusted, that is the answer: an
    /// older one in its place would be taken for it.
    pub fn pick(&self, source: &str, mut backups: Vec<ListedBackup>) -> Result<CompleteBackup, CatalogError> {
        let none = |what: String| Err(CatalogError::NoSuchBackup(what));
        match self {
            Self::Latest(back) => {
                let n_backups = backups.len();
                match n_backups.checked_sub(back + 1) {
                    Some(idx) => backups.swap_remove(idx).backup,
                    None if n_backups == 0 => none(format!("{source} has no complete backup")),
                    None => none(format!("{source} has only {n_backups} complete backups")),
                }
            }
            Self::At(time) => match backups.iter().rposition(|listed| listed.data_time() <= *time) {
                Some(idx) => backups.swap_remove(idx).backup,
                None => none(format!("{source} has no backup from {time} or before")),
            },
            Self::Prefix(prefix) => {
                backups.retain(|listed| listed.id.as_str().starts_with(prefix.as_str()));
                match backups.len() {
                    1 => backups.swap_remove(0).backup,
                    0 => none(format!("{source} has no complete backup whose id begins with {prefix}")),
                    n_fits => none(format!("{n_fits} backups of {source} begin with {prefix}; give more of the id")),
                }
            }
        }
    }
}

impl ListedBackup {
    /// The moment of its data; where the manifest cannot tell, the moment when it began.
    fn data_time(&self) -> DateTime<Utc> {
        self.backup.as_ref().map_or_else(|_| self.id.time(), |backup| backup.manifest.consistent.at)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let invalid = || SelectorError(text.to_owned());
        if let Some(rest) = text.strip_prefix("latest") {
            let back = match rest.strip_prefix('~') {
                Some(back) => back.parse().map_err(|_| invalid())?,
                None if rest.is_empty() => 0,
                None => return Err(invalid()),
            };
            return Ok(Self::Latest(back));
        }
        let fits = text.starts_with('2') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits { Ok(Self::Prefix(text.to_owned())) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Selector;

    #[test]
    fn names_of_backups_are_read_as_users_write_them() {
        assert_eq!("latest".parse(), Ok(Selector::Latest(0)));
        assert_eq!("latest~2".parse(), Ok(Selector::Latest(2)));
        assert_eq!("20261121T02".parse(), Ok(Selector::Prefix("20261121T02".to_owned())));
        for text in ["latest~", "latest~x", "later", "", "../x", "orders"] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
