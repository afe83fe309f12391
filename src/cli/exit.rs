//! How a command ends: its exit code, and an error as a user sees it.

use std::fmt;
use std::process::ExitCode;

use crate::backup::BackupError;
use crate::catalog::{CatalogError, SelectorError};
use crate::config::{AddressError, ConfigError, SecretError};
use crate::lease::LeaseError;
use crate::migrate::MigrateError;
use crate::notify::NotifyError;
use crate::prove::ProveError;
use crate::rehearse::RehearseError;
use crate::restore::RestoreError;
use crate::schedule::trigger::TriggerError;
use crate::source::SourceError;
use crate::source::postgres::load::LoadError;
use crate::source::postgres::session::SessionError;
use crate::source::redis::load::LoadError as RedisLoadError;
use crate::source::scratch::ScratchError;
use crate::store::{KeyError, StoreError};
use crate::stream::{KeyTextError, SealError};
use crate::undo::UndoError;
use crate::window::WindowError;

/// The exit codes, stable and documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The work was done, and the answer is yes.
    Yes,
    /// The work was done, and the answer is no.
    No,
    /// The work could not be done.
    Unable,
    /// Interrupted; everything half-done was cleaned up.
    Interrupted,
    /// What the command that guard ran ended with (`guard migrate`).
    OfCommand(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::Unable => 2,
            Exit::Interrupted => 130,
            Exit::OfCommand(code) => code,
        })
    }
}

/// An error with what a user needs: a stable code, what went wrong with what, and the way out.
#[derive(Debug)]
pub struct CliError {
    /// Stable, for scripts.
    pub code: &'static str,
    /// What was attempted on which object, and why it failed.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The exit code.
    pub exit: Exit,
}

impl CliError {
    /// The request itself makes no sense.
    pub fn usage(message: String) -> Self {
        Self::unable("usage", message)
    }

    /// The same with the way out.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn unable(code: &'static str, message: String) -> Self {
        Self { code, message, help: None, exit: Exit::Unable }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<BackupError> for CliError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Source(error) => error.into(),
            BackupError::Seal(SealError::Store(error)) => error.into(),
            error if error.may_have_committed() => Self::unable("store-failed", error.to_string())
                .with_help("whether the backup exists is not known: `guard list` tells, once the store answers again"),
            BackupError::Catalog(error) | BackupError::Manifest(error) => error.into(),
            BackupError::Interrupted => {
                Self { exit: Exit::Interrupted, ..Self::unable("interrupted", error.to_string()) }
            }
            BackupError::Seal(_) | BackupError::Archive(_) => Self::unable("backup-failed", error.to_string()),
        }
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        Self { help: error.help(), ..Self::unable(error.code(), error.to_string()) }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Denied { .. } => "store-denied",
            StoreError::Full { .. } => "store-full",
            StoreError::Unusable { .. } => "store-unusable",
            StoreError::NotFound { .. } => "not-found",
            StoreError::Exists { .. } => "exists",
            StoreError::Changed { .. } => "changed",
            StoreError::Transient { .. } | StoreError::Permanent { .. } => "store-failed",
        };
        Self { help: error.help().map(str::to_owned), ..Self::unable(code, error.to_string()) }
    }
}

impl From<CatalogError> for CliError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Store(error) => error.into(),
            CatalogError::NotARepository { .. } => Self::unable("not-a-repository", error.to_string())
                .with_help("check the store's url; the first `guard backup` makes the repository"),
            CatalogError::NewerFormat { .. } => {
                Self::unable("newer-format", error.to_string()).with_help("use a newer guard")
            }
            CatalogError::Untrusted { .. } => Self { exit: Exit::No, ..Self::unable("untrusted", error.to_string()) }
                .with_help("older backups can be named by their ids, see `guard list`"),
            CatalogError::NoSuchBackup(_) => {
                Self::unable("no-such-backup", error.to_string()).with_help("see `guard list`")
            }
            CatalogError::Key(_) => Self::unable("invalid-name", error.to_string()),
        }
    }
}

impl From<RestoreError> for CliError {
    fn from(error: RestoreError) -> Self {
        let help = error.help();
        let (code, exit) = match &error {
            RestoreError::Open(error) if error.is_damage() => (error.code(), Exit::No),
            RestoreError::Open(error) => (error.code(), Exit::Unable),
            RestoreError::Archive(_) => ("archive-unreadable", Exit::No),
            RestoreError::OnlyAPart { .. } => ("only-a-part", Exit::Unable),
            RestoreError::NoSuchTable(_) => ("usage", Exit::Unable),
            RestoreError::ContentsDiffer { .. } => ("contents-differ", Exit::No),
            RestoreError::Load(LoadError::NotEmpty { .. }) | RestoreError::Redis(RedisLoadError::NotEmpty { .. }) => {
                ("target-not-empty", Exit::Unable)
            }
            RestoreError::TargetIsSource { .. } | RestoreError::Redis(RedisLoadError::IsSource { .. }) => {
                ("target-is-source", Exit::Unable)
            }
            RestoreError::Redis(RedisLoadError::TooOld { .. }) => ("target-too-old", Exit::Unable),
            RestoreError::Redis(RedisLoadError::Foreign { .. }) => ("target-unsuited", Exit::Unable),
            _ => ("restore-failed", Exit::Unable),
        };
        Self { help, exit, ..Self::unable(code, error.to_string()) }
    }
}

impl From<ProveError> for CliError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Restore(error) => error.into(),
            ProveError::Scratch(error) => error.into(),
            ProveError::Catalog(error) => error.into(),
        }
    }
}

impl From<RehearseError> for CliError {
    fn from(error: RehearseError) -> Self {
        let help = error.help();
        let code = match error {
            RehearseError::Restore(error) => return error.into(),
            RehearseError::Scratch(error) => return error.into(),
            RehearseError::Catalog(error) => return error.into(),
            RehearseError::NotRestored { .. } => "restore-failed",
            RehearseError::NotPostgres(_) => "usage",
            RehearseError::ServerWide { .. } => "server-wide",
            RehearseError::NothingToMask { .. } | RehearseError::Mask { .. } => "mask",
            RehearseError::NotACopy { .. } | RehearseError::OtherCopy { .. } => "other-copy",
            _ => "rehearse-failed",
        };
        Self { help, ..Self::unable(code, error.to_string()) }
    }
}

impl From<UndoError> for CliError {
    fn from(error: UndoError) -> Self {
        match error {
            UndoError::Session(error) => error.into(),
            UndoError::Backup(error) => error.into(),
            UndoError::Catalog(error) => error.into(),
            UndoError::NotPostgres(_) => Self::unable("usage", error.to_string()),
            UndoError::NotRehearsed { .. } => Self::unable("not-rehearsed", error.to_string())
                .with_help("try them on a restored copy: guard rehearse PATH"),
            UndoError::NoSuchTable { .. } => Self::unable("other-schema", error.to_string())
                .with_help("the rehearsal was of another schema: take a backup and rehearse the migrations again"),
            UndoError::LeftOut { .. } => Self::unable("left-out", error.to_string())
                .with_help("have the source include these tables, or back them up by other means"),
        }
    }
}

impl From<ScratchError> for CliError {
    fn from(error: ScratchError) -> Self {
        Self { help: error.help(), ..Self::unable("scratch-failed", error.to_string()) }
    }
}

impl From<LeaseError> for CliError {
    fn from(error: LeaseError) -> Self {
        let help = error.help().map(str::to_owned);
        let code = match error {
            LeaseError::Store(error) => return error.into(),
            LeaseError::Key(error) => return error.into(),
            LeaseError::Clock { .. } => "clock-skew",
            LeaseError::Untrusted { .. } => "untrusted",
            LeaseError::Contended { .. } => "busy",
            LeaseError::Lost { .. } => "lease-lost",
        };
        Self { help, ..Self::unable(code, error.to_string()) }
    }
}

impl From<WindowError> for CliError {
    fn from(error: WindowError) -> Self {
        let help = error.help();
        match error {
            WindowError::Lease(error) => error.into(),
            WindowError::Interrupted => {
                Self { exit: Exit::Interrupted, ..Self::unable("interrupted", error.to_string()) }
            }
            WindowError::Busy { .. } => Self { help, ..Self::unable("busy", error.to_string()) },
            WindowError::Unreliable { .. } => Self { help, ..Self::unable("store-unusable", error.to_string()) },
        }
    }
}

impl From<MigrateError> for CliError {
    fn from(error: MigrateError) -> Self {
        let message = error.to_string();
        match error {
            MigrateError::Backup(error) => Self { message, ..error.into() },
            MigrateError::Start { .. } | MigrateError::Wait { .. } => Self::unable("command-failed", message),
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::unable("config", error.to_string())
    }
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> Self {
        Self { help: error.help().map(str::to_owned), ..Self::unable("source-failed", error.to_string()) }
    }
}

macro_rules! unable {
    ($($error:ty => $code:literal),* $(,)?) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::unable($code, error.to_string())
            }
        })*
    };
}

unable! {
    AddressError => "connection-string",
    SecretError => "secret",
    KeyError => "invalid-name",
    KeyTextError => "key",
    SelectorError => "usage",
    NotifyError => "notify-failed",
    TriggerError => "scheduler-failed",
}
