//! Child processes with an owner: they die with it, and the end of their output means nothing until they exited 0.
//!
//! Three things end a child: its owner's `kill`, its owner's drop, and guard's own death. For the last one the child is
//! started through `setpriv --pdeathsig` (util-linux) where that exists; where it does not, a child that still writes dies
//! of its closed pipe, and scratch clusters are swept by the janitor. The kernel sends that signal when the starting
//! *thread* ends (prctl(2)), so children are started on the runtime's own threads, never in `spawn_blocking`.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// How much of a child's complaints is kept for the error message.
const STDERR_LINES: usize = 20;

/// A killed process is gone within milliseconds, unless a disk holds it.
const KILL_PATIENCE: Duration = Duration::from_secs(1);
/// For a gigabyte of dump, 280,000 writes become 4,500.
const BULK: &str = "--output=256K";

/// A command that is not yet running.
#[derive(Debug)]
pub struct ChildCommand {
    program: String,
    command: Command,
    ending: Ending,
}

/// What happens to a child that its owner drops, or that outlives guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is killed at once, with its process group.
    Kill,
    /// It is asked to quit and given so long: a server frees what it shares.
    Quit(Duration),
    /// It goes on: its user takes it over.
    Leave,
}

/// A running child whose output is read elsewhere.
#[derive(Debug)]
pub struct OwnedChild {
    program: String,
    child: Child,
    group: Option<Pid>,
    stderr: Option<JoinHandle<Vec<String>>>,
    ending: Ending,
}

/// Who a child runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunAs {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Why a child did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It could not be started.
    #[error("cannot run {program}: {reason}")]
    Start {
        /// Which program.
        program: String,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// It ended with a failure.
    #[error("{program} failed ({status}){}", said(stderr))]
    Failed {
        /// Which program.
        program: String,
        /// Its exit status.
        status: String,
        /// Its last words.
        stderr: Vec<String>,
    },
}

impl ChildCommand {
    /// A command for `program` with nothing on its standard input and its own process group.
    pub fn new(program: &Path, ending: Ending) -> Self {
        Self::of(vec![program.into()], program, ending)
    }

    /// The same for a program whose output is large and leaves it through C's `stdio`, which would write a pipe in pieces
    /// of 4 KiB: through `stdbuf` (coreutils), where that works, they are larger.
    pub fn writing_in_bulk(program: &Path, ending: Ending) -> Self {
        let mut line = stdbuf().map_or_else(Vec::new, |stdbuf| vec![stdbuf.into(), BULK.into()]);
        line.push(program.into());
        Self::of(line, program, ending)
    }

    fn of(mut line: Vec<OsString>, program: &Path, ending: Ending) -> Self {
        let death_signal = match ending {
            Ending::Kill => Some("KILL"),
            Ending::Quit(_) => Some("QUIT"),
            Ending::Leave => None,
        };
        if let (Some(setpriv), Some(signal)) = (setpriv(), death_signal) {
            line.splice(..0, [setpriv.into(), format!("--pdeathsig={signal}").into(), "--".into()]);
        }
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]);
        let stderr = if ending == Ending::Leave { Stdio::null() } else { Stdio::piped() };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).kill_on_drop(ending != Ending::Leave);
        // A Ctrl-C in the terminal reaches guard alone, which then ends its children in order.
        command.process_group(0);
        let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Self { program, command, ending }
    }

    /// Adds arguments. Secrets never belong here: every user of the machine can read them.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets environment variables; this is how secrets travel.
    #[must_use]
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self {
        self.command.envs(variables);
        self
    }

    /// Lets a noun that owns settings put them on the command.
    #[must_use]
    pub fn with(mut self, configure: impl FnOnce(&mut std::process::Command)) -> Self {
        configure(self.command.as_std_mut());
        self
    }

    /// Runs it as another user (only root may).
    #[must_use]
    pub fn run_as(mut self, user: Option<RunAs>) -> Self {
        if let Some(RunAs { uid, gid }) = user {
            self.command.uid(uid).gid(gid);
        }
        self
    }

    /// Runs it in another directory.
    #[must_use]
    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Where its standard input comes from.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.command.stdin(input);
        self
    }

    /// Starts it with its output thrown away.
    pub fn start(mut self) -> Result<OwnedChild, ChildError> {
        // Arguments never hold secrets; the environment, which does, is not shown.
        tracing::debug!(program = self.program, arguments = ?self.command.as_std().get_args(), "starting");
        let started = self.command.spawn();
        let mut child = started.map_err(|reason| ChildError::Start { program: self.program.clone(), reason })?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let stderr = child.stderr.take().map(|stderr| tokio::spawn(last_lines(stderr).in_current_span()));
        Ok(OwnedChild { program: self.program, child, group, stderr, ending: self.ending })
    }

    /// Starts it and gives the reading end of its output, for a blocking reader.
    pub fn start_with_output(mut self) -> Result<(OwnedChild, PipeReader), ChildError> {
        let (reader, writer) =
            io::pipe().map_err(|reason| ChildError::Start { program: self.program.clone(), reason })?;
        widen(&reader);
        self.command.stdout(writer);
        Ok((self.start()?, reader))
    }

    /// Runs it to its end and gives what it wrote. Given up, it and everything that it started are ended.
    pub async fn output(mut self) -> Result<Vec<u8>, ChildError> {
        self.command.stdout(Stdio::piped());
        let mut child = self.start()?;
        let mut written = Vec::new();
        if let Some(mut stdout) = child.child.stdout.take() {
            let read = stdout.read_to_end(&mut written).await;
            read.map_err(|reason| ChildError::Start { program: child.program.clone(), reason })?;
        }
        child.finish().await?;
        Ok(written)
    }
}

/// What to put before a command line so that the program gets this signal when guard dies; nothing where that cannot be had.
pub fn tied_to_this_process(signal: &str) -> Vec<OsString> {
    setpriv().map_or_else(Vec::new, |setpriv| {
        vec![setpriv.into(), format!("--pdeathsig={signal}").into(), OsString::from("--")]
    })
}

impl OwnedChild {
    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end; anything but exit status 0 is an error that carries its last words.
    pub async fn finish(mut self) -> Result<(), ChildError> {
        let status = self.child.wait().await;
        let status = status.map_err(|reason| ChildError::Start { program: self.program.clone(), reason })?;
        if status.success() {
            return Ok(());
        }
        let stderr = self.last_words().await;
        Err(ChildError::Failed { program: self.program.clone(), status: status.to_string(), stderr })
    }

    /// Waits for its end without judging it.
    pub async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }

    /// The error of its end, if it has ended.
    pub async fn failed_already(&mut self) -> Option<ChildError> {
        let status = self.child.try_wait().ok().flatten()?;
        let stderr = self.last_words().await;
        Some(ChildError::Failed { program: self.program.clone(), status: status.to_string(), stderr })
    }

    /// Asks it to stop.
    pub fn signal(&self, signal: Signal) {
        if let (Some(group), Some(_)) = (self.group, self.child.id()) {
            let _ = killpg(group, signal);
        }
    }

    /// Ends it and everything it started, now, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait().await;
    }

    async fn last_words(&mut self) -> Vec<String> {
        match self.stderr.take() {
            Some(reading) => reading.await.unwrap_or_default(),
            None => Vec::new(),
        }
    }
}

impl Drop for OwnedChild {
    /// When this returns the child is gone, so that what it held and wrote to can be taken away.
    fn drop(&mut self) {
        match self.ending {
            // `kill_on_drop` reaches the child alone; its group may hold workers of its own (pg_restore --jobs).
            Ending::Kill => self.end_within(Signal::SIGKILL, KILL_PATIENCE),
            Ending::Quit(patience) => self.end_within(Signal::SIGQUIT, patience),
            Ending::Leave => {}
        }
    }
}

impl OwnedChild {
    fn end_within(&mut self, signal: Signal, patience: Duration) {
        self.signal(signal);
        let deadline = Instant::now() + patience;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn said(stderr: &[String]) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {}", stderr.join("; ")) }
}

async fn last_lines(stderr: impl AsyncRead + Unpin) -> Vec<String> {
    let mut lines = BufReader::new(stderr).lines();
    let mut kept = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::debug!(line, "child says");
        kept.push(line);
        if kept.len() > 2 * STDERR_LINES {
            kept = tail(kept);
        }
    }
    tail(kept)
}

fn tail(mut lines: Vec<String>) -> Vec<String> {
    lines.split_off(lines.len().saturating_sub(STDERR_LINES))
}

/// A pipe of 64 KiB makes the writer and the reader take turns; 1 MiB lets both run. Best effort: an unprivileged user may
/// be over the system's quota (`/proc/sys/fs/pipe-user-pages-soft`).
fn widen(pipe: &PipeReader) {
    let _ = nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20));
}

fn setpriv() -> Option<&'static Path> {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    // BusyBox has a setpriv without --pdeathsig.
    let is_usable = |found: &Path| {
        let help = std::process::Command::new(found).arg("--help").output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--pdeathsig"))
    };
    SETPRIV.get_or_init(|| find("setpriv").filter(|found| is_usable(found))).as_deref()
}

fn stdbuf() -> Option<&'static Path> {
    static STDBUF: OnceLock<Option<PathBuf>> = OnceLock::new();
    // It works by a library that is preloaded; where that cannot be, the trial fails or complains.
    let is_usable = |found: &Path| {
        let trial = std::process::Command::new(found).arg(BULK).arg(found).arg("--version").output();
        trial.is_ok_and(|trial| trial.status.success() && trial.stderr.is_empty())
    };
    STDBUF.get_or_init(|| find("stdbuf").filter(|found| is_usable(found))).as_deref()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/bin".into(), "/bin".into()]);
    dirs.map(|dir| dir.join(program)).find(|path| path.is_file())
}
