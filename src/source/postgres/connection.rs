//! Where a PostgreSQL server is and how to log in, from any of the forms this is written in, for libpq and sqlx alike.
//!
//! One rule decides every question: a connection string works here exactly if it works in `psql` in the same environment
//! (<https://www.postgresql.org/docs/current/libpq-connect.html>), except that parameters which only an ORM understands
//! are dropped instead of refused, and that a transaction pooler is refused, because a dump needs one session.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::secret::Secret;

mod parameter;
mod passfile;
mod pooler;
mod text;
mod tls;

pub use pooler::Pooled;

/// How to reach one database of a PostgreSQL server. Nothing is looked up or opened before it is used.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    hosts: Vec<Host>,
    password: Option<Secret>,
    /// Every other parameter, by its libpq keyword.
    parameters: BTreeMap<&'static str, String>,
}

/// One address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    /// A host name, an address, or the directory of a Unix socket. Empty means libpq's default.
    name: String,
    port: Option<u16>,
}

/// Why a text is not a connection string. The text itself never appears here: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// Not a URL and not `keyword=value` pairs.
    #[error("not a connection string: expected postgres://user@host:port/database or keyword=value pairs")]
    NotAConnectionString,
    /// A URL of something else.
    #[error("a `{0}` URL is not a PostgreSQL server: expected postgres://, postgresql:// or jdbc:postgresql://")]
    OtherScheme(String),
    /// Prisma's HTTP proxy.
    #[error("a `{0}` URL leads to Prisma Accelerate, which is not a PostgreSQL server: use the database's own URL")]
    PrismaProxy(String),
    /// The part between `//` and the path makes no sense, mostly because of an unescaped password.
    #[error("the password holds a `/`, `?` or `#` that is not percent-encoded: write %2F, %3F or %23")]
    UnescapedPassword,
    /// A `%` that begins no escape.
    #[error("the {part} has a `%` that is not followed by two hexadecimal digits: write a percent sign as %25")]
    BadEscape {
        /// Which part of the text.
        part: &'static str,
    },
    /// Escapes that decode to something which is not text.
    #[error("the {part} decodes to bytes that are not UTF-8 text, or to a zero byte")]
    NotText {
        /// Which part of the text.
        part: &'static str,
    },
    /// An unclosed bracket of an IPv6 address.
    #[error("an IPv6 address must be closed by `]`")]
    BadIpv6,
    /// A port that is not a number of 1 to 65535.
    #[error("`{0}` is not a port number")]
    BadPort(String),
    /// `host` and `port` lists of different lengths.
    #[error("there are {ports} ports for {hosts} hosts: give one port, or one for each host")]
    PortCount {
        /// How many hosts.
        hosts: usize,
        /// How many ports.
        ports: usize,
    },
    /// A malformed `keyword=value` text.
    #[error("the keyword=value text is malformed after `{after}`")]
    BadKeywordValue {
        /// The last keyword read.
        after: String,
    },
    /// A parameter with a value that libpq would refuse.
    #[error("`{value}` is not a value of {keyword}: expected {expected}")]
    BadValue {
        /// The libpq keyword.
        keyword: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// A parameter that guard cannot hand to both sqlx and the client tools.
    #[error("{keyword} is not supported: {instead}")]
    Unsupported {
        /// The parameter.
        keyword: &'static str,
        /// The way out.
        instead: &'static str,
    },
    /// A transaction pooler.
    #[error(transparent)]
    Pooled(Box<Pooled>),
}

impl Connection {
    /// Reads a URL of any driver, or libpq's `keyword=value` form. Refuses a transaction pooler.
    pub fn parse(text: &str) -> Result<Self, ConnectionError> {
        text::parse(text)?.refuse_pooler()
    }

    /// The connection itself, unless it leads to a transaction pooler. For connections made of parts.
    pub fn refuse_pooler(self) -> Result<Self, ConnectionError> {
        match pooler::recognise(&self) {
            Some(pooled) => Err(ConnectionError::Pooled(Box::new(pooled))),
            None => Ok(self),
        }
    }

    /// A connection with nothing said: libpq's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter by its libpq keyword (`host`, `port`, `dbname`, `user`, `password`, `sslmode`, …), replacing what
    /// was said before. Unknown keywords are dropped with a debug line.
    pub fn set(&mut self, keyword: &str, value: &str) -> Result<(), ConnectionError> {
        parameter::set(self, keyword, value)
    }

    /// Fills what is not said from libpq's environment variables, as libpq itself would.
    pub fn or_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConnectionError> {
        parameter::fill(&mut self, variable)?;
        Ok(self)
    }

    /// The same server and login, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.parameters.insert("dbname", name.to_owned());
        other
    }

    /// One connection for each host, in order. Whoever opens a session tries them, and then uses the one that answered for
    /// everything else: a snapshot exported by one server is unknown to the next.
    pub fn candidates(&self) -> Vec<Self> {
        if self.hosts.len() <= 1 {
            return vec![self.clone()];
        }
        self.hosts.iter().map(|host| Self { hosts: vec![host.clone()], ..self.clone() }).collect()
    }

    /// The database's name; libpq's default is the user's name.
    pub fn database(&self) -> String {
        self.parameter("dbname").map_or_else(|| self.user(), ToOwned::to_owned)
    }

    /// The user to log in as; libpq's default is the system user's name.
    pub fn user(&self) -> String {
        self.parameter("user").map_or_else(system_user, ToOwned::to_owned)
    }

    /// Whether the text itself held a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// What a parameter was set to, by its libpq keyword.
    pub fn parameter(&self, keyword: &str) -> Option<&str> {
        self.parameters.get(keyword).map(String::as_str)
    }

    /// How long one attempt to connect may take, if that was said. Zero means for ever, as in libpq.
    pub fn connect_timeout(&self) -> Option<Duration> {
        let seconds: u64 = self.parameter("connect_timeout")?.parse().ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Whether the parameters ask for a server that accepts writes (`Some(true)`), a standby (`Some(false)`), or any.
    pub fn wants_primary(&self) -> Option<bool> {
        match self.parameter("target_session_attrs")? {
            "read-write" | "primary" => Some(true),
            "read-only" | "standby" => Some(false),
            _ => None,
        }
    }

    /// Sets what a libpq program needs as environment variables of the child, and removes every other variable that libpq
    /// or its session would read, so that the child connects exactly where guard says. Nothing goes into arguments.
    pub fn configure(&self, command: &mut Command) {
        for variable in parameter::ambient_variables() {
            command.env_remove(variable);
        }
        for (variable, value) in self.libpq_variables() {
            command.env(variable, value.expose());
        }
    }

    /// The variables that [`Connection::configure`] sets.
    pub fn libpq_variables(&self) -> Vec<(&'static str, Secret)> {
        let host = |host: &Host| if host.name.is_empty() { default_host(host.port) } else { host.name.clone() };
        let port = |host: &Host| host.port.unwrap_or(DEFAULT_PORT).to_string();
        let hosts = self.hosts_or_default();
        let mut variables = vec![
            ("PGHOST", Secret::new(join(&hosts, host))),
            ("PGPORT", Secret::new(join(&hosts, port))),
            ("PGUSER", Secret::new(self.user())),
            ("PGDATABASE", Secret::new(self.database())),
        ];
        variables.extend(self.resolve_password().map(|password| ("PGPASSWORD", password)));
        variables.extend(parameter::variables(self).map(|(name, value)| (name, Secret::new(value))));
        variables
    }

    /// The same for sqlx, towards the first host. See [`Connection::candidates`] for several.
    pub fn sqlx_options(&self) -> PgConnectOptions {
        let host = self.hosts_or_default().swap_remove(0);
        let name = match self.parameter("hostaddr") {
            Some(address) if host.name.is_empty() => address.to_owned(),
            _ if host.name.is_empty() => default_host(host.port),
            _ => host.name,
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&name)
            .port(host.port.unwrap_or(DEFAULT_PORT))
            .username(&self.user())
            .database(&self.database())
            .application_name(self.parameter("application_name").unwrap_or(APPLICATION));
        options = options.options(parameter::session_options(self.parameter("options").unwrap_or_default()));
        if let Some(password) = self.resolve_password() {
            options = options.password(password.expose());
        }
        tls::apply(self, options)
    }

    /// The password that was said, else the one in the password file.
    fn resolve_password(&self) -> Option<Secret> {
        self.password.clone().or_else(|| passfile::look_up(self))
    }

    fn hosts_or_default(&self) -> Vec<Host> {
        if self.hosts.is_empty() { vec![Host { name: String::new(), port: None }] } else { self.hosts.clone() }
    }
}

impl FromStr for Connection {
    type Err = ConnectionError;

    fn from_str(text: &str) -> Result<Self, ConnectionError> {
        Self::parse(text)
    }
}

/// A URL without the password, for people and logs.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.parameter("user") {
            write!(f, "{}@", text::encode(user))?;
        }
        let host = |host: &Host| {
            let name = if host.name.contains(':') { format!("[{}]", host.name) } else { text::encode(&host.name) };
            host.port.map_or(name.clone(), |port| format!("{name}:{port}"))
        };
        write!(f, "{}/{}", join(&self.hosts, host), text::encode(self.parameter("dbname").unwrap_or_default()))
    }
}

const DEFAULT_PORT: u16 = 5432;

/// What guard's sessions are called in `pg_stat_activity` unless the connection string says otherwise.
const APPLICATION: &str = "guard";

fn join(hosts: &[Host], part: impl Fn(&Host) -> String) -> String {
    hosts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// libpq's default host depends on how it was built, so it is decided here for libpq and sqlx together: the first
/// directory that has a socket for the port, else localhost.
fn default_host(port: Option<u16>) -> String {
    let socket = format!(".s.PGSQL.{}", port.unwrap_or(DEFAULT_PORT));
    let directories = ["/var/run/postgresql", "/tmp"];
    let found = directories.iter().find(|directory| std::path::Path::new(directory).join(&socket).exists());
    (*found.unwrap_or(&"localhost")).to_owned()
}

fn system_user() -> String {
    let entry = nix::unistd::User::from_uid(nix::unistd::geteuid());
    entry.ok().flatten().map_or_else(|| "postgres".to_owned(), |user| user.name)
}

#[cfg(test)]
mod tests;
