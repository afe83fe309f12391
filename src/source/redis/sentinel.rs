//! Asking sentinels where the master of a name is, and its replicas.

use std::collections::BTreeMap;
use std::time::Duration;

use super::address::{Address, Endpoint};
use super::connection::{Connection, ConnectionError, Lines, Reply};

/// Why the sentinels could not tell.
#[derive(Debug, thiserror::Error)]
pub enum SentinelError {
    /// None of them answers.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// They do not know the name.
    #[error("the sentinel at {server} watches no master called `{name}`")]
    Unknown {
        /// The sentinel.
        server: String,
        /// The name.
        name: String,
    },
}

impl SentinelError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Connection(error) => error.help(),
            Self::Unknown { .. } => Some("set sentinel to the name in `sentinel monitor NAME …`".to_owned()),
        }
    }
}

/// Where the data is: a replica in step if one is preferred and there, else the master.
pub fn resolve(
    sentinels: &Address,
    name: &str,
    prefer_replica: bool,
    patience: Duration,
    lines: &Lines,
) -> Result<Endpoint, SentinelError> {
    let mut connection = open(sentinels, patience, lines)?;
    let unknown = |connection: &Connection| SentinelError::Unknown {
        server: connection.server().to_owned(),
        name: name.to_owned(),
    };
    if prefer_replica {
        match connection.command(&[b"SENTINEL", b"REPLICAS", name.as_bytes()]) {
            Ok(Reply::Array(replicas)) => {
                if let Some(endpoint) = replicas.iter().find_map(replica_in_step) {
                    return Ok(endpoint);
                }
                tracing::warn!(master = name, "no replica is in step; the master is the source");
            }
            Ok(other) => return Err(connection.odd(&other).into()),
            Err(ConnectionError::Refused { message, .. }) if message.contains("No such master") => {
                return Err(unknown(&connection));
            }
            Err(error) => return Err(error.into()),
        }
    }
    match connection.command(&[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", name.as_bytes()])? {
        Reply::Array(parts) => match parts.as_slice() {
            [Reply::Bulk(Some(host)), Reply::Bulk(Some(port))] => {
                endpoint(&String::from_utf8_lossy(host), &String::from_utf8_lossy(port))
                    .ok_or_else(|| unknown(&connection))
            }
            _ => Err(connection.odd(&Reply::Array(parts)).into()),
        },
        _ => Err(unknown(&connection)),
    }
}

/// Sentinels have logins of their own, mostly none: the servers' is tried after none was refused.
fn open(sentinels: &Address, patience: Duration, lines: &Lines) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::open(&Address { password: None, ..sentinels.clone() }, patience, lines)?;
    match connection.command(&[b"PING"]) {
        Err(ConnectionError::Refused { message, .. }) if message.starts_with("NOAUTH") => {
            Connection::open(sentinels, patience, lines)
        }
        Err(error) if !error.is_forbidden() => Err(error),
        _ => Ok(connection),
    }
}

fn replica_in_step(replica: &Reply) -> Option<Endpoint> {
    let Reply::Array(parts) = replica else { return None };
    let text = |part: &Reply| match part {
        Reply::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let fields: BTreeMap<String, String> = parts.chunks_exact(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let is_away = ["s_down", "o_down", "disconnected"].iter().any(|flag| field("flags").contains(flag));
    if is_away || field("master-link-status") != "ok" {
        return None;
    }
    endpoint(field("ip"), field("port"))
}

fn endpoint(host: &str, port: &str) -> Option<Endpoint> {
    Some(Endpoint::Tcp(host.to_owned(), port.parse().ok()?))
}
