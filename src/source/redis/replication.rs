//! A snapshot by the replication protocol: `SYNC`, as a replica that wants the RDB alone.
//!
//! The server forks and sends the moment of the fork. While it forks it sends newlines, about one a second; then comes
//! `$<length>`, or `$EOF:<40 hex>` and those 40 characters again behind the RDB. They are not hunted for: where an RDB ends
//! the decoder knows, and what follows must be the mark (redis#11296: other bytes may hide it, or look like it).

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use super::connection::{Connection, ConnectionError, Reply};
use super::format::NEWEST_VALKEY;
use super::record::{Recorder, Slot};

/// A pause before the next read, in which more comes. The server sends 16 KiB at a time (`PROTO_IOBUF_LEN` of its server.h);
/// waking for each of them would take a core, over and again, from the child that makes the snapshot. The smallest buffer
/// on the way, a Unix socket's 208 KiB, holds what comes in this time at 300 MB/s.
const GATHERING: Duration = Duration::from_micros(500);

/// A read of so many bytes shows that more comes than a pause would leave room for.
const PLENTY: usize = 128 << 10;

/// How the server says where its RDB ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// This follows it.
    Mark([u8; 40]),
}

/// The RDB as the server sends it; its end is the RDB's own, anything else is an error.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    framing: Framing,
    /// None once the RDB has ended.
    recorder: Option<Recorder>,
    record: Slot,
    n_bytes: u64,
    /// How much the last read brought.
    n_last: usize,
}

/// Asks for a snapshot and waits until the server begins to send it. Its record will be in the slot.
pub fn begin(mut connection: Connection, recorder: Recorder, record: Slot) -> Result<Snapshot, ConnectionError> {
    // Older servers do not know some of it, and need none of it. Redis knows no version.
    for capability in [["capa", "eof"], ["version", NEWEST_VALKEY], ["rdb-only", "1"]] {
        let words = [b"REPLCONF".as_slice(), capability[0].as_bytes(), capability[1].as_bytes()];
        match connection.command(&words) {
            Ok(_) => {}
            Err(error @ ConnectionError::Refused { .. }) => {
                if error.is_forbidden() {
                    return Err(error);
                }
                tracing::debug!(%error, "an older server");
            }
            Err(error) => return Err(error),
        }
    }
    connection.send(&[b"SYNC"])?;
    connection.flush()?;
    let framing = header(&mut connection)?;
    Ok(Snapshot { connection, framing, recorder: Some(recorder), record, n_bytes: 0, n_last: PLENTY })
}

/// Waits while newlines come; each of them is a sign of life.
fn header(connection: &mut Connection) -> Result<Framing, ConnectionError> {
    loop {
        let line = connection.line()?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let refused = |message: &str| ConnectionError::Refused {
            server: connection.server().to_owned(),
            command: "SYNC".to_owned(),
            message: message.to_owned(),
        };
        if text.is_empty() {
            continue;
        }
        if let Some(message) = text.strip_prefix('-') {
            return Err(refused(message));
        }
        let framing = text.strip_prefix('$').and_then(|rest| match rest.strip_prefix("EOF:") {
            Some(mark) => mark.as_bytes().try_into().ok().map(Framing::Mark),
            None => rest.parse().ok().map(Framing::Length),
        });
        return framing.ok_or_else(|| connection.odd(&Reply::Status(text)));
    }
}

impl Snapshot {
    fn next(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(recorder) = &mut self.recorder else { return Ok(0) };
        let wanted = match self.framing {
            Framing::Length(0) => return Err(ended_early(self.n_bytes)),
            Framing::Length(left) => out.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
            Framing::Mark(_) => out.len(),
        };
        if self.n_last < PLENTY && self.connection.reads_all_at_once() {
            thread::sleep(GATHERING);
        }
        let n_read = self.connection.read_raw(&mut out[..wanted]).map_err(io::Error::other)?;
        self.n_last = n_read;
        let n_used = recorder.see(&out[..n_read]).map_err(io::Error::other)?;
        self.n_bytes += n_used as u64;
        if let Framing::Length(left) = &mut self.framing {
            *left -= n_used as u64;
        }
        if recorder.is_finished() {
            self.connection.give_back(&out[n_used..n_read]);
            self.settle()?;
        }
        Ok(n_used)
    }

    /// The RDB has ended; so must what frames it.
    fn settle(&mut self) -> io::Result<()> {
        if let Some(recorder) = self.recorder.take() {
            self.record.put(recorder.finish().map_err(io::Error::other)?);
        }
        let left_over = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        match std::mem::replace(&mut self.framing, Framing::Length(0)) {
            Framing::Length(0) => Ok(()),
            Framing::Length(left) => left_over(format!("the RDB ends {left} bytes before the server's own end of it")),
            Framing::Mark(mark) => {
                let mut found = [0; 40];
                let mut filled = 0;
                while filled < found.len() {
                    filled += self.connection.read_raw(&mut found[filled..]).map_err(io::Error::other)?;
                }
                if found == mark {
                    Ok(())
                } else {
                    left_over("the server's end mark does not follow the RDB".to_owned())
                }
            }
        }
    }
}

impl Read for Snapshot {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.next(out)
    }
}

fn ended_early(n_bytes: u64) -> io::Error {
    let what = format!("the server's length was reached after {n_bytes} bytes, and the RDB has not ended");
    io::Error::new(io::ErrorKind::UnexpectedEof, what)
}
