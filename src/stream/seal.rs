//! Plain bytes to stored objects: tap, compress, encrypt, hash, cut, upload. Nothing is visible before `commit`.

use std::io::{self, Read, Write as _};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task;

use super::Compression;
use super::compress::encoder;
use super::encrypt::{Encrypting, Recipients};
use super::hash::{Hashed, Hasher};
use super::parts::{CutObject, ObjectNames, PartWriter, PutError, SealedObject, Uploads, part_size, put_parts};
use crate::store::{Key, KeyError, StoreError, Upload};

/// Looks at plain bytes as they pass and may refuse them.
pub trait Tap: Send + 'static {
    /// Sees the next bytes. An error ends the stream.
    fn observe(&mut self, plain: &[u8]) -> Result<(), TapError>;
}

/// Why a tap refused the bytes.
pub type TapError = Box<dyn std::error::Error + Send + Sync>;

/// What a sealed stream became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedStream {
    /// The plain bytes.
    pub plain: Hashed,
    /// The objects, to be concatenated in this order.
    pub objects: Vec<SealedObject>,
}

/// A stream whose parts are all stored but not yet visible, and the tap that saw it.
#[derive(Debug)]
pub struct Sealed<T> {
    /// The tap, having seen every byte.
    pub tap: T,
    stream: SealedStream,
    uploads: Vec<(Arc<dyn Upload>, u32)>,
}

/// Why a stream could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The plain bytes could not be read.
    #[error("reading the dump failed: {0}")]
    Read(#[source] io::Error),
    /// The tap refused the bytes.
    #[error(transparent)]
    Tap(TapError),
    /// Compression or encryption failed.
    #[error("compressing the dump failed: {0}")]
    Compress(#[source] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream's name cannot be an object's.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Seals everything that `plain` delivers until its end. The caller decides what the end means: a pipe ends as well when
/// its writer dies, so `commit` comes only after the child's exit status is known.
///
/// When this returns an error the reading thread may still wait on `plain`; it ends with the child, which the caller
/// kills, and the begun parts are removed by [`Uploads::abort`].
pub async fn seal<T: Tap>(
    plain: impl Read + Send + 'static,
    tap: T,
    (compression, recipients): (Compression, Recipients),
    uploads: &Uploads,
    names: ObjectNames,
) -> Result<Sealed<T>, SealError> {
    let (sender, receiver) = mpsc::channel(1);
    let writer = PartWriter::new(sender, part_size(uploads.store()), uploads.store().limits().max_parts);
    let worker = task::spawn_blocking(move || squeeze(plain, tap, compression, &recipients, writer));
    let objects = put_parts(uploads, &names, receiver).await?;
    let squeezed = worker.await.map_err(|panic| SealError::Compress(io::Error::other(panic)))??;
    let stream = SealedStream { plain: squeezed.plain, objects: describe(&squeezed.cut, &objects) };
    let uploads = objects.into_iter().zip(&squeezed.cut).map(|((_, upload), cut)| (upload, cut.n_parts)).collect();
    Ok(Sealed { tap: squeezed.tap, stream, uploads })
}

impl<T> Sealed<T> {
    /// Makes the objects visible. To be called only once the source has vouched for the stream.
    pub async fn commit(self) -> Result<SealedStream, StoreError> {
        for (upload, n_parts) in &self.uploads {
            upload.commit(*n_parts).await?;
        }
        Ok(self.stream)
    }

    /// The stream and its tap apart.
    pub fn split(self) -> (Sealed<()>, T) {
        let Self { tap, stream, uploads } = self;
        (Sealed { tap: (), stream, uploads }, tap)
    }
}

struct Squeezed<T> {
    tap: T,
    plain: Hashed,
    cut: Vec<CutObject>,
}

/// The reading thread: one pass over the plain bytes; zstd's workers compress beside it, and give way to it.
fn squeeze<T: Tap>(
    mut plain: impl Read,
    mut tap: T,
    compression: Compression,
    recipients: &Recipients,
    writer: PartWriter,
) -> Result<Squeezed<T>, SealError> {
    let encrypting = Encrypting::begin(writer, recipients).map_err(SealError::Compress)?;
    let mut encoder = encoder(encrypting, compression).map_err(SealError::Compress)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_read = match plain.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_read) => n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SealError::Read(error)),
        };
        let chunk = &buffer[..n_read];
        tap.observe(chunk).map_err(SealError::Tap)?;
        hasher.update(chunk);
        encoder.write_all(chunk).map_err(SealError::Compress)?;
    }
    let cut =
        encoder.finish().and_then(Encrypting::finish).and_then(PartWriter::finish).map_err(SealError::Compress)?;
    Ok(Squeezed { tap, plain: hasher.finish(), cut })
}

fn describe(cut: &[CutObject], objects: &[(Key, Arc<dyn Upload>)]) -> Vec<SealedObject> {
    objects.iter().zip(cut).map(|((key, _), cut)| SealedObject { key: key.clone(), stored: cut.stored }).collect()
}

impl From<PutError> for SealError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Key(error) => Self::Key(error),
            PutError::Store(error) => Self::Store(error),
        }
    }
}
