//! Where a Redis or Valkey server is and how to log in, from the forms of URL that its drivers write.
//!
//! `redis://`, `rediss://` (TLS), `unix://`, the same with `valkey`, an ACL user, a password, a database number, and what
//! drivers put behind the `?`. What decides nothing here is dropped with a debug line.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::secret::Secret;

/// How to reach a server. Nothing is looked up or opened before it is used.
#[derive(Debug, Clone)]
pub struct Address {
    /// Where it listens; several of sentinels.
    pub endpoints: Vec<Endpoint>,
    /// The ACL user; none is the user `default`.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The logical database, if one was named.
    pub database: Option<u32>,
    /// Whether and how the connection is encrypted.
    pub tls: Option<TlsSettings>,
}

/// One place where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A host and a port.
    Tcp(String, u16),
    /// The socket's path.
    Unix(PathBuf),
}

/// How a server's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// How far.
    pub verify: Verify,
    /// The authorities to trust, as a PEM file; the system's without it.
    pub ca_file: Option<PathBuf>,
}

/// How far a certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// Authority and host name.
    Full,
    /// The authority.
    Authority,
    /// Not at all.
    Nothing,
}

impl Verify {
    /// The stricter of the two.
    #[must_use]
    pub fn at_least(self, least: Self) -> Self {
        if self == Self::Nothing { least } else { self }
    }
}

/// Why a text is not an address. The text itself never appears here: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("not a Redis URL: expected redis://user:password@host:port/database, rediss://… or unix:///path")]
    NotAnAddress,
    /// A URL of something else.
    #[error("a `{0}` URL is not a Redis server: expected redis://, rediss:// or unix://")]
    OtherScheme(String),
    /// The login holds what must be escaped.
    #[error("the password holds a `/`, `?` or `#` that is not percent-encoded: write %2F, %3F or %23")]
    UnescapedPassword,
    /// Escapes that decode to no text.
    #[error("the {0} decodes to bytes that are not UTF-8 text")]
    NotText(&'static str),
    /// A port that is not a number of 1 to 65535.
    #[error("`{0}` is not a port number")]
    BadPort(String),
    /// A database that is not a number.
    #[error("`{0}` is not the number of a database")]
    BadDatabase(String),
}

/// Redis's own port, and the one of its sentinels.
pub const DEFAULT_PORT: u16 = 6379;

impl Address {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(AddressError::NotAnAddress)?;
        let scheme = scheme.to_ascii_lowercase();
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut address = match scheme.as_str() {
            "redis" | "valkey" | "rediss" | "valkeys" | "redis+tls" => Self::of_hosts(rest)?,
            "unix" | "redis+unix" | "redis+socket" | "redis-socket" | "valkey+unix" => Self::of_socket(rest)?,
            _ => return Err(AddressError::OtherScheme(scheme)),
        };
        if matches!(scheme.as_str(), "rediss" | "valkeys" | "redis+tls") {
            // redis-rs writes `#insecure`.
            let verify = if fragment == "insecure" { Verify::Nothing } else { Verify::Full };
            address.tls = Some(TlsSettings { verify, ca_file: None });
        }
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            address.set(key, &decoded(value, "query")?)?;
        }
        Ok(address)
    }

    /// The same login at another endpoint.
    #[must_use]
    pub fn at(&self, endpoint: Endpoint) -> Self {
        Self { endpoints: vec![endpoint], ..self.clone() }
    }

    fn of_hosts(rest: &str) -> Result<Self, AddressError> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !authority.contains('@') && path.contains('@') {
            return Err(AddressError::UnescapedPassword);
        }
        let (login, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
        let endpoints = hosts.split(',').map(endpoint).collect::<Result<_, _>>()?;
        let mut address = Self::bare(endpoints);
        address.log_in(login)?;
        address.database = database(path.trim_end_matches('/'))?;
        Ok(address)
    }

    fn of_socket(rest: &str) -> Result<Self, AddressError> {
        // unix://[user:password@]/path/to/socket
        let (login, path) = match rest.split_once("@/") {
            Some((login, path)) => (Some(login), format!("/{path}")),
            None => (None, rest.to_owned()),
        };
        if path.is_empty() {
            return Err(AddressError::NotAnAddress);
        }
        let mut address = Self::bare(vec![Endpoint::Unix(decoded(&path, "path")?.into())]);
        address.log_in(login)?;
        Ok(address)
    }

    /// An address without a login.
    pub fn bare(endpoints: Vec<Endpoint>) -> Self {
        Self { endpoints, username: None, password: None, database: None, tls: None }
    }

    /// `user:password`, `:password`, or a password alone, as the drivers read it.
    fn log_in(&mut self, login: Option<&str>) -> Result<(), AddressError> {
        let Some(login) = login.filter(|login| !login.is_empty()) else { return Ok(()) };
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            // redis-cli and redis-py take a lone word as the user; without a password it logs nobody in.
            None => (login, None),
        };
        self.username = Some(decoded(user, "user")?).filter(|user| !user.is_empty());
        self.password = password.map(|text| decoded(text, "password")).transpose()?.map(Secret::new);
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), AddressError> {
        match key {
            "db" | "database" => self.database = database(value)?,
            "username" | "user" => self.username = Some(value.to_owned()),
            "password" => self.password = Some(Secret::new(value)),
            "ssl_cert_reqs" | "sslmode" | "ssl_verify" => {
                if let (Some(tls), "none" | "CERT_NONE" | "require" | "false") = (&mut self.tls, value) {
                    tls.verify = Verify::Nothing;
                }
            }
            "ssl_ca_certs" | "sslrootcert" => {
                if let Some(tls) = &mut self.tls {
                    tls.ca_file = Some(value.into());
                }
            }
            other => tracing::debug!(parameter = other, "a parameter of the Redis URL decides nothing here"),
        }
        Ok(())
    }
}

/// A URL without the password, for people and logs.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Endpoint::Unix(path)] = self.endpoints.as_slice() {
            return write!(f, "unix://{}", path.display());
        }
        f.write_str(if self.tls.is_some() { "rediss://" } else { "redis://" })?;
        if let Some(user) = &self.username {
            write!(f, "{user}@")?;
        }
        let endpoints: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        f.write_str(&endpoints.join(","))?;
        self.database.map_or(Ok(()), |database| write!(f, "/{database}"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, AddressError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => DEFAULT_PORT,
        // A password with a slash ends the authority early; then its beginning stands where the port should be, unseen.
        Some(text) => match text.parse() {
            Ok(0) => return Err(AddressError::BadPort("0".to_owned())),
            Ok(port) => port,
            Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(AddressError::BadPort(text.to_owned()));
            }
            Err(_) => return Err(AddressError::UnescapedPassword),
        },
    };
    let host = decoded(host, "host")?;
    Ok(Endpoint::Tcp(if host.is_empty() { "localhost".to_owned() } else { host }, port))
}

fn database(text: &str) -> Result<Option<u32>, AddressError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| AddressError::BadDatabase(text.to_owned()))
}

fn decoded(text: &str, part: &'static str) -> Result<String, AddressError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| AddressError::NotText(part))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, Verify};

    #[test]
    fn every_form_of_url_is_read() {
        let check = |text: &str, shown: &str, password: Option<&str>| {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!(address.password.as_ref().map(crate::secret::Secret::expose), password, "{text}");
        };
        check("redis://localhost", "redis://localhost:6379", None);
        check("redis://:p%40ss@cache:7000/3", "redis://cache:7000/3", Some("p@ss"));
        check("redis://app:p:q@cache", "redis://app@cache:6379", Some("p:q"));
        check("rediss://default:x@[::1]:6380/0", "rediss://default@[::1]:6380/0", Some("x"));
        check("valkey://cache?db=2", "redis://cache:6379/2", None);
        check("unix:///run/redis.sock?db=1&password=x", "unix:///run/redis.sock", Some("x"));
        check("redis+socket://:x@/run/redis.sock", "unix:///run/redis.sock", Some("x"));
        check("redis://s1:26379,s2:26380", "redis://s1:26379,s2:26380", None);
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        let check = |text: &str, expected: AddressError| assert_eq!(Address::parse(text).unwrap_err(), expected);
        check("cache:6379", AddressError::NotAnAddress);
        check("postgres://db", AddressError::OtherScheme("postgres".to_owned()));
        check("redis://:hunter2/x@cache", AddressError::UnescapedPassword);
        check("redis://cache:70000", AddressError::BadPort("70000".to_owned()));
        check("redis://cache/zero", AddressError::BadDatabase("zero".to_owned()));
    }

    #[test]
    fn a_certificate_is_checked_unless_the_url_says_otherwise() {
        let check = |text: &str, expected| {
            assert_eq!(Address::parse(text).unwrap().tls.map(|tls| tls.verify), expected, "{text}");
        };
        check("redis://cache", None);
        check("rediss://cache", Some(Verify::Full));
        check("rediss://cache?ssl_cert_reqs=none", Some(Verify::Nothing));
        check("rediss://cache/#insecure", Some(Verify::Nothing));
    }
}
