//! Where everything of a backup lies, and the names that lead there.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};

use crate::store::{Key, KeyError};

/// A source's name: one segment of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(Key);

/// A backup's id: the UTC second it began and a tail of its millisecond and 20 random bits, so that ids sort by time and never
/// meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId(String);

/// The keys of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupKeys {
    folder: Key,
}

const ID_TIME: &str = "%Y%m%dT%H%M%SZ";
const ID_TAIL_LEN: usize = 6;

impl SourceName {
    /// As a key of one segment.
    pub fn key(&self) -> Key {
        self.0.clone()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The nearest name to any text: what a key cannot hold becomes `-`. Used for names that come from databases.
    pub fn nearest(text: &str) -> Self {
        let mut name: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
            .take(100)
            .collect();
        if name.is_empty() || name.starts_with('.') || name == "leases" {
            name.insert(0, '-');
        }
        name.parse().expect("only allowed characters are left, and it is not empty")
    }
}

impl BackupId {
    /// A fresh id for a backup that begins now.
    pub fn new(now: DateTime<Utc>) -> Self {
        // 30 bits in base 32 without look-alikes; ids meet only within one source and millisecond.
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        // A leap second has milliseconds beyond 999.
        let millisecond = now.timestamp_subsec_millis().min(1023);
        let bits = millisecond << 20 | rand::random::<u32>() >> 12;
        let tail = (0..ID_TAIL_LEN).rev().map(|idx| char::from(ALPHABET[(bits >> (idx * 5)) as usize & 31]));
        Self(format!("{}-{}", now.format(ID_TIME), tail.collect::<String>()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the backup began, to the second.
    pub fn time(&self) -> DateTime<Utc> {
        parse_time(&self.0).expect("checked when the id was made")
    }
}

impl BackupKeys {
    /// The keys of the backup `id` of `source`.
    pub fn new(source: &SourceName, id: &BackupId) -> Result<Self, KeyError> {
        Ok(Self { folder: source.key().child(id.as_str())? })
    }

    /// The folder of all its objects.
    pub fn folder(&self) -> &Key {
        &self.folder
    }

    /// The commit mark.
    pub fn manifest(&self) -> Key {
        self.known("manifest.json")
    }

    /// How to restore it without guard.
    pub fn restore_note(&self) -> Key {
        self.known("RESTORE.md")
    }

    /// The pin.
    pub fn pin(&self) -> Key {
        self.known("keep.json")
    }

    /// That a prune is about to delete it.
    pub fn condemned(&self) -> Key {
        self.known("condemned.json")
    }

    /// That its alarm was released.
    pub fn release(&self) -> Key {
        self.known("released.json")
    }

    /// The folder of the evidence.
    pub fn evidence_folder(&self) -> Key {
        self.known("proofs")
    }

    /// A new piece of evidence; the millisecond keeps two apart.
    pub fn evidence(&self, at: DateTime<Utc>) -> Result<Key, KeyError> {
        self.note("proofs", at)
    }

    /// The folder of notes of a kind, such as `rehearsals`.
    pub fn notes(&self, kind: &'static str) -> Key {
        self.known(kind)
    }

    /// A new note of a kind; the millisecond keeps two apart.
    pub fn note(&self, kind: &'static str, at: DateTime<Utc>) -> Result<Key, KeyError> {
        self.notes(kind).child(&format!("{}.json", at.trunc_subsecs(3).format("%Y%m%dT%H%M%S%.3fZ")))
    }

    /// The first object of a stream.
    pub fn stream(&self, file_name: &str) -> Result<Key, KeyError> {
        self.folder.child(file_name)
    }

    fn known(&self, name: &str) -> Key {
        self.folder.child(name).expect("a constant that is a valid segment")
    }
}

impl FromStr for SourceName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key: Key = text.parse()?;
        // A slash would make two segments; a reserved or hidden name would meet the repository's own.
        if text.contains('/') || text.starts_with('.') || text == "leases" || text == "guard.json" {
            return Err(KeyError::new(text, "a source's name is one segment, not `leases` and not hidden"));
        }
        Ok(Self(key))
    }
}

impl FromStr for BackupId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let tail_fits = |tail: &str| tail.len() == ID_TAIL_LEN && tail.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = text.split_once('-').is_some_and(|(_, tail)| tail_fits(tail)) && parse_time(text).is_some();
        fits.then(|| Self(text.to_owned()))
            .ok_or_else(|| KeyError::new(text, "a backup id looks like 20261121T020000Z-abc123"))
    }
}

fn parse_time(id: &str) -> Option<DateTime<Utc>> {
    let (time, _) = id.split_once('-')?;
    NaiveDateTime::parse_from_str(time, ID_TIME).ok().map(|time| time.and_utc())
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = KeyError;

            fn try_from(text: String) -> Result<Self, KeyError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }
    };
}

text_conversions!(SourceName);
text_conversions!(BackupId);

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::{BackupId, SourceName};

    #[test]
    fn ids_tell_their_time_and_sort_by_it() {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 2, 0, 0).unwrap();
        let id = BackupId::new(at);
        assert!(id.as_str().starts_with("20261121T020000Z-"), "{id}");
        assert_eq!(id.as_str().parse::<BackupId>().unwrap().time(), at);
        assert!(id < BackupId::new(at + chrono::TimeDelta::seconds(1)));
        assert!(id < BackupId::new(at + chrono::TimeDelta::milliseconds(1)));
    }

    #[test]
    fn names_that_would_meet_the_repositorys_own_are_refused() {
        for text in ["leases", "guard.json", "a/b", ".hidden", "", ".."] {
            assert!(text.parse::<SourceName>().is_err(), "{text}");
        }
        assert_eq!(SourceName::nearest("Größe/2").as_str(), "Gr--e-2");
        assert_eq!(SourceName::nearest("leases").as_str(), "-leases");
    }
}
