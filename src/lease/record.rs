//! The record of a lease: `leases/…/….json`. The format is in docs/format.md; only fields are added.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Holder, LeaseError, Purpose};
use crate::catalog::BackupId;
use crate::store::Key;

const FORMAT: u32 = 1;

/// Who holds or held it, what for, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this record's format.
    pub format: u32,
    /// What for.
    pub purpose: Purpose,
    /// Why, for people.
    pub reason: String,
    /// By whom.
    pub holder: Holder,
    /// Random, one for each time that it was won: it tells the holder's own writes from others.
    pub token: String,
    /// When it was won, by the store's clock.
    pub acquired: DateTime<Utc>,
    /// When it was last renewed, by the store's clock.
    pub renewed: DateTime<Utc>,
    /// How long it lasts from there, in milliseconds.
    pub ttl_ms: u64,
    /// What became of it.
    #[serde(flatten)]
    pub state: State,
    /// When it was ended, by the store's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
    /// Why the holder is asked to give way, if somebody asks: the one field that others than the holder write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

/// What became of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Its holder is at work, or died.
    Held,
    /// Given back; whoever wants it may take it, a slot too.
    Released,
    /// A slot that was run with success.
    Done {
        /// The backup that was made or proven, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<BackupId>,
    },
    /// A slot that was run and failed; it is not run again.
    Failed {
        /// Why.
        error: String,
    },
    /// A slot that was not run, on purpose.
    Skipped {
        /// Why.
        why: String,
    },
}

impl Record {
    /// Reads a stored record.
    pub(super) fn parse(key: &Key, body: &[u8]) -> Result<Self, LeaseError> {
        let untrusted = |reason| LeaseError::Untrusted { key: key.clone(), reason };
        let record: Self = serde_json::from_slice(body).map_err(|error| untrusted(error.to_string()))?;
        if record.format > FORMAT {
            return Err(untrusted(format!("it has format version {}", record.format)));
        }
        Ok(record)
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let mut text = serde_json::to_vec_pretty(self).expect("a record has string keys and no floats");
        text.push(b'\n');
        text.into()
    }

    /// When it is over unless it is renewed before.
    pub fn expires(&self) -> DateTime<Utc> {
        let ttl = i64::try_from(self.ttl_ms).ok().and_then(TimeDelta::try_milliseconds).unwrap_or(TimeDelta::MAX);
        self.renewed.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Whether nobody else may take it at this time of the store's clock.
    pub fn is_held(&self, store_now: DateTime<Utc>) -> bool {
        self.state == State::Held && store_now < self.expires()
    }

    /// Whether it is a slot's record that says how the run went.
    pub fn is_final(&self) -> bool {
        !matches!(self.state, State::Held | State::Released)
    }

    pub(super) fn end(&mut self, state: State, now: DateTime<Utc>) {
        self.state = state;
        self.ended = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone as _, Utc};

    use super::{Record, State};
    use crate::lease::{Holder, Purpose};

    fn record() -> Record {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 2, 0, 0).unwrap();
        Record {
            format: 1,
            purpose: Purpose::MigrationWindow,
            reason: "gate".to_owned(),
            holder: Holder::of_this_process(),
            token: "t".to_owned(),
            acquired: at,
            renewed: at,
            ttl_ms: 60_000,
            state: State::Held,
            ended: None,
            asked: None,
        }
    }

    #[test]
    fn a_lease_is_over_when_the_stores_clock_has_passed_its_ttl_and_not_before() {
        let record = record();
        for (seconds, held) in [(-3600, true), (0, true), (59, true), (60, false), (61, false)] {
            assert_eq!(record.is_held(record.renewed + TimeDelta::seconds(seconds)), held, "{seconds}");
        }
        let forever = Record { ttl_ms: u64::MAX, ..record };
        assert!(forever.is_held(forever.renewed + TimeDelta::days(100_000)));
    }

    #[test]
    fn a_record_reads_back_and_one_of_a_newer_format_is_refused() {
        let key = "leases/@source/a.json".parse().unwrap();
        let states = [
            State::Held,
            State::Released,
            State::Done { backup: Some("20261121T020000Z-abc123".parse().unwrap()) },
            State::Done { backup: None },
            State::Failed { error: "no".to_owned() },
            State::Skipped { why: "paused".to_owned() },
        ];
        for state in states {
            let record = Record { state, ..record() };
            assert_eq!(Record::parse(&key, &record.to_bytes()).unwrap(), record);
        }
        let newer = Record { format: 2, ..record() };
        let error = Record::parse(&key, &newer.to_bytes()).unwrap_err();
        assert!(error.to_string().contains("format version 2"), "{error}");
        assert!(Record::parse(&key, b"{}").is_err());
    }
}
