//! The content record as a tap: it looks at a dump as it passes and counts what is in it.

use std::io::Read as _;
use std::sync::Arc;

use tokio::task;

use super::OpenDatabase;
use super::archive::{ArchiveError, ArchiveOptions, ArchiveReader, ArchiveSummary, DataPlace};
use crate::contents::Contents;
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
        self.reader.feed(plain)?;
        self.progress.add(plain.len() as u64);
        self.progress.table(self.reader.current_table());
        Ok(())
    }
}
