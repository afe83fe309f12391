//! The sources: the settings of one kind are an error at another, because they would do nothing there.

use std::path::{Path, PathBuf};

use super::super::diagnose::Problem;
use super::super::file::{AlarmFile, SourceFile, SourceKind};
use super::super::{Address, PostgresConfig, RedisConfig, SecretSource, Selection, SourceConfig};
use super::{Problems, convert_url};
use crate::contents::loss::{TableRule, Tolerance, Vigilance};
use crate::source::redis::address;

pub(super) fn convert_source(name: &str, file: SourceFile, problems: &mut Problems<'_>) -> Option<SourceConfig> {
    refuse_foreign(name, &file, problems);
    match file.kind {
        SourceKind::Postgres => convert_postgres(name, file, problems),
        SourceKind::Redis => convert_redis(name, file, problems),
    }
}

/// What was said of the other kind. A setting that has its default's value cannot be told from one that was not said.
fn refuse_foreign(name: &str, file: &SourceFile, problems: &mut Problems<'_>) {
    let default = SourceFile::default();
    let postgres = [
        ("databases", !file.databases.is_empty()),
        ("exclude_databases", !file.exclude_databases.is_empty()),
        ("tables", !file.tables.is_empty()),
        ("exclude_tables", !file.exclude_tables.is_empty()),
        ("schemas", !file.schemas.is_empty()),
        ("exclude_schemas", !file.exclude_schemas.is_empty()),
        ("globals", file.globals != default.globals),
        ("lock_wait_timeout", file.lock_wait_timeout.0 != default.lock_wait_timeout.0),
        ("max_block", file.max_block.0 != default.max_block.0),
        ("client_dir", file.client_dir.is_some()),
    ];
    let redis = [
        ("username", file.username.is_some()),
        ("password", file.password.is_some()),
        ("sentinel", file.sentinel.is_some()),
        ("prefer_replica", file.prefer_replica != default.prefer_replica),
        ("max_silence", file.max_silence.0 != default.max_silence.0),
    ];
    let (foreign, other, kind) = match file.kind {
        SourceKind::Postgres => (redis.as_slice(), "redis", "postgres"),
        SourceKind::Redis => (postgres.as_slice(), "postgres", "redis"),
    };
    for (key, _) in foreign.iter().filter(|(_, said)| *said) {
        let message = format!("`{key}` is a setting of {other} sources, and this one is of kind {kind}");
        problems.add(&["source", name, key], message, "remove it");
    }
}

fn convert_postgres(name: &str, file: SourceFile, problems: &mut Problems<'_>) -> Option<SourceConfig> {
    let SourceFile {
        kind: _,
        url,
        databases,
        exclude_databases,
        tables,
        exclude_tables,
        schemas,
        exclude_schemas,
        globals,
        lock_wait_timeout,
        max_block,
        retries,
        retry_delay,
        client_dir,
        sslmode,
        sslrootcert,
        environment,
        alarm,
        username: _,
        password: _,
        sentinel: _,
        prefer_replica: _,
        max_silence: _,
    } = file;
    Some(SourceConfig::Postgres(Box::new(PostgresConfig {
        address: Address::Secret(convert_url(&["source", name, "url"], url, problems)?),
        databases: Selection { include: databases, exclude: exclude_databases },
        tables: Selection { include: tables, exclude: exclude_tables },
        schemas: Selection { include: schemas, exclude: exclude_schemas },
        globals,
        lock_wait_timeout: lock_wait_timeout.0,
        max_block: max_block.0,
        retries,
        retry_delay: retry_delay.0,
        client_dir: client_dir.map(|path| directory(name, "client_dir", &path, problems)),
        sslmode,
        // `system` is libpq's word for the system's roots, not a file.
        sslrootcert: sslrootcert.map(|path| {
            if path == Path::new("system") { path } else { directory(name, "sslrootcert", &path, problems) }
        }),
        environment,
        vigilance: convert_alarm(name, &alarm, problems),
    })))
}

fn convert_redis(name: &str, file: SourceFile, problems: &mut Problems<'_>) -> Option<SourceConfig> {
    let SourceFile {
        kind: _,
        url,
        databases: _,
        exclude_databases: _,
        tables: _,
        exclude_tables: _,
        schemas: _,
        exclude_schemas: _,
        globals: _,
        lock_wait_timeout: _,
        max_block: _,
        retries,
        retry_delay,
        client_dir: _,
        sslmode,
        sslrootcert,
        environment,
        alarm,
        username,
        password,
        sentinel,
        prefer_replica,
        max_silence,
    } = file;
    Some(SourceConfig::Redis(Box::new(RedisConfig {
        url: redis_url(&["source", name, "url"], url, problems)?,
        username,
        password: problems.secret(&["source", name, "password"], password),
        sentinel,
        prefer_replica,
        max_silence: max_silence.0,
        retries,
        retry_delay: retry_delay.0,
        sslmode,
        sslrootcert: sslrootcert
            .filter(|path| path != Path::new("system"))
            .map(|path| directory(name, "sslrootcert", &path, problems)),
        environment,
        vigilance: convert_alarm(name, &alarm, problems),
    })))
}

fn convert_alarm(name: &str, file: &AlarmFile, problems: &mut Problems<'_>) -> Vigilance {
    let AlarmFile { shrink, size, ignore_below, tables } = file;
    let help = "write a percentage such as \"50%\", or \"off\"";
    let mut tolerance = |key: &str, text: &str| {
        let parsed = text.parse::<Tolerance>();
        parsed.unwrap_or_else(|error| {
            problems.add(&["source", name, "alarm", key], error.to_string(), help);
            Tolerance::Everything
        })
    };
    let (shrink, size) = (tolerance("shrink", shrink), tolerance("size", size));
    let mut rules = Vec::new();
    for (item_idx, text) in tables.iter().enumerate() {
        match text.parse::<TableRule>() {
            Ok(rule) => rules.push(rule),
            Err(error) => {
                let path = ["source", name, "alarm", "tables", &item_idx.to_string()];
                problems.add(&path, error.to_string(), "write \"public.audit 0%\" or \"public.session_* off\"");
            }
        }
    }
    Vigilance { shrink, size, ignore_below: *ignore_below, rules }
}

/// Written out, it is checked at once, and may hold a password only in a file that nobody else can read.
fn redis_url(path: &[&str], url: Option<SecretSource>, problems: &mut Problems<'_>) -> Option<SecretSource> {
    let Some(url) = url else {
        problems.add(path, "`url` is missing", "add it, for example: url = { env = \"REDIS_URL\" }");
        return None;
    };
    let SecretSource::Text(text) = &url else { return problems.secret(path, Some(url)) };
    match address::Address::parse(text.expose()) {
        Ok(address) if address.password.is_some() => problems.secret(path, Some(url)),
        Ok(_) => Some(url),
        Err(error) => {
            problems.found.push(Problem::new(path, error.to_string()));
            None
        }
    }
}

fn directory(name: &str, key: &str, path: &Path, problems: &Problems<'_>) -> PathBuf {
    problems.absolute(&format!("source.{name}.{key}"), path)
}
