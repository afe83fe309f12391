//! The content record of any kind of source: looks at a dump as it passes, on its way out or back.

use std::sync::Arc;

use super::postgres;
use super::postgres::archive::{ArchiveError, ArchiveOptions, DataPlace, ListedEntry};
use super::redis::rdb::{RdbError, RdbOptions};
use super::redis::record::{Recorder as RdbRecorder, StreamRecord};
use crate::catalog::{Manifest, SourceFacts};
use crate::contents::Contents;
use crate::progress::Progress;
use crate::stream::{Tap, TapError};

/// Records one stream.
pub enum Recorder {
    /// An archive of `pg_dump`.
    Postgres(Box<postgres::record::Recorder>),
    /// An RDB.
    Redis(StreamRecord),
    /// A data stream whose content is known: only its progress is told.
    Counting(Arc<Progress>),
    /// A stream beside the data, whose content is not compared.
    Nothing,
}

/// What a stream held.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The record.
    pub contents: Contents,
    /// An archive's table of contents; empty for other kinds.
    pub entries: Vec<ListedEntry>,
}

/// Why a dump is not what its kind's dumps are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecorderError {
    /// Not an archive of `pg_dump`.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Not an RDB.
    #[error(transparent)]
    Rdb(#[from] RdbError),
}

impl Recorder {
    /// For a data stream of this backup, on its way back.
    pub fn of_backup(manifest: &Manifest, progress: &Arc<Progress>) -> Self {
        match &manifest.facts {
            SourceFacts::Postgres(_) => {
                Self::Postgres(Box::new(postgres::record::Recorder::new(ArchiveOptions::default(), progress)))
            }
            SourceFacts::Redis(_) => {
                let recorder = RdbRecorder::new(RdbOptions::default(), progress);
                Self::Redis(StreamRecord::Passing(Box::new(recorder)))
            }
        }
    }

    /// Sees the next bytes.
    pub fn see(&mut self, plain: &[u8]) -> Result<(), RecorderError> {
        match self {
            Self::Postgres(recorder) => Ok(recorder.see(plain)?),
            Self::Redis(record) => Ok(record.see(plain)?),
            Self::Counting(progress) => {
                progress.add(plain.len() as u64);
                Ok(())
            }
            Self::Nothing => Ok(()),
        }
    }

    /// What the stream could not say yet of itself when it began, for a file that can be written anywhere.
    pub fn data_places(&self) -> &[DataPlace] {
        match self {
            Self::Postgres(recorder) => recorder.data_places(),
            Self::Redis(_) | Self::Counting(_) | Self::Nothing => &[],
        }
    }

    /// The record, if the stream was whole; none of a stream that is not recorded.
    pub fn finish(self) -> Result<Option<Recorded>, RecorderError> {
        match self {
            Self::Postgres(recorder) => {
                let summary = recorder.finish()?;
                Ok(Some(Recorded { contents: summary.contents, entries: summary.entries }))
            }
            Self::Redis(record) => {
                let contents = Contents { keyspace: Some(record.finish()?.keyspace), ..Contents::default() };
                Ok(Some(Recorded { contents, entries: Vec::new() }))
            }
            Self::Counting(_) | Self::Nothing => Ok(None),
        }
    }
}

impl Tap for Recorder {
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError> {
        Ok(self.see(plain)?)
    }
}
