//! What a command works with, built from the configuration: the store, the repository, the sources, the keys.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::exit::CliError;
use crate::catalog::{Catalog, CatalogError, CompleteBackup, ListedBackup, Selector, SourceName};
use crate::config::{self, Config, PostgresConfig, RedisConfig, SourceConfig, StoreConfig};
use crate::contents::loss::Vigilance;
use crate::lease::{Exclusion, Holder, Leases};
use crate::prove::Targets;
use crate::retention::{Policy, Rules};
use crate::source::Source;
use crate::source::postgres::client::ClientSearch;
use crate::source::postgres::cluster::ClusterSettings;
use crate::source::postgres::connection::Connection;
use crate::source::postgres::scratch::ScratchPlace;
use crate::source::postgres::session::{self, connect};
use crate::source::postgres::{PostgresSource, Selection};
use crate::source::redis::RedisSource;
use crate::store::{ChecksumMode, FsStore, RetryPolicy, Retrying, S3Credentials, S3Settings, S3Store, Store};
use crate::stream::{Compression, Identities, Recipients};
use crate::undo;

/// The clock of the rim; everything below is told the time.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Opens the configured store, with retries around it.
pub(crate) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, CliError> {
    Ok(Arc::new(Retrying::new(open_impatient_store(config).await?, RetryPolicy::default())))
}

/// The same without retries: whoever wants to know how the store is must not wait until it is well again.
pub(crate) async fn open_impatient_store(config: &Config) -> Result<Arc<dyn Store>, CliError> {
    Ok(match &config.store {
        StoreConfig::Directory { path, .. } => Arc::new(FsStore::open(path)?),
        StoreConfig::S3(bucket) => Arc::new(S3Store::open(s3_settings(config, bucket).await?).await?),
    })
}

/// Opens the repository for writing, creating it in an empty store.
pub(crate) async fn open_or_create(config: &Config) -> Result<Catalog, CliError> {
    Ok(Catalog::open_or_create(open_store(config).await?, now()).await?)
}

/// Opens the repository that is there.
pub(crate) async fn open(config: &Config) -> Result<Catalog, CliError> {
    Ok(Catalog::open(open_store(config).await?).await?)
}

/// The leases of a repository, held by this process.
pub(crate) fn leases(catalog: &Catalog) -> Leases {
    Leases::new(Arc::clone(catalog.store()), Holder::of_this_process(), Arc::new(now))
}

/// The lock that a source must hold while it is backed up, if the store's leases cannot be relied on.
pub(crate) fn source_lock(exclusion: &Exclusion, catalog: &Catalog, source: &SourceName) -> Option<String> {
    match exclusion {
        Exclusion::Store => None,
        Exclusion::Source { .. } => Some(format!("guard backup {} {source}", catalog.repository().id)),
    }
}

/// The compression and the recipients.
pub(crate) fn sealing(config: &Config) -> Result<(Compression, Recipients), CliError> {
    let config::Compression { level, threads, long_window } = config.compression;
    let recipients = Recipients::parse(&config.encryption.recipients)?;
    Ok((Compression { level, threads, long_window }, recipients))
}

/// The keys that open backups: from a file named on the command line, else from the configuration, else none.
pub(crate) async fn identities(config: &Config, file: Option<&PathBuf>) -> Result<Identities, CliError> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| CliError::usage(format!("cannot read the identity file {}: {error}", file.display())))?;
        return Ok(Identities::parse(&text)?);
    }
    match &config.encryption.identity {
        Some(secret) => Ok(Identities::parse(secret.resolve(&config.environment).await?.expose())?),
        None => Ok(Identities::default()),
    }
}

/// How many workers a restore has.
pub(crate) fn jobs(config: &Config, flag: Option<NonZeroU32>) -> NonZeroU32 {
    let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    flag.or(config.restore.jobs).unwrap_or_else(|| NonZeroU32::new(cores.min(8)).unwrap_or(NonZeroU32::MIN))
}

/// Where scratch databases are made.
pub(crate) async fn scratch_place(config: &Config) -> Result<ScratchPlace, CliError> {
    let scratch = &config.scratch;
    if let Some(url) = &scratch.url {
        let connection = config::Address::Secret(url.clone()).connection(&config.environment).await?;
        return Ok(ScratchPlace::Server(connection));
    }
    let settings = ClusterSettings { dir: scratch.dir.clone(), user: scratch.user.clone() };
    Ok(ScratchPlace::Cluster(settings, ClientSearch { dir: scratch.bin_dir.clone() }))
}

/// Where the client programs of a source are looked for.
pub(crate) fn client_search(config: &Config, source: &SourceName) -> ClientSearch {
    let configured = config.sources.iter().find(|(name, _)| name.as_str() == source.as_str());
    let dir = configured.and_then(|(_, source)| source.client_dir().cloned());
    ClientSearch { dir: dir.or_else(|| config.scratch.bin_dir.clone()) }
}

/// What is kept of a source: the rules of all schedules that cover it. One that is not configured keeps everything.
pub(crate) fn retention_rules(config: &Config, source: &SourceName) -> Rules {
    let delta = |duration: std::time::Duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let policy = |schedule: &config::Schedule| {
        let config::RetentionRules { last, within, daily, weekly, monthly, yearly } = schedule.retention;
        let timezone = schedule.timezone;
        Policy { last, within: within.map(delta), daily, weekly, monthly, yearly, timezone }
    };
    let configured = configured_name(config, source);
    let policies = configured.map(|name| config.schedules_of(name).map(policy).collect());
    Rules { policies: policies.unwrap_or_default(), rpo: targets(config, source).rpo.map(delta) }
}

/// What was promised for a source. A source of several databases is promised under its configured name.
pub(crate) fn targets(config: &Config, source: &SourceName) -> Targets {
    let target = configured_name(config, source).map(|name| config.target_of(name)).unwrap_or_default();
    Targets { rpo: target.rpo, rto: target.rto }
}

fn configured_name<'a>(config: &'a Config, source: &SourceName) -> Option<&'a config::SourceName> {
    // Of `shop` and `shop.eu` the longer one is meant by `shop.eu`.
    let fits = |name: &&config::SourceName| {
        let rest = source.as_str().strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    config.sources.keys().filter(fits).max_by_key(|name| name.as_str().len())
}

/// A source with what only the command that runs it needs.
pub(crate) struct ConfiguredSource {
    pub(crate) source: Source,
    pub(crate) environment: Option<String>,
    pub(crate) retries: u32,
    pub(crate) retry_delay: std::time::Duration,
    pub(crate) vigilance: Vigilance,
}

/// The sources with these names, or all of them. A source that covers several databases becomes one per database.
pub(crate) async fn sources(config: &Config, names: &[String]) -> Result<Vec<ConfiguredSource>, CliError> {
    if config.sources.is_empty() {
        return Err(CliError::usage("no source is configured".to_owned())
            .with_help("set DATABASE_URL or REDIS_URL, or name sources in guard.toml ([source.NAME] with url)"));
    }
    let asked_for = |source: &str| names.is_empty() || names.iter().any(|name| name == source);
    let mut found = Vec::new();
    for (name, source) in &config.sources {
        let prefix = format!("{}.", name.as_str());
        let whole = asked_for(name.as_str());
        if !whole && !names.iter().any(|asked| asked.starts_with(&prefix)) {
            continue;
        }
        let each = match source {
            SourceConfig::Postgres(postgres) => databases(config, name.as_str(), postgres).await?,
            SourceConfig::Redis(redis) => vec![keyspace(config, name.as_str(), redis).await?],
        };
        found.extend(each.into_iter().filter(|each| whole || asked_for(each.source.name().as_str())));
    }
    let is_found = |name: &String| {
        let prefix = format!("{name}.");
        found.iter().map(|each| each.source.name().as_str()).any(|have| have == name || have.starts_with(&prefix))
    };
    match names.iter().find(|name| !is_found(name)) {
        None => Ok(found),
        Some(unknown) => {
            let known: Vec<&str> = config.sources.keys().map(config::SourceName::as_str).collect();
            Err(CliError::usage(format!("there is no source `{unknown}`"))
                .with_help(format!("configured are: {}", known.join(", "))))
        }
    }
}

/// The one source of this name.
pub(crate) async fn only_source(config: &Config, name: &str) -> Result<ConfiguredSource, CliError> {
    let mut found = sources(config, &[name.to_owned()]).await?;
    match found.pop() {
        Some(only) if found.is_empty() => Ok(only),
        _ => Err(CliError::usage(format!("`{name}` stands for several databases"))
            .with_help("name one of them: --source NAME.DATABASE")),
    }
}

/// Where the database of a source is, as it is configured.
pub(crate) async fn source_connection(config: &Config, source: &SourceName) -> Result<Connection, CliError> {
    let mut found = sources(config, &[source.to_string()]).await?;
    match found.pop().map(|configured| configured.source) {
        Some(Source::Postgres(postgres)) if found.is_empty() => Ok(postgres.connection),
        _ => Err(CliError::usage(format!("`{source}` is not one PostgreSQL database of the configuration"))
            .with_help("name the database by its URL")),
    }
}

/// Every source that has backups, or these.
pub(crate) async fn source_names(catalog: &Catalog, names: &[String]) -> Result<Vec<SourceName>, CliError> {
    let known = catalog.sources().await?;
    if names.is_empty() {
        return Ok(known);
    }
    let parse = |name: &String| {
        let found = known.iter().find(|known| known.as_str() == name).cloned();
        found.ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(SourceName::as_str).collect();
            CliError::usage(format!("the repository has no backups of `{name}`"))
                .with_help(format!("it has backups of: {}", known.join(", ")))
        })
    };
    names.iter().map(parse).collect()
}

/// The one backup that is meant: `latest`, an id or its beginning, of one source or of whichever has it.
pub(crate) async fn find_backup(
    catalog: &Catalog,
    source: Option<&String>,
    selector: &Selector,
) -> Result<CompleteBackup, CliError> {
    let asked: Vec<String> = source.cloned().into_iter().collect();
    let mut names = source_names(catalog, &asked).await?;
    if source.is_none() {
        leave_out_undo(&mut names);
    }
    let mut found = Vec::new();
    let mut none = None;
    for name in &names {
        let backups = catalog.backups(name).await?;
        match selector.pick(name.as_str(), backups) {
            Ok(backup) => found.push(backup),
            Err(error @ CatalogError::NoSuchBackup(_)) => none = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match (found.len(), none) {
        (1, _) => Ok(found.swap_remove(0)),
        (0, Some(error)) => Err(error.into()),
        (0, None) => {
            Err(CliError::usage("the repository has no backups".to_owned()).with_help("take one: guard backup"))
        }
        (_, _) => {
            let names: Vec<&str> = names.iter().map(SourceName::as_str).collect();
            Err(CliError::usage("the repository has backups of several sources".to_owned())
                .with_help(format!("say which with --source: {}", names.join(", "))))
        }
    }
}

/// Undo exports are no source of their own where nobody names them.
pub(crate) fn leave_out_undo(names: &mut Vec<SourceName>) {
    let exports: Vec<SourceName> = names.iter().map(undo::name_of).collect();
    names.retain(|name| !exports.contains(name));
}

/// The backups whose manifests can be trusted; the others are reported and left out.
pub(crate) fn trusted(backups: Vec<ListedBackup>) -> Vec<CompleteBackup> {
    let keep = |listed: ListedBackup| match listed.backup {
        Ok(backup) => Some(backup),
        Err(error) => {
            tracing::warn!(%error, "a backup is left out");
            None
        }
    };
    backups.into_iter().filter_map(keep).collect()
}

async fn keyspace(config: &Config, name: &str, redis: &RedisConfig) -> Result<ConfiguredSource, CliError> {
    Ok(ConfiguredSource {
        source: Source::Redis(RedisSource {
            name: name.parse()?,
            address: redis.address(&config.environment).await?,
            sentinel: redis.sentinel.clone(),
            prefer_replica: redis.prefer_replica,
            max_silence: redis.max_silence,
        }),
        environment: redis.environment.clone(),
        retries: redis.retries,
        retry_delay: redis.retry_delay,
        vigilance: redis.vigilance.clone(),
    })
}

async fn databases(config: &Config, name: &str, postgres: &PostgresConfig) -> Result<Vec<ConfiguredSource>, CliError> {
    let connection = postgres.connection(&config.environment).await?;
    let source = |name: SourceName, connection| ConfiguredSource {
        source: Source::Postgres(PostgresSource {
            name,
            connection,
            client: ClientSearch { dir: postgres.client_dir.clone() },
            selection: Selection {
                tables: postgres.tables.include.clone(),
                exclude_tables: postgres.tables.exclude.clone(),
                schemas: postgres.schemas.include.clone(),
                exclude_schemas: postgres.schemas.exclude.clone(),
                ..Selection::default()
            },
            lock_wait_timeout: postgres.lock_wait_timeout,
            max_block: postgres.max_block,
            globals: postgres.globals,
        }),
        environment: postgres.environment.clone(),
        retries: postgres.retries,
        retry_delay: postgres.retry_delay,
        vigilance: postgres.vigilance.clone(),
    };
    if postgres.databases.is_everything() {
        return Ok(vec![source(name.parse::<SourceName>()?, connection)]);
    }
    let (session, connection) = connect(&connection, "guard").await.map_err(CliError::from)?;
    let all = session::databases(session, &connection).await?;
    let matches =
        |patterns: &[String], database: &str| patterns.iter().any(|pattern| config::matches_pattern(pattern, database));
    let config::Selection { include, exclude } = &postgres.databases;
    let mut found = Vec::new();
    for database in all {
        if (include.is_empty() || matches(include, &database)) && !matches(exclude, &database) {
            let each = SourceName::nearest(&format!("{name}.{database}"));
            found.push(source(each, connection.with_database(&database)));
        }
    }
    // Two odd names may have one nearest name; a silent mix of two databases' backups is not an option.
    let mut names: Vec<_> = found.iter().map(|each| each.source.name().clone()).collect();
    names.sort();
    names.dedup();
    if names.len() < found.len() {
        return Err(CliError::usage(format!(
            "databases of source `{name}` have names that differ only in odd characters"
        ))
        .with_help("give each of them a [source.NAME] of its own"));
    }
    Ok(found)
}

async fn s3_settings(config: &Config, bucket: &config::S3Config) -> Result<S3Settings, CliError> {
    let credentials = match &bucket.credentials {
        None => None,
        Some(credentials) => {
            let environment = &config.environment;
            let session_token = match &credentials.session_token {
                Some(token) => Some(token.resolve(environment).await?.expose().to_owned()),
                None => None,
            };
            Some(S3Credentials {
                access_key_id: credentials.access_key.resolve(environment).await?.expose().to_owned(),
                secret_access_key: credentials.secret_key.resolve(environment).await?.expose().to_owned(),
                session_token,
            })
        }
    };
    let mut settings = S3Settings::new(bucket.bucket.clone());
    settings.prefix = if bucket.prefix.is_empty() { None } else { Some(bucket.prefix.parse()?) };
    settings.endpoint.clone_from(&bucket.endpoint);
    settings.region.clone_from(&bucket.region);
    settings.path_style = bucket.path_style.then_some(true);
    settings.checksums = match bucket.checksums {
        config::Checksums::WhenRequired => ChecksumMode::WhenRequired,
        config::Checksums::WhenSupported => ChecksumMode::WhenSupported,
    };
    settings.ca_file.clone_from(&bucket.ca_file);
    settings.profile.clone_from(&bucket.profile);
    settings.credentials = credentials;
    if let Some(concurrency) = bucket.concurrency {
        settings.concurrency = concurrency.get() as usize;
    }
    Ok(settings)
}
