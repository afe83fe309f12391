//! A connection string reaches a real server, or fails to, in the same way through sqlx as through libpq's programs.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use guard::source::postgres::connection::Connection;
use nix::unistd::{User, geteuid};
use sqlx::{ConnectOptions, Row};
use tempfile::TempDir;

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// A server that admits TCP only by TLS and password, with a certificate for `localhost` from a private authority.
struct Server {
    dir: TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { dir: tempfile::Builder::new().prefix("guard-test-").tempdir().unwrap(), port };
        let dir = server.dir.path();
        make_certificates(dir);
        fs::write(dir.join("password"), "hunter2").unwrap();
        give_to_server_user(dir);
        let data = server.file("data");
        let pwfile = format!("--pwfile={}", server.file("password"));
        run(server_program("initdb").args(["-A", "scram-sha-256", "-U", "app", "--no-sync", &pwfile, "-D", &data]));
        fs::write(dir.join("data/pg_hba.conf"), "hostssl all all all scram-sha-256\nlocal all all trust\n").unwrap();
        let options = format!(
            "-p {port} -k {dir} -c listen_addresses=localhost -c fsync=off -c ssl=on \
             -c ssl_cert_file={dir}/server.pem -c ssl_key_file={dir}/server.key",
            dir = dir.display()
        );
        let log = server.file("log");
        run(server_program("pg_ctl").args(["-w", "-D", &data, "-l", &log, "-o", &options, "start"]));
        server
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.file("data");
        let mut stop = server_program("pg_ctl");
        stop.args(["-m", "immediate", "-D", &data, "stop"]).stdout(Stdio::null()).stderr(Stdio::null());
        let _ = stop.status();
    }
}

/// The server refuses to run as root.
fn server_program(name: &str) -> Command {
    let mut command = Command::new(Path::new(BIN).join(name));
    command.current_dir("/").env("LC_ALL", "C");
    if let Some(user) = server_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn server_user() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").unwrap().expect("the user postgres"))
}

fn give_to_server_user(dir: &Path) {
    if let Some(user) = server_user() {
        run(Command::new("chown").arg("-R").arg(format!("{}:{}", user.uid, user.gid)).arg(dir));
    }
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
}

/// Two authorities, `ca.pem` and `other.pem`, and `server.pem` from the first.
fn make_certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let common = "req -x509 -newkey rsa:2048 -nodes -days 2";
        run(Command::new("openssl").current_dir(dir).args(common.split(' ')).args(arguments.split(' ')));
    };
    openssl("-subj /CN=ca -keyout ca.key -out ca.pem");
    openssl("-subj /CN=other -keyout other.key -out other.pem");
    openssl(
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
         -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem",
    );
    fs::set_permissions(dir.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
}

async fn sqlx_connects(connection: &Connection) -> bool {
    let Ok(mut session) = connection.sqlx_options().connect().await else { return false };
    let row = sqlx::query("SELECT current_setting('application_name')").fetch_one(&mut session).await.unwrap();
    row.get::<String, _>(0) == "guard"
}

fn psql_connects(connection: &Connection) -> bool {
    let mut psql = Command::new(Path::new(BIN).join("psql"));
    connection.configure(&mut psql);
    let output = psql.args(["-XAtwc", "SHOW application_name"]).stdin(Stdio::null()).output().unwrap();
    output.status.success() && output.stdout == b"guard\n"
}

#[tokio::test]
async fn sqlx_and_libpq_agree_on_who_is_let_in() {
    let server = Server::start();
    let (port, ca, other) = (server.port, server.file("ca.pem"), server.file("other.pem"));
    let passfile = server.file("pgpass");
    fs::write(&passfile, "localhost:*:*:app:hunter2\n").unwrap();
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
    let app = format!("postgres://app:hunter2@localhost:{port}/postgres");
    for (text, lets_in) in [
        (format!("{app}?sslmode=disable"), false),
        (format!("{app}?sslmode=allow"), true),
        (app.clone(), true),
        (format!("{app}?sslmode=require"), true),
        (format!("{app}?sslmode=require&sslrootcert={ca}"), true),
        (format!("{app}?sslmode=require&sslrootcert={other}"), false),
        (format!("{app}?sslmode=verify-ca&sslrootcert={ca}"), true),
        (format!("{app}?sslmode=verify-ca&sslrootcert={other}"), false),
        (format!("{app}?sslmode=verify-full&sslrootcert={ca}"), true),
        (format!("{app}?sslmode=verify-full&sslrootcert={other}"), false),
        (format!("{app}?sslmode=verify-full&sslrootcert=system"), false),
        (format!("{app}?sslmode=verify-full"), false),
        (format!("postgres://app:hunter2@127.0.0.1:{port}/postgres?sslmode=verify-ca&sslrootcert={ca}"), true),
        (format!("postgres://app:hunter2@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert={ca}"), false),
        (format!("postgresql+asyncpg://app:hunter2@localhost:{port}/postgres?ssl=verify-full&sslrootcert={ca}"), true),
        (format!("postgres://app:wrong@localhost:{port}/postgres"), false),
        (format!("postgres://app@localhost:{port}/postgres?passfile={passfile}"), true),
        (format!("postgres://other@localhost:{port}/postgres?passfile={passfile}"), false),
        (format!("host={} port={port} user=app dbname=postgres", server.dir.path().display()), true),
        (format!("postgres://app@/postgres?host={}&port={port}", server.dir.path().display()), true),
    ] {
        let connection = Connection::parse(&text).unwrap();
        assert_eq!(sqlx_connects(&connection).await, lets_in, "sqlx: {text}");
        assert_eq!(psql_connects(&connection), lets_in, "psql: {text}");
    }
}
