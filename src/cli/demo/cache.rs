//! The demo's Redis: a throw-away server that holds the shop's sessions and carts.

use super::super::exit::CliError;
use crate::catalog::SourceName;
use crate::fixture::cache::{Command, cache_commands};
use crate::source::Source;
use crate::source::redis::RedisSource;
use crate::source::redis::connection::{Connection, ConnectionError, Reply};
use crate::source::redis::rdb::RdbWriter;
use crate::source::redis::server::{ScratchServer, ServerError, ServerProgram};

pub(super) const NAME: &str = "cache";
const MAX_SILENCE: std::time::Duration = std::time::Duration::from_mins(1);
/// A snapshot of nothing in this format is read by every server since 5.0.
const OLDEST_FORMAT: u32 = 9;
/// So many commands are on their way before their answers are read.
const BATCH: usize = 1000;

/// A server, filled. `None` if no server's program is installed: the story is told without it.
pub(super) async fn open(scale: u32) -> Result<Option<(ScratchServer, String)>, CliError> {
    let program = match ServerProgram::find(None, "redis", Some(OLDEST_FORMAT)).await {
        Ok(program) => program,
        Err(ServerError::NoProgram { .. }) => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let dir = tempfile::tempdir().map_err(|error| failed(&error))?;
    let empty = dir.path().join("empty.rdb");
    let rdb = RdbWriter::new(Vec::new(), OLDEST_FORMAT, &[]).and_then(RdbWriter::finish);
    rdb.and_then(|rdb| std::fs::write(&empty, rdb)).map_err(|error| failed(&error))?;
    let told = format!("{} {}", program.name(), program.version);
    let server =
        ScratchServer::start(&program, &std::env::temp_dir(), &empty, 0).await.map_err(|error| failed(&error))?;
    server.ask(move |connection| fill(connection, scale)).await.map_err(|error| failed(&error))?;
    Ok(Some((server, told)))
}

/// The server as anybody's source.
pub(super) fn source(server: &ScratchServer) -> Result<Source, CliError> {
    let name: SourceName = NAME.parse()?;
    Ok(Source::Redis(RedisSource::for_comparison(name, server.address(), MAX_SILENCE)))
}

fn fill(connection: &mut Connection, scale: u32) -> Result<(), ConnectionError> {
    let mut commands = cache_commands(scale).peekable();
    while commands.peek().is_some() {
        let batch: Vec<Command> = commands.by_ref().take(BATCH).collect();
        for command in &batch {
            connection.send(&command.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        }
        for command in &batch {
            if let Reply::Error(message) = connection.receive()? {
                let (server, command) =
                    (connection.server().to_owned(), String::from_utf8_lossy(&command[0]).into_owned());
                return Err(ConnectionError::Refused { server, command, message });
            }
        }
    }
    Ok(())
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::unable("demo-failed", error.to_string())
}
