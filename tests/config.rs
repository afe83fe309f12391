//! The configuration as a whole: where it is found, which source wins, what is refused and in which words.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use guard::config::file::ConfigFile;
use guard::config::schedule::ScheduleFile;
use guard::config::{self, Address, Config, ConfigError, Environment, Override, Request, SourceConfig, StoreConfig};
use guard::config::{effective, guide, setting};

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
    let (name, source) = config.sources.iter().next().unwrap();
    let SourceConfig::Postgres(source) = source else { panic!("{source:?}") };
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

/// Loads a configuration of these files, named by their paths in it.
fn load_files(files: &[(&str, &str)], mode: u32, variables: &[(&str, &str)]) -> Result<config::Loaded, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    config::load(&request(directory.path(), variables))
}

fn repository() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn toml_files(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{directory} holds no fixture");
    files
}

/// Compares with the text beside a fixture; `UPDATE_EXPECTED=1` writes it anew, to be read before it is committed.
fn check_expected(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(expected == actual, "{} differs; now it is:\n{actual}", path.display());
}

#[test]
fn a_wrong_file_is_told_with_line_and_way_out_and_no_secret() {
    for path in toml_files("fixtures/config/bad") {
        let text = fs::read_to_string(&path).unwrap();
        let error = load_files(&[("guard.toml", &text)], 0o644, &[]).expect_err(path.to_str().unwrap()).to_string();
        for secret in ["hunter2", "HUNTER2", "12345"] {
            assert!(!error.contains(secret), "{}: {error}", path.display());
        }
        check_expected(&path.with_extension("txt"), &format!("{error}\n"));
    }
}

#[test]
fn a_wrong_schedule_is_told_with_line_and_way_out() {
    let config = "[store]\nurl = \"/backups\"\n[source.orders]\nurl = { env = \"DATABASE_URL\" }\n";
    for path in toml_files("fixtures/config/bad-schedule") {
        let text = fs::read_to_string(&path).unwrap();
        let files = [("guard.toml", config), ("schedules/daily.toml", &text)];
        let error = load_files(&files, 0o644, &[]).expect_err(path.to_str().unwrap());
        check_expected(&path.with_extension("txt"), &format!("{error}\n"));
    }
}

fn violations(schema: &serde_json::Value, path: &Path) -> Vec<String> {
    let table: toml::Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let instance = serde_json::to_value(table).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(&instance).map(|error| format!("{}: {error}", path.display())).collect()
}

#[test]
fn shipped_files_fit_the_schema_and_load() {
    let none: Vec<String> = Vec::new();
    let example = repository().join("fixtures/config/good/guard.toml");
    assert_eq!(violations(&setting::schema::<ConfigFile>(), &example), none);
    let config = fs::read_to_string(example).unwrap();
    for path in toml_files("schedules") {
        assert_eq!(violations(&setting::schema::<ScheduleFile>(), &path), none);
        let name = format!("schedules/{}", path.file_name().unwrap().to_str().unwrap());
        let files = [("guard.toml", config.as_str()), (&name, &fs::read_to_string(&path).unwrap())];
        let loaded = load_files(&files, 0o644, &[]).unwrap();
        assert_eq!(loaded.config.schedules.len(), 1);
    }
}

/// The text of a key of a ConfigMap, as `key: |` has it.
fn block<'a>(yaml: &'a str, key: &str) -> String {
    let is_key = |line: &&str| line.trim() == format!("{key}: |");
    let body = yaml.lines().skip_while(|line| !is_key(line)).skip(1);
    let lines: Vec<&'a str> = body.map_while(|line| line.strip_prefix("    ")).collect();
    lines.join("\n")
}

#[test]
fn the_configuration_that_is_shipped_for_kubernetes_loads_and_its_secrets_are_those_that_are_asked_for() {
    let yaml = fs::read_to_string(repository().join("deploy/kubernetes/guard.yaml")).unwrap();
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let config = block(&yaml, "guard.toml").replace("age1…", &recipient);
    let files = [("guard.toml", config.as_str()), ("schedules/daily.toml", &block(&yaml, "daily.toml"))];
    let loaded = load_files(&files, 0o644, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((loaded.config.sources.len(), loaded.config.schedules.len()), (1, 1));
    let variables: Vec<&str> = config.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(variables.len(), 5, "{config}");
    for variable in variables {
        assert!(yaml.contains(&format!("--from-literal={variable}=…")), "{variable}");
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let schema = setting::schema::<ConfigFile>();
    for name in ["unknown-key", "unknown-section", "wrong-type", "out-of-range", "bad-duration", "unsupported-kind"] {
        let path = repository().join(format!("fixtures/config/bad/{name}.toml"));
        assert!(!violations(&schema, &path).is_empty(), "{name}");
    }
    let schema = setting::schema::<ScheduleFile>();
    for name in ["missing-required", "wrong-values"] {
        let path = repository().join(format!("fixtures/config/bad-schedule/{name}.toml"));
        assert!(!violations(&schema, &path).is_empty(), "{name}");
    }
}

#[test]
fn the_guide_lists_every_setting() {
    let path = repository().join("docs/guide/configuration.md");
    let text = fs::read_to_string(&path).unwrap();
    let (written, _) = text.split_once(guide::BEGIN).expect("the guide has a generated part");
    check_expected(&path, &format!("{written}{}\n{}", guide::BEGIN, guide::render()));
}

#[test]
fn what_is_in_effect_is_shown_with_its_origin_and_without_secrets() {
    let config = fs::read_to_string(repository().join("fixtures/config/good/guard.toml")).unwrap();
    let daily = fs::read_to_string(repository().join("schedules/daily.toml")).unwrap();
    let variables = [("GUARD_COMPRESSION_LEVEL", "7"), ("GUARD_SOURCE_ORDERS_URL", "postgres://app:hunter2@db/orders")];
    let files = [("guard.toml", config.as_str()), ("schedules/daily.toml", &daily)];
    let shown = effective::render(&effective::effective(&load_files(&files, 0o644, &variables).unwrap()));
    assert!(!shown.contains("hunter2"));
    check_expected(&repository().join("fixtures/config/good/show.txt"), &shown);
}

fn postgres<'a>(config: &'a Config, name: &str) -> &'a config::PostgresConfig {
    let source = &config.sources[&name.parse().unwrap()];
    let SourceConfig::Postgres(source) = source else { panic!("{source:?}") };
    source
}

#[test]
fn every_setting_has_a_variable() {
    let variables = [
        ("GUARD_STORE_URL", "s3://bucket/a/b"),
        ("GUARD_STORE_ENDPOINT", "http://localhost:9000"),
        ("GUARD_STORE_ACCESS_KEY", "key"),
        ("GUARD_STORE_SECRET_KEY_FILE", "keys/secret"),
        ("GUARD_SOURCE_ORDERS_EU_URL", "postgres://db/orders"),
        ("GUARD_SOURCE_ORDERS_EU_EXCLUDE_TABLES", "sessions, public.jobs"),
        ("GUARD_SOURCE_ORDERS_EU_GLOBALS", "off"),
        ("GUARD_SOURCE_OTHER_URL_COMMAND", r#"["print", "a url"]"#),
        ("GUARD_CONFIG", ""),
        ("GUARD_LOG", "debug"),
        ("GUARD_UNKNOWN", "is only a warning"),
    ];
    let file = "[source.orders-eu]\nmax_block = \"5s\"\n";
    let config = load_files(&[("guard.toml", file)], 0o644, &variables).unwrap().config;
    let StoreConfig::S3(bucket) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str(), bucket.path_style), ("bucket", "a/b", true));
    let secret = &bucket.credentials.as_ref().unwrap().secret_key;
    assert!(secret.to_string().ends_with("/keys/secret"), "{secret}");
    let orders = postgres(&config, "orders-eu");
    assert_eq!(orders.tables.exclude, ["sessions", "public.jobs"]);
    assert!(!orders.globals);
    assert_eq!(orders.max_block.as_secs(), 5);
    let Address::Secret(url) = &postgres(&config, "other").address else { panic!("the url is a secret") };
    assert_eq!(url.to_string(), "the program print");
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        assert_eq!(load_zero(variables).unwrap_err().to_string(), expected);
    };
    check(
        &[("GUARD_SOURCE_A_GLOBALS", "no")],
        "source.a.url: `url` is missing\n  help: add it, for example: url = { env = \"DATABASE_URL\" }",
    );
    check(&[("GUARD_COMPRESSION_LEVEL", "best")], "GUARD_COMPRESSION_LEVEL: expected a whole number");
    check(
        &[("GUARD_COMPRESSION_LEVEL", "99")],
        "GUARD_COMPRESSION_LEVEL: 99 is out of range\n  help: expected 1 to 22",
    );
    check(
        &[("GUARD_SOURCE_A_URL", "postgres://db/a"), ("GUARD_SOURCE_A_MAX_BLOCK", "long")],
        "GUARD_SOURCE_A_MAX_BLOCK: \"long\" is not valid: expected a duration as text, like \"30s\", \"10m\" or \"26h\"",
    );
    check(
        &[("GUARD_ENCRYPTION_IDENTITY", "hunter2"), ("GUARD_ENCRYPTION_IDENTITY_FILE", "/key")],
        "GUARD_ENCRYPTION_IDENTITY_FILE: GUARD_ENCRYPTION_IDENTITY sets the same\n  help: set one of the two",
    );
    check(
        &[("DATABASE_URL", "mysql://u:hunter2@db/x")],
        "DATABASE_URL: a `mysql` URL is not a PostgreSQL server: expected postgres://, postgresql:// or jdbc:postgresql://",
    );
    let pooled = load_zero(&[("DATABASE_URL", "postgres://u:hunter2@db:6543/x")]).unwrap_err().to_string();
    assert!(pooled.starts_with("DATABASE_URL: port 6543 is a transaction pooler"), "{pooled}");
    assert!(pooled.ends_with("help: set GUARD_SOURCE_<NAME>_URL or DIRECT_URL to the direct URL"), "{pooled}");
}

#[test]
fn redis_url_is_a_source_beside_the_database() {
    let names = |variables: &[(&str, &str)]| {
        let config = load_zero(variables).unwrap();
        let kind = |source: &SourceConfig| matches!(source, SourceConfig::Redis(_));
        config.sources.iter().map(|(name, source)| (name.to_string(), kind(source))).collect::<Vec<_>>()
    };
    let redis = ("REDIS_URL", "rediss://app@cache/0");
    assert_eq!(names(&[redis, ("REDIS_PASSWORD", "hunter2")]), [("redis".to_owned(), true)]);
    let both = names(&[redis, ("DATABASE_URL", "postgres://db/redis")]);
    assert_eq!(both, [("redis".to_owned(), false), ("redis-cache".to_owned(), true)]);
    let wrong = load_zero(&[("REDIS_URL", "redis://:hunter2/x@cache")]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "REDIS_URL: the password holds a `/`, `?` or `#` that is not percent-encoded: write %2F, %3F or %23"
    );
}

#[test]
fn a_redis_source_takes_its_password_from_beside_its_url_and_no_settings_of_others() {
    let check = |toml: &str, expected: &str| {
        let toml = format!("[store]\nurl = \"/b\"\n{toml}");
        let error = load_files(&[("guard.toml", &toml)], 0o600, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(
        "[source.c]\nkind = \"redis\"\nurl = \"redis://c\"\ntables = [\"t\"]\n",
        "`tables` is a setting of postgres sources",
    );
    check("[source.c]\nurl = \"postgres://c/d\"\nsentinel = \"m\"\n", "`sentinel` is a setting of redis sources");
    let toml = "[store]\nurl = \"/b\"\n\
        [source.c]\nkind = \"redis\"\nurl = \"redis://a@c/2\"\npassword = { env = \"P\" }\nsslrootcert = \"ca.pem\"\n";
    let config = load_files(&[("guard.toml", toml)], 0o600, &[("P", "hunter2")]).unwrap().config;
    let SourceConfig::Redis(source) = &config.sources[&"c".parse().unwrap()] else { panic!("another kind") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = runtime.block_on(source.address(&config.environment)).unwrap();
    assert_eq!(address.to_string(), "rediss://a@c:6379/2");
    assert_eq!(address.password.unwrap().expose(), "hunter2");
    assert!(address.tls.unwrap().ca_file.unwrap().ends_with("ca.pem"));
}

#[test]
fn other_databases_are_left_alone() {
    assert!(
        load_zero(&[("DB_HOST", "db"), ("DB_CONNECTION", "mysql"), ("DB_PASSWORD", "x")]).unwrap().sources.is_empty()
    );
}

#[test]
fn a_private_file_may_hold_secrets_and_what_was_said_does_not() {
    let text = fs::read_to_string(repository().join("fixtures/config/bad/secret-in-a-shared-file.toml")).unwrap();
    let loaded = load_files(&[("guard.toml", &text)], 0o600, &[]).unwrap();
    assert!(!format!("{loaded:?}").contains("hunter2"));
    assert!(!effective::render(&effective::effective(&loaded)).contains("hunter2"));
}

#[test]
fn the_file_is_searched_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut request = request(directory.path(), &[]);
    request.system_file = at("system.toml");
    let found = |request: &Request| config::load(request).unwrap().config.file;
    assert_eq!(found(&request), None);
    for (name, named) in [("system.toml", None), ("guard.toml", None), ("flag.toml", Some("flag.toml"))] {
        fs::write(at(name), "[store]\nurl = \"/backups\"\n").unwrap();
        request.file = named.map(PathBuf::from);
        assert_eq!(found(&request), Some(at(name)));
    }
    request.file = Some("absent.toml".into());
    let error = config::load(&request).unwrap_err().to_string();
    assert!(error.starts_with("absent.toml: cannot read this file: No such file"), "{error}");
}

#[test]
fn the_strictest_target_of_all_schedules_counts() {
    let config = "[store]\nurl = \"/b\"\n[source.a]\nurl = {env=\"A\"}\n[source.b]\nurl = {env=\"B\"}\n";
    let schedule = |sources: &str, rpo: &str| {
        format!("sources = [{sources}]\ntimezone = \"UTC\"\nbackup = \"0 2 * * *\"\n[target]\nrpo = \"{rpo}\"\n")
    };
    let (all, only_a) = (schedule("\"*\"", "26h"), schedule("\"a\"", "2h"));
    let files = [("guard.toml", config), ("schedules/all.toml", &all), ("schedules/a.toml", &only_a)];
    let config = load_files(&files, 0o644, &[]).unwrap().config;
    let rpo = |name: &str| config.target_of(&name.parse().unwrap()).rpo.unwrap().as_secs() / 3600;
    assert_eq!((rpo("a"), rpo("b")), (2, 26));
}

#[tokio::test]
async fn a_secret_is_fetched_from_its_place_without_its_last_line_break() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("url"), "postgres://app:hunter2@db/file\n").unwrap();
    let text = "[store]\nurl = \"/b\"\n\
        [source.env]\nurl = { env = \"URL\" }\n\
        [source.file]\nurl = { file = \"url\" }\n\
        [source.command]\nurl = { command = [\"echo\", \"postgres://app:hunter2@db/command\"] }\nsslmode = \"require\"\n\
        [source.unset]\nurl = { env = \"UNSET\" }\n\
        [source.failing]\nurl = { command = [\"false\"] }\n\
        [source.missing]\nurl = { command = [\"/no/such/program\"] }\n\
        [source.blank]\nurl = { command = [\"echo\"] }\n\
        [source.wrong]\nurl = { command = [\"echo\", \"hunter2\"] }\n";
    fs::write(directory.path().join("guard.toml"), text).unwrap();
    let config = config::load(&request(directory.path(), &[("URL", "postgres://app:hunter2@db/env")])).unwrap().config;
    for (name, expected) in [
        ("env", "postgres://app@db/env"),
        ("file", "postgres://app@db/file"),
        ("command", "postgres://app@db/command"),
        ("unset", "the environment variable UNSET is not set"),
        ("failing", "false, run to get a secret, failed: exit status: 1"),
        ("missing", "cannot run /no/such/program to get a secret: No such file or directory (os error 2)"),
        ("blank", "the secret from the program echo is empty"),
        (
            "wrong",
            "the connection string from the program echo: not a connection string: expected \
             postgres://user@host:port/database or keyword=value pairs",
        ),
    ] {
        let connection = postgres(&config, name).connection(&config.environment).await;
        let shown = connection.map_or_else(|error| error.to_string(), |connection| connection.to_string());
        assert_eq!(shown, expected);
    }
}

#[derive(Debug, clap::Parser)]
struct Cli {
    #[command(flatten)]
    config: guard::cli::config::ConfigArgs,
}

async fn command(words: &[&str], request: &Request) -> Result<guard::cli::config::Printed, ConfigError> {
    let cli = <Cli as clap::Parser>::try_parse_from(["config"].iter().chain(words)).unwrap();
    guard::cli::config::run(cli.config, request).await
}

#[tokio::test]
async fn a_check_fetches_secrets_only_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[store]\nurl = \"/b\"\n[encryption]\nidentity = { file = \"no-such-key\" }\n\
        [source.a]\nurl = { command = [\"touch\", \"was-run\"] }\n";
    let text = text.replace("was-run", directory.path().join("was-run").to_str().unwrap());
    fs::write(directory.path().join("guard.toml"), text).unwrap();
    let request = request(directory.path(), &[]);
    let checked = command(&["check"], &request).await.unwrap();
    assert!(
        checked.text.ends_with("no problems: 1 source, 0 schedules, store /b, not encrypted\n"),
        "{}",
        checked.text
    );
    assert!(!directory.path().join("was-run").exists());
    let error = command(&["check", "--resolve"], &request).await.unwrap_err();
    let places = error.reports.iter().map(|report| report.place.as_str()).collect::<Vec<_>>();
    assert_eq!(places, ["source.a.url", "encryption.identity"]);
    assert!(directory.path().join("was-run").exists());
}

#[tokio::test]
async fn the_schema_is_printed_for_both_files() {
    let request = request(Path::new("/nowhere"), &[]);
    assert_eq!(command(&["schema"], &request).await.unwrap().json["title"], "guard.toml");
    let schedule = command(&["schema", "schedule"], &request).await.unwrap();
    assert_eq!(schedule.json["required"], serde_json::json!(["sources", "timezone", "backup"]));
    let parsed: serde_json::Value = serde_json::from_str(&schedule.text).unwrap();
    assert_eq!(parsed, schedule.json);
}
