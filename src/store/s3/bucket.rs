//! One bucket and its single-object requests, each tried once and within its time.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::BucketVersioningStatus;
use aws_smithy_types::DateTime as SdkDateTime;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::failure::{Failure, Request};
use super::{S3Settings, S3Timeouts};
use crate::store::{Key, ObjectInfo, StoreError};

/// The object's metadata (`x-amz-meta-…`) that tells whose write it was.
const WRITER: &str = "guard-writer";

/// The bucket, and how to name and ask for things in it.
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) timeouts: S3Timeouts,
    pub(super) concurrency: usize,
    /// Whether the server has taken an entity tag without its quotes where it refused it with them.
    pub(super) wants_bare_tags: AtomicBool,
    prefix: Option<Key>,
    location: String,
}

/// An object as HEAD shows it.
pub(super) struct Found {
    pub(super) info: ObjectInfo,
    /// The token of the upload that wrote it, if the server kept it.
    pub(super) writer: Option<String>,
}

/// Where a bucket is, for people.
pub(super) fn location(settings: &S3Settings) -> String {
    match &settings.prefix {
        Some(prefix) => format!("s3://{}/{prefix}", settings.bucket),
        None => format!("s3://{}", settings.bucket),
    }
}

/// The SDK's time as everybody else's.
pub(super) fn utc(time: Option<&SdkDateTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos())).unwrap_or_default()
}

impl Bucket {
    pub(super) fn new(client: Client, settings: S3Settings) -> Self {
        let location = location(&settings);
        let S3Settings { bucket: name, prefix, concurrency, timeouts, .. } = settings;
        Self { client, name, timeouts, concurrency, wants_bare_tags: AtomicBool::new(false), prefix, location }
    }

    pub(super) fn location(&self) -> String {
        self.location.clone()
    }

    /// The object's name in the bucket.
    pub(super) fn object_name(&self, key: &Key) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key.to_string(),
        }
    }

    /// The bucket's part of every name below `prefix`, with its final slash; nothing at the bucket's root.
    pub(super) fn names_below(&self, prefix: Option<&Key>) -> Option<String> {
        match prefix {
            Some(prefix) => Some(format!("{}/", self.object_name(prefix))),
            None => self.prefix.as_ref().map(|prefix| format!("{prefix}/")),
        }
    }

    /// The key of an object in the bucket; `None` for what guard cannot have written.
    pub(super) fn key_of(&self, object_name: &str) -> Option<Key> {
        let name = match &self.prefix {
            Some(prefix) => object_name.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => object_name,
        };
        name.parse().ok()
    }

    /// Sends a request and waits for its answer no longer than `limit`. Boxed, because the SDK's futures are 10 kB each.
    pub(super) fn ask<'a, T, E>(
        &'a self,
        attempt: String,
        key: Option<&'a Key>,
        limit: Duration,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Failure>>
    where
        T: 'a,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let described = Request { location: self.location(), bucket: &self.name, attempt, key };
        let answer = tokio::time::timeout(limit, request);
        Box::pin(async move {
            match answer.await {
                Ok(outcome) => outcome.map_err(|error| described.failed(&error)),
                Err(_) => Err(described.timed_out(limit)),
            }
        })
    }

    /// Writes an object that must not exist, signed with the writer's token if there is one.
    pub(super) async fn create(&self, key: &Key, body: Bytes, writer: Option<&str>) -> Result<(), StoreError> {
        let put = |condition: Option<&str>| {
            let request =
                self.client.put_object().bucket(&self.name).key(self.object_name(key)).body(body.clone().into());
            let metadata = writer.map(|writer| HashMap::from([(WRITER.to_owned(), writer.to_owned())]));
            let sent = request.set_if_none_match(condition.map(str::to_owned)).set_metadata(metadata).send();
            self.ask(format!("creating {key}"), None, self.timeouts.part, sent)
        };
        let mut outcome = put(Some("*")).await;
        if outcome.as_ref().is_err_and(Failure::is_unsupported) {
            // All that is left is to look first.
            if self.look(key).await?.is_some() {
                return Err(self.exists(key));
            }
            outcome = put(None).await;
        }
        match outcome {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_conflict() => Err(self.exists(key)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes an object over what was there.
    pub(super) async fn put(&self, key: &Key, body: Bytes) -> Result<(), StoreError> {
        let sent = self.client.put_object().bucket(&self.name).key(self.object_name(key)).body(body.into()).send();
        self.ask(format!("replacing {key}"), None, self.timeouts.part, sent).await?;
        Ok(())
    }

    /// What is under a key.
    pub(super) async fn look(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        let sent = self.client.head_object().bucket(&self.name).key(self.object_name(key)).send();
        match self.ask(format!("looking up {key}"), Some(key), self.timeouts.request, sent).await {
            Ok(answer) => {
                let writer = answer.metadata().and_then(|metadata| metadata.get(WRITER)).cloned();
                let size = u64::try_from(answer.content_length().unwrap_or_default()).unwrap_or_default();
                let info = ObjectInfo { key: key.clone(), size, modified: utc(answer.last_modified()) };
                Ok(Some(Found { info, writer }))
            }
            // HEAD has no body: a missing bucket cannot be told from a missing object here.
            Err(failure) if failure.status == 404 => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let sent = self.client.delete_object().bucket(&self.name).key(self.object_name(key)).send();
        match self.ask(format!("deleting {key}"), Some(key), self.timeouts.request, sent).await {
            // AWS answers 204 for what is absent; some others say so.
            Ok(_) | Err(Failure { error: StoreError::NotFound { .. }, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Begins a multipart upload signed with its writer's token; the answer is its id.
    pub(super) async fn begin(&self, key: &Key, writer: &str) -> Result<String, StoreError> {
        let attempt = format!("beginning the upload of {key}");
        let request = self.client.create_multipart_upload().bucket(&self.name).key(self.object_name(key));
        let sent = request.metadata(WRITER, writer).send();
        let answer = self.ask(attempt.clone(), None, self.timeouts.request, sent).await?;
        let no_id = || StoreError::Permanent {
            location: self.location(),
            attempt,
            reason: "the server answered without an upload id".to_owned(),
        };
        answer.upload_id.ok_or_else(no_id)
    }

    pub(super) async fn keeps_versions(&self) -> Result<bool, StoreError> {
        let sent = self.client.get_bucket_versioning().bucket(&self.name).send();
        let answer = self.ask("asking whether it is versioned".to_owned(), None, self.timeouts.request, sent).await?;
        Ok(answer.status() == Some(&BucketVersioningStatus::Enabled))
    }

    /// Gives a multipart upload up, with all its parts.
    pub(super) async fn abort(&self, key: &Key, upload_id: &str) -> Result<(), StoreError> {
        let request = self.client.abort_multipart_upload().bucket(&self.name).key(self.object_name(key));
        let sent = request.upload_id(upload_id).send();
        match self.ask(format!("aborting the upload of {key}"), None, self.timeouts.request, sent).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_upload_gone() => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether a multipart upload has ended, one way or the other.
    pub(super) async fn is_upload_gone(&self, key: &Key, upload_id: &str) -> Result<bool, StoreError> {
        let request = self.client.list_parts().bucket(&self.name).key(self.object_name(key));
        let sent = request.upload_id(upload_id).max_parts(1).send();
        match self.ask(format!("looking up the upload of {key}"), None, self.timeouts.request, sent).await {
            Ok(_) => Ok(false),
            // Not all of them (Ceph does not) say that it is the upload that they miss.
            Err(failure) if failure.status == 404 => Ok(true),
            Err(failure) => Err(failure.into()),
        }
    }

    pub(super) fn exists(&self, key: &Key) -> StoreError {
        StoreError::Exists { location: self.location(), key: key.clone() }
    }
}
