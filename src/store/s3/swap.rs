//! Small objects by version: GET tells the `ETag`, PUT with `If-Match` replaces that version alone.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::bucket::Bucket;
use super::failure::{Failure, chain};
use crate::store::{Fetched, Key, StoreError, Tag};

impl Bucket {
    pub(super) async fn fetch(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        let sent = self.client.get_object().bucket(&self.name).key(self.object_name(key)).send();
        let answer = match self.ask(format!("reading {key}"), Some(key), self.timeouts.request, sent).await {
            Ok(answer) => answer,
            Err(failure) if matches!(failure.error, StoreError::NotFound { .. }) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let broken =
            |reason| StoreError::Transient { location: self.location(), attempt: format!("reading {key}"), reason };
        let Some(tag) = answer.e_tag else { return Err(self.lacks_tag(key)) };
        let body = match tokio::time::timeout(self.timeouts.request, answer.body.collect()).await {
            Ok(Ok(body)) => body.into_bytes(),
            Ok(Err(error)) => return Err(broken(chain(&error))),
            Err(_) => return Err(broken("the answer stopped half way".to_owned())),
        };
        Ok(Some(Fetched { body, tag: Tag(tag) }))
    }

    /// Compares and writes in one request. Ceph 16 compares the condition, quotes and all, with its own unquoted tag, so what
    /// is refused is tried again without quotes; either request is safe by itself. 409 is AWS's answer to a write that met
    /// another: whether the other won is for the caller to find out by fetching.
    pub(super) async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        let changed = || StoreError::Changed { location: self.location(), key: key.clone() };
        if !self.wants_bare_tags.load(Ordering::Relaxed) {
            match self.put_over(key, &tag.0, body.clone()).await {
                Err(failure) if is_changed(&failure) => {}
                outcome => return outcome?.ok_or_else(|| self.lacks_tag(key)),
            }
        }
        match self.put_over(key, tag.0.trim_matches('"'), body).await {
            Ok(answer) => {
                self.wants_bare_tags.store(true, Ordering::Relaxed);
                answer.ok_or_else(|| self.lacks_tag(key))
            }
            // A server that cannot read a tag without quotes has refused the quoted one already.
            Err(failure) if is_changed(&failure) || failure.status == 400 => Err(changed()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn put_over(&self, key: &Key, e_tag: &str, body: Bytes) -> Result<Option<Tag>, Failure> {
        let request = self.client.put_object().bucket(&self.name).key(self.object_name(key)).body(body.into());
        let sent = request.if_match(e_tag).send();
        let answer = self.ask(format!("replacing {key}"), Some(key), self.timeouts.part, sent).await?;
        Ok(answer.e_tag.map(Tag))
    }

    fn lacks_tag(&self, key: &Key) -> StoreError {
        StoreError::Permanent {
            location: self.location(),
            attempt: format!("reading the version of {key}"),
            reason: "the server's answer has no ETag".to_owned(),
        }
    }
}

fn is_changed(failure: &Failure) -> bool {
    failure.is_conflict() || matches!(failure.error, StoreError::NotFound { .. })
}
