//! What has gone wrong with backups in the field, each as a test of that name: guard must do better.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};
use support::process::write_program;

const SHOP: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 5000) g";

#[test]
fn dump_failed_leaves_no_backup_and_its_exit_code_is_not_lost() {
    let server = shop();
    for (body, code, message) in [
        ("$real \"$@\"; exit 1", "source-failed", "exit status: 1"),
        ("exit 3", "source-failed", "exit status: 3"),
        ("$real \"$@\" | head -c 20000; kill -KILL $$", "source-failed", "signal: 9"),
        ("$real \"$@\" --table=nope", "source-failed", "no matching tables were found"),
        // A pipe that hides the failure: the output itself must tell.
        ("$real \"$@\" --table=nope | cat", "backup-failed", "not a whole archive"),
        ("$real \"$@\" | head -c 20000; exit 0", "backup-failed", "not a whole archive"),
        ("echo pg_dump: error: out of memory; exit 0", "backup-failed", "expected the mark PGDMP"),
        ("exit 0", "backup-failed", "not a whole archive"),
    ] {
        let guard = guard_with(&server, "pg_dump", body);
        let error = guard.json(&["backup"]).error(2, code);
        assert!(text(&error["message"]).contains(message), "{body}: {error}");
        assert_nothing_is_left(&guard, &server);
    }
    // The globals are a part of the backup.
    let guard = guard_with(&server, "pg_dumpall", "$real \"$@\"; exit 1");
    let error = guard.json(&["backup"]).error(2, "source-failed");
    assert!(text(&error["message"]).contains("pg_dumpall failed"), "{error}");
    assert_nothing_is_left(&guard, &server);
}

#[test]
fn dump_with_a_header_and_no_objects_is_refused() {
    let server = shop();
    server.create_database("empty", "");
    for body in [
        "$real \"$@\" --schema-only",
        "$real \"$@\" --exclude-table=public.orders",
        "$real \"$@\" --exclude-table-data=public.orders",
        "PGDATABASE=empty $real --format=custom --compress=0",
    ] {
        let guard = guard_with(&server, "pg_dump", body);
        let error = guard.json(&["backup"]).error(2, "source-failed");
        assert!(text(&error["message"]).contains("holds no data for public.orders"), "{body}: {error}");
        assert_nothing_is_left(&guard, &server);
    }
}

#[test]
fn row_security_that_hides_rows_is_an_error_and_not_a_smaller_backup() {
    let server = shop();
    server.psql(
        "shop",
        "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader;
         CREATE TABLE hidden (a int); INSERT INTO hidden VALUES (1);
         ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE POLICY nothing ON hidden USING (false)",
    );
    let guard = Guard::default().with("DATABASE_URL", &server.url("shop").replace("postgres@", "reader@"));
    let error = guard.json(&["backup"]).error(2, "source-failed");
    assert!(text(&error["message"]).contains("row-level security"), "{error}");
    assert_nothing_is_left(&guard, &server);
}

#[test]
fn upload_is_not_completed_before_the_dumps_error_is_read() {
    let server = shop();
    let flags = tempfile::tempdir().unwrap();
    let (dumped, go_on) = (flags.path().join("dumped"), flags.path().join("go-on"));
    let guard = guard_with(&server, "pg_dump", &dump_and_wait(&dumped, &go_on));
    let mut running = guard.command(&["backup", "--json"]).spawn().unwrap();
    wait_for(&mut running, &dumped);
    assert_eq!(guard.listed(), [""; 0]);
    let seen = visible(&guard);
    assert_eq!(seen, ["guard.json"], "nothing of the backup is visible before pg_dump has ended well");
    fs::write(&go_on, "").unwrap();
    guard.checked(&running.wait_with_output().unwrap()).yes();
    assert_eq!(guard.listed().len(), 1);
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");
}

#[test]
fn orphaned_uploads_are_found_and_swept() {
    let server = shop();
    server.psql(
        "shop",
        "CREATE TABLE noise (bytes bytea); INSERT INTO noise SELECT (SELECT string_agg(sha512((g || ':' || s)::bytea), '')
         FROM generate_series(1, 8192) s) FROM generate_series(1, 60) g",
    );
    let flags = tempfile::tempdir().unwrap();
    let dumped = flags.path().join("dumped");
    let guard = guard_with(&server, "pg_dump", &dump_and_wait(&dumped, &flags.path().join("never")));
    let mut running = guard.command(&["backup", "--json"]).spawn().unwrap();
    wait_for(&mut running, &dumped);
    wait_until("parts are stored", || files(&guard.store()).len() > 1);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(guard.listed(), [""; 0], "what guard left when it was killed is no backup");
    let before = files(&guard.store());

    let leftovers = |args: &[&str]| {
        let answer = guard.json(&[&["prune"], args].concat()).yes();
        let count = |kind: &str| answer["leftovers"][kind].as_array().unwrap().len();
        (count("objects") + count("uploads"), answer["removed"] == true)
    };
    assert_eq!(leftovers(&["--confirm"]), (0, true), "it may be a backup that still runs");
    assert_eq!(files(&guard.store()), before);
    assert_eq!(leftovers(&["--leftovers-older-than", "0s"]), (1, false));
    assert_eq!(files(&guard.store()), before, "nothing is removed without --confirm");
    assert_eq!(leftovers(&["--leftovers-older-than", "0s", "--confirm"]), (1, true));
    // Nothing of it had landed, and what was on its way can land no more: there is nothing to put a tombstone over.
    assert_eq!(files(&guard.store()), ["guard.json"]);
    assert_eq!(guard.listed(), [""; 0]);
    // The next backup is as good as any, and none of it is a leftover.
    let guard = guard.with("GUARD_SOURCE_SHOP_CLIENT_DIR", &Version::V15.bin_dir().display().to_string());
    guard.backup();
    assert_eq!(leftovers_of(&guard), 0);
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");
}

fn leftovers_of(guard: &Guard) -> usize {
    let answer = guard.json(&["prune", "--leftovers-older-than", "0s", "--confirm"]).yes();
    ["objects", "uploads"].iter().map(|kind| answer["leftovers"][kind].as_array().unwrap().len()).sum()
}

#[test]
fn source_named_app_does_not_touch_app_old() {
    let server = shop();
    let guard = Guard::default();
    let programs = programs(&guard, "pg_dump", "$real \"$@\"; exit 1");
    let toml = format!(
        "[store]\nurl = \"./store\"\n[source.app]\nurl = \"{url}\"\nclient_dir = \"{}\"\n\
         [source.app_old]\nurl = \"{url}\"\n[source.app-old]\nurl = \"{url}\"\n",
        programs.display(),
        url = server.url("shop"),
    );
    guard.configure(&toml);
    for _ in 0..2 {
        // One source that fails keeps none of the others from being backed up.
        let (answer, error) = guard.json(&["backup"]).partly(2, "source-failed");
        assert_eq!(answer["backups"].as_array().map(Vec::len), Some(2), "{answer}");
        assert!(text(&error["message"]).starts_with("app: "), "{error}");
    }
    let others = files(&guard.store());
    assert_eq!(others.iter().filter(|file| file.ends_with("manifest.json")).count(), 4, "{others:?}");
    assert!(!others.iter().any(|file| file.starts_with("app/")), "{others:?}");
    guard.json(&["list", "app"]).error(2, "usage");

    let guard = guard.with("GUARD_SOURCE_APP_CLIENT_DIR", &Version::V15.bin_dir().display().to_string());
    let app = guard.json(&["backup", "app"]).yes()["backups"][0]["id"].clone();
    let listed = guard.json(&["list", "app"]).yes();
    assert_eq!((&listed["backups"][0]["id"], &listed["backups"][1]), (&app, &Value::Null));
    assert_eq!(guard.json(&["show", "--source", "app"]).yes()["id"], app);
    assert_eq!(leftovers_of(&guard), 0);
    // Everything of `app` may go; what the others have stays as it is.
    fs::remove_dir_all(guard.store().join("app")).unwrap();
    assert_eq!(files(&guard.store()), others);
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");
}

#[test]
fn restored_into_a_target_that_is_not_empty_is_refused() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    guard.backup();
    for (name, sql, found) in [
        ("tables", "CREATE TABLE orders (id int)", "public.orders"),
        ("views", "CREATE VIEW v AS SELECT 1", "public.v"),
        ("sequences", "CREATE SEQUENCE s", "public.s"),
        ("functions", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f"),
        ("enums", "CREATE TYPE e AS ENUM ('a')", "type public.e"),
        ("domains", "CREATE DOMAIN d AS int", "type public.d"),
        ("composites", "CREATE TYPE c AS (a int)", "type public.c"),
        ("schemas", "CREATE SCHEMA s", "schema s"),
        ("blobs", "SELECT lo_create(4242)", "large object 4242"),
    ] {
        server.create_database(name, "");
        server.psql(name, sql);
        let before = server.dump(name).len();
        let error = guard.json(&["restore", "--to", &server.url(name)]).error(2, "target-not-empty");
        assert!(text(&error["message"]).ends_with(&format!("is not empty: it has {found}")), "{error}");
        assert!(text(&error["help"]).contains("--create"), "{error}");
        assert_eq!(server.dump(name).len(), before);
    }
    // An extension is nobody's data, and it may be there before.
    server.create_database("extensions", "");
    server.psql("extensions", "CREATE EXTENSION pg_trgm");
    guard.json(&["restore", "--to", &server.url("extensions")]).yes();
    assert_eq!(server.psql("extensions", "SELECT count(*) FROM orders"), "5000");
}

#[test]
fn a_restore_that_failed_is_not_called_restored() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    guard.backup();
    server.create_database("weak", "");
    server.psql("weak", "CREATE ROLE weak LOGIN");
    let url = server.url("weak").replace("postgres@", "weak@");
    let error = guard.json(&["restore", "--to", &url, "--no-owner"]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("permission denied for schema public"), "{error}");
    // An error after every row is back is an error all the same.
    server.psql("shop", "CREATE INDEX by_note ON orders (note)");
    guard.backup();
    server.create_database("half", "");
    server.psql(
        "half",
        "SET allow_system_table_mods = on;
         CREATE FUNCTION pg_catalog.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''refused at the very end''; END';
         CREATE EVENT TRIGGER refusal ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION pg_catalog.refuse()",
    );
    let error = guard.json(&["restore", "--to", &server.url("half")]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("refused at the very end"), "{error}");
}

#[test]
fn target_is_the_source_refused_however_it_is_spelt() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    guard.backup();
    server.psql("shop", "INSERT INTO orders VALUES (0, 'since the backup')");
    let port = server.port();
    let socket = server.socket_dir().display();
    for url in [
        server.url("shop"),
        format!("postgres://postgres@localhost:{port}/shop"),
        format!("postgres://postgres@/shop?host={socket}&port={port}"),
        format!("host=127.0.0.1 port={port} user=postgres dbname=shop"),
    ] {
        let error = guard.json(&["restore", "--to", &url, "--clean", "--yes"]).error(2, "target-is-source");
        assert!(text(&error["help"]).contains("--over-source"), "{error}");
    }
    let over = ["restore", "--to", &server.url("shop"), "--clean", "--over-source"];
    let error = guard.json(&over).error(2, "usage");
    assert!(text(&error["help"]).contains("--yes"), "nobody is there to be asked: {error}");
    assert_eq!(server.psql("shop", "SELECT count(*) FROM orders"), "5001");
    guard.json(&[&over[..], &["--yes"]].concat()).yes();
    assert_eq!(server.psql("shop", "SELECT count(*) FROM orders"), "5000");
    // The day for which it is all done: the database is gone, and its name is free.
    server.psql("postgres", "DROP DATABASE shop");
    guard.json(&["restore", "--to", &server.url("shop"), "--create"]).yes();
    assert_eq!(server.psql("shop", "SELECT count(*) FROM orders"), "5000");
}

#[test]
fn damage_is_found_before_anything_of_an_existing_database_is_touched() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    let id = guard.backup();
    let dump = guard.folder("shop", &id).join("dump.pgdump.zst");
    let mut bytes = fs::read(&dump).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&dump, bytes).unwrap();
    let over = ["restore", "--to", &server.url("shop"), "--clean", "--over-source", "--yes"];
    guard.json(&over).error(1, "stored-bytes-differ");
    assert_eq!(server.psql("shop", "SELECT count(*) FROM orders"), "5000");
    server.create_database("copy", "");
    guard.json(&["restore", "--to", &server.url("copy")]).error(1, "stored-bytes-differ");
    assert_eq!(server.psql("copy", "SELECT count(*) FROM pg_class WHERE relname = 'orders'"), "0");
    guard.json(&["restore", "--to", &server.url("new"), "--create"]).error(1, "stored-bytes-differ");
    assert_eq!(server.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'new'"), "0");
    // A file that could not be written whole is not there.
    let dir = guard.dir().join("out");
    guard.json(&["restore", "--to", &dir.display().to_string()]).error(1, "stored-bytes-differ");
    assert_eq!(files(&dir), [""; 0]);
}

#[test]
fn roles_are_in_the_backup() {
    let server = shop();
    server.psql(
        "shop",
        "CREATE ROLE shop_owner; CREATE ROLE shop_app LOGIN PASSWORD 'of the app' IN ROLE shop_owner;
         CREATE ROLE reader LOGIN PASSWORD 'of the reader'; GRANT pg_read_all_data TO reader;
         ALTER TABLE orders OWNER TO shop_owner",
    );
    let globals = |guard: &Guard| {
        guard.backup();
        let dir = guard.dir().join("out");
        guard.json(&["restore", "--to", &dir.display().to_string()]).yes();
        fs::read_to_string(dir.join("globals.sql")).unwrap()
    };
    let by_superuser = globals(&Guard::of(&server, "shop"));
    for line in ["CREATE ROLE shop_owner;", "PASSWORD 'SCRAM-SHA-256$", "GRANT shop_owner TO shop_app"] {
        assert!(by_superuser.contains(line), "{line}: {by_superuser}");
    }
    // Where the server keeps its password hashes to itself the roles are backed up without them.
    let reader = Guard::default().with("DATABASE_URL", &server.url("shop").replace("postgres@", "reader@"));
    let by_reader = globals(&reader);
    assert!(by_reader.contains("CREATE ROLE shop_owner;") && !by_reader.contains("PASSWORD '"), "{by_reader}");
}

#[test]
fn verification_does_not_cry_wolf_over_the_public_schema() {
    let server = shop();
    server.psql(
        "shop",
        "CREATE ROLE team; ALTER SCHEMA public OWNER TO team; REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO team; COMMENT ON SCHEMA public IS 'ours';
         ALTER DEFAULT PRIVILEGES FOR ROLE team IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DATABASE shop OWNER TO team; ALTER DATABASE shop SET work_mem = '8MB'; COMMENT ON DATABASE shop IS 'shop'",
    );
    let guard = Guard::of(&server, "shop");
    guard.backup();
    let evidence = guard.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(evidence["verdict"], "proven", "{evidence:#}");
}

#[test]
fn encrypted_backups_are_readable_without_the_host_that_made_them() {
    let server = shop();
    let guard = Guard::of(&server, "shop").encrypted();
    guard.backup();
    let identity = guard.identity_file().display().to_string();
    // A fresh machine: the store and the key, no source, no configuration, no state.
    let fresh = guard.with_copied_store().without("DATABASE_URL").without("GUARD_ENCRYPTION_RECIPIENTS");
    drop(server);
    assert_eq!(fresh.listed().len(), 1);
    assert_eq!(fresh.json(&["verify"]).yes()["verdict"], "ok");
    let evidence = fresh.json(&["restore", "--to", "scratch", "--identity", &identity]).yes();
    assert_eq!(evidence["verdict"], "proven");
    assert_eq!(fresh.json(&["list"]).yes()["backups"][0]["proven"]["verdict"], "proven");
}

const PASSWORD: &str = "p@ss/w%rd'of\"t:he?app";
const ENCODED: &str = "p%40ss%2Fw%25rd'of%22t%3Ahe%3Fapp";

#[test]
fn secrets_do_not_appear_in_ps_logs_or_errors() {
    let server = shop();
    server.psql("shop", format!("CREATE ROLE app LOGIN SUPERUSER PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    let with_password = |database: &str| server.url(database).replace("postgres@", &format!("app:{ENCODED}@"));
    let url = with_password("shop");
    let guard = Guard::default().with("DATABASE_URL", &url).encrypted().with_identity();
    let guard = guard.with_secret(PASSWORD).with_secret(ENCODED).with_secret("p%40ss");

    // While the dump waits for a lock everybody can look at the processes of guard.
    let mut locker = Locker::hold(&server, "shop", "LOCK TABLE orders");
    let running = guard.command(&["backup", "--json", "-vv"]).spawn().unwrap();
    let dumping =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard 2%' AND wait_event_type = 'Lock'";
    wait_until("the dump waits for the lock", || server.psql("postgres", dumping) == "1");
    let commands = command_lines_below(running.id());
    assert!(commands.iter().any(|command| command.contains("pg_dump")), "{commands:?}");
    for command in &commands {
        assert!(
            !command.contains("p@ss") && !command.contains("p%40ss") && !command.contains("AGE-SECRET"),
            "{command}"
        );
    }
    let names = server.psql("postgres", "SELECT string_agg(application_name || query, '') FROM pg_stat_activity");
    assert!(!names.contains("p@ss"), "{names}");
    locker.release();
    let outcome = guard.checked(&running.wait_with_output().unwrap());
    outcome.yes();
    assert!(outcome.stderr.contains("pg_dump"), "-vv logs something that could have held the secret: {outcome}");

    guard.run(&["restore", "--to", "scratch", "-vv"]);
    guard.run(&["restore", "--to", &with_password("copy"), "--create", "-vv"]);
    guard.run(&["show", "-vv"]);
    guard.run(&["config", "show"]);
    guard.run(&["config", "check", "--resolve"]);
    for file in files(&guard.store()) {
        let bytes = fs::read(guard.store().join(&file)).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"p@ss"), "{file}");
        assert!(!bytes.windows(6).any(|window| window == b"p%40ss"), "{file}");
    }

    let owner = guard;
    // Every way in which a connection can fail.
    let closed = url.replace(&format!(":{}/", server.port()), ":1/");
    for bad in [
        closed.as_str(),
        &with_password("nowhere"),
        &url.replace("app:", "nobody:"),
        &url.replace("127.0.0.1", "no.such.host.invalid"),
        &url.replace("127.0.0.1", "[::1"),
        &url.replace("/shop", "/shop?sslmode=verify-full&sslrootcert=/nonexistent"),
        &url.replace("/shop", "/shop?sslmode=sometimes"),
        &url.replace("/shop", "/shop?pgbouncer=true"),
        &url.replace("postgres://", "mysql://"),
        &url.replace("@127", "127"),
        &format!("host=127.0.0.1 password='{}", PASSWORD.replace('\'', "\\'")),
        &format!("host=127.0.0.1 user=app password={ENCODED} nonsense"),
    ] {
        let guard =
            Guard::default().with("DATABASE_URL", bad).with_secret(PASSWORD).with_secret("p%40ss").with_secret("p@ss");
        for args in
            [&["backup", "-vv"][..], &["backup", "--json"], &["config", "check", "--resolve"], &["config", "show"]]
        {
            guard.run(args);
        }
        assert_eq!(guard.run(&["backup"]).code, Some(2), "{bad}");
        let outcome = owner.run(&["restore", "--to", bad]);
        assert_ne!(outcome.code, Some(0));
    }
    // A private key in the place of a public one, and nonsense in the place of a private one.
    let identity = fs::read_to_string(owner.identity_file()).unwrap();
    let key = identity.lines().last().unwrap().to_owned();
    let confused = Guard::of(&server, "shop").with("GUARD_ENCRYPTION_RECIPIENTS", &key).with_secret(&key[16..]);
    assert_eq!(confused.run(&["backup", "-vv"]).code, Some(2));
    let cut = owner.dir().join("cut.txt");
    fs::write(&cut, &key[..key.len() - 3]).unwrap();
    let restore = ["restore", "--to", "scratch", "--identity", &cut.display().to_string(), "-vv"];
    assert_eq!(owner.with_secret(&key[16..40]).run(&restore).code, Some(2));
}

/// The command lines of a process and of everything below it.
fn command_lines_below(root: u32) -> Vec<String> {
    let mut family = BTreeSet::from([root]);
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    while let Some((pid, _)) = parents.iter().find(|(pid, parent)| family.contains(parent) && !family.contains(pid)) {
        family.insert(*pid);
    }
    let command = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).ok();
    family.iter().filter_map(command).map(|line| line.replace('\0', " ")).collect()
}

/// A session that holds a lock until it is told not to.
struct Locker(Child);

impl Locker {
    fn hold(server: &TestPostgres, database: &str, sql: &str) -> Self {
        let mut psql = server.command("psql");
        let hold = format!("BEGIN; {sql}; SELECT pg_sleep(120)");
        psql.args(["-Xq", "-d", database, "-c", &hold]).env("PGAPPNAME", "locker");
        let child = psql.stdout(std::process::Stdio::null()).spawn().unwrap();
        let holding =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'locker' AND wait_event = 'PgSleep'";
        wait_until("the lock is held", || server.psql("postgres", holding) == "1");
        Self(child)
    }

    fn release(&mut self) {
        // psql forwards an interrupt as a cancellation; the transaction ends with the session.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).ok();
        self.0.wait().ok();
    }
}

impl Drop for Locker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn shop() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", SHOP);
    server
}

/// A user of the source `shop`, one of whose client programs is replaced by a script that knows the real one as `$real`.
fn guard_with(server: &TestPostgres, name: &str, body: &str) -> Guard {
    let guard = Guard::default();
    let (programs, url) = (programs(&guard, name, body), server.url("shop"));
    guard.configure(&format!(
        "[store]\nurl = \"./store\"\n[source.shop]\nurl = \"{url}\"\nclient_dir = \"{}\"\n",
        programs.display()
    ));
    guard
}

/// A directory with the client programs, of which one is a script.
fn programs(guard: &Guard, name: &str, body: &str) -> PathBuf {
    let dir = guard.dir().join("programs");
    fs::create_dir(&dir).expect("a directory");
    for program in ["pg_dump", "pg_dumpall", "pg_restore"] {
        let (real, place) = (Version::V15.bin_dir().join(program), dir.join(program));
        if program != name {
            symlink(real, place).expect("a link");
            continue;
        }
        let real = real.display();
        let script = format!("#!/bin/sh\nreal={real}\n[ \"$*\" = --version ] && exec $real --version\n{body}\n");
        write_program(&place, &script);
    }
    dir
}

/// A dump whose end is not told before it is allowed to.
fn dump_and_wait(dumped: &Path, go_on: &Path) -> String {
    let (dumped, go_on) = (dumped.display(), go_on.display());
    format!("$real \"$@\" && touch {dumped}; while [ ! -e {go_on} ]; do sleep 0.02; done")
}

fn wait_for(running: &mut Child, file: &Path) {
    wait_until(&format!("{} appears", file.display()), || {
        assert!(running.try_wait().unwrap().is_none(), "guard ended before {} appeared", file.display());
        file.exists()
    });
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[track_caller]
fn assert_nothing_is_left(guard: &Guard, server: &TestPostgres) {
    assert_eq!(guard.listed(), [""; 0]);
    assert_eq!(files(&guard.store()), ["guard.json"]);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'guard%'";
    wait_until("guard's sessions are gone", || server.psql("postgres", sessions) == "0");
}

/// Every file below a directory, by its path.
fn files(dir: &Path) -> Vec<String> {
    let mut find = Command::new("find");
    find.arg(dir).args(["-ignore_readdir_race", "-type", "f", "-printf", "%P\\n"]);
    let found = String::from_utf8(support::postgres::run(find, b"")).expect("names are text");
    let mut files: Vec<String> = found.lines().filter(|file| !file.starts_with("leases/")).map(str::to_owned).collect();
    files.sort();
    files
}

/// Files that a reader of the store would take for objects of backups: what is hidden is the store's own business.
fn visible(guard: &Guard) -> Vec<String> {
    let hidden = |file: &String| PathBuf::from(file).iter().any(|part| part.to_string_lossy().starts_with('.'));
    files(&guard.store()).into_iter().filter(|file| !hidden(file)).collect()
}
