//! What a bucket holds: objects, folders and unfinished uploads, page by page, sorted here because not every server does.

use super::bucket::{Bucket, utc};
use crate::store::{Key, ObjectInfo, StoreError, UnfinishedUpload};

impl Bucket {
    pub(super) async fn objects_below(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).set_prefix(self.names_below(Some(prefix)));
            let sent = request.set_continuation_token(token).send();
            let page = self.ask(format!("listing {prefix}"), None, self.timeouts.request, sent).await?;
            objects.extend(page.contents().iter().filter_map(|object| {
                let key = self.key_of(object.key()?)?;
                let size = u64::try_from(object.size()?).ok()?;
                Some(ObjectInfo { key, size, modified: utc(object.last_modified()) })
            }));
            token = match page.next_continuation_token {
                Some(next) if page.is_truncated == Some(true) => Some(next),
                _ => break,
            };
        }
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        objects.dedup_by(|left, right| left.key == right.key);
        Ok(objects)
    }

    pub(super) async fn folders_below(&self, prefix: Option<&Key>) -> Result<Vec<String>, StoreError> {
        let above = self.names_below(prefix);
        let mut folders = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).set_prefix(above.clone()).delimiter("/");
            let sent = request.set_continuation_token(token).send();
            let page = self.ask("listing folders".to_owned(), None, self.timeouts.request, sent).await?;
            folders.extend(page.common_prefixes().iter().filter_map(|folder| {
                let name = folder.prefix()?.strip_prefix(above.as_deref().unwrap_or(""))?.strip_suffix('/')?;
                // What is no key was not written by guard.
                name.parse::<Key>().is_ok().then(|| name.to_owned())
            }));
            token = match page.next_continuation_token {
                Some(next) if page.is_truncated == Some(true) => Some(next),
                _ => break,
            };
        }
        folders.sort();
        folders.dedup();
        Ok(folders)
    }

    pub(super) async fn uploads_below(&self, prefix: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        let mut uploads = Vec::new();
        let mut markers = (None, None);
        loop {
            let request = self.client.list_multipart_uploads().bucket(&self.name).set_prefix(self.names_below(prefix));
            let sent = request.set_key_marker(markers.0).set_upload_id_marker(markers.1).send();
            let page = self.ask("listing unfinished uploads".to_owned(), None, self.timeouts.request, sent).await?;
            uploads.extend(page.uploads().iter().filter_map(|upload| {
                let key = self.key_of(upload.key()?)?;
                Some(UnfinishedUpload { key, handle: upload.upload_id()?.to_owned(), begun: utc(upload.initiated()) })
            }));
            markers = match page.next_key_marker {
                Some(next) if page.is_truncated == Some(true) => (Some(next), page.next_upload_id_marker),
                _ => break,
            };
        }
        uploads.sort_by(|left, right| (&left.key, &left.handle).cmp(&(&right.key, &right.handle)));
        Ok(uploads)
    }
}
