//! Why a server could not be asked, and what to do about it.

use std::io;
use std::time::Duration;

/// While the server forks it is waited for so.
pub(super) const WAITING: &str = "waiting for an answer";

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Nobody answers there.
    #[error("cannot connect to Redis at {server}: {reason}")]
    Connect {
        /// Where.
        server: String,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// No encrypted connection.
    #[error("cannot connect to Redis at {server}: TLS failed: {reason}")]
    Tls {
        /// Where.
        server: String,
        /// Why.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection to Redis at {server} broke while {doing}: {reason}")]
    Lost {
        /// Where.
        server: String,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// Nothing came for too long.
    #[error("Redis at {server} sent nothing for {} while {doing}", humantime::format_duration(*patience))]
    Silent {
        /// Where.
        server: String,
        /// What was being done.
        doing: &'static str,
        /// For how long.
        patience: Duration,
    },
    /// The server said no.
    #[error("Redis at {server} refused {command}: {message}")]
    Refused {
        /// Where.
        server: String,
        /// The command's name alone: its arguments may be secret.
        command: String,
        /// What it said.
        message: String,
    },
    /// It does not speak the protocol.
    #[error("{server} does not answer as Redis does: {found}")]
    Protocol {
        /// Where.
        server: String,
        /// What came.
        found: String,
    },
}

impl ConnectionError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Connect { .. } => "check that the server runs, and the host and port of the source's url",
            Self::Tls { .. } => {
                "name the authority's certificate with sslrootcert, and use rediss:// for a server with TLS"
            }
            Self::Silent { .. } => "raise max_silence of the source if its server is known to be that slow",
            Self::Refused { message, command, .. } => return refusal_help(message, command),
            Self::Protocol { .. } => "use rediss:// if the server wants TLS, and check the port",
            Self::Lost { doing: WAITING, .. } => {
                "see the log of the server: it could not make its snapshot (no memory to fork, no room on its disk, data of a \
                 kind that is too new for this guard), or ended"
            }
            Self::Lost { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Whether the server knows no such command, or does not let this user run it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.starts_with("NOPERM")
            || message.to_ascii_lowercase().starts_with("err unknown command")
            || message.to_ascii_lowercase().contains("not allowed"))
    }
}

fn refusal_help(message: &str, command: &str) -> Option<String> {
    let code = message.split(' ').next().unwrap_or_default();
    let text = match code {
        "WRONGPASS" | "NOAUTH" => "check the user and the password of the source's url (or REDIS_PASSWORD)".to_owned(),
        "NOPERM" => format!("let the user run it: ACL SETUSER … +{}", command.to_ascii_lowercase()),
        "MISCONF" => "the server cannot save its data: see its log, and INFO persistence".to_owned(),
        "LOADING" => "the server is still loading its data: try again later".to_owned(),
        "NOMASTERLINK" | "MASTERDOWN" => "the replica has lost its master: back up the master instead".to_owned(),
        "ERR" if message.contains("BGSAVE failed") => {
            "the server could not fork: see its log; it needs memory for a copy of \
             what changes meanwhile, and vm.overcommit_memory = 1"
                .to_owned()
        }
        "ERR" if message.contains("invalid password") => {
            "check the user and the password of the source's url (or REDIS_PASSWORD)".to_owned()
        }
        _ => return None,
    };
    Some(text)
}
