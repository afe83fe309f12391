//! What can be leased, and where its record lies.
//!
//! Names of guard's own begin with `@`, which no schedule's name does.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog::SourceName;
use crate::store::{Key, KeyError};

/// What is leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One run of a schedule. Its record stays and tells how it went.
    Slot(Slot),
    /// The source itself: a backup of it, or the window in which migrations run. One at a time.
    Source(SourceName),
    /// The backups of a source: a proof reads them, a prune removes some. One at a time, and no obstacle to a new backup.
    Backups(SourceName),
    /// The post of the only daemon, for stores whose conditional puts cannot be relied on.
    Daemon,
}

/// One run of a schedule: what was due when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The schedule's name.
    pub schedule: String,
    /// The moment that the schedule names, before any jitter.
    pub at: DateTime<Utc>,
    /// What is due.
    pub purpose: Purpose,
    /// Of which source.
    pub source: SourceName,
}

/// What a lease is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A backup.
    Backup,
    /// A test restore.
    Proof,
    /// Reading every stored byte again.
    Verify,
    /// Removing backups.
    Prune,
    /// Migrations are being applied: no backup now.
    MigrationWindow,
    /// Running as the only daemon.
    Daemon,
}

const PURPOSES: [(Purpose, &str); 6] = [
    (Purpose::Backup, "backup"),
    (Purpose::Proof, "proof"),
    (Purpose::Verify, "verify"),
    (Purpose::Prune, "prune"),
    (Purpose::MigrationWindow, "migration-window"),
    (Purpose::Daemon, "daemon"),
];

const SLOT_TIME: &str = "%Y%m%dT%H%M%SZ";

impl Subject {
    /// Where its record lies.
    pub fn key(&self) -> Result<Key, KeyError> {
        match self {
            Self::Slot(slot) => Slot::folder(&slot.schedule)?.child(&format!("{slot}.json")),
            Self::Source(source) => format!("leases/@source/{source}.json").parse(),
            Self::Backups(source) => format!("leases/@backups/{source}.json").parse(),
            Self::Daemon => "leases/@daemon.json".parse(),
        }
    }
}

impl Slot {
    /// The folder of a schedule's slots.
    pub fn folder(schedule: &str) -> Result<Key, KeyError> {
        if schedule.starts_with('@') || schedule.contains('/') {
            return Err(KeyError::new(schedule, "a schedule's name is one segment that does not begin with `@`"));
        }
        format!("leases/{schedule}").parse()
    }

    /// The slot whose record has this key; `None` for any other key.
    pub fn of_key(key: &Key) -> Option<Self> {
        let mut segments = key.as_str().split('/');
        let (root, schedule, name) = (segments.next()?, segments.next()?, segments.next()?);
        if root != "leases" || schedule.starts_with('@') || segments.next().is_some() {
            return None;
        }
        let (at, rest) = name.strip_suffix(".json")?.split_once('-')?;
        let at = NaiveDateTime::parse_from_str(at, SLOT_TIME).ok()?.and_utc();
        let of_purpose =
            |(purpose, text): &(Purpose, &str)| Some((*purpose, rest.strip_prefix(text)?.strip_prefix('-')?));
        let (purpose, source) = PURPOSES.iter().find_map(of_purpose)?;
        Some(Self { schedule: schedule.to_owned(), at, purpose, source: source.parse().ok()? })
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.at.format(SLOT_TIME), self.purpose, self.source)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = PURPOSES.iter().find(|(purpose, _)| purpose == self);
        f.write_str(found.map_or("", |(_, text)| text))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::{PURPOSES, Slot, Subject};

    #[test]
    fn a_slot_is_read_back_from_its_key_whatever_its_purpose() {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 2, 0, 0).unwrap();
        for (purpose, text) in PURPOSES {
            let source = "shop-eu.orders".parse().unwrap();
            let slot = Slot { schedule: "daily".to_owned(), at, purpose, source };
            let key = Subject::Slot(slot.clone()).key().unwrap();
            assert_eq!(key.as_str(), format!("leases/daily/20261121T020000Z-{text}-shop-eu.orders.json"));
            assert_eq!(Slot::of_key(&key), Some(slot));
            assert_eq!(serde_json::to_value(purpose).unwrap(), text);
        }
    }

    #[test]
    fn what_guard_keeps_beside_the_slots_is_no_slot() {
        for text in ["leases/@source/20261121T020000Z-backup-a.json", "leases/daily/x-backup-a.json", "a/b/c.json"] {
            assert_eq!(Slot::of_key(&text.parse().unwrap()), None, "{text}");
        }
        assert!(Slot::folder("@source").is_err() && Slot::folder("a/b").is_err());
    }
}
