//! A throw-away server that holds one snapshot: started from the file, reachable by a Unix socket alone, never saved.
//!
//! It is started as a replica of nobody. A master drops at loading what has expired since the snapshot was taken; a
//! replica waits for its master to say so (`rdbLoadRioWithLoadingCtx`). Once loaded it is told to be a master and to
//! expire nothing by itself, so that it can be read like any source and still holds every key of the snapshot.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task;

use super::address::{Address, Endpoint};
use super::connection::{Connection, ConnectionError, Lines, Reply};
use super::format;
use crate::source::child::{ChildCommand, ChildError, Ending, OwnedChild};
use crate::workdir::{self, WorkDir};

/// The server's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerProgram {
    path: PathBuf,
    /// `redis` or `valkey`, whatever its file is called.
    product: &'static str,
    /// Its version, as it prints it.
    pub version: String,
}

/// A running throw-away server. Dropped, the process goes first, then its directory.
#[derive(Debug)]
pub struct ScratchServer {
    child: OwnedChild,
    dir: WorkDir,
    program: ServerProgram,
    databases: u64,
}

/// Why there is no throw-away server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No program.
    #[error("no server program is found: {}", names.join(", "))]
    NoProgram {
        /// The names that were looked for.
        names: Vec<String>,
    },
    /// None of the programs reads the format.
    #[error("no server program reads RDB version {rdb_version}: there is {}", found.join(", "))]
    NoneReads {
        /// The snapshot's format.
        rdb_version: u32,
        /// The programs that were found.
        found: Vec<String>,
    },
    /// Its directory cannot be made or filled.
    #[error("cannot prepare {dir}: {reason}")]
    Directory {
        /// Which directory.
        dir: PathBuf,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// The program failed.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// It runs and cannot be asked.
    #[error("the scratch server does not answer: {0}")]
    Connection(#[from] ConnectionError),
    /// It is not made for this snapshot: too old, or without a module.
    #[error("the scratch server ({version}) cannot load this snapshot: {reason}")]
    Unsuited {
        /// Its version.
        version: String,
        /// What it said.
        reason: String,
    },
    /// It refuses the snapshot.
    #[error("{0}")]
    Refused(String),
    /// The thread that asked it died.
    #[error("asking the scratch server failed: {0}")]
    Thread(#[from] task::JoinError),
}

impl ServerError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoProgram { names } => {
                let name = names.first().map_or("redis-server", String::as_str);
                Some(format!(
                    "install it (Debian: apt install {name}), or set scratch.bin_dir to the directory that has it"
                ))
            }
            Self::Directory { .. } => Some("set scratch.dir to a directory with enough space".to_owned()),
            Self::NoneReads { .. } | Self::Unsuited { .. } => Some(
                "install the source's own version, and set scratch.bin_dir to the directory that has it".to_owned(),
            ),
            Self::Child(_) | Self::Connection(_) | Self::Refused(_) | Self::Thread(_) => None,
        }
    }
}

const DIR_KIND: &str = "guard-redis-";
const KEPT_KIND: &str = "guard-kept-redis-";
const FILE: &str = "dump.rdb";
const LOG: &str = "redis.log";
const SOCKET: &str = "redis.sock";
const POLL: Duration = Duration::from_millis(20);
const MAX_SILENCE: Duration = Duration::from_mins(1);

/// Removes what servers of killed runs left in a directory; the servers themselves died with their runs.
pub fn sweep_leftovers(parent: &Path) {
    workdir::sweep(parent, DIR_KIND, |_| ());
}

/// What a server has unless it is told otherwise.
const MIN_DATABASES: u64 = 16;

impl ServerProgram {
    /// Finds a program that reads this format: in `dir` if one is named, then where programs are, the source's own product
    /// before the other.
    pub async fn find(dir: Option<&Path>, server: &str, rdb_version: Option<u32>) -> Result<Self, ServerError> {
        let names =
            if server == "valkey" { ["valkey-server", "redis-server"] } else { ["redis-server", "valkey-server"] };
        let (mut found, mut broken) = (Vec::new(), None);
        for path in places(dir, names) {
            let program = match Self::ask(path).await {
                Ok(program) => program,
                // Another one may do.
                Err(error) => {
                    broken.get_or_insert(error);
                    continue;
                }
            };
            if rdb_version.is_none_or(|wanted| format::may_read(program.product, &program.version, wanted)) {
                return Ok(program);
            }
            found.push(format!("{} {}", program.name(), program.version));
        }
        match (rdb_version, broken) {
            (_, Some(error)) if found.is_empty() => Err(error),
            (Some(rdb_version), _) if !found.is_empty() => Err(ServerError::NoneReads { rdb_version, found }),
            _ => Err(ServerError::NoProgram { names: names.map(str::to_owned).to_vec() }),
        }
    }

    /// `Redis server v=7.0.15 sha=…`, or `Valkey server v=…`: some systems call Valkey redis-server too.
    async fn ask(path: PathBuf) -> Result<Self, ServerError> {
        let printed = ChildCommand::new(&path, Ending::Kill).args(["--version"]).output().await?;
        let printed = String::from_utf8_lossy(&printed).into_owned();
        let product = if printed.starts_with("Valkey") { "valkey" } else { "redis" };
        let version = printed.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or_default();
        Ok(Self { path, product, version: version.to_owned() })
    }

    fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn command(&self, dir: &Path, databases: u64, ending: Ending) -> ChildCommand {
        let in_dir = |name: &str| dir.join(name).into_os_string();
        let mut command = ChildCommand::new(&self.path, ending)
            .current_dir(dir)
            .args(["--port", "0", "--daemonize", "no", "--appendonly", "no", "--save", "", "--maxmemory", "0"])
            .args(["--replicaof", "127.0.0.1", "0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"])
            .args(["--databases", &databases.max(MIN_DATABASES).to_string(), "--unixsocketperm", "700"])
            .args(["--dbfilename", FILE, "--unixsocket"])
            .args([in_dir(SOCKET), "--logfile".into(), in_dir(LOG), "--dir".into(), dir.into()]);
        if self.major() >= 7 {
            command = command.args(["--enable-debug-command", "yes"]);
        }
        command
    }
}

/// The files of these names: in `dir`, then wherever programs are, each once.
fn places(dir: Option<&Path>, names: [&str; 2]) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/local/bin".into()]).collect();
    let named = dir.iter().flat_map(|dir| names.iter().map(|name| dir.join(name)));
    let usual = names.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    let mut seen = HashSet::new();
    named.chain(usual).filter(|path| path.is_file() && seen.insert(path.clone())).collect()
}

impl ScratchServer {
    /// Starts one on a copy of this file, which may be taken over, with room for so many databases.
    pub async fn start(
        program: &ServerProgram,
        parent: &Path,
        file: &Path,
        databases: u64,
    ) -> Result<Self, ServerError> {
        sweep_leftovers(parent);
        let directory = |reason| ServerError::Directory { dir: parent.to_owned(), reason };
        let dir = WorkDir::make(parent, DIR_KIND).map_err(directory)?;
        let place = dir.path().join(FILE);
        // A second name costs nothing; another file system needs a copy.
        if fs::hard_link(file, &place).is_err() {
            fs::copy(file, &place).map_err(directory)?;
        }
        let child = program.command(dir.path(), databases, Ending::Kill).start()?;
        let mut server = Self { child, dir, program: program.clone(), databases };
        server.settle().await?;
        Ok(server)
    }

    /// How to reach it.
    pub fn address(&self) -> Address {
        Address::bare(vec![Endpoint::Unix(self.dir.path().join(SOCKET))])
    }

    /// Runs something with a connection to it.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, ConnectionError> + Send + 'static,
    ) -> Result<T, ServerError> {
        let (address, lines) = (self.address(), Lines::default());
        let _hang_up = lines.guard();
        let asked = task::spawn_blocking(move || {
            let mut connection = Connection::open(&address, MAX_SILENCE, &lines)?;
            question(&mut connection)
        });
        Ok(asked.await??)
    }

    /// Waits until it has loaded its file, and makes it keep everything that was in it.
    async fn settle(&mut self) -> Result<(), ServerError> {
        loop {
            if let Some(ended) = self.child.failed_already().await {
                return Err(self.complaint(ended));
            }
            match self.ask(keep_everything).await {
                Ok(true) => return Ok(()),
                // It loads its file, or has no socket yet.
                Ok(false)
                | Err(ServerError::Connection(ConnectionError::Connect { .. } | ConnectionError::Lost { .. })) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What the server said before it ended.
    fn complaint(&self, ended: ChildError) -> ServerError {
        let log = fs::read_to_string(self.dir.path().join(LOG)).unwrap_or_default();
        let said = |line: &&str| {
            ["# ", "Fatal", "FATAL", "Bad "].iter().any(|mark| line.contains(mark)) && !line.contains("WARNING")
        };
        let words: Vec<&str> =
            log.lines().filter(said).filter_map(|line| line.split_once("# ").map(|(_, text)| text)).collect();
        let reason = words.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("; ");
        if reason.is_empty() {
            return ended.into();
        }
        let unsuited = [
            "Can't handle RDB format version",
            // The header of another product: that the file is an RDB the decoder has seen.
            "Wrong signature",
            "Can't handle foreign type",
            "no matching module type",
            "Unknown RDB encoding type",
            "Unknown type",
        ];
        if words.iter().any(|line| unsuited.iter().any(|mark| line.contains(mark))) {
            return ServerError::Unsuited { version: self.program.version.clone(), reason };
        }
        ServerError::Refused(format!("{} refused the snapshot: {reason}", self.program.name()))
    }

    /// Ends it and removes its directory.
    pub async fn stop(mut self) {
        self.child.kill().await;
    }

    /// Leaves it to its user: it is started anew, apart from guard's life and under a name that is never swept.
    pub async fn keep(mut self) -> Result<Address, ServerError> {
        self.child.kill().await;
        let Self { child, dir, program, databases } = self;
        drop(child);
        let path = dir.path().to_owned();
        let path = dir.keep(KEPT_KIND).map_err(|reason| ServerError::Directory { dir: path, reason })?;
        let address = Address::bare(vec![Endpoint::Unix(path.join(SOCKET))]);
        let mut untied = program.command(&path, databases, Ending::Leave).start()?;
        loop {
            if let Some(ended) = untied.failed_already().await {
                return Err(ended.into());
            }
            let (asked, lines) = (address.clone(), Lines::default());
            let answer = task::spawn_blocking(move || {
                let _hang_up = lines.guard();
                keep_everything(&mut Connection::open(&asked, MAX_SILENCE, &lines)?)
            });
            if let Ok(true) = answer.await? {
                return Ok(address);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Whether it has loaded; then nothing of it will expire any more. The order matters: as a replica it expires nothing.
fn keep_everything(connection: &mut Connection) -> Result<bool, ConnectionError> {
    connection.send(&[b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"])?;
    match connection.receive()? {
        Reply::Error(message) if message.starts_with("LOADING") => return Ok(false),
        // DEBUG itself is answered while it loads.
        Reply::Error(message) => {
            let (server, command) = (connection.server().to_owned(), "DEBUG".to_owned());
            return Err(ConnectionError::Refused { server, command, message });
        }
        _ => {}
    }
    connection.send(&[b"REPLICAOF", b"NO", b"ONE"])?;
    match connection.receive()? {
        Reply::Error(message) if message.starts_with("LOADING") => Ok(false),
        Reply::Error(message) => {
            let (server, command) = (connection.server().to_owned(), "REPLICAOF".to_owned());
            Err(ConnectionError::Refused { server, command, message })
        }
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::ServerProgram;

    #[tokio::test]
    async fn a_program_that_cannot_be_run_does_not_hide_one_that_can() {
        let dir = tempfile::tempdir().unwrap();
        let broken = dir.path().join("redis-server");
        fs::write(&broken, "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
        let found = ServerProgram::find(Some(dir.path()), "redis", Some(10)).await.unwrap();
        assert!(found.path != broken && found.product == "redis");
    }
}
