//! The configuration as the program uses it: checked, with every default filled in. It is read from flags, the environment
//! and a file, in this order; without a file the deployment's own variables do (`DATABASE_URL`).
//!
//! The shape of the file is a type of its own (`config/file.rs`), joined to these by one conversion (`config/convert.rs`).
//! Secrets are not read here: they stay where they are until someone resolves them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::contents::loss::Vigilance;
use crate::gate;
use crate::rehearse::mask::Mask;
use crate::secret::Secret;
use crate::source::postgres::connection::{Connection, ConnectionError};
use crate::source::redis::address::{self as redis_address, TlsSettings, Verify};

mod convert;
pub mod diagnose;
mod duration;
pub mod effective;
pub mod environment;
pub mod file;
pub mod guide;
mod load;
pub mod name;
mod receiver;
pub mod schedule;
pub mod secret;
pub mod setting;
mod twin;
mod zero;

pub use crate::contents::pattern::matches_pattern;
pub use environment::Environment;
pub use file::{Checksums, SslMode};
pub use load::{ConfigError, Loaded, Request, load, load_policies};
pub use name::SourceName;
pub use receiver::{Notify, Way};
pub use schedule::{RetentionRules, Schedule, Target};
pub use secret::{SecretError, SecretSource};
pub use twin::Override;

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// The environment that secrets are resolved in.
    pub environment: Environment,
    /// Where backups are kept.
    pub store: StoreConfig,
    /// Who can read them.
    pub encryption: Encryption,
    /// How they are compressed.
    pub compression: Compression,
    /// What is backed up. Empty if nothing is configured and the environment says nothing: reading backups needs no source.
    pub sources: BTreeMap<SourceName, SourceConfig>,
    /// Where test restores happen.
    pub scratch: Scratch,
    /// How restores are run.
    pub restore: Restore,
    /// Columns that people do not see in a kept copy.
    pub masks: Vec<Mask>,
    /// How the daemon works.
    pub run: Run,
    /// The server of the status page.
    pub http: Http,
    /// Who is told how things went.
    pub notify: BTreeMap<String, Notify>,
    /// What must hold before migrations may run, by environment.
    pub gates: BTreeMap<String, gate::Policy>,
    /// When things happen, by the schedule file's name without `.toml`.
    pub schedules: BTreeMap<String, Schedule>,
}

/// Where backups are kept.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// A directory, absolute.
    Directory {
        /// Its path.
        path: PathBuf,
        /// Parts in flight, if that was said.
        concurrency: Option<NonZeroU32>,
    },
    /// A bucket.
    S3(Box<S3Config>),
}

/// A bucket of S3 or of something compatible.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// The folder in it, without slashes around it; empty for the bucket's root.
    pub prefix: String,
    /// The server, unless it is AWS.
    pub endpoint: Option<String>,
    /// The region, if that was said.
    pub region: Option<String>,
    /// Whether the bucket is a part of the path.
    pub path_style: bool,
    /// Which checksums the client adds.
    pub checksums: Checksums,
    /// Private certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Keys, unless the usual chain finds them.
    pub credentials: Option<Credentials>,
    /// Parts in flight, if that was said.
    pub concurrency: Option<NonZeroU32>,
}

/// Keys of an S3 account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Access key.
    pub access_key: SecretSource,
    /// Its secret.
    pub secret_key: SecretSource,
    /// Session token of temporary credentials.
    pub session_token: Option<SecretSource>,
}

/// Who can read backups.
#[derive(Debug, Clone, Default)]
pub struct Encryption {
    /// Public keys in age's text form, each checked. Empty: backups are not encrypted.
    pub recipients: Vec<String>,
    /// The secret key: the text of an age identity file.
    pub identity: Option<SecretSource>,
}

/// How backups are compressed.
#[derive(Debug, Clone, Copy)]
pub struct Compression {
    /// zstd level.
    pub level: i32,
    /// Threads, if that was said.
    pub threads: Option<NonZeroU32>,
    /// Window as a power of two, if that was said.
    pub long_window: Option<u32>,
}

/// Something that is backed up: the closed list of kinds.
#[derive(Debug, Clone)]
pub enum SourceConfig {
    /// A PostgreSQL server.
    Postgres(Box<PostgresConfig>),
    /// A Redis or Valkey server, or a cluster.
    Redis(Box<RedisConfig>),
}

/// A PostgreSQL server and what of it is backed up.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// Where it is.
    pub address: Address,
    /// Which databases. Empty includes: the connection's own.
    pub databases: Selection,
    /// Which tables, as `pg_dump` patterns.
    pub tables: Selection,
    /// Which schemas, as `pg_dump` patterns.
    pub schemas: Selection,
    /// Whether roles and tablespaces are backed up too.
    pub globals: bool,
    /// How long to wait for a table's lock.
    pub lock_wait_timeout: Duration,
    /// How long to block an exclusive waiter.
    pub max_block: Duration,
    /// How often to try again after a passing failure.
    pub retries: u32,
    /// How long to wait before that.
    pub retry_delay: Duration,
    /// Directory of the client tools, if that was said.
    pub client_dir: Option<PathBuf>,
    /// TLS mode that replaces the connection string's.
    pub sslmode: Option<SslMode>,
    /// Root certificate that replaces the connection string's.
    pub sslrootcert: Option<PathBuf>,
    /// Which environment this is, for reports.
    pub environment: Option<String>,
    /// How much less than the one before it a backup may hold.
    pub vigilance: Vigilance,
}

/// A Redis or Valkey server, or a cluster, and how to read it.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// Its URL, read when it is needed.
    pub url: SecretSource,
    /// ACL user that replaces the URL's.
    pub username: Option<String>,
    /// Password that replaces the URL's.
    pub password: Option<SecretSource>,
    /// The name that the sentinels at the URL watch.
    pub sentinel: Option<String>,
    /// Whether a replica is read if there is one in step.
    pub prefer_replica: bool,
    /// How long the server may send nothing.
    pub max_silence: Duration,
    /// How often to try again after a passing failure.
    pub retries: u32,
    /// How long to wait before that.
    pub retry_delay: Duration,
    /// TLS mode that replaces the URL's.
    pub sslmode: Option<SslMode>,
    /// Root certificate that replaces the URL's.
    pub sslrootcert: Option<PathBuf>,
    /// Which environment this is, for reports.
    pub environment: Option<String>,
    /// How much less than the one before it a backup may hold.
    pub vigilance: Vigilance,
}

/// Where a server is.
#[derive(Debug, Clone)]
pub enum Address {
    /// A connection string that is a secret, read when it is needed.
    Secret(SecretSource),
    /// A connection found in the environment at start.
    Known(Connection),
}

/// What is in and what is out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names or patterns to take. Empty: the default.
    pub include: Vec<String>,
    /// Names or patterns to leave out.
    pub exclude: Vec<String>,
}

/// Where test restores happen.
#[derive(Debug, Clone)]
pub struct Scratch {
    /// Directory for throw-away clusters, if that was said.
    pub dir: Option<PathBuf>,
    /// Who runs the cluster when guard is root.
    pub user: String,
    /// A server to make scratch databases on instead.
    pub url: Option<SecretSource>,
    /// Directory of the server programs, if that was said.
    pub bin_dir: Option<PathBuf>,
    /// Whether the scratch is kept.
    pub keep: bool,
}

/// How restores are run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Restore {
    /// Parallel jobs, if that was said.
    pub jobs: Option<NonZeroU32>,
}

/// How the daemon works.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Runs at once.
    pub parallel: NonZeroU32,
    /// How long runs may go on once it is told to stop.
    pub stop_patience: Duration,
    /// How long a silent daemon is believed to be alive.
    pub lease_ttl: Duration,
}

/// The server of the status page, metrics and probes.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where it listens; none if there is to be no server.
    pub listen: Option<SocketAddr>,
    /// What whoever asks must know.
    pub token: Option<SecretSource>,
}

/// Why a source cannot be addressed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Its connection string cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its connection string is not one, or leads to a pooler.
    #[error("the connection string from {place}: {error}")]
    Connection {
        /// Where the text came from.
        place: String,
        /// What is wrong with it.
        error: ConnectionError,
    },
    /// Its Redis URL is not one.
    #[error("the Redis URL from {place}: {error}")]
    Redis {
        /// Where the text came from.
        place: String,
        /// What is wrong with it.
        error: redis_address::AddressError,
    },
}

impl Config {
    /// The schedules that cover a source.
    pub fn schedules_of(&self, source: &SourceName) -> impl Iterator<Item = &Schedule> {
        self.schedules.values().filter(|schedule| schedule.sources.covers(source))
    }

    /// What was promised for a source: the strictest of all schedules that cover it.
    pub fn target_of(&self, source: &SourceName) -> Target {
        let covering = self.schedules.values().filter(|schedule| schedule.sources.covers(source));
        covering.fold(Target::default(), |target, schedule| target.strictest(schedule.target))
    }
}

impl PostgresConfig {
    /// A server with every setting at its default.
    pub fn at(address: Address) -> Self {
        let file = file::SourceFile::default();
        Self {
            address,
            databases: Selection::default(),
            tables: Selection::default(),
            schemas: Selection::default(),
            globals: file.globals,
            lock_wait_timeout: file.lock_wait_timeout.0,
            max_block: file.max_block.0,
            retries: file.retries,
            retry_delay: file.retry_delay.0,
            client_dir: None,
            sslmode: None,
            sslrootcert: None,
            environment: None,
            vigilance: Vigilance::default(),
        }
    }

    /// Fetches the connection string and applies the settings that replace parts of it. What it leaves out comes from
    /// libpq's own variables, as in `psql`.
    pub async fn connection(&self, environment: &Environment) -> Result<Connection, AddressError> {
        let mut connection = self.address.connection(environment).await?;
        let certificate = self.sslrootcert.as_deref().map(Path::to_string_lossy);
        let replaced = [("sslmode", self.sslmode.map(SslMode::as_str)), ("sslrootcert", certificate.as_deref())];
        for (keyword, value) in replaced {
            let set = connection.set(keyword, value.unwrap_or_default());
            set.map_err(|error| AddressError::Connection { place: "the configuration".to_owned(), error })?;
        }
        Ok(connection)
    }
}

impl SourceConfig {
    /// Fetches what it takes to reach it and reads it, only to see whether that can be done.
    pub async fn resolve(&self, environment: &Environment) -> Result<(), AddressError> {
        match self {
            Self::Postgres(source) => source.connection(environment).await.map(drop),
            Self::Redis(source) => source.address(environment).await.map(drop),
        }
    }

    /// How often a run is tried again after a passing failure, and how long afterwards.
    pub fn persistence(&self) -> (u32, Duration) {
        match self {
            Self::Postgres(source) => (source.retries, source.retry_delay),
            Self::Redis(source) => (source.retries, source.retry_delay),
        }
    }

    /// The directory of the client tools, if one was named.
    pub fn client_dir(&self) -> Option<&PathBuf> {
        match self {
            Self::Postgres(source) => source.client_dir.as_ref(),
            Self::Redis(_) => None,
        }
    }
}

impl RedisConfig {
    /// A server with every setting at its default.
    pub fn at(url: SecretSource, password: Option<SecretSource>) -> Self {
        let file = file::SourceFile::default();
        Self {
            url,
            username: None,
            password,
            sentinel: None,
            prefer_replica: file.prefer_replica,
            max_silence: file.max_silence.0,
            retries: file.retries,
            retry_delay: file.retry_delay.0,
            sslmode: None,
            sslrootcert: None,
            environment: None,
            vigilance: Vigilance::default(),
        }
    }

    /// Fetches the URL and the password, and applies the settings that replace parts of it.
    pub async fn address(&self, environment: &Environment) -> Result<redis_address::Address, AddressError> {
        let text = self.url.resolve(environment).await?;
        let address = redis_address::Address::parse(text.expose());
        let mut address = address.map_err(|error| AddressError::Redis { place: self.url.to_string(), error })?;
        if let Some(username) = &self.username {
            address.username = Some(username.clone());
        }
        if let Some(password) = &self.password {
            address.password = Some(Secret::new(password.resolve(environment).await?.expose()));
        }
        match self.sslmode {
            None => {}
            Some(SslMode::Disable) => address.tls = None,
            Some(mode) => self.encrypt(&mut address, mode.verify()),
        }
        if self.sslrootcert.is_some() && self.sslmode != Some(SslMode::Disable) {
            // As of libpq: a root certificate is there to be used.
            self.encrypt(
                &mut address,
                self.sslmode.map_or(Verify::Full, |mode| mode.verify().at_least(Verify::Authority)),
            );
        }
        Ok(address)
    }

    fn encrypt(&self, address: &mut redis_address::Address, verify: Verify) {
        let ca_file = address.tls.take().and_then(|tls| tls.ca_file);
        address.tls = Some(TlsSettings { verify, ca_file: self.sslrootcert.clone().or(ca_file) });
    }
}

impl SslMode {
    /// How far the server's certificate is checked. Redis has no way to ask whether a server can encrypt, so `allow` and
    /// `prefer` encrypt.
    fn verify(self) -> Verify {
        match self {
            Self::VerifyFull => Verify::Full,
            Self::VerifyCa => Verify::Authority,
            Self::Disable | Self::Allow | Self::Prefer | Self::Require => Verify::Nothing,
        }
    }
}

impl Address {
    /// The connection, fetched and read.
    pub async fn connection(&self, environment: &Environment) -> Result<Connection, AddressError> {
        match self {
            Self::Known(connection) => Ok(connection.clone()),
            Self::Secret(source) => {
                let text = source.resolve(environment).await?;
                let connection = Connection::parse(text.expose());
                let connection =
                    connection.and_then(|it| it.or_environment(|name| environment.get(name).map(ToOwned::to_owned)));
                connection.map_err(|error| AddressError::Connection { place: source.to_string(), error })
            }
        }
    }
}

impl Selection {
    /// Whether everything is taken.
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}
