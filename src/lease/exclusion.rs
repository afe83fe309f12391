//! What keeps two runs of one source apart: the store's conditional puts, or where those mean nothing, the source itself.

use std::sync::PoisonError;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{LeaseError, Leases, probe};
use crate::store::{Key, StoreError};

/// How long what a probe found is believed by runs by hand; a daemon probes at each start.
const VALIDITY: TimeDelta = TimeDelta::days(30);

/// Who excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// The store: one lease, one winner.
    Store,
    /// The source must hold a lock of its own besides (PostgreSQL: an advisory lock in the run's own session). Where a kind
    /// of source has none, several daemons are refused, by the lease of [`super::Subject::Daemon`] and with this reason.
    Source {
        /// What is wrong with the store.
        reason: String,
    },
}

/// `leases/@store.json`: what the last probe found.
#[derive(Debug, Serialize, Deserialize)]
struct Probed {
    at: DateTime<Utc>,
    fault: Option<String>,
}

impl Leases {
    /// Probes the store now and remembers what it found.
    pub async fn probe_exclusion(&self) -> Result<Exclusion, LeaseError> {
        let found = probe(&*self.store).await?;
        let probed = Probed { at: self.now().await?, fault: found.fault() };
        let mut text = serde_json::to_vec_pretty(&probed).expect("a record has string keys and no floats");
        text.push(b'\n');
        // A memory of no weight: whoever writes it last has found the same.
        match self.store.replace(&memory_key(), Bytes::from(text)).await {
            Ok(()) => {}
            Err(error @ StoreError::Denied { .. }) => tracing::warn!(%error, "what the probe found is not remembered"),
            Err(error) => return Err(error.into()),
        }
        Ok(self.know(probed))
    }

    /// What a recent probe found, or else a probe now.
    pub async fn exclusion(&self) -> Result<Exclusion, LeaseError> {
        if let Some(known) = self.exclusion.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(known);
        }
        let remembered = self.store.fetch(&memory_key()).await?;
        let probed = remembered.and_then(|found| serde_json::from_slice::<Probed>(&found.body).ok());
        match probed {
            Some(probed) if (self.now().await? - probed.at).abs() < VALIDITY => Ok(self.know(probed)),
            _ => self.probe_exclusion().await,
        }
    }

    fn know(&self, probed: Probed) -> Exclusion {
        let exclusion = probed.fault.map_or(Exclusion::Store, |reason| Exclusion::Source { reason });
        *self.exclusion.lock().unwrap_or_else(PoisonError::into_inner) = Some(exclusion.clone());
        exclusion
    }
}

fn memory_key() -> Key {
    "leases/@store.json".parse().expect("a constant that is a valid key")
}
