//! An object being written to a bucket: one plain put while it has one part, a multipart upload from the second on.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use rand::distr::{Alphanumeric, SampleString};
use tokio::sync::{Mutex, MutexGuard as TokioGuard, OnceCell};

use super::MAX_PARTS;
use super::bucket::Bucket;
use super::failure::Failure;
use crate::store::part::PartBook;
use crate::store::{Key, StoreError, Upload};

pub(super) struct S3Upload {
    bucket: Arc<Bucket>,
    key: Key,
    /// A random text stored with the object: whoever finds it there knows that this very upload wrote it.
    writer: String,
    /// Part 0, until it is sent: alone it is the object and costs one request instead of three.
    first: Mutex<Option<Bytes>>,
    upload_id: OnceCell<String>,
    /// The receipts are the parts' `ETag`s; part 0 has none while it waits.
    book: StdMutex<PartBook<Option<String>>>,
    end: OnceLock<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Committed,
    Aborted,
}

impl std::fmt::Debug for S3Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Upload").field("key", &self.key).field("id", &self.upload_id).finish_non_exhaustive()
    }
}

impl S3Upload {
    pub(super) fn new(bucket: Arc<Bucket>, key: Key, part_size: usize) -> Self {
        Self {
            bucket,
            key,
            writer: Alphanumeric.sample_string(&mut rand::rng(), 24),
            first: Mutex::default(),
            upload_id: OnceCell::new(),
            book: StdMutex::new(PartBook::new(part_size)),
            end: OnceLock::new(),
        }
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        self.check_open(part_idx, &body)?;
        if part_idx == 0 {
            let mut first = self.first.lock().await;
            self.book().record(0, body.len(), None);
            *first = Some(body);
            return Ok(());
        }
        // Part 0 goes out with the first of the others to come. If it fails, so does that one, and both are repeated. A
        // later one that finds it on its way does not wait for it; the commit does.
        let Ok(first) = self.first.try_lock() else { return self.send_part(part_idx, body).await };
        let (sent, sent_first) = futures_util::join!(self.send_part(part_idx, body), self.send_first(first));
        sent.and(sent_first)
    }

    async fn commit(&self, n_parts: u32) -> Result<(), StoreError> {
        match self.end.get() {
            Some(End::Committed) => return Ok(()),
            Some(End::Aborted) => return Err(self.refuse("committing", "the upload was aborted".to_owned())),
            None => {}
        }
        let size = self.book().total(n_parts).map_err(|reason| self.refuse("committing", reason))?;
        if self.upload_id.initialized() && n_parts > 0 {
            self.send_first(self.first.lock().await).await?;
            self.commit_multipart(n_parts, size).await?;
        } else {
            self.commit_single(n_parts, size).await?;
        }
        self.end.get_or_init(|| End::Committed);
        Ok(())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        if self.end.get().is_some() {
            return Ok(());
        }
        if let Some(upload_id) = self.upload_id.get() {
            self.bucket.abort(&self.key, upload_id).await?;
        }
        self.first.lock().await.take();
        self.end.get_or_init(|| End::Aborted);
        Ok(())
    }
}

impl S3Upload {
    fn check_open(&self, part_idx: u32, body: &Bytes) -> Result<(), StoreError> {
        let refuse = |reason| self.refuse(&format!("putting part {part_idx} of"), reason);
        if self.end.get().is_some() {
            return Err(refuse("the upload has ended".to_owned()));
        }
        if part_idx >= MAX_PARTS {
            return Err(refuse(format!("an object has at most {MAX_PARTS} parts")));
        }
        self.book().check_len(part_idx, body.len()).map_err(refuse)
    }

    async fn send_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        let upload_id = self.upload_id.get_or_try_init(|| self.bucket.begin(&self.key, &self.writer)).await?;
        let part_number = i32::try_from(part_idx + 1).unwrap_or(i32::MAX);
        let len = body.len();
        let request =
            self.bucket.client.upload_part().bucket(&self.bucket.name).key(self.bucket.object_name(&self.key));
        let sent = request.upload_id(upload_id).part_number(part_number).body(body.into()).send();
        let attempt = format!("putting part {part_idx} of {}", self.key);
        let answer = self.bucket.ask(attempt, None, self.bucket.timeouts.part, sent).await?;
        self.book().record(part_idx, len, answer.e_tag);
        Ok(())
    }

    /// Sends part 0 if it waits. It is held until it has arrived, so that a cancelled attempt loses nothing.
    async fn send_first(&self, mut first: TokioGuard<'_, Option<Bytes>>) -> Result<(), StoreError> {
        if let Some(body) = first.clone() {
            self.send_part(0, body).await?;
            *first = None;
        }
        Ok(())
    }

    async fn commit_single(&self, n_parts: u32, size: u64) -> Result<(), StoreError> {
        let body = match n_parts {
            0 => Bytes::new(),
            _ => self.first.lock().await.clone().unwrap_or_default(),
        };
        match self.bucket.create(&self.key, body, Some(&self.writer)).await {
            Err(exists @ StoreError::Exists { .. }) => {
                // An earlier attempt's answer may have been lost.
                if self.is_there(size).await? { Ok(()) } else { Err(exists) }
            }
            outcome => outcome,
        }?;
        match self.upload_id.get() {
            Some(upload_id) => self.bucket.abort(&self.key, upload_id).await,
            None => Ok(()),
        }
    }

    async fn commit_multipart(&self, n_parts: u32, size: u64) -> Result<(), StoreError> {
        // Servers that ignore a condition on the completion (Ceph) overwrite: so look first. This closes the accident, not
        // the race; whoever needs exclusion has it from `create`.
        if self.is_there(size).await? {
            return Ok(());
        }
        let mut outcome = self.complete(n_parts, Some("*")).await;
        if outcome.as_ref().is_err_and(Failure::is_unsupported) {
            outcome = self.complete(n_parts, None).await;
        }
        match outcome {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_conflict() => Err(self.bucket.exists(&self.key)),
            Err(failure) => self.resolve(failure.into(), size).await,
        }
    }

    async fn complete(&self, n_parts: u32, condition: Option<&str>) -> Result<(), Failure> {
        let request = self.bucket.client.complete_multipart_upload();
        let request = request.bucket(&self.bucket.name).key(self.bucket.object_name(&self.key));
        let request = request.set_upload_id(self.upload_id.get().cloned()).multipart_upload(self.completed(n_parts));
        let sent = request.set_if_none_match(condition.map(str::to_owned)).send();
        self.bucket.ask(format!("committing {}", self.key), None, self.bucket.timeouts.complete, sent).await?;
        Ok(())
    }

    /// The server may have completed the upload and only the answer been lost: the object tells. If there is neither the
    /// object nor the upload, somebody aborted it, which Ceph reports as an internal error like any other.
    async fn resolve(&self, failure: StoreError, size: u64) -> Result<(), StoreError> {
        for _ in 0..2 {
            match self.is_there(size).await {
                Ok(true) => return Ok(()),
                Err(exists @ StoreError::Exists { .. }) => return Err(exists),
                Ok(false) => {}
                Err(_) => return Err(failure),
            }
            let Some(upload_id) = self.upload_id.get() else { break };
            match self.bucket.is_upload_gone(&self.key, upload_id).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return Err(failure),
            }
            // It may have been completed between the two questions: ask for the object once more.
        }
        Err(self.refuse("committing", "the upload was aborted by somebody else".to_owned()))
    }

    /// Whether this upload's object is at its key already; somebody else's there is [`StoreError::Exists`]. A server that
    /// keeps no metadata leaves the size to tell.
    async fn is_there(&self, size: u64) -> Result<bool, StoreError> {
        let Some(found) = self.bucket.look(&self.key).await? else { return Ok(false) };
        let is_own = found.writer.as_ref().is_none_or(|writer| *writer == self.writer);
        if is_own && found.info.size == size { Ok(true) } else { Err(self.bucket.exists(&self.key)) }
    }

    fn completed(&self, n_parts: u32) -> CompletedMultipartUpload {
        let book = self.book();
        let parts = book.receipts(n_parts).map(|(part_idx, e_tag)| {
            let part_number = i32::try_from(part_idx + 1).unwrap_or(i32::MAX);
            CompletedPart::builder().part_number(part_number).set_e_tag(e_tag.clone()).build()
        });
        CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build()
    }

    fn book(&self) -> MutexGuard<'_, PartBook<Option<String>>> {
        // A panic cannot leave the book half changed: each change is one insertion.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, attempt: &str, reason: String) -> StoreError {
        StoreError::Permanent { location: self.bucket.location(), attempt: format!("{attempt} {}", self.key), reason }
    }
}
