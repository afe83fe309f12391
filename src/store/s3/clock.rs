//! The server's clock, from the `Date` header that every answer carries.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use crate::store::StoreError;

impl Bucket {
    /// A refusal carries the date as well as a success, so the right to look at the bucket is not needed.
    pub(super) async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        let date = DateHeader::default();
        let sent = self.client.head_bucket().bucket(&self.name).customize().interceptor(date.clone()).send();
        let outcome = self.ask("reading its clock".to_owned(), None, self.timeouts.request, sent).await;
        let seen = date.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (seen, outcome) {
            (Some(date), _) => Ok(date),
            (None, Err(failure)) => Err(failure.into()),
            (None, Ok(_)) => Err(StoreError::Permanent {
                location: self.location(),
                attempt: "reading its clock".to_owned(),
                reason: "the server's answer has no readable Date header".to_owned(),
            }),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct DateHeader {
    seen: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Intercept for DateHeader {
    fn name(&self) -> &'static str {
        "DateHeader"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = date.map(|date| date.to_utc());
        Ok(())
    }
}
