//! The shape of `guard.toml`: what may be written, with its defaults. The JSON schema, the guide and the environment twins
//! are all derived from these types; what the program uses is in `config.rs`, converted by `config/convert.rs`.
//!
//! Nothing is required here, because everything may also come from the environment; the conversion asks for what is
//! missing. A key that no code reads yet is not a key: it is refused as unknown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::HumanDuration;
use super::secret::SecretSource;
use crate::notify::Event;

pub mod gate;

use gate::GateFile;

/// Where backups are kept, who can read them, and what is backed up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(title = "guard.toml")]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    /// Directory of the schedule files, one `*.toml` a schedule; relative to this file. Without a configuration file there
    /// are no schedules unless this names them.
    pub schedules: Option<PathBuf>,
    /// Where backups are kept.
    pub store: StoreFile,
    /// Who can read the backups.
    pub encryption: EncryptionFile,
    /// How backups are compressed.
    pub compression: CompressionFile,
    /// What is backed up, by name.
    pub source: BTreeMap<String, SourceFile>,
    /// Where test restores happen.
    pub scratch: ScratchFile,
    /// How restores are run.
    pub restore: RestoreFile,
    /// How `guard rehearse` works.
    pub rehearse: RehearseFile,
    /// How `guard run` works.
    pub run: RunFile,
    /// The status page, metrics and probes of `guard run`.
    pub http: HttpFile,
    /// Who is told how things went, by name.
    pub notify: BTreeMap<String, NotifyFile>,
    /// What must hold before migrations may run, by environment.
    pub gate: BTreeMap<String, GateFile>,
}

/// Where backups are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreFile {
    /// `s3://bucket/prefix`, or a directory as `file:///path`, `/path` or `./path`.
    /// When absent: `./guard-store` if there is no configuration file.
    pub url: Option<String>,
    /// Address of an S3-compatible server, with `https://` or `http://`. Omitted on AWS.
    pub endpoint: Option<String>,
    /// Region. When absent: what the AWS environment or profile says.
    pub region: Option<String>,
    /// Whether the bucket is a part of the path and not of the host name. When absent: yes with an endpoint, no on AWS.
    pub path_style: Option<bool>,
    /// Which checksums the S3 client adds: `when-required` suits every server, `when-supported` is AWS's own default.
    /// When absent: `when-required` with an endpoint, `when-supported` on AWS.
    pub checksums: Option<Checksums>,
    /// PEM file of a private certificate authority that signed the server's certificate.
    pub ca_file: Option<PathBuf>,
    /// Profile of the AWS configuration files to take credentials from.
    pub profile: Option<String>,
    /// Access key. When absent: the usual chain (environment, profile, role of the instance or container).
    pub access_key: Option<SecretSource>,
    /// Secret of the access key.
    pub secret_key: Option<SecretSource>,
    /// Session token of temporary credentials.
    pub session_token: Option<SecretSource>,
    /// Parts in flight at once, 1 to 64. Memory grows with it. When absent: what suits the store.
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<u32>,
}

/// Which checksums the S3 client adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Checksums {
    /// Only where the protocol demands one.
    WhenRequired,
    /// Wherever the protocol knows one.
    WhenSupported,
}

/// Who can read the backups.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EncryptionFile {
    /// Public keys (`age1…`) that backups are encrypted to; several may read independently. Empty: not encrypted.
    pub recipients: Vec<String>,
    /// The secret key (`AGE-SECRET-KEY-1…`, or a whole age identity file), needed only to restore and to prove. Keep it off
    /// hosts that only take backups.
    pub identity: Option<SecretSource>,
}

/// How backups are compressed (zstd).
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionFile {
    /// zstd level, 1 to 22. Higher is slower and smaller.
    #[schemars(range(min = 1, max = 22))]
    pub level: i32,
    /// Compressing threads, 1 to 64. When absent: guard chooses by the number of processors.
    #[schemars(range(min = 1, max = 64))]
    pub threads: Option<u32>,
    /// Look for repetitions this far back, as a power of two (20 to 27): smaller backups of repetitive data for up to
    /// 140 MiB of memory. When absent: what the level implies.
    #[schemars(range(min = 20, max = 27))]
    pub long_window: Option<u32>,
}

impl Default for CompressionFile {
    fn default() -> Self {
        Self { level: 3, threads: None, long_window: None }
    }
}

/// A database server, or one database, that is backed up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceFile {
    /// What the source is.
    pub kind: SourceKind,
    /// Connection string, in any form that the application uses; of Redis `redis://`, `rediss://` or `unix://`. A text with a password in it is accepted only in a file
    /// that nobody else can read; otherwise name the place it comes from.
    pub url: Option<SecretSource>,
    /// Databases of the server to back up, as names or patterns with `*`; `["*"]` is all of them. Empty: the URL's.
    pub databases: Vec<String>,
    /// Databases to leave out, as names or patterns with `*`.
    pub exclude_databases: Vec<String>,
    /// Tables to back up, as patterns of `pg_dump --table`; without a schema they mean every schema. Empty: all. Such a backup is a part of the database only.
    pub tables: Vec<String>,
    /// Tables to leave out, as patterns of `pg_dump --exclude-table`; without a schema they mean every schema.
    pub exclude_tables: Vec<String>,
    /// Schemas to back up, as patterns of `pg_dump --schema`. Empty: all.
    pub schemas: Vec<String>,
    /// Schemas to leave out, as patterns of `pg_dump --exclude-schema`.
    pub exclude_schemas: Vec<String>,
    /// Whether roles and tablespaces are backed up beside the databases.
    pub globals: bool,
    /// How long the dump may wait for a table's lock before it gives up.
    pub lock_wait_timeout: HumanDuration,
    /// How long the dump may block someone who waits for an exclusive lock before it is cancelled and retried.
    pub max_block: HumanDuration,
    /// How often a backup that failed for a passing reason is tried again.
    pub retries: u32,
    /// How long to wait before trying again.
    pub retry_delay: HumanDuration,
    /// Directory of the client tools (`pg_dump`, `pg_restore`). When absent: those of the server's version are searched.
    pub client_dir: Option<PathBuf>,
    /// TLS mode, instead of the one in the connection string.
    pub sslmode: Option<SslMode>,
    /// PEM file of the certificate authority of the server, instead of the one in the connection string.
    pub sslrootcert: Option<PathBuf>,
    /// Which environment this is (`production`, `staging`), for reports.
    pub environment: Option<String>,
    /// When a backup that holds much less than the one before it raises an alarm.
    pub alarm: AlarmFile,
    /// Redis: the ACL user, instead of the one in the URL.
    pub username: Option<String>,
    /// Redis: the password, instead of the one in the URL.
    pub password: Option<SecretSource>,
    /// Redis: the name of the master that the sentinels at the URL watch (`redis://sentinel1:26379,sentinel2:26379`).
    pub sentinel: Option<String>,
    /// Redis: read from a replica, where the sentinels or the cluster know one that is in step.
    pub prefer_replica: bool,
    /// Redis: how long the server may send nothing before the backup fails. While it forks it sends a sign of life each second.
    pub max_silence: HumanDuration,
}

impl Default for SourceFile {
    fn default() -> Self {
        Self {
            kind: SourceKind::Postgres,
            url: None,
            databases: Vec::new(),
            exclude_databases: Vec::new(),
            tables: Vec::new(),
            exclude_tables: Vec::new(),
            schemas: Vec::new(),
            exclude_schemas: Vec::new(),
            globals: true,
            lock_wait_timeout: HumanDuration::seconds(30),
            max_block: HumanDuration::seconds(30),
            retries: 3,
            retry_delay: HumanDuration::seconds(60),
            client_dir: None,
            sslmode: None,
            sslrootcert: None,
            environment: None,
            alarm: AlarmFile::default(),
            username: None,
            password: None,
            sentinel: None,
            prefer_replica: false,
            max_silence: HumanDuration::seconds(60),
        }
    }
}

/// When a backup that holds much less than the one before it raises an alarm. While one is open, retention removes nothing of
/// the source; `guard release` ends it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmFile {
    /// How much of its rows, or of their bytes, a table may lose from one backup to the next: a percentage, or `off` for any
    /// amount. A table that vanished is an alarm unless this is `off`.
    pub shrink: String,
    /// How much smaller everything together may get: a percentage, or `off`.
    pub size: String,
    /// Tables with fewer rows than this may lose them all, unless `tables` names them.
    pub ignore_below: u64,
    /// Tables with rules of their own, the first that fits counts: `["public.audit 0%", "public.session_* off"]`. Of Redis,
    /// keys that never expire are compared by database and type: `"db0 hash keys 10%"`.
    pub tables: Vec<String>,
}

impl Default for AlarmFile {
    fn default() -> Self {
        let half = || "50%".to_owned();
        Self { shrink: half(), size: half(), ignore_below: 100, tables: Vec::new() }
    }
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A PostgreSQL server.
    Postgres,
    /// A Redis or Valkey server, or a cluster of them.
    Redis,
}

/// libpq's TLS modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never encrypt.
    Disable,
    /// Encrypt if the server insists.
    Allow,
    /// Encrypt if the server can.
    Prefer,
    /// Encrypt, without asking who the server is.
    Require,
    /// Encrypt, and check the server's certificate authority.
    VerifyCa,
    /// Encrypt, and check the authority and the host name.
    VerifyFull,
}

/// Where test restores happen.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScratchFile {
    /// Directory for throw-away clusters. When absent: the system's directory for temporary files.
    pub dir: Option<PathBuf>,
    /// System user that runs the throw-away cluster when guard runs as root, which PostgreSQL refuses.
    pub user: String,
    /// A server to make scratch databases on, instead of a throw-away cluster. guard touches only databases it made there.
    #[serde(skip_serializing)]
    pub url: Option<SecretSource>,
    /// Directory of the server programs (`initdb`, `postgres`; `redis-server` or `valkey-server`, which are looked for in `PATH` next). When absent: those of the source's version are searched.
    pub bin_dir: Option<PathBuf>,
    /// Whether the scratch is kept after the proof, for a look at it.
    pub keep: bool,
}

impl Default for ScratchFile {
    fn default() -> Self {
        Self { dir: None, user: "postgres".to_owned(), url: None, bin_dir: None, keep: false }
    }
}

/// How restores are run.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RestoreFile {
    /// Parallel jobs, 1 to 64. When absent: as many as there are processors.
    #[schemars(range(min = 1, max = 64))]
    pub jobs: Option<u32>,
}

/// How `guard rehearse` works.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RehearseFile {
    /// What the values of a column become in a copy that is kept (`--keep`), by `"schema.table.column"`: `null`, `hash` (equal
    /// values stay equal), `email` (the same as an address), or `text:` and what stands there instead.
    pub mask: BTreeMap<String, String>,
}

/// How `guard run` works.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// Runs at once, 1 to 64. Of one source there is never more than one backup at once.
    #[schemars(range(min = 1, max = 64))]
    pub parallel: u32,
    /// How long runs may go on after SIGTERM before they are abandoned, which takes some seconds more.
    pub stop_patience: HumanDuration,
    /// How long a daemon that says nothing is believed to be alive: then another takes over what it was doing. At least 2s.
    pub lease_ttl: HumanDuration,
}

impl Default for RunFile {
    fn default() -> Self {
        Self { parallel: 2, stop_patience: HumanDuration::seconds(20), lease_ttl: HumanDuration::seconds(60) }
    }
}

/// The status page, metrics and probes of `guard run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpFile {
    /// Address and port to listen on; port 0 is any free one, and an empty text is no server at all. Whoever is to reach it
    /// from elsewhere needs another address than loopback; set a token then.
    pub listen: String,
    /// Bearer token (or password of any user) that every request but the probes must have.
    pub token: Option<SecretSource>,
}

impl Default for HttpFile {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8432".to_owned(), token: None }
    }
}

/// Somebody who is told how things went. Each way that is named is used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyFile {
    /// Address that each message is posted to as JSON.
    pub webhook: Option<SecretSource>,
    /// Key that webhook messages are signed with (HMAC-SHA256, header `x-guard-signature`).
    pub webhook_key: Option<SecretSource>,
    /// Address of an incoming webhook of Slack, or of what is compatible with it.
    pub slack: Option<SecretSource>,
    /// Address of a check in the manner of healthchecks.io: `/start` when a backup begins, the address alone when it is
    /// complete, `/fail` when it failed. The check raises the alarm when nothing comes.
    pub ping: Option<SecretSource>,
    /// Address of a check that is pinged as long as the daemon is well: its silence is noticed.
    pub heartbeat: Option<SecretSource>,
    /// How often the heartbeat is given.
    pub heartbeat_every: HumanDuration,
    /// Mail server: `smtps://user:password@host` or `smtp://user:password@host:587?tls=required`.
    pub smtp: Option<SecretSource>,
    /// Sender of e-mails.
    pub from: Option<String>,
    /// Recipients of e-mails.
    pub to: Vec<String>,
    /// A program and its arguments, run without a shell, that reads each message as JSON on its standard input.
    pub program: Vec<String>,
    /// What to tell: `failure` (when it begins, and once a day while it lasts), `recovery`, `proof` (what a test restore
    /// found), `alarm` (data that vanished), `rpo` (the newest backup is older than promised).
    pub on: Vec<Event>,
    /// Of which sources; `["*"]` is all of them.
    pub sources: Vec<String>,
}

impl Default for NotifyFile {
    fn default() -> Self {
        Self {
            webhook: None,
            webhook_key: None,
            slack: None,
            ping: None,
            heartbeat: None,
            heartbeat_every: HumanDuration::seconds(300),
            smtp: None,
            from: None,
            to: Vec::new(),
            program: Vec::new(),
            on: Event::ALL.to_vec(),
            sources: vec!["*".to_owned()],
        }
    }
}
