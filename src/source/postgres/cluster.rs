//! A throw-away cluster: made by `initdb` in a directory of its own, reachable by a Unix socket alone, never durable.
//!
//! It is removed when it is stopped or dropped; after a crash of guard the postmaster dies with it (see `child`), and the
//! next start sweeps the directory (see `workdir`).

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};

use super::client::ClientTools;
use super::connection::{Connection, ConnectionError};
use super::session::{SessionError, connect};
use crate::source::child::{ChildCommand, ChildError, Ending, OwnedChild, RunAs};
use crate::workdir::{self, WorkDir};

/// Where and as whom throw-away clusters are made.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// The directory in which theirs are made; the system's temporary one by default.
    pub dir: Option<PathBuf>,
    /// The user that runs them when guard is root.
    pub user: String,
}

/// A running throw-away cluster. Dropped, the postmaster goes first, then its directory.
#[derive(Debug)]
pub struct ScratchCluster {
    postmaster: OwnedChild,
    dir: WorkDir,
    program: PathBuf,
    run_as: Option<RunAs>,
}

/// Why there is no throw-away cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The server's programs are not installed.
    #[error("no PostgreSQL {major} server programs (initdb, postgres) beside {found}")]
    NoServer {
        /// The version that is needed.
        major: u32,
        /// Where the client programs are.
        found: PathBuf,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error("PostgreSQL does not run as root, and the user `{user}` does not exist")]
    NoUser {
        /// The configured user.
        user: String,
    },
    /// Its directory cannot be made.
    #[error("cannot prepare {dir}: {reason}")]
    Directory {
        /// Which directory.
        dir: PathBuf,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// A program failed.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// It started and does not answer.
    #[error("the scratch cluster does not answer: {0}")]
    Session(#[from] SessionError),
    /// Its address is odd.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

impl ClusterError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoServer { major, .. } => Some(format!(
                "install postgresql-{major}, or set scratch.url to a server where guard may create a database"
            )),
            Self::NoUser { .. } => Some("set scratch.user to an unprivileged user, or run guard as one".to_owned()),
            Self::Directory { .. } => Some("set scratch.dir to a directory with enough space".to_owned()),
            Self::Child(_) | Self::Session(_) | Self::Connection(_) => None,
        }
    }
}

const DIR_KIND: &str = "guard-scratch-";
const KEPT_KIND: &str = "guard-kept-";
const SUPERUSER: &str = "postgres";
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Quit, not kill: the postmaster then ends its children and frees its shared memory.
const STOP: Ending = Ending::Quit(STOP_PATIENCE);

/// Removes what clusters of killed runs left in a directory.
pub fn sweep_leftovers(parent: &Path) {
    workdir::sweep(parent, DIR_KIND, end_orphan);
}

impl ScratchCluster {
    /// Makes and starts one with the programs of `tools`.
    pub async fn start(tools: &ClientTools, settings: &ClusterSettings) -> Result<Self, ClusterError> {
        if !tools.has_server() {
            return Err(ClusterError::NoServer { major: tools.major(), found: tools.program("") });
        }
        let parent = settings.dir.clone().unwrap_or_else(std::env::temp_dir);
        sweep_leftovers(&parent);
        let run_as = run_as(&settings.user)?;
        let dir = make_dir(&parent, run_as)?;
        init(tools, dir.path(), run_as).await?;
        let program = tools.program("postgres");
        let postmaster = start(&program, dir.path(), run_as, STOP, WalLevel::Minimal)?;
        let mut cluster = Self { postmaster, dir, program, run_as };
        await_start(&mut cluster.postmaster, cluster.dir.path()).await?;
        Ok(cluster)
    }

    /// Starts it anew with the log that a server with a replica writes: a restore needs little of it, but what a statement
    /// logs here shall be what it logs in production.
    pub async fn log_for_replicas(&mut self) -> Result<(), ClusterError> {
        self.postmaster.signal(Signal::SIGINT);
        self.postmaster.ended().await;
        self.postmaster = start(&self.program, self.dir.path(), self.run_as, STOP, WalLevel::Replica)?;
        await_start(&mut self.postmaster, self.dir.path()).await
    }

    /// How to reach a database of it, as its superuser.
    pub fn connection(&self, database: &str) -> Result<Connection, ConnectionError> {
        connection(self.dir.path(), database)
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves it to its user: it is started anew, apart from guard's life and under a name that is never swept. Returns how
    /// to reach a database of it.
    pub async fn keep(mut self, database: &str) -> Result<Connection, ClusterError> {
        self.postmaster.signal(Signal::SIGINT);
        self.postmaster.ended().await;
        let dir = self.dir.path().to_owned();
        let dir = self.dir.keep(KEPT_KIND).map_err(|reason| ClusterError::Directory { dir, reason })?;
        let mut postmaster = start(&self.program, &dir, self.run_as, Ending::Leave, WalLevel::Minimal)?;
        await_start(&mut postmaster, &dir).await?;
        Ok(connection(&dir, database)?)
    }

    /// Ends it at once and removes every trace.
    pub async fn stop(mut self) {
        self.postmaster.signal(Signal::SIGQUIT);
        if tokio::time::timeout(STOP_PATIENCE, self.postmaster.ended()).await.is_err() {
            self.postmaster.kill().await;
        }
    }
}

/// How much a server writes into its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WalLevel {
    /// What the server itself needs.
    Minimal,
    /// What a replica needs as well.
    Replica,
}

fn start(
    program: &Path,
    dir: &Path,
    run_as: Option<RunAs>,
    ending: Ending,
    wal_level: WalLevel,
) -> Result<OwnedChild, ChildError> {
    let command = ChildCommand::new(program, ending).with(clear_libpq).args(server_arguments(dir, wal_level));
    command.run_as(run_as).current_dir(dir).start()
}

fn connection(dir: &Path, database: &str) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::new();
    connection.set("host", &dir.to_string_lossy())?;
    connection.set("port", "5432")?;
    connection.set("user", SUPERUSER)?;
    connection.set("dbname", database)?;
    Ok(connection)
}

async fn await_start(postmaster: &mut OwnedChild, dir: &Path) -> Result<(), ClusterError> {
    let connection = connection(dir, "postgres")?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let refused = match connect(&connection, "guard scratch").await {
            Ok((session, _)) => {
                let _ = sqlx::Connection::close(session).await;
                return Ok(());
            }
            Err(refused) => refused,
        };
        if let Some(failed) = postmaster.failed_already().await {
            return Err(failed.into());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(refused.into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run_as(user: &str) -> Result<Option<RunAs>, ClusterError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let found = User::from_name(user).ok().flatten().filter(|found| !found.uid.is_root());
    let found = found.ok_or_else(|| ClusterError::NoUser { user: user.to_owned() })?;
    Ok(Some(RunAs { uid: found.uid.as_raw(), gid: found.gid.as_raw() }))
}

fn make_dir(parent: &Path, run_as: Option<RunAs>) -> Result<WorkDir, ClusterError> {
    let make = || {
        let dir = WorkDir::make(parent, DIR_KIND)?;
        if let Some(RunAs { uid, gid }) = run_as {
            chown(dir.path(), Some(uid), Some(gid))?;
        }
        Ok(dir)
    };
    make().map_err(|reason| ClusterError::Directory { dir: parent.to_owned(), reason })
}

async fn init(tools: &ClientTools, dir: &Path, run_as: Option<RunAs>) -> Result<(), ChildError> {
    let data = dir.join("data");
    ChildCommand::new(&tools.program("initdb"), Ending::Kill)
        .with(clear_libpq)
        .args(["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C"])
        .args([format!("--username={SUPERUSER}"), format!("--pgdata={}", data.display())])
        .envs([("LC_ALL", "C")])
        .run_as(run_as)
        .current_dir(dir)
        .output()
        .await
        .map(|_| ())
}

/// Everything that costs time for durability or sharing is off: the cluster lives for one restore. Buffers beyond a few
/// hundred megabytes would only have to be cleared first: a load writes through small rings. The shared memory is mapped
/// from the cluster's own directory, because `/dev/shm` of a container is small and outlives a killed server.
fn server_arguments(dir: &Path, wal_level: WalLevel) -> Vec<String> {
    let wal_level = if wal_level == WalLevel::Minimal { "minimal" } else { "replica" };
    let memory = memory_bytes();
    let shared_buffers = (memory / 8).clamp(64 << 20, 256 << 20) >> 20;
    let maintenance = (memory / 16).clamp(64 << 20, 1 << 30) >> 20;
    let mut arguments = vec!["-D".to_owned(), dir.join("data").display().to_string()];
    let settings = [
        ("listen_addresses", String::new()),
        ("unix_socket_directories", dir.display().to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("port", "5432".to_owned()),
        ("fsync", "off".to_owned()),
        ("synchronous_commit", "off".to_owned()),
        ("full_page_writes", "off".to_owned()),
        ("wal_level", wal_level.to_owned()),
        ("max_wal_senders", "0".to_owned()),
        ("max_wal_size", "64GB".to_owned()),
        ("checkpoint_timeout", "1d".to_owned()),
        ("autovacuum", "off".to_owned()),
        ("bgwriter_lru_maxpages", "0".to_owned()),
        ("shared_buffers", format!("{shared_buffers}MB")),
        ("maintenance_work_mem", format!("{maintenance}MB")),
        ("dynamic_shared_memory_type", "mmap".to_owned()),
        ("max_connections", "40".to_owned()),
        ("max_locks_per_transaction", "1024".to_owned()),
        ("jit", "off".to_owned()),
        ("log_min_error_statement", "panic".to_owned()),
        ("log_statement", "none".to_owned()),
    ];
    for (name, value) in settings {
        arguments.push("-c".to_owned());
        arguments.push(format!("{name}={value}"));
    }
    arguments
}

fn memory_bytes() -> u64 {
    let kib = || {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
    };
    kib().map_or(1 << 30, |kib| kib << 10)
}

/// libpq's and the server's own variables of guard's environment must not reach the throw-away server.
fn clear_libpq(command: &mut std::process::Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") || name.to_string_lossy().starts_with("LC_") {
            command.env_remove(name);
        }
    }
}

/// Ends the postmaster of a directory whose owner is gone. It dies with guard by itself, save where `setpriv` is missing.
fn end_orphan(dir: &Path) {
    let Some(postmaster) = living_postmaster(dir) else { return };
    let _ = kill(postmaster, Signal::SIGQUIT);
    let deadline = Instant::now() + STOP_PATIENCE;
    while living_postmaster(dir).is_some() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn living_postmaster(dir: &Path) -> Option<Pid> {
    let pid_file = fs::read_to_string(dir.join("data/postmaster.pid")).ok()?;
    let pid: i32 = pid_file.lines().next()?.trim().parse().ok()?;
    let process = PathBuf::from(format!("/proc/{pid}"));
    // The number may belong to somebody else by now, and anybody may have made the directory.
    let command = fs::read(process.join("cmdline")).ok()?;
    let is_of_dir = String::from_utf8_lossy(&command).contains(&*dir.to_string_lossy());
    let is_of_owner = process.metadata().ok()?.uid() == dir.metadata().ok()?.uid();
    (is_of_dir && is_of_owner).then(|| Pid::from_raw(pid))
}
