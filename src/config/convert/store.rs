//! The store section: a directory or a bucket, never a mixture.

use std::num::NonZeroU32;
use std::path::Path;

use super::super::file::{Checksums, StoreFile};
use super::super::{Credentials, S3Config, SecretSource, StoreConfig};
use super::Problems;

pub(super) fn convert_store(file: StoreFile, problems: &mut Problems<'_>) -> Option<StoreConfig> {
    let concurrency = problems.count(&["store", "concurrency"], file.concurrency, 1..=64);
    let Some(url) = file.url.clone() else {
        if problems.around.no_file {
            return Some(StoreConfig::Directory { path: problems.around.current_dir.join("guard-store"), concurrency });
        }
        let help = "add it, for example: url = \"s3://bucket/prefix\" or \"file:///var/lib/guard\"";
        problems.add(&["store", "url"], "`url` is missing", help);
        return None;
    };
    if let Some(address) = url.strip_prefix("s3://") {
        return convert_s3(address, file, concurrency, problems);
    }
    let directory = match url.strip_prefix("file://") {
        Some(path) if path.starts_with('/') => Some(path),
        Some(_) => None,
        None => (url.starts_with('/') || url.starts_with("./") || url.starts_with("../")).then_some(url.as_str()),
    };
    let Some(directory) = directory else {
        let help = "expected s3://bucket/prefix, file:///path, /path or ./path";
        problems.add(&["store", "url"], "this is not the address of a store", help);
        return None;
    };
    refuse_s3_keys(&file, problems);
    Some(StoreConfig::Directory { path: problems.absolute("store.url", Path::new(directory)), concurrency })
}

/// A directory with an endpoint is a mistake that would only show when the bucket stays empty.
fn refuse_s3_keys(file: &StoreFile, problems: &mut Problems<'_>) {
    let StoreFile {
        url: _,
        endpoint,
        region,
        path_style,
        checksums,
        ca_file,
        profile,
        access_key,
        secret_key,
        session_token,
        concurrency: _,
    } = file;
    let given = [
        ("endpoint", endpoint.is_some()),
        ("region", region.is_some()),
        ("path_style", path_style.is_some()),
        ("checksums", checksums.is_some()),
        ("ca_file", ca_file.is_some()),
        ("profile", profile.is_some()),
        ("access_key", access_key.is_some()),
        ("secret_key", secret_key.is_some()),
        ("session_token", session_token.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        problems.add(
            &["store", key],
            format!("`{key}` is for a bucket, but `url` is a directory"),
            "remove it, or set url = \"s3://…\"",
        );
    }
}

fn convert_s3(
    address: &str,
    file: StoreFile,
    concurrency: Option<NonZeroU32>,
    problems: &mut Problems<'_>,
) -> Option<StoreConfig> {
    let StoreFile {
        url: _,
        endpoint,
        region,
        path_style,
        checksums,
        ca_file,
        profile,
        access_key,
        secret_key,
        session_token,
        concurrency: _,
    } = file;
    let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
    let prefix = prefix.trim_end_matches('/');
    let bucket_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    if bucket.len() < 3 || !bucket.bytes().all(bucket_letter) {
        problems.add(
            &["store", "url"],
            "this names no bucket",
            "write s3://bucket/prefix; the server's address goes to `endpoint`",
        );
        return None;
    }
    if !prefix.is_empty() && prefix.parse::<crate::store::Key>().is_err() {
        let help = "between slashes use ASCII letters, digits and ._-+=@";
        problems.add(&["store", "url"], "the prefix is not the name of a folder", help);
    }
    if let Some(endpoint) = &endpoint {
        check_endpoint(endpoint, problems);
    }
    let compatible = endpoint.is_some();
    let credentials = credentials(access_key, secret_key, session_token, problems);
    Some(StoreConfig::S3(Box::new(S3Config {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        path_style: path_style.unwrap_or(compatible),
        checksums: checksums.unwrap_or(if compatible { Checksums::WhenRequired } else { Checksums::WhenSupported }),
        ca_file: ca_file.map(|path| problems.absolute("store.ca_file", &path)),
        endpoint,
        region,
        profile,
        credentials,
        concurrency,
    })))
}

fn check_endpoint(endpoint: &str, problems: &mut Problems<'_>) {
    let parsed =
        url::Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match parsed {
        None => problems.add(
            &["store", "endpoint"],
            "this is not the address of a server",
            "write https://host or http://host:port",
        ),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            let help = "give access_key and secret_key instead";
            problems.add(&["store", "endpoint"], "an endpoint cannot hold a login", help);
        }
        Some(_) => {}
    }
}

fn credentials(
    access_key: Option<SecretSource>,
    secret_key: Option<SecretSource>,
    session_token: Option<SecretSource>,
    problems: &mut Problems<'_>,
) -> Option<Credentials> {
    // An access key is not secret in itself; only its secret and the token are.
    let access_key = match access_key {
        Some(SecretSource::File(file)) => Some(SecretSource::File(problems.absolute("store.access_key", &file))),
        other => other,
    };
    let secret_key = problems.secret(&["store", "secret_key"], secret_key);
    let session_token = problems.secret(&["store", "session_token"], session_token);
    match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Some(Credentials { access_key, secret_key, session_token }),
        (None, None) if session_token.is_none() => None,
        (None, _) => {
            problems.add(
                &["store", "access_key"],
                "`access_key` is missing",
                "give access_key and secret_key together, or neither",
            );
            None
        }
        (Some(_), None) => {
            problems.add(
                &["store", "secret_key"],
                "`secret_key` is missing",
                "give access_key and secret_key together, or neither",
            );
            None
        }
    }
}
