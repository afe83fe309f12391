//! Watching the promise: a source whose newest backup is older than its RPO is told, when that begins and once a day.
//!
//! Silence is what this finds, so it belongs to no run and no lease. Whoever finds a broken promise writes down that it is
//! told (`leases/@told/…`, created conditionally), so that of several daemons one tells it, and none again after a restart.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::plan::delta;
use super::workplace::Workplace;
use crate::catalog::{BackupId, BackupKeys, CatalogError, SourceName};
use crate::lease::Holder;
use crate::notify::{Event, Notice};
use crate::store::{Key, StoreError};

/// How often promises are looked at.
const EVERY: TimeDelta = TimeDelta::minutes(5);

/// Looks at the promises now and then.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: Option<DateTime<Utc>>,
}

impl Watch {
    /// Looks, if it is time to.
    pub(super) async fn check_if_due(&mut self, place: &Workplace, now: DateTime<Utc>) {
        if self.last.is_some_and(|last| now - last < EVERY.min(shortest(place) / 4)) {
            return;
        }
        self.last = Some(now);
        if let Err(error) = check(place, now).await {
            tracing::warn!(%error, "whether every source has a recent backup is not known");
        }
    }
}

fn shortest(place: &Workplace) -> TimeDelta {
    let promised = place.config.sources.keys().filter_map(|source| place.config.target_of(source).rpo);
    promised.map(delta).min().unwrap_or(TimeDelta::MAX)
}

async fn check(place: &Workplace, now: DateTime<Utc>) -> Result<(), CatalogError> {
    let known = place.catalog.sources().await?;
    for name in place.config.sources.keys() {
        let Some(rpo) = place.config.target_of(name).rpo else { continue };
        let prefix = format!("{name}.");
        let mut sources: Vec<SourceName> = known.clone();
        sources.retain(|known| known.as_str() == name.as_str() || known.as_str().starts_with(&prefix));
        if sources.is_empty() {
            sources.extend(name.as_str().parse::<SourceName>().ok());
        }
        for source in sources {
            let newest = newest(place, &source).await?;
            let since = newest.as_ref().map_or(place.catalog.repository().created, BackupId::time);
            if now - since > delta(rpo) {
                tell(place, name.as_str(), &source, newest.as_ref(), (since, delta(rpo), now)).await?;
            }
        }
    }
    Ok(())
}

/// The newest complete backup: usually the first that is looked at.
async fn newest(place: &Workplace, source: &SourceName) -> Result<Option<BackupId>, CatalogError> {
    let store = place.catalog.store();
    for folder in store.list_folders(Some(&source.key())).await?.iter().rev() {
        let Ok(id) = folder.parse::<BackupId>() else { continue };
        if store.stat(&BackupKeys::new(source, &id)?.manifest()).await?.is_some() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Whether nobody has told this yet: whoever asks first is to tell it. Told twice is better than not told.
pub(super) async fn is_first_to_tell(place: &Workplace, what: &str) -> bool {
    let Ok(key) = format!("leases/@told/{what}").parse::<Key>() else { return true };
    let now = (place.clock)();
    match place.catalog.store().create(&key, Bytes::from(format!("{now}\n"))).await {
        Ok(()) => true,
        Err(StoreError::Exists { .. }) => false,
        Err(error) => {
            tracing::warn!(%error, "whether this was told before is not known");
            true
        }
    }
}

async fn tell(
    place: &Workplace,
    configured: &str,
    source: &SourceName,
    newest: Option<&BackupId>,
    (since, rpo, now): (DateTime<Utc>, TimeDelta, DateTime<Utc>),
) -> Result<(), CatalogError> {
    let n_days = (now - since - rpo).num_days();
    let of = newest.map_or("none", BackupId::as_str);
    if !is_first_to_tell(place, &format!("rpo-{source}-{of}-{n_days}")).await {
        return Ok(());
    }
    let words = |delta: TimeDelta| {
        humantime::format_duration(std::time::Duration::from_secs(delta.num_seconds().unsigned_abs())).to_string()
    };
    let what = if newest.is_some() { "the newest backup is" } else { "there is no backup, for" };
    let summary = format!("{source}: {what} {} old; promised are {} (RPO)", words(now - since), words(rpo));
    tracing::error!(%source, "{summary}");
    let details = newest.map(|id| ("backup".to_owned(), id.to_string()));
    place.notifier.tell(Notice {
        event: Event::Rpo,
        at: now,
        source: Some(configured.to_owned()),
        job: None,
        run: None,
        host: Holder::of_this_process().host,
        summary,
        details: details.into_iter().collect::<BTreeMap<_, _>>(),
    });
    Ok(())
}
