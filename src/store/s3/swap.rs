//! Small objects by version: GET tells the `ETag`, PUT with `If-Match` replaces that version alone.

use bytes::Bytes;

use super::bucket::Bucket;
use super::failure::chain;
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

    /// AWS, Ceph and others compare and write in one step. 409 is AWS's answer to a write that met another: whether the
    /// other won is for the caller to find out by fetching.
    pub(super) async fn swap(&self, key: &Key, tag: &Tag, body: Bytes) -> Result<Tag, StoreError> {
        let request = self.client.put_object().bucket(&self.name).key(self.object_name(key)).body(body.into());
        let sent = request.if_match(&tag.0).send();
        match self.ask(format!("replacing {key}"), Some(key), self.timeouts.part, sent).await {
            Ok(answer) => answer.e_tag.map(Tag).ok_or_else(|| self.lacks_tag(key)),
            Err(failure) if failure.is_conflict() || matches!(failure.error, StoreError::NotFound { .. }) => {
                Err(StoreError::Changed { location: self.location(), key: key.clone() })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    fn lacks_tag(&self, key: &Key) -> StoreError {
        StoreError::Permanent {
            location: self.location(),
            attempt: format!("reading the version of {key}"),
            reason: "the server's answer has no ETag".to_owned(),
        }
    }
}
