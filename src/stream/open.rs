//! Stored objects back to plain bytes: fetch, hash, decrypt, decompress, hash again.
//!
//! A stream is known good only at its end: [`open`] hands bytes to its tap as they come and fails at the end if anything
//! was not as promised. Whoever must not act on bad bytes keeps them apart until `open` has returned.

use std::io::{self, Read};
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task;

use super::encrypt::Identities;
use super::hash::{Hashed, Hasher};
use super::parts::SealedObject;
use super::seal::{Tap, TapError};
use crate::store::{Key, Store, StoreError};

/// What the manifest promises about a stream.
#[derive(Debug, Clone)]
pub struct StoredStream {
    /// Its objects in order.
    pub objects: Vec<SealedObject>,
    /// Its plain bytes.
    pub plain: Hashed,
    /// Whether it is an age file.
    pub encrypted: bool,
}

/// Why a stream is not what was stored, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An object is gone.
    #[error("{key} is missing from the store")]
    Missing {
        /// Which.
        key: Key,
    },
    /// An object is shorter or longer than it was.
    #[error("{key} has {found} bytes, the manifest says {expected}")]
    SizeDiffers {
        /// Which.
        key: Key,
        /// What the manifest says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// An object's bytes changed.
    #[error("{key} hashes to {}, the manifest says {}", found.sha256, expected.sha256)]
    BytesDiffer {
        /// Which.
        key: Key,
        /// What the manifest says.
        expected: Hashed,
        /// What is there.
        found: Hashed,
    },
    /// It is encrypted and no key was given.
    #[error("the backup is encrypted and no identity was given")]
    IdentityNeeded,
    /// None of the given keys opens it.
    #[error("none of the given identities can decrypt the backup")]
    WrongIdentity,
    /// Decryption failed though the stored bytes are as promised.
    #[error("decrypting failed: {0}")]
    Decrypt(String),
    /// Decompression failed though the stored bytes are as promised.
    #[error("decompressing failed: {0}")]
    Decompress(String),
    /// The plain bytes are not those that were dumped.
    #[error("the plain bytes hash to {} ({} bytes), the manifest says {} ({} bytes)",
        found.sha256, found.bytes, expected.sha256, expected.bytes)]
    PlainDiffers {
        /// What the manifest says.
        expected: Hashed,
        /// What came out.
        found: Hashed,
    },
    /// Whoever takes the plain bytes refused them.
    #[error(transparent)]
    Tap(TapError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// The stable code used in evidence and JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "object-missing",
            Self::SizeDiffers { .. } => "stored-size-differs",
            Self::BytesDiffer { .. } => "stored-bytes-differ",
            Self::IdentityNeeded => "identity-needed",
            Self::WrongIdentity => "wrong-identity",
            Self::Decrypt(_) => "decrypt-failed",
            Self::Decompress(_) => "decompress-failed",
            Self::PlainDiffers { .. } => "plain-bytes-differ",
            Self::Tap(_) => "content-refused",
            Self::Store(_) => "store-failed",
        }
    }

    /// Whether the stored bytes are to blame, not the store's reachability or the caller's key.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::IdentityNeeded | Self::WrongIdentity | Self::Tap(_) | Self::Store(_))
    }
}

/// Reads a stream to its end, giving its plain bytes to `tap`, and returns the tap once everything matched.
pub async fn open<T: Tap>(
    store: &dyn Store,
    stream: &StoredStream,
    identities: &Identities,
    tap: T,
) -> Result<T, OpenError> {
    if stream.encrypted && identities.is_empty() {
        return Err(OpenError::IdentityNeeded);
    }
    let (sender, receiver) = mpsc::channel(4);
    let identities = stream.encrypted.then(|| identities.clone());
    let worker = task::spawn_blocking(move || unseal(ChunkReader::new(receiver), identities, tap));
    let fetched = fetch(store, &stream.objects, Some(&sender)).await;
    drop(sender);
    let unsealed = worker.await.map_err(|panic| OpenError::Tap(Box::new(panic)))?;
    // Damage of the stored bytes explains whatever decryption and decompression made of it, so it is told first.
    fetched?;
    let (tap, found) = unsealed?;
    if found != stream.plain {
        return Err(OpenError::PlainDiffers { expected: stream.plain, found });
    }
    Ok(tap)
}

/// Reads one object to its end and compares it with what the manifest promises; needs no key.
pub async fn read_stored(store: &dyn Store, object: &SealedObject) -> Result<(), OpenError> {
    fetch(store, std::slice::from_ref(object), None).await
}

/// Fetches objects in order, checking each whole. If the consumer is gone the rest is still read: its hash tells whether
/// the consumer stopped because of damage.
async fn fetch(
    store: &dyn Store,
    objects: &[SealedObject],
    consumer: Option<&mpsc::Sender<Bytes>>,
) -> Result<(), OpenError> {
    for object in objects {
        let key = &object.key;
        let mut chunks = store.read(key, None).await.map_err(|error| missing(error, key))?;
        let mut hasher = Hasher::default();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            hasher.update(&chunk);
            if let Some(consumer) = consumer {
                let _ = consumer.send(chunk).await;
            }
        }
        let found = hasher.finish();
        if found.bytes != object.stored.bytes {
            let (expected, found) = (object.stored.bytes, found.bytes);
            return Err(OpenError::SizeDiffers { key: key.clone(), expected, found });
        }
        if found != object.stored {
            return Err(OpenError::BytesDiffer { key: key.clone(), expected: object.stored, found });
        }
    }
    Ok(())
}

fn missing(error: StoreError, key: &Key) -> OpenError {
    match error {
        StoreError::NotFound { .. } => OpenError::Missing { key: key.clone() },
        error => OpenError::Store(error),
    }
}

/// The blocking side: decrypts, decompresses, hashes, hands on.
fn unseal<T: Tap>(stored: ChunkReader, identities: Option<Identities>, tap: T) -> Result<(T, Hashed), OpenError> {
    match identities {
        None => drain(decoder(stored)?, tap, OpenError::Decompress),
        Some(identities) => {
            let decrypted = identities.decrypt(stored).map_err(|error| match error {
                age::DecryptError::NoMatchingKeys => OpenError::WrongIdentity,
                error => OpenError::Decrypt(error.to_string()),
            })?;
            // age reports a forged or truncated chunk as an I/O error of its reader, zstd as its own.
            drain(decoder(io::BufReader::with_capacity(128 << 10, decrypted))?, tap, |reason| {
                if reason.contains("decryption") { OpenError::Decrypt(reason) } else { OpenError::Decompress(reason) }
            })
        }
    }
}

fn decoder<R: io::BufRead>(compressed: R) -> Result<impl Read, OpenError> {
    let decompress = |error: io::Error| OpenError::Decompress(error.to_string());
    let mut decoder = zstd::Decoder::with_buffer(compressed).map_err(decompress)?;
    decoder.window_log_max(31).map_err(decompress)?;
    Ok(decoder)
}

/// Hashes the plain bytes, and has the tap look at them on a thread of its own: it may write a file, which takes about as
/// long as decompressing.
fn drain<T: Tap>(
    mut plain: impl Read,
    mut tap: T,
    refuse: impl Fn(String) -> OpenError,
) -> Result<(T, Hashed), OpenError> {
    thread::scope(|scope| {
        let (full, fulls) = sync_channel::<(Vec<u8>, usize)>(1);
        let (empty, empties) = channel();
        let observing = scope.spawn(move || {
            for (buffer, n_read) in fulls {
                tap.observe(&buffer[..n_read]).map_err(OpenError::Tap)?;
                let _ = empty.send(buffer);
            }
            Ok::<T, OpenError>(tap)
        });
        let mut hasher = Hasher::default();
        loop {
            let mut buffer = empties.try_recv().unwrap_or_else(|_| vec![0; 1 << 20]);
            let n_read = match plain.read(&mut buffer) {
                Ok(0) => break,
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(refuse(error.to_string())),
            };
            hasher.update(&buffer[..n_read]);
            // The tap goes away only when it has refused; it says why.
            if full.send((buffer, n_read)).is_err() {
                break;
            }
        }
        drop(full);
        let tap = observing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((tap, hasher.finish()))
    })
}

/// Chunks that arrive over a channel, as a blocking reader. The channel's end is the end of file.
struct ChunkReader {
    chunks: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl ChunkReader {
    fn new(chunks: mpsc::Receiver<Bytes>) -> Self {
        Self { chunks, current: Bytes::new() }
    }
}

impl io::BufRead for ChunkReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, n_bytes: usize) {
        self.current.advance(n_bytes);
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = io::BufRead::fill_buf(self)?;
        let n_bytes = available.len().min(buffer.len());
        buffer[..n_bytes].copy_from_slice(&available[..n_bytes]);
        io::BufRead::consume(self, n_bytes);
        Ok(n_bytes)
    }
}
