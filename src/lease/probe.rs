//! Whether a store means its conditional puts, found out with real requests: nobody can tell one that ignores them from one
//! that honours them except by trying.

use bytes::Bytes;
use futures_util::future::join_all;
use rand::distr::{Alphanumeric, SampleString};

use crate::store::{Key, Store, StoreError};

/// How many race for one key.
const N_RACERS: usize = 8;

/// How many races: a store that looks first and then writes lets two win in every second one.
const N_RACES: usize = 4;

/// What a store made of conditional puts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionalPuts {
    /// A second create of the same key is refused.
    pub creates_refused: bool,
    /// A swap of the version that is there is carried out.
    pub swaps_accepted: bool,
    /// A swap of a version that is no longer there is refused.
    pub stale_swaps_refused: bool,
    /// The most winners of one race of creates; 1 is right.
    pub create_winners: usize,
    /// The most winners of one race of swaps; 1 is right.
    pub swap_winners: usize,
}

impl ConditionalPuts {
    /// Whether leases can rest on them.
    pub fn are_dependable(&self) -> bool {
        self.fault().is_none()
    }

    /// What is wrong with them, if anything.
    pub fn fault(&self) -> Option<String> {
        if !self.creates_refused {
            Some("it ignores If-None-Match: a second writer overwrites the first".to_owned())
        } else if self.create_winners != 1 {
            Some(format!(
                "of {N_RACERS} that created one object at once {} were told that they won",
                self.create_winners
            ))
        } else if !self.swaps_accepted {
            Some("it refuses If-Match for the very version that is there".to_owned())
        } else if !self.stale_swaps_refused {
            Some("it ignores If-Match: an outdated writer overwrites a newer version".to_owned())
        } else if self.swap_winners != 1 {
            Some(format!(
                "of {N_RACERS} that replaced one object at once {} were told that they won",
                self.swap_winners
            ))
        } else {
            None
        }
    }
}

/// Tries it out below `leases/@probe/`, and removes what was written.
pub async fn probe(store: &dyn Store) -> Result<ConditionalPuts, StoreError> {
    let run = Alphanumeric.sample_string(&mut rand::rng(), 16);
    let mut written = Vec::new();
    let found = try_out(store, &run, &mut written).await;
    for key in &written {
        if let Err(error) = store.delete(key).await {
            tracing::warn!(%error, "a trace of the probe stays in the store");
        }
    }
    found
}

async fn try_out(store: &dyn Store, run: &str, written: &mut Vec<Key>) -> Result<ConditionalPuts, StoreError> {
    let mut next_key = |name: &str| {
        let key: Key = format!("leases/@probe/{run}-{name}").parse().expect("letters, digits and dashes make a key");
        written.push(key.clone());
        key
    };
    let key = next_key("serial");
    store.create(&key, Bytes::from("first")).await?;
    let creates_refused = is_refused(store.create(&key, Bytes::from("second")).await)?;
    let (mut swaps_accepted, mut stale_swaps_refused) = (false, false);
    if let Some(first) = store.fetch(&key).await? {
        swaps_accepted = !is_refused(store.swap(&key, &first.tag, Bytes::from("newer")).await)?;
        stale_swaps_refused = is_refused(store.swap(&key, &first.tag, Bytes::from("stale")).await)?;
    }
    // Each racer asks once: who is told to come again has not won, and repeating would only make the race longer.
    let once = store.without_retries().unwrap_or(store);
    let (mut creates, mut swaps) = (Races::default(), Races::default());
    for race in 0..N_RACES {
        let key = next_key(&format!("race-{race}"));
        let racers = (0..N_RACERS).map(|racer| once.create(&key, Bytes::from(format!("creator {racer}"))));
        creates.count(join_all(racers).await)?;
        let Some(found) = store.fetch(&key).await? else { continue };
        let racers = (0..N_RACERS).map(|racer| once.swap(&key, &found.tag, Bytes::from(format!("swapper {racer}"))));
        swaps.count(join_all(racers).await)?;
    }
    let (create_winners, swap_winners) = (creates.most_winners()?, swaps.most_winners()?);
    Ok(ConditionalPuts { creates_refused, swaps_accepted, stale_swaps_refused, create_winners, swap_winners })
}

/// How races ended.
#[derive(Default)]
struct Races {
    most_winners: usize,
    /// What a racer was told instead of an answer. Ceph gives 500 to most of those who lose.
    unanswered: Option<StoreError>,
}

impl Races {
    fn count<T>(&mut self, outcomes: Vec<Result<T, StoreError>>) -> Result<(), StoreError> {
        let mut n_winners = 0;
        for outcome in outcomes {
            match is_refused(outcome) {
                Ok(is_refused) => n_winners += usize::from(!is_refused),
                Err(error @ StoreError::Transient { .. }) => self.unanswered = Some(error),
                Err(error) => return Err(error),
            }
        }
        self.most_winners = self.most_winners.max(n_winners);
        Ok(())
    }

    /// Races that nobody won because nobody was answered say nothing about the store's conditions.
    fn most_winners(self) -> Result<usize, StoreError> {
        match self.unanswered {
            Some(error) if self.most_winners == 0 => Err(error),
            _ => Ok(self.most_winners),
        }
    }
}

/// A store that knows no conditions says so by 501, which is a refusal as well.
fn is_refused<T>(outcome: Result<T, StoreError>) -> Result<bool, StoreError> {
    match outcome {
        Ok(_) => Ok(false),
        Err(StoreError::Exists { .. } | StoreError::Changed { .. } | StoreError::Permanent { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
