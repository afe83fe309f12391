//! The path of a backup: open the source, seal its streams into the store, commit them by the manifest.
//!
//! Until the manifest is written nothing exists. Each step's failure leaves the store as it was: unfinished uploads are
//! aborted, the child and its server session are ended. What a `kill -9` leaves is swept by `guard prune`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::catalog::{
    Alarm, BackupId, BackupKeys, Catalog, CatalogError, FORMAT_VERSION, Manifest, RunNote, StoredStreamEntry,
};
use crate::contents::Contents;
use crate::contents::loss::{LossCode, Vigilance, losses};
use crate::progress::Progress;
use crate::source::recorder::{Recorded, RecorderError};
use crate::source::{Dump, OpenSource, Source, SourceError, StreamName};
use crate::store::{KeyError, StoreError};
use crate::stream::{Compression, ObjectNames, Recipients, SealError, Sealed, Uploads, seal};

mod restore_note;

/// What to back up, where to, and how.
pub struct BackupOrder<'a> {
    /// The source.
    pub source: &'a Source,
    /// The repository.
    pub catalog: &'a Catalog,
    /// How its streams are compressed.
    pub compression: Compression,
    /// Who can read them.
    pub recipients: &'a Recipients,
    /// What the user calls the environment, if anything.
    pub environment: Option<String>,
    /// Which run this is a part of.
    pub run: &'a RunNote,
    /// How much less than the backup before it may hold before that is an alarm.
    pub vigilance: &'a Vigilance,
    /// The lock that the source must hold meanwhile, if the store's leases cannot be relied on.
    pub source_lock: Option<String>,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The source could not be opened or dumped.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A stream could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The dump cannot be understood, so it cannot be trusted.
    #[error("the dump is not a whole archive: {0}")]
    Archive(#[from] RecorderError),
    /// The repository failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The manifest could not be written.
    #[error(transparent)]
    Manifest(CatalogError),
    /// It was told to stop.
    #[error("interrupted; nothing was kept of the unfinished backup")]
    Interrupted,
}

impl BackupError {
    /// Whether the manifest was sent and no answer says that it was refused.
    pub fn may_have_committed(&self) -> bool {
        matches!(self, Self::Manifest(CatalogError::Store(error)) if !error.is_permanent())
    }
}

/// Takes one backup. When this returns a manifest, the backup exists; when it returns an error, it does not.
pub async fn backup(
    order: &BackupOrder<'_>,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<Manifest, BackupError> {
    let started = (order.clock)();
    let id = BackupId::new(started);
    let keys = BackupKeys::new(order.source.name(), &id).map_err(CatalogError::from)?;
    progress.begin("connecting", 0);
    let source = tokio::select! {
        opened = open(order, &id) => opened?,
        () = cancel.cancelled() => return Err(BackupError::Interrupted),
    };
    tracing::info!(source = %order.source.name(), backup = %id, "the source is open, its snapshot is held");
    let uploads = Uploads::new(Arc::clone(order.catalog.store()));
    let destination = Destination { uploads: &uploads, keys: &keys };
    // The backup before is read meanwhile, so that nothing but the manifest is left to do when the dump ends.
    let work = async {
        tokio::try_join!(seal_streams(order, &source, destination, progress), async { Ok(before(order, &id).await) })
    };
    let streams = tokio::select! {
        streams = work => streams,
        reason = source.must_give_way() => Err(reason.into()),
        () = cancel.cancelled() => Err(BackupError::Interrupted),
    };
    // From here on no child runs: dropping the streams' future has ended it.
    let committed = match streams {
        // Whoever may work only as long as a lease lasts must not commit after it.
        Ok(_) if cancel.is_cancelled() => Err(BackupError::Interrupted),
        Ok((streams, before)) => commit(order, &source, (id, started), &keys, (streams, before)).await,
        Err(error) => Err(error),
    };
    match committed {
        Ok(manifest) => {
            tracing::info!(source = %manifest.source, backup = %manifest.id, "the manifest is written");
            source.close().await;
            Ok(manifest)
        }
        Err(error) => {
            if error.may_have_committed() {
                // A manifest whose answer is outstanding may still appear; nothing that it names may be gone by then.
                tracing::warn!(backup = %keys.folder(), "whether the backup was committed is not known; nothing of it is removed");
                source.close().await;
            } else {
                abandon(order, source, &uploads, &keys).await;
            }
            Err(error)
        }
    }
}

/// Opens the source, and has it keep others out if the store cannot.
async fn open(order: &BackupOrder<'_>, id: &BackupId) -> Result<OpenSource, BackupError> {
    let mut source = order.source.open(id).await?;
    if let Some(lock) = &order.source_lock
        && let Err(error) = source.lock(lock).await
    {
        source.close().await;
        return Err(error.into());
    }
    Ok(source)
}

/// Where the streams of one backup go.
#[derive(Clone, Copy)]
struct Destination<'a> {
    uploads: &'a Uploads,
    keys: &'a BackupKeys,
}

/// All streams of a backup, stored and not yet visible, and what they hold together.
struct SealedStreams {
    sealed: Vec<(StreamName, Sealed<()>)>,
    contents: Contents,
}

async fn seal_streams(
    order: &BackupOrder<'_>,
    source: &OpenSource,
    destination: Destination<'_>,
    progress: &Arc<Progress>,
) -> Result<SealedStreams, BackupError> {
    progress.begin("dumping", source.estimate());
    let mut sealed = Vec::new();
    let mut contents = Contents::default();
    for stream in source.streams() {
        let dump = source.start(&stream, progress).await?;
        let (stored, recorded) = seal_dump(order, dump, destination, &stream).await?;
        contents.absorb(recorded.unwrap_or_default().contents);
        sealed.push((stream, stored));
    }
    source.check(&contents).await?;
    Ok(SealedStreams { sealed, contents })
}

/// Seals one stream. The end of its bytes means nothing before whoever writes them has ended well.
async fn seal_dump(
    order: &BackupOrder<'_>,
    Dump { output, recorder, writer }: Dump,
    destination: Destination<'_>,
    stream: &StreamName,
) -> Result<(Sealed<()>, Option<Recorded>), BackupError> {
    let names = ObjectNames::new(destination.keys.stream(&object_name(stream, order)).map_err(CatalogError::from)?);
    let sealing = (order.compression, order.recipients.clone());
    let (sealed, recorder) = seal(output, recorder, sealing, destination.uploads, names).await?.split();
    writer.finish().await?;
    Ok((sealed, recorder.finish()?))
}

/// Makes the objects visible, then the backup. The manifest is the last thing written.
async fn commit(
    order: &BackupOrder<'_>,
    source: &OpenSource,
    (id, started): (BackupId, DateTime<Utc>),
    keys: &BackupKeys,
    (streams, before): (SealedStreams, Option<Manifest>),
) -> Result<Manifest, BackupError> {
    let SealedStreams { sealed, contents } = streams;
    let mut entries = Vec::new();
    for (StreamName { name, file }, stream) in sealed {
        let stream = stream.commit().await.map_err(CatalogError::from)?;
        let (codec, recipients) = (order.compression.to_string(), order.recipients.texts());
        entries.push(StoredStreamEntry::new(&name, &file, codec, recipients, &stream));
    }
    let mut manifest = Manifest {
        format: FORMAT_VERSION,
        repository: order.catalog.repository().id.clone(),
        id,
        source: order.source.name().clone(),
        environment: order.environment.clone(),
        started,
        finished: (order.clock)(),
        consistent: source.consistent(),
        guard: env!("CARGO_PKG_VERSION").to_owned(),
        tools: source.tools(),
        run: Some(order.run.clone()),
        facts: source.facts(),
        streams: entries,
        contents,
        alarm: None,
        sha256: String::new(),
    };
    manifest.alarm = before.and_then(|before| alarm(order, &before, &manifest));
    let manifest = manifest.sealed();
    let note = restore_note::text(&manifest).into();
    order.catalog.store().create(&keys.restore_note(), note).await.map_err(CatalogError::from)?;
    order.catalog.commit(&manifest).await.map_err(BackupError::Manifest)?;
    Ok(manifest)
}

/// The backup before, to compare with. Whatever keeps it from being read is no reason to have no backup.
async fn before(order: &BackupOrder<'_>, id: &BackupId) -> Option<Manifest> {
    match order.catalog.newest_besides(order.source.name(), id).await {
        Ok(before) => Some(before?.manifest),
        Err(error) => {
            tracing::warn!(%error, "whether this backup holds less than the one before is not known");
            None
        }
    }
}

/// What this backup misses of the one before.
fn alarm(order: &BackupOrder<'_>, before: &Manifest, manifest: &Manifest) -> Option<Alarm> {
    let mut losses = losses(&before.contents, &manifest.contents, order.vigilance);
    if before.selection() != manifest.selection() {
        // What the configuration leaves out by now has not vanished.
        losses.retain(|loss| !matches!(loss.code, LossCode::Vanished | LossCode::BackupShrunk));
    }
    (!losses.is_empty()).then_some(Alarm { against: before.id.clone(), losses })
}

/// Takes back what a failed backup began. Whatever cannot be taken back now is swept by `guard prune` later.
async fn abandon(order: &BackupOrder<'_>, source: OpenSource, uploads: &Uploads, keys: &BackupKeys) {
    source.abandon().await;
    // A store that is gone must not hold up whoever waits for the end; its own retries would go on for minutes.
    let removing = tokio::time::timeout(CLEAN_UP_PATIENCE, remove_leftovers(order.catalog, uploads, keys));
    let reason = match removing.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the store did not answer within {}", humantime::format_duration(CLEAN_UP_PATIENCE)),
    };
    tracing::warn!(reason, backup = %keys.folder(), "leftovers of the failed backup remain until the next prune");
}

const CLEAN_UP_PATIENCE: Duration = Duration::from_secs(15);

async fn remove_leftovers(catalog: &Catalog, uploads: &Uploads, keys: &BackupKeys) -> Result<(), StoreError> {
    let aborted = uploads.abort().await;
    let store = catalog.store();
    // If the manifest was written and only its answer was lost, the backup exists and nothing of it may go.
    if store.stat(&keys.manifest()).await?.is_some() {
        return Ok(());
    }
    // An upload whose beginning was cut off is known to the store alone. Not every store can be asked.
    for upload in store.unfinished_uploads(Some(keys.folder())).await.unwrap_or_default() {
        store.abort_unfinished(&upload).await?;
    }
    for object in store.list(keys.folder()).await? {
        store.delete(&object.key).await?;
    }
    aborted
}

fn object_name(stream: &StreamName, order: &BackupOrder<'_>) -> String {
    format!("{}.zst{}", stream.file, if order.recipients.is_empty() { "" } else { ".age" })
}

impl From<KeyError> for BackupError {
    fn from(error: KeyError) -> Self {
        Self::Catalog(error.into())
    }
}
