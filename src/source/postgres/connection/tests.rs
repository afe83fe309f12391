//! Connection strings as deployments really write them.

use std::process::Command;

use super::{Connection, ConnectionError};

/// The display form and what libpq is told, without what never varies.
fn told(connection: &Connection) -> String {
    let variables = connection.libpq_variables().into_iter().filter(|(name, _)| *name != "PGAPPNAME");
    variables.map(|(name, value)| format!("{}={}", &name[2..], value.expose())).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_forms_of_every_framework_mean_the_same_server() {
    let check = |text: &str| {
        let connection = Connection::parse(text).unwrap();
        assert_eq!(told(&connection), "HOST=db PORT=5433 USER=app DATABASE=shop PASSWORD=p@ss w%rd", "{text}");
    };
    check("postgres://app:p%40ss%20w%25rd@db:5433/shop");
    check(
        "postgresql://app:p%40ss%20w%25rd@db:5433/shop?schema=public&connection_limit=20&pool_timeout=60&pgbouncer=false",
    );
    check("postgresql+asyncpg://app:p%40ss%20w%25rd@db:5433/shop");
    check("postgresql+psycopg2://app:p%40ss%20w%25rd@db:5433/shop?pool=5&client_encoding=utf8");
    check("postgis://app:p%40ss%20w%25rd@db:5433/shop");
    check("jdbc:postgresql://db:5433/shop?user=app&password=p%40ss%20w%25rd&currentSchema=public");
    check("host=db port=5433 user=app dbname=shop password='p@ss w%rd'");
    check(r"host = db port = 5433 user = app dbname = shop password = p@ss\ w%rd");
    // Not encoded, quoted by `docker run --env-file`, and with a line break from a file.
    check("\"postgres://app:p@ss w%25rd@db:5433/shop\"\n");
}

#[test]
fn hosts_may_be_several_or_sockets_or_ipv6() {
    let check = |text: &str, expected: &str| assert_eq!(told(&Connection::parse(text).unwrap()), expected, "{text}");
    check("postgres://app@one:1,two:2,three/shop", "HOST=one,two,three PORT=1,2,5432 USER=app DATABASE=shop");
    check("postgres://app@[::1]:5433/shop", "HOST=::1 PORT=5433 USER=app DATABASE=shop");
    check("postgres://app@%2Frun%2Fpostgresql:5433/shop", "HOST=/run/postgresql PORT=5433 USER=app DATABASE=shop");
    check("postgres://app@/shop?host=/run/pg&port=5433", "HOST=/run/pg PORT=5433 USER=app DATABASE=shop");
    check("postgres:///shop?port=5433&host=one,two&user=app", "HOST=one,two PORT=5433,5433 USER=app DATABASE=shop");
}

#[test]
fn several_hosts_are_tried_one_by_one() {
    let connection = Connection::parse("postgres://app@one:1,two/shop?target_session_attrs=read-write").unwrap();
    let candidates = connection.candidates().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(candidates, ["postgres://app@one:1/shop", "postgres://app@two/shop"]);
    assert_eq!(connection.wants_primary(), Some(true));
    assert_eq!(connection.sqlx_options().get_host(), "one");
}

#[test]
fn what_libpq_understands_is_handed_on() {
    let text = "postgres://app@db/shop?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=10&options=-c%20jit%3Doff\
        &channel_binding=require&application_name=nightly&keepalives_idle=30&schema=public";
    let connection = Connection::parse(text).unwrap();
    let all = connection.libpq_variables().into_iter().map(|(name, value)| format!("{name}={}", value.expose()));
    let further = all.skip(4).collect::<Vec<_>>();
    let expected = [
        "PGAPPNAME=nightly",
        "PGCHANNELBINDING=require",
        "PGCONNECT_TIMEOUT=10",
        "PGOPTIONS=-c jit=off",
        "PGSSLMODE=verify-full",
        "PGSSLROOTCERT=/ca.pem",
    ];
    assert_eq!(further, expected);
    assert!(connection.sqlx_options().get_options().unwrap().ends_with("-c jit=off"));
    assert_eq!(connection.connect_timeout(), Some(std::time::Duration::from_secs(10)));
}

#[test]
fn tls_means_the_same_to_sqlx_as_to_libpq() {
    let check = |query: &str, expected: &str| {
        let connection = Connection::parse(&format!("postgres://app@db/shop?{query}")).unwrap();
        assert_eq!(format!("{:?}", connection.sqlx_options().get_ssl_mode()), expected, "{query}");
    };
    check("sslmode=disable", "Disable");
    check("", "Prefer");
    check("sslmode=allow", "Prefer");
    check("sslmode=require", "Require");
    check("sslmode=require&sslrootcert=/ca.pem", "VerifyCa");
    check("sslmode=verify-ca&sslrootcert=/ca.pem", "VerifyCa");
    check("sslmode=verify-full", "VerifyFull");
    check("sslrootcert=system", "VerifyFull");
    // Other drivers' words for it.
    check("ssl=true", "Require");
    check("ssl=false", "Disable");
    check("ssl=verify-full", "VerifyFull");
    check("sslmode=no-verify", "Require");
    check("sslmode=require&sslaccept=strict", "VerifyFull");
    check("sslmode=require&sslcert=/prisma-root.pem", "VerifyCa");
}

#[test]
fn a_transaction_pooler_is_refused_with_the_direct_url() {
    let check = |text: &str, way_out: &str| match Connection::parse(text) {
        Err(error @ ConnectionError::Pooled(_)) => {
            assert!(error.to_string().ends_with(way_out), "{error}");
            assert!(!error.to_string().contains("hunter2"));
        }
        other => panic!("{text}: {other:?}"),
    };
    check(
        "postgres://u:hunter2@db.ref.supabase.co:6543/postgres",
        "use the direct URL postgres://u@db.ref.supabase.co:5432/postgres",
    );
    check(
        "postgres://postgres.ref:hunter2@eu.pooler.supabase.com:6543/postgres?pgbouncer=true",
        "db.ref.supabase.co:5432/postgres",
    );
    check(
        "postgres://u:hunter2@ep-a-1-pooler.eu.aws.neon.tech/shop",
        "use the direct URL postgres://u@ep-a-1.eu.aws.neon.tech:5432/shop",
    );
    check("host=db port=6543 password=hunter2", "mostly on port 5432");
    check("postgres://u:hunter2@bouncer:6432/shop?pgbouncer=true", "(ORMs call it DIRECT_URL), mostly on port 5432");
    // The session pooler holds a session, and IPv4 has no other way in.
    assert!(Connection::parse("postgres://postgres.ref@eu.pooler.supabase.com:5432/postgres").is_ok());
}

#[test]
fn what_is_wrong_is_told_without_the_text() {
    let check = |text: &str, expected: &str| {
        let error = Connection::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    check("hunter2", "not a connection string");
    check("hunter2://x", "not a connection string");
    check("mysql://app:hunter2@db/shop", "a `mysql` URL is not a PostgreSQL server");
    check("prisma+postgres://accelerate/?api_key=hunter2", "Prisma Accelerate");
    check("postgres://app:hun/hunter2@db/shop", "write %2F");
    check("postgres://app:hun?hunter2@db/shop", "write %2F");
    check("postgres://app:hun#hunter2@db:x#/shop", "write %2F");
    check("postgres://app:100%hunter2@db/shop", "the password has a `%`");
    check("postgres://app:hunter2%00@db/shop", "a zero byte");
    check("postgres://app@[::1/shop", "closed by `]`");
    check("postgres://app@db:hunter2/shop", "`…` is not a port number");
    check("postgres://app@db:0/shop", "`0` is not a port number");
    check("postgres://app@one,two,three/shop?port=1,2", "2 ports for 3 hosts");
    check("postgres://db/shop?sslmode=sure", "`sure` is not a value of sslmode");
    check("postgres://db/shop?service=prod", "service is not supported");
    check("postgres://db/shop?sslkey=/k&sslpassword=hunter2", "an encrypted client key is not supported");
    check("host=db password='hunter2", "malformed after `password`");
    check("host=db hunter2", "malformed after `host`");
}

#[test]
fn the_password_is_shown_nowhere() {
    let connection = Connection::parse("postgres://app:hunter2@db/shop?sslmode=require").unwrap();
    let shown = format!("{connection} {connection:?} {:?}", connection.libpq_variables());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(connection.to_string(), "postgres://app@db/shop");
}

#[test]
fn the_environment_fills_what_is_not_said_as_in_psql() {
    let environment = |name: &str| match name {
        "PGPASSWORD" => Some("hunter2".to_owned()),
        "PGHOST" => Some("elsewhere".to_owned()),
        "PGPORT" => Some("5433".to_owned()),
        "PGSSLMODE" => Some("require".to_owned()),
        "PGUSER" => Some(String::new()),
        _ => None,
    };
    let fill = |text: &str| told(&Connection::parse(text).unwrap().or_environment(environment).unwrap());
    assert_eq!(
        fill("postgres://app@db/shop"),
        "HOST=db PORT=5433 USER=app DATABASE=shop PASSWORD=hunter2 SSLMODE=require"
    );
    assert_eq!(
        fill("postgres://app:own@db:1/shop?sslmode=disable"),
        "HOST=db PORT=1 USER=app DATABASE=shop PASSWORD=own SSLMODE=disable"
    );
    assert!(fill("postgres://app@:7/shop").starts_with("HOST=elsewhere PORT=7 "));
}

#[test]
fn a_child_gets_the_connection_by_its_environment_and_nothing_by_chance() {
    let connection = Connection::parse("postgres://app:hunter2@db/shop").unwrap().with_database("other");
    let mut command = Command::new("pg_dump");
    command.env("PGOPTIONS", "-c search_path=x").env("PGSERVICE", "elsewhere").env("PGCLIENTENCODING", "latin1");
    connection.configure(&mut command);
    let value = |name: &str| {
        let found = command.get_envs().find(|(known, _)| *known == name).and_then(|(_, value)| value);
        found.map(|value| value.to_string_lossy().into_owned())
    };
    assert_eq!(value("PGDATABASE").as_deref(), Some("other"));
    assert_eq!(value("PGPASSWORD").as_deref(), Some("hunter2"));
    assert_eq!(value("PGAPPNAME").as_deref(), Some("guard"));
    assert_eq!([value("PGOPTIONS"), value("PGSERVICE"), value("PGCLIENTENCODING")], [None, None, None]);
    assert_eq!(command.get_args().count(), 0);
}
