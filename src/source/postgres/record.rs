//! The content record as a tap: it looks at a dump as it passes and counts what is in it.

use std::io::Read as _;
use std::sync::Arc;

use tokio::task;

use super::archive::{ArchiveError, ArchiveOptions, ArchiveReader, ArchiveSummary, DataPlace, ListedEntry};
use super::client::ClientTools;
use super::connection::Connection;
use super::{OpenDatabase, client_command};
use crate::contents::{Contents, SchemaEntry};
use crate::progress::Progress;
use crate::source::child::ChildError;
use crate::stream::{Tap, TapError};

/// Records one dump.
pub struct Recorder {
    reader: ArchiveReader,
    progress: Arc<Progress>,
}

impl Recorder {
    /// Records a dump whose progress somebody watches.
    pub fn new(options: ArchiveOptions, progress: &Arc<Progress>) -> Self {
        Self { reader: ArchiveReader::new(options), progress: Arc::clone(progress) }
    }

    /// Sees the next bytes of the dump.
    pub fn see(&mut self, plain: &[u8]) -> Result<(), ArchiveError> {
        self.reader.feed(plain)?;
        self.progress.add(plain.len() as u64);
        self.progress.table(self.reader.current_table());
        Ok(())
    }

    /// What the dump's table of contents could not say yet of the data that has passed.
    pub fn data_places(&self) -> &[DataPlace] {
        self.reader.data_places()
    }

    /// The record, if the dump was whole.
    pub fn finish(self) -> Result<ArchiveSummary, ArchiveError> {
        self.reader.finish()
    }
}

/// Dumps an open database for its record alone: nothing is stored.
pub async fn record(
    database: &OpenDatabase,
    options: ArchiveOptions,
    progress: &Arc<Progress>,
) -> Result<Contents, RecordError> {
    let (child, mut output) = database.start_dump()?;
    let mut recorder = Recorder::new(options, progress);
    let reading = task::spawn_blocking(move || {
        let mut buffer = vec![0; 1 << 20];
        loop {
            match output.read(&mut buffer)? {
                0 => return Ok(recorder),
                n_read => recorder.observe(&buffer[..n_read])?,
            }
        }
    });
    let read: Result<Recorder, TapError> = reading.await?;
    let recorder = read.map_err(RecordError::Read)?;
    child.finish().await?;
    Ok(recorder.finish()?.contents)
}

/// What a database defines, as an archive of it would list it.
pub async fn definitions(tools: &ClientTools, connection: &Connection) -> Result<Vec<ListedEntry>, RecordError> {
    Ok(read_definitions(tools, connection, "guard restore", &[]).await?.entries)
}

/// The same as a backup's record has it. `selection` is what that backup was told to pick or to leave out.
pub async fn schema(
    tools: &ClientTools,
    connection: &Connection,
    selection: &[String],
) -> Result<Vec<SchemaEntry>, RecordError> {
    Ok(read_definitions(tools, connection, "guard gate", selection).await?.contents.schema)
}

async fn read_definitions(
    tools: &ClientTools,
    connection: &Connection,
    session: &str,
    arguments: &[String],
) -> Result<ArchiveSummary, RecordError> {
    let (child, mut output) = client_command(&tools.program("pg_dump"), connection, session)
        .args(["--format=custom", "--compress=0", "--no-password", "--schema-only", LOCK_WAIT])
        .args(arguments)
        .start_with_output()?;
    let reading = task::spawn_blocking(move || {
        let mut archive = Vec::new();
        output.read_to_end(&mut archive).map(|_| archive)
    });
    let archive = reading.await?.map_err(|error| RecordError::Read(error.into()))?;
    child.finish().await?;
    let mut reader = ArchiveReader::new(ArchiveOptions::default());
    reader.feed(&archive)?;
    Ok(reader.finish()?)
}

/// Definitions are read within moments; whoever holds a table for longer is not to be queued behind, nor others behind this.
const LOCK_WAIT: &str = "--lock-wait-timeout=30s";

/// Why there is no record of a database.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The dump failed.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The dump could not be read.
    #[error("reading the dump failed: {0}")]
    Read(#[source] TapError),
    /// The dump is not whole.
    #[error("the dump is not a whole archive: {0}")]
    Archive(#[from] ArchiveError),
    /// The reading thread died.
    #[error("reading the dump failed: {0}")]
    Thread(#[from] task::JoinError),
}

impl Tap for Recorder {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        Ok(self.see(plain)?)
    }
}
