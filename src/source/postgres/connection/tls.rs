//! TLS settings with libpq's meaning, for libpq and for sqlx, which reads some of them differently.
//!
//! Known difference that stays: with a root certificate of one's own sqlx trusts the system's roots as well, libpq only the
//! one. `verify-full` is therefore the mode to use; `verify-ca` is only as strong as the weaker of the two.

use std::path::PathBuf;

use super::{Connection, ConnectionError, PgConnectOptions, PgSslMode};

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The value of `sslmode`, if it is one.
pub(super) fn read_mode(value: &str) -> Result<&'static str, ConnectionError> {
    let expected = "disable, allow, prefer, require, verify-ca or verify-full";
    let found = MODES.iter().find(|mode| **mode == value.to_ascii_lowercase());
    found.copied().ok_or_else(|| ConnectionError::BadValue { keyword: "sslmode", value: value.to_owned(), expected })
}

/// Other drivers' `ssl=…`: a switch, or a mode's name (asyncpg).
pub(super) fn mode_of_switch(value: &str) -> Result<&'static str, ConnectionError> {
    match value.to_ascii_lowercase().as_str() {
        "" | "true" | "1" | "on" => Ok("require"),
        "false" | "0" | "off" => Ok("disable"),
        mode => read_mode(mode),
    }
}

/// What to tell libpq for a keyword, if anything. `sslrootcert=system` needs libpq 16; a path serves every version.
pub(super) fn libpq_value(connection: &Connection, keyword: &str) -> Option<String> {
    match keyword {
        "sslmode" => mode(connection).map(ToOwned::to_owned),
        "sslrootcert" => root_certificate(connection).map(|path| path.to_string_lossy().into_owned()),
        _ => connection.parameter(keyword).map(ToOwned::to_owned),
    }
}

/// Gives sqlx the same meaning.
pub(super) fn apply(connection: &Connection, mut options: PgConnectOptions) -> PgConnectOptions {
    let root = root_certificate(connection);
    options = options.ssl_mode(match (mode(connection), &root) {
        (Some("disable"), _) => PgSslMode::Disable,
        // sqlx never encrypts with `allow`; `prefer` reaches every server that libpq's `allow` reaches.
        (None | Some("allow" | "prefer"), _) => PgSslMode::Prefer,
        // libpq: "if a root CA file exists, the behavior of sslmode=require will be the same as that of verify-ca".
        (Some("require"), None) => PgSslMode::Require,
        (Some("require" | "verify-ca"), _) => PgSslMode::VerifyCa,
        (Some(_), _) => PgSslMode::VerifyFull,
    });
    if let Some(root) = root {
        options = options.ssl_root_cert(root);
    }
    let file = |keyword, default| connection.parameter(keyword).map(PathBuf::from).or_else(|| home_file(default));
    if let (Some(cert), Some(key)) = (file("sslcert", "postgresql.crt"), file("sslkey", "postgresql.key")) {
        options = options.ssl_client_cert(cert).ssl_client_key(key);
    }
    options
}

/// The mode; `sslrootcert=system` makes `verify-full` the default (libpq 16).
fn mode(connection: &Connection) -> Option<&str> {
    let system = connection.parameter("sslrootcert") == Some("system");
    connection.parameter("sslmode").or_else(|| system.then_some("verify-full"))
}

/// The root certificate: the one named, the user's own file, or the system's where verification is asked for.
fn root_certificate(connection: &Connection) -> Option<PathBuf> {
    match connection.parameter("sslrootcert") {
        Some("system") => system_roots(),
        Some(path) => Some(path.into()),
        None => {
            let verifies = matches!(mode(connection), Some("verify-ca" | "verify-full"));
            home_file("root.crt").or_else(|| if verifies { system_roots() } else { None })
        }
    }
}

/// libpq's own directory for certificates and keys, if the file is there.
fn home_file(name: &str) -> Option<PathBuf> {
    let path = std::env::home_dir()?.join(".postgresql").join(name);
    path.is_file().then_some(path)
}

/// Where Debian, Red Hat and Alpine keep the bundle of trusted roots.
fn system_roots() -> Option<PathBuf> {
    let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    bundles.iter().map(PathBuf::from).find(|bundle| bundle.is_file())
}
