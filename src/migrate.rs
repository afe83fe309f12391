//! A migration under guard's eyes: a window in which no dump starts, a backup right before, the command, and if that fails, what
//! puts the database back.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::Manifest;
use crate::progress::Progress;
use crate::source::child::tied_to_this_process;
use crate::window::Window;

/// What to run, and how.
#[derive(Debug)]
pub struct MigrationOrder<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// Whether standard output is guard's own, so that the command's goes to standard error.
    pub keep_stdout: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandEnd {
    /// How.
    pub ended: Ended,
    /// How long it ran.
    pub took: Duration,
    /// Whether it was stopped because guard was.
    pub stopped: bool,
    /// Whether the window was lost meanwhile, so that a dump may have run beside it.
    pub window_lost: bool,
}

/// By itself or by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(u8),
    /// By this signal.
    Signalled(i32),
}

/// Why the command did not run.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No backup could be taken, so nothing was run.
    #[error("{0}; the command was not run")]
    Backup(#[source] BackupError),
    /// It could not be started.
    #[error("cannot run {program}: {reason}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
    /// Its end could not be waited for.
    #[error("cannot wait for {program}: {reason}")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
}

/// How long a command that was asked to stop has for it.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Takes the backup that the migrations can be taken back by, inside the window.
pub async fn back_up_before(
    order: &BackupOrder<'_>,
    window: &Window,
    progress: &Arc<Progress>,
) -> Result<Manifest, MigrateError> {
    backup(order, progress, window.token()).await.map_err(MigrateError::Backup)
}

/// Runs the command while the window is held. A window that is lost does not end the command: half a migration is worse than a
/// dump beside it, which gives way as soon as it blocks somebody. When guard is told to stop, so is the command; when guard is
/// killed, the command is terminated with it.
pub async fn run(
    order: &MigrationOrder<'_>,
    window: &Window,
    cancel: &CancellationToken,
) -> Result<CommandEnd, MigrateError> {
    let program = order.command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let begun = Instant::now();
    let mut child = start(order).map_err(|reason| MigrateError::Start { program: program.clone(), reason })?;
    let mut stopped = false;
    let status = tokio::select! {
        status = child.wait() => status,
        () = cancel.cancelled() => {
            stopped = true;
            stop(&mut child).await
        }
    };
    let status = status.map_err(|reason| MigrateError::Wait { program, reason })?;
    Ok(CommandEnd { ended: Ended::of(status), took: begun.elapsed(), stopped, window_lost: window.is_lost() })
}

fn start(order: &MigrationOrder<'_>) -> std::io::Result<Child> {
    let mut line = tied_to_this_process("TERM");
    line.extend(order.command.iter().cloned());
    let (program, arguments) = line.split_first().map_or((OsStr::new(""), &[][..]), |(first, rest)| (first, rest));
    // In guard's own process group: a framework may ask a question on the terminal, and Ctrl-C reaches it.
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    if order.keep_stdout {
        command.stdout(Stdio::from(std::io::stderr()));
    }
    command.spawn()
}

async fn stop(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    match tokio::time::timeout(STOP_PATIENCE, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            child.kill().await?;
            child.wait().await
        }
    }
}

impl Ended {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }

    /// The exit code that passes it on, as a shell would.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }

    /// Whether it did its work.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(signal) => match Signal::try_from(*signal) {
                Ok(signal) => write!(f, "signal {signal}"),
                Err(_) => write!(f, "signal {signal}"),
            },
        }
    }
}
