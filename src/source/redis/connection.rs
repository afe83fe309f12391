//! One connection to a server, speaking RESP2 on a thread of its own: commands, pipelines, and the bytes of a snapshot.
//!
//! It blocks, so it is used on blocking threads alone; whoever owns the work keeps its [`Lines`], and hanging up ends
//! every wait at once.

use std::io::{self, BufWriter, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::address::{Address, Endpoint};
use super::tls::{TlsStream, encrypt};

mod error;

pub use error::ConnectionError;
use error::WAITING;

/// A connection that has logged in.
#[derive(Debug)]
pub struct Connection {
    stream: BufWriter<Stream>,
    /// Bytes that were read and not yet used.
    buffer: Vec<u8>,
    used: usize,
    /// Where it leads, for messages.
    server: String,
    patience: Duration,
}

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`
    Status(String),
    /// `-ERR …`
    Error(String),
    /// `:1`
    Integer(i64),
    /// A string, or none.
    Bulk(Option<Vec<u8>>),
    /// Several answers.
    Array(Vec<Reply>),
}

/// The connections of one piece of work, to be ended together from outside.
#[derive(Debug, Clone, Default)]
pub struct Lines(Arc<Mutex<OpenLines>>);

#[derive(Debug, Default)]
struct OpenLines {
    sockets: Vec<Socket>,
    hung_up: bool,
}

/// Hangs up when it is dropped.
#[derive(Debug)]
pub struct HangUp(Lines);

impl Lines {
    /// Ends every wait on these connections, now and later.
    pub fn hang_up(&self) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.hung_up = true;
        lines.sockets.drain(..).for_each(Socket::shut_down);
    }

    /// Hangs up when the guard is dropped.
    pub fn guard(&self) -> HangUp {
        HangUp(self.clone())
    }

    fn add(&self, socket: Socket) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.hung_up {
            socket.shut_down();
        } else {
            lines.sockets.push(socket);
        }
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const BUFFER: usize = 256 << 10;
/// A reply that is no value of a key is small; a larger one is not Redis speaking.
const MAX_BULK: usize = 1 << 30;

impl Connection {
    /// Connects to the first endpoint that answers, and logs in.
    pub fn open(address: &Address, patience: Duration, lines: &Lines) -> Result<Self, ConnectionError> {
        let mut failure = None;
        for endpoint in &address.endpoints {
            match Self::dial(address, endpoint, patience, lines) {
                Ok(mut connection) => {
                    connection.log_in(address)?;
                    return Ok(connection);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| ConnectionError::Connect {
            server: address.to_string(),
            reason: io::Error::new(io::ErrorKind::InvalidInput, "no host is named"),
        }))
    }

    fn dial(address: &Address, to: &Endpoint, patience: Duration, lines: &Lines) -> Result<Self, ConnectionError> {
        let server = to.to_string();
        let connect = |reason| ConnectionError::Connect { server: server.clone(), reason };
        let stream = match to {
            Endpoint::Unix(path) => {
                let socket = UnixStream::connect(path).map_err(connect)?;
                socket.set_read_timeout(Some(patience)).map_err(connect)?;
                socket.set_write_timeout(Some(patience)).map_err(connect)?;
                lines.add(Socket::Unix(socket.try_clone().map_err(connect)?));
                Stream::Unix(socket)
            }
            Endpoint::Tcp(host, port) => {
                let socket = dial_tcp(host, *port).map_err(connect)?;
                socket.set_nodelay(true).map_err(connect)?;
                socket.set_read_timeout(Some(patience)).map_err(connect)?;
                socket.set_write_timeout(Some(patience)).map_err(connect)?;
                lines.add(Socket::Tcp(socket.try_clone().map_err(connect)?));
                match &address.tls {
                    None => Stream::Tcp(socket),
                    Some(tls) => {
                        let encrypted = encrypt(socket, host, tls);
                        let encrypted =
                            encrypted.map_err(|reason| ConnectionError::Tls { server: server.clone(), reason });
                        Stream::Tls(Box::new(encrypted?))
                    }
                }
            }
        };
        let stream = BufWriter::with_capacity(BUFFER, stream);
        Ok(Self { stream, buffer: Vec::new(), used: 0, server, patience })
    }

    fn log_in(&mut self, address: &Address) -> Result<(), ConnectionError> {
        let Some(password) = &address.password else { return Ok(()) };
        let password = password.expose().as_bytes();
        // Servers before 6 know no users.
        let user = address.username.as_deref().filter(|user| *user != "default");
        match user {
            Some(user) => self.command(&[b"AUTH", user.as_bytes(), password])?,
            None => match self.command(&[b"AUTH", password]) {
                // A password for a server that has none: as redis-cli, which warns and goes on.
                Err(ConnectionError::Refused { message, .. }) if message.contains("without any password") => {
                    tracing::warn!(server = self.server, "a password is configured, and the server asks for none");
                    return Ok(());
                }
                answer => answer?,
            },
        };
        Ok(())
    }

    /// Where it leads.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asks and waits for the answer; a refusal is an error.
    pub fn command(&mut self, words: &[&[u8]]) -> Result<Reply, ConnectionError> {
        self.send(words)?;
        match self.receive()? {
            Reply::Error(message) => {
                let command = String::from_utf8_lossy(words.first().copied().unwrap_or_default()).into_owned();
                Err(ConnectionError::Refused { server: self.server.clone(), command, message })
            }
            reply => Ok(reply),
        }
    }

    /// The same for an answer that is text.
    pub fn text(&mut self, words: &[&[u8]]) -> Result<String, ConnectionError> {
        match self.command(words)? {
            Reply::Bulk(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Reply::Status(text) => Ok(text),
            other => Err(self.odd(&other)),
        }
    }

    /// Puts a command on its way; its answer is to be received later. What was sent may wait for `flush`.
    pub fn send(&mut self, words: &[&[u8]]) -> Result<(), ConnectionError> {
        let stream = &mut self.stream;
        let mut write = || {
            write!(stream, "*{}\r\n", words.len())?;
            for word in words {
                write!(stream, "${}\r\n", word.len())?;
                stream.write_all(word)?;
                stream.write_all(b"\r\n")?;
            }
            Ok(())
        };
        write().map_err(|reason| self.lost("sending", reason))
    }

    /// Sends what still waits.
    pub fn flush(&mut self) -> Result<(), ConnectionError> {
        self.stream.flush().map_err(|reason| self.lost("sending", reason))
    }

    /// The next answer.
    pub fn receive(&mut self) -> Result<Reply, ConnectionError> {
        self.flush()?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply, ConnectionError> {
        let line = self.line()?;
        let text = String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
        let number = || text.parse::<i64>().map_err(|_| self.protocol(&line));
        match line.first() {
            Some(b'+') => Ok(Reply::Status(text)),
            Some(b'-') => Ok(Reply::Error(text)),
            Some(b':') => Ok(Reply::Integer(number()?)),
            Some(b'$') => match usize::try_from(number()?) {
                Err(_) => Ok(Reply::Bulk(None)),
                Ok(length) if length <= MAX_BULK => {
                    let mut bytes = self.take(length + 2)?;
                    bytes.truncate(length);
                    Ok(Reply::Bulk(Some(bytes)))
                }
                Ok(_) => Err(self.protocol(&line)),
            },
            Some(b'*') => match usize::try_from(number()?) {
                Err(_) => Ok(Reply::Bulk(None)),
                Ok(length) => (0..length).map(|_| self.reply()).collect::<Result<_, _>>().map(Reply::Array),
            },
            _ => Err(self.protocol(&line)),
        }
    }

    /// A line without its end.
    pub(super) fn line(&mut self) -> Result<Vec<u8>, ConnectionError> {
        let mut looked_at = 0;
        loop {
            let unread = &self.buffer[self.used..];
            if let Some(end) = memchr::memchr(b'\n', &unread[looked_at..]) {
                let mut line = unread[..looked_at + end].to_vec();
                self.used += line.len() + 1;
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            looked_at = unread.len();
            if looked_at > (1 << 20) {
                return Err(self.protocol(&self.buffer[self.used..]));
            }
            self.fill(WAITING)?;
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, ConnectionError> {
        while self.buffer.len() - self.used < length {
            self.fill("reading an answer")?;
        }
        let bytes = self.buffer[self.used..self.used + length].to_vec();
        self.used += length;
        Ok(bytes)
    }

    /// Reads some bytes as they come, those first that were read already.
    pub(super) fn read_raw(&mut self, out: &mut [u8]) -> Result<usize, ConnectionError> {
        let waiting = &self.buffer[self.used..];
        if !waiting.is_empty() {
            let n_read = waiting.len().min(out.len());
            out[..n_read].copy_from_slice(&waiting[..n_read]);
            self.used += n_read;
            return Ok(n_read);
        }
        let read = read_some(self.stream.get_mut(), out);
        read.map_err(|reason| self.lost("sending its snapshot", reason))
    }

    /// Whether one read brings everything that has come, as it does without TLS and its records.
    pub(super) fn reads_all_at_once(&self) -> bool {
        !matches!(self.stream.get_ref(), Stream::Tls(_))
    }

    /// Puts bytes back that were read by `read_raw` and belong to what follows.
    pub(super) fn give_back(&mut self, bytes: &[u8]) {
        let rest = self.buffer.split_off(self.used);
        self.buffer.clear();
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
        self.buffer.extend(rest);
    }

    fn fill(&mut self, doing: &'static str) -> Result<(), ConnectionError> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + BUFFER, 0);
        let read = read_some(self.stream.get_mut(), &mut self.buffer[filled..]);
        self.buffer.truncate(filled + read.as_ref().copied().unwrap_or_default());
        read.map(drop).map_err(|reason| self.lost(doing, reason))
    }

    fn lost(&self, doing: &'static str, reason: io::Error) -> ConnectionError {
        let server = self.server.clone();
        // A socket's time limit is told as one or the other.
        if matches!(reason.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return ConnectionError::Silent { server, doing, patience: self.patience };
        }
        ConnectionError::Lost { server, doing, reason }
    }

    /// Something came that is not what Redis answers.
    pub(super) fn odd(&self, reply: &Reply) -> ConnectionError {
        let found = format!("{reply:?}").chars().take(80).collect();
        ConnectionError::Protocol { server: self.server.clone(), found }
    }

    fn protocol(&self, line: &[u8]) -> ConnectionError {
        let found = line[..line.len().min(80)].escape_ascii().to_string();
        ConnectionError::Protocol { server: self.server.clone(), found: format!("`{found}`") }
    }
}

/// Zero bytes are the end of the connection, which always comes too early.
fn read_some(stream: &mut Stream, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(out) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn dial_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_PATIENCE) {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream>),
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(out),
            Self::Unix(socket) => socket.read(out),
            Self::Tls(stream) => stream.read(out),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.flush(),
            Self::Unix(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The outside end of a connection.
#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn shut_down(self) {
        // Gone already is as good.
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}
