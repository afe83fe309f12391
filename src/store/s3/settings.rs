//! What has to be known to reach a bucket.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::Key;

/// Where a bucket is and how to talk to it. Whatever is `None` is taken from the environment and the profile files, as
/// every AWS tool does.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// Everything is kept below this path of the bucket.
    pub prefix: Option<Key>,
    /// The server's URL; without one, AWS.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` for a server other than AWS that is not given one.
    pub region: Option<String>,
    /// Whether the bucket's name goes into the path rather than the host name; by default, on every server but AWS.
    pub path_style: Option<bool>,
    /// When checksums of the SDK's own are sent and verified.
    pub checksums: ChecksumMode,
    /// Certificates (PEM) to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// The profile of the AWS configuration files to use.
    pub profile: Option<String>,
    /// Credentials; otherwise the default chain (environment, profile, web identity, container, instance).
    pub credentials: Option<S3Credentials>,
    /// How many parts of one upload are best in flight.
    pub concurrency: usize,
    /// Time limits of single requests.
    pub timeouts: S3Timeouts,
}

impl S3Settings {
    /// The defaults for a bucket.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: None,
            endpoint: None,
            region: None,
            path_style: None,
            checksums: ChecksumMode::Auto,
            ca_file: None,
            profile: None,
            credentials: None,
            concurrency: 4,
            timeouts: S3Timeouts::default(),
        }
    }
}

/// When the SDK adds and verifies checksums of its own. Since 2025 it does so by default, and several servers other than
/// AWS refuse or mangle that; guard's own SHA-256 decides either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChecksumMode {
    /// [`Self::WhenSupported`] on AWS, [`Self::WhenRequired`] elsewhere.
    #[default]
    Auto,
    /// Only where the protocol demands one.
    WhenRequired,
    /// On every request and answer that can carry one.
    WhenSupported,
}

/// An access key. Printing it shows nothing of the secrets.
#[derive(Clone)]
pub struct S3Credentials {
    /// The key's public half.
    pub access_key_id: String,
    /// The key's secret half.
    pub secret_access_key: String,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How long to wait for what. A request that takes longer has failed in passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct S3Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the answer to a request without much of a body.
    pub request: Duration,
    /// For one part to be sent and acknowledged.
    pub part: Duration,
    /// For a multipart upload to be completed: some servers copy all of it then.
    pub complete: Duration,
    /// Between two chunks of a download.
    pub idle: Duration,
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_mins(1),
            part: Duration::from_mins(5),
            complete: Duration::from_mins(10),
            idle: Duration::from_mins(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{S3Credentials, S3Settings};

    #[test]
    fn printed_settings_show_no_secret() {
        let mut settings = S3Settings::new("backups");
        settings.credentials = Some(S3Credentials {
            access_key_id: "AKIA1".to_owned(),
            secret_access_key: "hunter2".to_owned(),
            session_token: Some("hunter3".to_owned()),
        });
        let printed = format!("{settings:?}");
        assert!(printed.contains("AKIA1") && !printed.contains("hunter"), "{printed}");
    }
}
