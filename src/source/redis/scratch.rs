//! The scratch of a test restore: a throw-away server for each stream, as production has one for each shard.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{Connection, ConnectionError, Reply};
use super::info::Info;
use super::rdb::RdbOptions;
use super::server::{ScratchServer, ServerError, ServerProgram};
use super::{RedisError, RedisSource};
use crate::catalog::{BackupId, Manifest, RedisFacts, SourceName};
use crate::contents::keyspace::Keyspace;
use crate::progress::Progress;

/// Servers that hold, or will hold, a backup.
#[derive(Debug)]
pub struct Scratch {
    program: ServerProgram,
    parent: PathBuf,
    backup: BackupId,
    source: SourceName,
    servers: tokio::sync::Mutex<Vec<ScratchServer>>,
}

/// Why there is no scratch, or why it could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// No server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// It could not be read.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl ScratchError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.help(),
            Self::Redis(error) => error.help(),
        }
    }
}

const MAX_SILENCE: std::time::Duration = std::time::Duration::from_mins(1);

impl Scratch {
    /// Finds the server's program; the servers start once there is something to load.
    pub async fn make(
        manifest: &Manifest,
        facts: &RedisFacts,
        program_dir: Option<&Path>,
        parent: PathBuf,
    ) -> Result<Self, ScratchError> {
        let program = ServerProgram::find(program_dir, &facts.server, Some(facts.rdb_version)).await?;
        let (backup, source) = (manifest.id.clone(), manifest.source.clone());
        Ok(Self { program, parent, backup, source, servers: tokio::sync::Mutex::default() })
    }

    /// Starts a server on each file. What it says against the file is the backup's fault, and no error.
    pub async fn load(&self, files: &[PathBuf], expected: &Keyspace) -> Result<Result<String, String>, ScratchError> {
        let databases = expected.databases.keys().next_back().map_or(0, |last| last + 1);
        let mut servers = self.servers.lock().await;
        for file in files {
            match ScratchServer::start(&self.program, &self.parent, file, databases).await {
                Ok(server) => servers.push(server),
                Err(ServerError::Refused(reason)) => return Ok(Err(reason)),
                Err(error) => return Err(error.into()),
            }
        }
        let (name, version) = (self.program.name(), &self.program.version);
        Ok(Ok(format!("{name} {version} loaded the snapshot without an error")))
    }

    /// Changes the first server on purpose, to show that the proof notices.
    pub async fn damage(&self, statement: &str) -> Result<(), ScratchError> {
        let words: Vec<Vec<u8>> = statement.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        for server in self.servers.lock().await.iter().take(1) {
            let words = words.clone();
            server
                .ask(move |connection| connection.command(&words.iter().map(Vec::as_slice).collect::<Vec<_>>()))
                .await?;
        }
        Ok(())
    }

    /// Reads every server by the same code as the source was read.
    pub async fn record(&self, progress: &Arc<Progress>) -> Result<Keyspace, ScratchError> {
        let mut keyspace = Keyspace::default();
        for server in self.servers.lock().await.iter() {
            let copy = RedisSource::for_comparison(self.source.clone(), server.address(), MAX_SILENCE);
            let copy = copy.open(&self.backup).await?;
            keyspace.absorb(copy.record(RdbOptions::default(), progress).await?);
            copy.close();
        }
        Ok(keyspace)
    }

    /// What the servers themselves count, against the record: the figures, or what is wrong.
    pub async fn structure(&self, expected: &Keyspace) -> Result<Result<String, String>, ScratchError> {
        let mut counted = Counted::default();
        for server in self.servers.lock().await.iter() {
            let found = server.ask(count).await?;
            counted.keys += found.keys;
            // Every master has all of them.
            counted.libraries = counted.libraries.max(found.libraries);
        }
        Ok(counted.judge(expected))
    }

    /// What it is, for the evidence.
    pub fn describe(&self) -> String {
        format!("throw-away {} {}", self.program.name(), self.program.version)
    }

    /// Ends the servers and removes their directories.
    pub async fn stop(self) {
        for server in self.servers.into_inner() {
            server.stop().await;
        }
    }

    /// Leaves the servers to the user; returns their addresses.
    pub async fn keep(self) -> Result<String, ScratchError> {
        let mut addresses = Vec::new();
        for server in self.servers.into_inner() {
            addresses.push(server.keep().await?.to_string());
        }
        Ok(addresses.join(" "))
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Counted {
    keys: u64,
    libraries: u64,
}

impl Counted {
    fn judge(self, expected: &Keyspace) -> Result<String, String> {
        let Self { keys, libraries } = self;
        if keys != expected.keys() {
            return Err(format!("the server counts {keys} keys, its snapshot has {}", expected.keys()));
        }
        if libraries != expected.functions.libraries {
            let listed = expected.functions.libraries;
            return Err(format!("the server can run {libraries} function libraries of {listed}"));
        }
        Ok(format!("the server counts {keys} keys and can run {libraries} function libraries"))
    }
}

fn count(connection: &mut Connection) -> Result<Counted, ConnectionError> {
    let keys = Info::ask(connection)?.databases().values().sum();
    let libraries = match connection.command(&[b"FUNCTION", b"LIST"]) {
        Ok(Reply::Array(libraries)) => libraries.len() as u64,
        Ok(other) => return Err(connection.odd(&other)),
        // Before 7.0 there are no functions.
        Err(ConnectionError::Refused { .. }) => 0,
        Err(error) => return Err(error),
    };
    Ok(Counted { keys, libraries })
}
