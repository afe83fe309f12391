//! The bytes of an object as a stream that survives broken connections and never ends short.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::bucket::Bucket;
use super::failure::{Failure, chain};
use crate::store::{ByteStream, Key, StoreError};

/// How often in a row a download is resumed without a byte having come in between.
const MAX_RESUMES: u32 = 6;

/// The pause before the first resumption; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Opens the stream; what can be refused is refused here.
pub(super) async fn open(bucket: Arc<Bucket>, key: Key, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
    // HTTP has no empty range.
    if let Some(range) = range.as_ref().filter(|range| range.is_empty()) {
        let Some(found) = bucket.look(&key).await? else {
            return Err(StoreError::NotFound { location: bucket.location(), key });
        };
        let download = Download { bucket, key, e_tag: None, left: range.clone(), body: Body::default(), n_resumes: 0 };
        if range.start == range.end && range.end <= found.info.size {
            return Ok(stream::empty().boxed());
        }
        return Err(download.broken(format!("it has {} bytes", found.info.size)));
    }
    let answer = request(&bucket, &key, range.as_ref(), None).await?;
    let len = answer.content_length.and_then(|len| u64::try_from(len).ok());
    let left = range.unwrap_or(0..len.unwrap_or(0));
    let wanted = left.end - left.start;
    let download = Download { bucket, key, e_tag: answer.e_tag, left, body: answer.body, n_resumes: 0 };
    match len {
        Some(len) if len == wanted => Ok(stream::try_unfold(download, Download::next).boxed()),
        Some(len) => Err(download.broken(format!("the server offers {len} bytes instead of {wanted}"))),
        None => Err(download.broken("the server does not say how long it is".to_owned())),
    }
}

/// One download under way: `left` is what has not come yet.
struct Download {
    bucket: Arc<Bucket>,
    key: Key,
    e_tag: Option<String>,
    left: Range<u64>,
    body: Body,
    n_resumes: u32,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        loop {
            let fault = match tokio::time::timeout(self.bucket.timeouts.idle, self.body.next()).await {
                // All bytes are here, whether or not the connection's end is.
                Ok(None) | Err(_) if self.left.is_empty() => return Ok(None),
                Ok(Some(Ok(chunk))) => return self.took(chunk).map(Some),
                Ok(None) => "the connection was closed early".to_owned(),
                // As many bytes as were asked for, but the SDK's checksum of them is wrong.
                Ok(Some(Err(error))) if self.left.is_empty() => return Err(self.broken(chain(&error))),
                Ok(Some(Err(error))) => chain(&error),
                Err(_) => format!("nothing came for {}", humantime::format_duration(self.bucket.timeouts.idle)),
            };
            self.resume(fault).await?;
        }
    }

    fn took(mut self, chunk: Bytes) -> Result<(Bytes, Self), StoreError> {
        self.left.start += chunk.len() as u64;
        if self.left.start > self.left.end {
            return Err(self.broken("the server sent more bytes than it promised".to_owned()));
        }
        self.n_resumes = 0;
        Ok((chunk, self))
    }

    /// Asks for the rest, of the very same object.
    async fn resume(&mut self, mut fault: String) -> Result<(), StoreError> {
        while self.n_resumes < MAX_RESUMES {
            tracing::warn!(store = %self.bucket.location(), key = %self.key, at = self.left.start, fault, "resuming a download");
            tokio::time::sleep(FIRST_PAUSE * (1 << self.n_resumes)).await;
            self.n_resumes += 1;
            match request(&self.bucket, &self.key, Some(&self.left), self.e_tag.clone()).await {
                Ok(answer) => return self.go_on(answer),
                Err(failure) if failure.is_conflict() => return Err(self.replaced()),
                Err(failure) if failure.error.is_permanent() => return Err(failure.into()),
                Err(failure) => fault = failure.error.to_string(),
            }
        }
        Err(StoreError::Transient { location: self.bucket.location(), attempt: self.attempt(), reason: fault })
    }

    fn go_on(&mut self, answer: GetObjectOutput) -> Result<(), StoreError> {
        // Not every server heeds the condition that was sent.
        if answer.e_tag != self.e_tag {
            return Err(self.replaced());
        }
        let len = self.left.end - self.left.start;
        if answer.content_length.and_then(|len| u64::try_from(len).ok()) != Some(len) {
            return Err(self.broken("the server does not resume where it was asked to".to_owned()));
        }
        self.body = answer.body;
        Ok(())
    }

    fn replaced(&self) -> StoreError {
        self.broken("it was replaced meanwhile".to_owned())
    }

    fn broken(&self, reason: String) -> StoreError {
        StoreError::Permanent { location: self.bucket.location(), attempt: self.attempt(), reason }
    }

    fn attempt(&self) -> String {
        format!("reading {} from byte {}", self.key, self.left.start)
    }
}

async fn request(
    bucket: &Bucket,
    key: &Key,
    range: Option<&Range<u64>>,
    e_tag: Option<String>,
) -> Result<GetObjectOutput, Failure> {
    let header = range.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
    let request = bucket.client.get_object().bucket(&bucket.name).key(bucket.object_name(key));
    let sent = request.set_range(header).set_if_match(e_tag).send();
    bucket.ask(format!("opening {key}"), Some(key), bucket.timeouts.request, sent).await
}
