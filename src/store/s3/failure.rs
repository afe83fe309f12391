//! What an S3 server's or the SDK's failure means for whoever called.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::store::{Key, StoreError};

/// A request that failed: what to report, and what the server said for those who know better.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) error: StoreError,
}

/// The request that failed.
pub(super) struct Request<'a> {
    pub(super) location: String,
    pub(super) bucket: &'a str,
    pub(super) attempt: String,
    pub(super) key: Option<&'a Key>,
}

impl Failure {
    /// Whether a condition of the request did not hold. AWS answers 409 when another conditional write is under way:
    /// the key is about to be taken.
    pub(super) fn is_conflict(&self) -> bool {
        self.status == 412 || (self.status == 409 && self.code != "OperationAborted")
    }

    /// Whether the server does not know what it was asked: some answer so to any condition on a write.
    pub(super) fn is_unsupported(&self) -> bool {
        self.status == 501 || self.code == "NotImplemented"
    }

    /// Whether the multipart upload is no longer there.
    pub(super) fn is_upload_gone(&self) -> bool {
        self.code == "NoSuchUpload"
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Request<'_> {
    /// Tells apart what the caller should do about an SDK error.
    pub(super) fn failed<E>(self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(refusal) => self.refused(refusal.raw(), refusal.err()),
            SdkError::ConstructionFailure(_) => self.unsent(error),
            SdkError::DispatchFailure(failure) if failure.is_user() || is_of_credentials(error) => self.unsent(error),
            // The SDK calls a connection that breaks under a request `other`, so all the rest may pass.
            _ => self.unreachable(error),
        }
    }

    /// Fails because no answer came in time.
    pub(super) fn timed_out(self, limit: std::time::Duration) -> Failure {
        self.transient(format!("no answer within {}", humantime::format_duration(limit)))
    }

    fn refused(self, response: &HttpResponse, refusal: &impl ProvideErrorMetadata) -> Failure {
        let status = response.status().as_u16();
        let code = refusal.code().unwrap_or_default().to_owned();
        let message = refusal.message().unwrap_or_default();
        let reason = match (code.as_str(), message) {
            ("", _) => format!("the server answered {status}"),
            (code, "") => format!("the server answered {status} {code}"),
            (code, message) => format!("the server answered {status} {code}: {message}"),
        };
        let region = response.headers().get("x-amz-bucket-region").map(str::to_owned);
        let error = self.meaning(status, &code, reason, region);
        Failure { status, code, error }
    }

    fn meaning(self, status: u16, code: &str, reason: String, region: Option<String>) -> StoreError {
        let Self { location, bucket, attempt, key } = self;
        match (status, code) {
            (_, "NoSuchBucket") => StoreError::Unusable {
                location,
                reason: format!("there is no bucket `{bucket}` here; create it, or correct its name or the endpoint"),
            },
            (301 | 307, _) | (_, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                let advice = region.map_or_else(String::new, |region| format!("; set the region to `{region}`"));
                StoreError::Unusable {
                    location,
                    reason: format!("bucket `{bucket}` is in another region{advice} ({reason})"),
                }
            }
            (507, _) | (_, "QuotaExceeded" | "XMinioStorageFull") => StoreError::Full { location, attempt },
            (_, "RequestTimeTooSkewed") => {
                StoreError::Denied { location, attempt, reason: format!("{reason}; set this machine's clock") }
            }
            (401 | 403, _) | (_, "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken") => {
                StoreError::Denied { location, attempt, reason }
            }
            (404, _) => match key {
                Some(key) => StoreError::NotFound { location, key: key.clone() },
                None => {
                    StoreError::Unusable { location, reason: format!("bucket `{bucket}` cannot be found ({reason})") }
                }
            },
            (429, _) | (_, "SlowDown" | "RequestTimeout" | "OperationAborted" | "InternalError") => {
                StoreError::Transient { location, attempt, reason }
            }
            (500..=599, code) if status != 501 && code != "NotImplemented" => {
                StoreError::Transient { location, attempt, reason }
            }
            _ => StoreError::Permanent { location, attempt, reason },
        }
    }

    /// The server was not reached, or broke off, or did not speak S3.
    fn unreachable(self, error: &(dyn Error + 'static)) -> Failure {
        let reason = chain(error);
        // A certificate that is not trusted now will not be at the next attempt.
        if reason.contains("certificate") {
            let reason = format!("{reason}; if the server's certificate is of a private authority, set `ca_file`");
            return Failure::unnumbered(StoreError::Unusable { location: self.location, reason });
        }
        self.transient(reason)
    }

    /// The SDK could not even make or sign the request.
    fn unsent(self, error: &(dyn Error + 'static)) -> Failure {
        let reason = chain(error);
        let Self { location, attempt, .. } = self;
        Failure::unnumbered(if is_of_credentials(error) {
            let reason = format!("{reason}; give credentials by settings, environment or profile");
            StoreError::Denied { location, attempt, reason }
        } else {
            StoreError::Permanent { location, attempt, reason }
        })
    }

    fn transient(self, reason: String) -> Failure {
        Failure::unnumbered(StoreError::Transient { location: self.location, attempt: self.attempt, reason })
    }
}

impl Failure {
    fn unnumbered(error: StoreError) -> Self {
        Self { status: 0, code: String::new(), error }
    }
}

/// Whether the SDK found no credentials, or could not fetch them.
fn is_of_credentials(error: &(dyn Error + 'static)) -> bool {
    chain(error).contains("redentials")
}

/// An error and its causes in one line, each once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    // The SDK's own words for "it did not work", and its lists over several lines, help nobody.
    let line = line.trim_start_matches("dispatch failure: ").trim_start_matches("other: ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Request;
    use crate::store::StoreError;

    fn check(status: u16, code: &str, expected: &str) {
        let request = Request {
            location: "s3://backups".to_owned(),
            bucket: "backups",
            attempt: "creating a".to_owned(),
            key: None,
        };
        let reason = format!("the server answered {status} {code}");
        let error = request.meaning(status, code, reason, Some("eu-central-1".to_owned()));
        let kind = match &error {
            StoreError::Denied { .. } => "denied",
            StoreError::Unusable { .. } => "unusable",
            StoreError::Full { .. } => "full",
            StoreError::Transient { .. } => "transient",
            _ => "permanent",
        };
        let told = format!("{kind}: {error}");
        assert!(told.starts_with(expected), "{status} {code}: {told}");
    }

    #[test]
    fn what_to_do_about_a_refusal_is_told_by_status_and_code() {
        check(404, "NoSuchBucket", "unusable: s3://backups: there is no bucket `backups` here; create it");
        check(
            301,
            "PermanentRedirect",
            "unusable: s3://backups: bucket `backups` is in another region; set the region to `eu-central-1`",
        );
        check(400, "AuthorizationHeaderMalformed", "unusable: s3://backups: bucket `backups` is in another region");
        check(
            403,
            "SignatureDoesNotMatch",
            "denied: s3://backups: access denied while creating a: the server answered 403",
        );
        check(400, "ExpiredToken", "denied");
        check(403, "RequestTimeTooSkewed", "denied");
        check(403, "QuotaExceeded", "full: s3://backups: no space left while creating a");
        check(507, "XMinioStorageFull", "full");
        check(503, "SlowDown", "transient: s3://backups: creating a failed: the server answered 503 SlowDown");
        check(429, "", "transient");
        check(400, "RequestTimeout", "transient");
        check(501, "NotImplemented", "permanent");
        check(400, "InvalidArgument", "permanent");
    }
}
