//! The configuration as a whole: where it is found, which source wins, what is refused and in which words.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

use std::fs;
use std::path::Path;

use guard::config::{self, Address, Config, ConfigError, Environment, Override, Request, SourceConfig, StoreConfig};

fn request(directory: &Path, variables: &[(&str, &str)]) -> Request {
    Request {
        file: None,
        current_dir: directory.to_owned(),
        system_file: directory.join("none.toml"),
        environment: variables.iter().copied().collect::<Environment>(),
        flags: Vec::new(),
    }
}

fn load_zero(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    config::load(&request(Path::new("/nowhere"), variables)).map(|loaded| loaded.config)
}

fn only_connection(config: &Config) -> String {
    let (name, SourceConfig::Postgres(source)) = config.sources.iter().next().unwrap();
    let Address::Known(connection) = &source.address else { panic!("{source:?}") };
    format!("{name} {connection}")
}

#[test]
fn without_a_file_the_deployment_s_variables_are_the_source() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        assert_eq!(only_connection(&load_zero(variables).unwrap()), expected, "{variables:?}");
    };
    check(
        &[("DATABASE_URL", "postgresql://app:p%40ss@db:5433/shop?schema=public&connection_limit=20")],
        "shop postgres://app@db:5433/shop",
    );
    check(
        &[("DB_HOST", "db"), ("DB_PORT", "5433"), ("DB_NAME", "shop"), ("DB_USER", "app"), ("DB_PASSWORD", "x")],
        "shop postgres://app@db:5433/shop",
    );
    check(&[("PGHOST", "db"), ("PGUSER", "app"), ("PGDATABASE", "my shop")], "my-shop postgres://app@db/my%20shop");
    check(
        &[
            ("DATABASE_URL", "postgres://u.ref:p@x.pooler.supabase.com:6543/postgres"),
            ("DIRECT_URL", "postgres://db/postgres?user=u"),
        ],
        "postgres postgres://u@db/postgres",
    );
}

#[test]
fn without_a_file_the_store_is_a_directory_here() {
    let check = |variables: &[(&str, &str)], expected: &str| match load_zero(variables).unwrap().store {
        StoreConfig::Directory { path, .. } => assert_eq!(path, Path::new(expected)),
        StoreConfig::S3(bucket) => panic!("{bucket:?}"),
    };
    check(&[], "/nowhere/guard-store");
    check(&[("GUARD_STORE_URL", "./elsewhere")], "/nowhere/elsewhere");
    check(&[("GUARD_STORE_URL", "file:///srv/guard")], "/srv/guard");
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("guard.toml"), "[store]\nurl = \"/file\"\n[compression]\nlevel = 5\n").unwrap();
    let mut request = request(directory.path(), &[("GUARD_STORE_URL", "/variable")]);
    let store = |request: &Request| format!("{:?}", config::load(request).unwrap().config.store);
    assert!(store(&request).contains("/variable"));
    request.flags.push(Override { key: "store.url".into(), value: "/flag".into(), flag: "--store".into() });
    assert!(store(&request).contains("/flag"));
    assert_eq!(config::load(&request).unwrap().config.compression.level, 5);
}
