//! What a server is and whether the user may replicate from it, asked before the night of the first backup.

use tokio::task;

use super::connection::{Connection, Lines, Reply};
use super::info::Info;
use super::{RedisError, RedisSource, sentinel};

/// What was found out about a server and the user that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `redis` or `valkey`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Bytes that its data takes in memory: about what a snapshot has at most.
    pub used_memory: u64,
    /// What the user may not do, in the server's words.
    pub refusals: Vec<String>,
}

/// What a backup asks of the server.
const NEEDED: [&[&[u8]]; 3] = [&[b"INFO"], &[b"REPLCONF", b"ack", b"0"], &[b"SYNC"]];

impl RedisSource {
    /// Connects and asks. Nothing is read.
    pub async fn standing(&self) -> Result<Standing, RedisError> {
        let lines = Lines::default();
        let _hang_up = lines.guard();
        let source = self.clone();
        task::spawn_blocking(move || ask(&source, &lines)).await?
    }
}

fn ask(source: &RedisSource, lines: &Lines) -> Result<Standing, RedisError> {
    let address = match &source.sentinel {
        None => source.address.clone(),
        Some(name) => {
            let endpoint = sentinel::resolve(&source.address, name, source.prefer_replica, source.max_silence, lines)?;
            source.address.at(endpoint)
        }
    };
    let mut connection = Connection::open(&address, source.max_silence, lines)?;
    let info = Info::ask(&mut connection)?;
    // Known since 7.0; who may not ask, or asks an older server, learns it from the backup.
    let mut refusals = Vec::new();
    if let Ok(Reply::Bulk(Some(user))) = connection.command(&[b"ACL", b"WHOAMI"]) {
        for words in NEEDED {
            let question: Vec<&[u8]> =
                [b"ACL".as_slice(), b"DRYRUN", &user].into_iter().chain(words.iter().copied()).collect();
            if let Ok(Reply::Bulk(Some(refusal))) = connection.command(&question) {
                refusals.push(String::from_utf8_lossy(&refusal).into_owned());
            }
        }
    }
    Ok(Standing {
        program: info.program().to_owned(),
        version: info.version().unwrap_or_default().to_owned(),
        used_memory: info.number("used_memory").unwrap_or_default(),
        refusals,
    })
}
