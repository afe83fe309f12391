//! A keyspace read key by key, for servers that forbid `SYNC`: `SCAN`, `DUMP` and the expiry, pipelined, written as an RDB
//! so that everything downstream is the same.
//!
//! It is not a snapshot. A key's value and expiry belong together, but two keys may be of different moments, keys that
//! come and go while the scan runs may be in it or not, and what was there from beginning to end is in it (the promise of
//! `SCAN`). A key is remembered by 16 bytes, because `SCAN` may return it twice and no server loads it twice.

use std::collections::{HashSet, VecDeque};
use std::io::{self, Read};

use xxhash_rust::xxh3::xxh3_128;

use super::connection::{Connection, ConnectionError, Reply};
use super::info::Info;
use super::rdb::{KeyEntry, RdbWriter, read_dump};
use super::record::{Recorder, Slot};
use crate::contents::keyspace::KeyKind;

/// The RDB of a scan; reading it drives the scan.
pub struct Scan {
    connection: Connection,
    /// None once the RDB has ended.
    recorder: Option<Recorder>,
    record: Slot,
    /// None before anything is to be written: the first value tells the version.
    writer: Option<RdbWriter<Vec<u8>>>,
    written: Vec<u8>,
    given: usize,
    databases: VecDeque<u32>,
    cursor: Option<Vec<u8>>,
    seen: HashSet<u128>,
    expiry: ExpiryCommand,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Functions,
    Keys,
    Finished,
}

/// When a key goes, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Gone,
    Never,
    At(i64),
}

/// How an expiry is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpiryCommand {
    /// `PEXPIRETIME` (7.0): the moment itself.
    Moment,
    /// `PTTL`, counted from the server's `TIME`.
    Remaining,
}

/// The version of an RDB without anything in it, which every server since 5.0 loads.
const OLDEST: u32 = 9;
/// Keys of one pipeline: few enough that large ones do not pile up in the server's buffers.
const BATCH: &[u8] = b"200";
/// A key whose expiry is changed all the time is read again so often at most.
const ATTEMPTS: u32 = 5;

/// Begins a scan of every database that has keys. Its record will be in the slot.
pub fn begin(mut connection: Connection, recorder: Recorder, record: Slot) -> Result<Scan, ConnectionError> {
    let info = Info::ask(&mut connection)?;
    let databases: VecDeque<u32> = info.databases().into_keys().collect();
    // Redis 7.0 does not let the pattern `%R~*` match a key without a name, so the probe has one.
    let expiry = match connection.command(&[b"PEXPIRETIME", b"guard"]) {
        Ok(_) => ExpiryCommand::Moment,
        // The command is fine, a key of this name would not be.
        Err(ConnectionError::Refused { message, .. }) if message.contains("to access") => ExpiryCommand::Moment,
        Err(ConnectionError::Refused { message, .. }) if message.to_ascii_lowercase().contains("unknown command") => {
            ExpiryCommand::Remaining
        }
        Err(error) => return Err(error),
    };
    Ok(Scan {
        connection,
        recorder: Some(recorder),
        record,
        writer: None,
        written: Vec::new(),
        given: 0,
        databases,
        cursor: None,
        seen: HashSet::new(),
        expiry,
        state: State::Functions,
    })
}

impl Scan {
    /// Writes some more of the RDB.
    fn step(&mut self) -> io::Result<()> {
        match self.state {
            State::Functions => self.functions().map_err(io::Error::other)?,
            State::Keys => self.keys().map_err(io::Error::other)?,
            State::Finished => {
                self.writer(OLDEST)?;
                self.written = self.writer.take().map_or(Ok(Vec::new()), RdbWriter::finish)?;
                return Ok(());
            }
        }
        self.written = self.writer.as_mut().map(RdbWriter::take).unwrap_or_default();
        Ok(())
    }

    fn writer(&mut self, rdb_version: u32) -> io::Result<&mut RdbWriter<Vec<u8>>> {
        if self.writer.is_none() {
            self.writer = Some(RdbWriter::new(Vec::new(), rdb_version, &[])?);
        }
        Ok(self.writer.as_mut().expect("it was made if it was not there"))
    }

    /// The function libraries are in `FUNCTION DUMP` as they are in an RDB. A server without them has none.
    fn functions(&mut self) -> Result<(), ConnectionError> {
        self.state = State::Keys;
        match self.connection.command(&[b"FUNCTION", b"DUMP"]) {
            Ok(Reply::Bulk(Some(dump))) => {
                let Some(dumped) = read_dump(&dump) else { return Err(self.connection.odd(&Reply::Bulk(Some(dump)))) };
                let written = self.writer(dumped.rdb_version).and_then(|writer| writer.functions(dumped.payload));
                written.map_err(|reason| self.unwritten(&reason))?;
            }
            Ok(other) => return Err(self.connection.odd(&other)),
            Err(error @ ConnectionError::Refused { .. }) => {
                if !is_unknown(&error) {
                    tracing::warn!(%error, "functions are not in this backup");
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn keys(&mut self) -> Result<(), ConnectionError> {
        let Some(database) = self.databases.front().copied() else {
            self.state = State::Finished;
            return Ok(());
        };
        let cursor = match self.cursor.take() {
            Some(cursor) => cursor,
            None => {
                // A cluster has one database and need not know the command.
                if database != 0 {
                    self.connection.command(&[b"SELECT", database.to_string().as_bytes()])?;
                }
                self.seen.clear();
                b"0".to_vec()
            }
        };
        let (next, keys) = self.scan(&cursor)?;
        let fresh: Vec<Vec<u8>> = keys.into_iter().filter(|key| self.seen.insert(xxh3_128(key))).collect();
        self.dump(database, fresh)?;
        if next == b"0" {
            self.databases.pop_front();
        } else {
            self.cursor = Some(next);
        }
        Ok(())
    }

    fn scan(&mut self, cursor: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), ConnectionError> {
        let answer = self.connection.command(&[b"SCAN", cursor, b"COUNT", BATCH])?;
        let Reply::Array(parts) = &answer else { return Err(self.connection.odd(&answer)) };
        let [Reply::Bulk(Some(next)), Reply::Array(keys)] = parts.as_slice() else {
            return Err(self.connection.odd(&answer));
        };
        let key = |reply: &Reply| match reply {
            Reply::Bulk(Some(key)) => Some(key.clone()),
            _ => None,
        };
        let keys = keys.iter().map(key).collect::<Option<_>>().ok_or_else(|| self.connection.odd(&answer))?;
        Ok((next.clone(), keys))
    }

    /// Writes keys with their values and expiries. A value whose expiry was another one after it than before it is read
    /// again: the two must belong together.
    fn dump(&mut self, database: u32, mut keys: Vec<Vec<u8>>) -> Result<(), ConnectionError> {
        for attempt in 1..=ATTEMPTS {
            if keys.is_empty() {
                return Ok(());
            }
            let now = self.now()?;
            for key in &keys {
                self.ask_expiry(key)?;
                self.connection.send(&[b"DUMP", key])?;
                self.ask_expiry(key)?;
            }
            let mut again = Vec::new();
            for key in keys {
                let before = self.expiry(now)?;
                let payload = self.connection.receive()?;
                let after = self.expiry(now)?;
                let unstable = before != after && self.expiry == ExpiryCommand::Moment && attempt < ATTEMPTS;
                match payload {
                    // Gone since the scan saw it.
                    Reply::Bulk(None) => {}
                    Reply::Bulk(Some(_)) if unstable => again.push(key),
                    // It went right after it was read.
                    Reply::Bulk(Some(_)) if after == Expiry::Gone => {}
                    Reply::Bulk(Some(dump)) => {
                        let expires_at = if let Expiry::At(moment) = after { Some(moment) } else { None };
                        self.write(database, key, expires_at, dump)?;
                    }
                    Reply::Error(message) => return Err(self.refused("DUMP", message)),
                    other => return Err(self.connection.odd(&other)),
                }
            }
            keys = again;
        }
        Ok(())
    }

    fn write(
        &mut self,
        database: u32,
        key: Vec<u8>,
        expires_at: Option<i64>,
        mut dump: Vec<u8>,
    ) -> Result<(), ConnectionError> {
        let Some(dumped) = read_dump(&dump) else { return Err(self.connection.odd(&Reply::Bulk(Some(dump)))) };
        let (rdb_version, length) = (dumped.rdb_version, dumped.payload.len());
        dump.truncate(length);
        // The kind is in the payload; nobody asks for it here.
        let (database, kind, payload) = (database.into(), KeyKind::String, Some(dump));
        let entry = KeyEntry { database, key, kind, expires_at, idle: None, frequency: None, payload };
        let written = self.writer(rdb_version).and_then(|writer| writer.key(&entry));
        written.map_err(|reason| self.unwritten(&reason))
    }

    /// Modules attached something to a key that an RDB has no place for behind the key.
    fn unwritten(&self, reason: &io::Error) -> ConnectionError {
        ConnectionError::Protocol { server: self.connection.server().to_owned(), found: reason.to_string() }
    }

    fn ask_expiry(&mut self, key: &[u8]) -> Result<(), ConnectionError> {
        match self.expiry {
            ExpiryCommand::Moment => self.connection.send(&[b"PEXPIRETIME", key]),
            ExpiryCommand::Remaining => self.connection.send(&[b"PTTL", key]),
        }
    }

    fn expiry(&mut self, now: i64) -> Result<Expiry, ConnectionError> {
        match self.connection.receive()? {
            Reply::Integer(-2) => Ok(Expiry::Gone),
            Reply::Integer(-1) => Ok(Expiry::Never),
            Reply::Integer(moment) if self.expiry == ExpiryCommand::Moment => Ok(Expiry::At(moment)),
            Reply::Integer(remaining) => Ok(Expiry::At(now + remaining)),
            Reply::Error(message) => Err(self.refused("PEXPIRETIME", message)),
            other => Err(self.connection.odd(&other)),
        }
    }

    /// The server's clock in milliseconds, where it is needed.
    fn now(&mut self) -> Result<i64, ConnectionError> {
        if self.expiry == ExpiryCommand::Moment {
            return Ok(0);
        }
        server_time(&mut self.connection)
    }

    fn refused(&self, command: &str, message: String) -> ConnectionError {
        ConnectionError::Refused { server: self.connection.server().to_owned(), command: command.to_owned(), message }
    }
}

impl Read for Scan {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.written.len() {
            let Some(recorder) = &mut self.recorder else { return Ok(0) };
            if recorder.is_finished() {
                let summary = self.recorder.take().map(Recorder::finish).transpose().map_err(io::Error::other)?;
                if let Some(summary) = summary {
                    self.record.put(summary);
                }
                return Ok(0);
            }
            self.step()?;
            self.given = 0;
            if let Some(recorder) = &mut self.recorder {
                recorder.see(&self.written).map_err(io::Error::other)?;
            }
        }
        let n_given = out.len().min(self.written.len() - self.given);
        out[..n_given].copy_from_slice(&self.written[self.given..self.given + n_given]);
        self.given += n_given;
        Ok(n_given)
    }
}

/// The server's clock in milliseconds since 1970.
pub fn server_time(connection: &mut Connection) -> Result<i64, ConnectionError> {
    let answer = connection.command(&[b"TIME"])?;
    let number = |reply: &Reply| match reply {
        Reply::Bulk(Some(text)) => String::from_utf8_lossy(text).parse::<i64>().ok(),
        _ => None,
    };
    match &answer {
        Reply::Array(parts) if parts.len() == 2 => match (number(&parts[0]), number(&parts[1])) {
            (Some(seconds), Some(micros)) => Ok(seconds * 1000 + micros / 1000),
            _ => Err(connection.odd(&answer)),
        },
        _ => Err(connection.odd(&answer)),
    }
}

fn is_unknown(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::Refused { message, .. } if message.to_ascii_lowercase().contains("unknown"))
}
