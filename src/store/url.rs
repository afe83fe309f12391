//! Where a store is, as people write it: a directory's path, `file:///path`, or `s3://bucket/prefix`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::Key;

/// The place that a store's URL names. How to get there (endpoint, region, credentials) is said elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory.
    Directory(PathBuf),
    /// A bucket, or what lies below a prefix of one.
    Bucket {
        /// The bucket's name.
        name: String,
        /// The path in it under which everything is kept.
        prefix: Option<Key>,
    },
}

/// Why a text names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the URL of a store: {reason}")]
pub struct StoreUrlError {
    text: String,
    reason: String,
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let parsed = match text.split_once("://") {
            None => plain_path(text),
            Some(("file", rest)) => file_path(rest),
            Some(("s3", rest)) => bucket(rest),
            Some((scheme, _)) => Err(format!("`{scheme}` is none of `file` and `s3`")),
        };
        // A mistaken URL may carry a password before an `@`; it is not repeated.
        let shown = || text.split_once('@').map_or(text, |(_, rest)| rest).to_owned();
        parsed.map_err(|reason| StoreUrlError { text: shown(), reason })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { name, prefix: None } => write!(f, "s3://{name}"),
            Self::Bucket { name, prefix: Some(prefix) } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

fn plain_path(text: &str) -> Result<StoreUrl, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(StoreUrl::Directory(text.into()))
}

fn file_path(rest: &str) -> Result<StoreUrl, String> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err("a file URL has an absolute path after `file://`, such as file:///var/backups".to_owned());
    }
    match percent_decode_str(path).decode_utf8() {
        Ok(path) => Ok(StoreUrl::Directory(path.into_owned().into())),
        Err(_) => Err("its percent-encoded bytes are not UTF-8".to_owned()),
    }
}

fn bucket(rest: &str) -> Result<StoreUrl, String> {
    if rest.contains('@') {
        return Err("credentials do not belong in it; give them by environment, profile or settings".to_owned());
    }
    if let Some((_, query)) = rest.split_once('?') {
        return Err(format!("`?{query}` is a setting of its own, not part of the URL"));
    }
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.len() < 3 || name.len() > 63 || !name.bytes().all(is_name) {
        return Err(format!("`{name}` is not the name of a bucket"));
    }
    let path = path.trim_end_matches('/');
    let prefix = if path.is_empty() { None } else { Some(path.parse::<Key>().map_err(|error| error.to_string())?) };
    Ok(StoreUrl::Bucket { name: name.to_owned(), prefix })
}

#[cfg(test)]
mod tests {
    use super::StoreUrl;

    fn check(text: &str, expected: &str) {
        let parsed = text.parse::<StoreUrl>().map_or_else(|error| error.to_string(), |url| format!("{url:?}"));
        assert!(parsed.contains(expected), "{text}: {parsed}");
    }

    #[test]
    fn a_directory_is_named_by_its_path_or_by_a_file_url() {
        check("/var/backups", r#"Directory("/var/backups")"#);
        check("backups", r#"Directory("backups")"#);
        check("file:///var/my%20backups", r#"Directory("/var/my backups")"#);
        check("file://localhost/var", r#"Directory("/var")"#);
        check("file://var/backups", "absolute path");
        check("", "it is empty");
    }

    #[test]
    fn a_bucket_may_have_a_prefix() {
        check("s3://backups", r#"Bucket { name: "backups", prefix: None }"#);
        check("s3://backups/", r#"Bucket { name: "backups", prefix: None }"#);
        check("s3://backups/prod/db/", r#"prefix: Some(Key("prod/db"))"#);
        check("s3://backups/prod//db", "empty segment");
        check("s3:///prod", "not the name of a bucket");
        check("s3://backups/prod?region=x", "`?region=x`");
        check("gs://backups", "`gs` is none of");
    }

    #[test]
    fn a_url_with_credentials_is_refused_without_repeating_them() {
        let error = "s3://key:hunter2@backups/x".parse::<StoreUrl>().unwrap_err().to_string();
        assert!(error.contains("credentials do not belong") && !error.contains("hunter2"), "{error}");
    }
}
