//! Whole round trips through the real binary: what was backed up comes back exactly, wherever it is restored to.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use guard::contents::{Contents, Difference, differences};
use guard::source::postgres::archive::{ArchiveOptions, ArchiveReader};
use serde_json::Value;
use support::everything;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version, run};

#[test]
fn everything_is_proven_and_comes_back_into_a_new_database_on_15() {
    everything_comes_back(Version::V15);
}

#[test]
fn everything_is_proven_and_comes_back_into_a_new_database_on_18() {
    everything_comes_back(Version::V18);
}

fn everything_comes_back(version: Version) {
    let server = TestPostgres::start(version);
    everything::load(&server, "everything");
    let guard = Guard::of(&server, "everything").with_programs_of(version);
    guard.backup();
    // The throw-away cluster has none of the owners; the proof must not cry wolf over that.
    let evidence = guard.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(evidence["verdict"], "proven", "{evidence:#}");
    let rungs: Vec<_> = evidence["rungs"].as_array().unwrap().iter().map(|rung| text(&rung["name"])).collect();
    let names = ["stored-bytes", "table-of-contents", "restore", "contents", "structure", "freshness"];
    assert_eq!(rungs, names);

    let target = server.url("copy");
    guard.json(&["restore", "--to", &target]).error(2, "restore-failed");
    guard.json(&["restore", "--to", &target, "--create", "--jobs", "2"]).yes();
    assert_eq!(changes(&server.dump("everything"), &server.dump("copy")), []);
    // What was just restored is in the way of another restore, and is left alone.
    guard.json(&["restore", "--to", &target, "--create"]).error(2, "target-not-empty");
    guard.json(&["restore", "--to", &target, "--clean"]).error(2, "usage");
    assert_eq!(changes(&server.dump("everything"), &server.dump("copy")), []);
}

/// Workers of one pg_restore grant in any order; a grant by a role that needs another grant first then fails.
#[test]
fn grants_that_need_grants_come_back_with_parallel_workers() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql(
        "shop",
        "CREATE ROLE lead; CREATE ROLE team; CREATE ROLE views; CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO lead, views;
         DO $$ BEGIN FOR n IN 1..40 LOOP
            EXECUTE format('CREATE TABLE app.t%s (a int)', n);
            EXECUTE format('GRANT SELECT ON app.t%s TO lead WITH GRANT OPTION', n);
            SET LOCAL ROLE lead; EXECUTE format('GRANT SELECT ON app.t%s TO team, views', n); RESET ROLE;
         END LOOP; END $$;
         CREATE MATERIALIZED VIEW app.counted AS SELECT count(*) FROM app.t1; ALTER MATERIALIZED VIEW app.counted OWNER TO views;
         CREATE FUNCTION app.noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''a trigger of the source''; END';
         CREATE EVENT TRIGGER noted ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION app.noted()",
    );
    let guard = Guard::of(&server, "shop");
    guard.backup();
    guard.json(&["restore", "--to", &server.url("copy"), "--create", "--jobs", "8"]).yes();
    assert_eq!(changes(&server.dump("shop"), &server.dump("copy")), []);
    let evidence = guard.json(&["restore", "--to", "scratch", "--jobs", "8"]).yes();
    assert_eq!(evidence["verdict"], "proven", "{evidence:#}");
}

#[test]
fn restore_md_is_followed_to_the_letter_without_guard() {
    for prepare in [|guard| guard, Guard::encrypted] {
        let (source, target) = (TestPostgres::start(Version::V15), TestPostgres::start(Version::V15));
        everything::load(&source, "everything");
        let guard = prepare(Guard::of(&source, "everything"));
        let id = guard.backup();
        let folder = guard.folder("everything", &id);
        if guard.identity_file().exists() {
            fs::copy(guard.identity_file(), folder.join("key.txt")).unwrap();
        }
        follow(&folder, &target);
        assert_eq!(changes(&source.dump("everything"), &target.dump("restored")), []);
    }
}

#[test]
fn restore_md_knows_the_encoding_of_the_database() {
    let (source, target) = (TestPostgres::start(Version::V15), TestPostgres::start(Version::V15));
    source.create_database("latin", "ENCODING 'LATIN1' LOCALE 'C'");
    source.psql("latin", "SET client_encoding = 'UTF8'; CREATE TABLE t (name text); INSERT INTO t VALUES ('ÿ')");
    let guard = Guard::of(&source, "latin");
    let id = guard.backup();
    follow(&guard.folder("latin", &id), &target);
    assert_eq!(target.psql("restored", "SHOW server_encoding"), "LATIN1");
    assert_eq!(changes(&source.dump("latin"), &target.dump("restored")), []);
}

/// Runs every shell block of the note in a shell that knows only the programs that the note names.
fn follow(folder: &Path, target: &TestPostgres) {
    let note = fs::read_to_string(folder.join("RESTORE.md")).unwrap();
    let blocks: Vec<&str> = note.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3, "{note}");
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    for program in ["sh", "cat", "sha256sum", "zstd", "age"] {
        let found = ["/usr/bin", "/bin"].iter().map(|dir| Path::new(dir).join(program)).find(|path| path.exists());
        symlink(found.unwrap_or_else(|| panic!("this test needs {program}: run scripts/setup")), bin.join(program))
            .unwrap();
    }
    let client = Version::V15.bin_dir();
    for program in ["psql", "createdb", "pg_restore"] {
        symlink(client.join(program), bin.join(program)).unwrap();
    }
    let mut shell = Command::new(bin.join("sh"));
    shell.args(["-eu", "-c", &blocks.concat()]).current_dir(folder).env_clear().env("PATH", &bin);
    shell.env("PGHOST", target.socket_dir()).env("PGPORT", target.port().to_string()).env("PGUSER", "postgres");
    run(shell, b"");
}

#[test]
fn every_database_of_a_server_comes_back_whatever_its_encoding_or_emptiness() {
    let (server, scratch) = (TestPostgres::start(Version::V15), TestPostgres::start_foreign(Version::V15, &[]));
    server.create_database("latin", "ENCODING 'LATIN1' LOCALE 'C'");
    server.psql(
        "latin",
        "SET client_encoding = 'UTF8'; CREATE TABLE \"Größe\" (\"ß\" text); INSERT INTO \"Größe\" VALUES ('ÿ')",
    );
    server.create_database("ascii", "ENCODING 'SQL_ASCII' LOCALE 'C'");
    server.psql("ascii", b"CREATE TABLE \"\xff\" (\"\xe9\" text); INSERT INTO \"\xff\" VALUES ('\x80\\'), ('\xc3')");
    server.create_database("empty", "");
    server.create_database("no_public", "");
    server.psql("no_public", "DROP SCHEMA public");
    server.create_database("no_rows", "");
    server.psql("no_rows", "CREATE TABLE t (id serial PRIMARY KEY, a text); CREATE TABLE nothing ()");
    server.create_database("nulls", "");
    server.psql(
        "nulls",
        "CREATE TABLE n (a int, b text, c bytea); INSERT INTO n SELECT FROM generate_series(1, 1000000)",
    );
    server.create_database("\"Odd näme\"", "");
    server.create_database("skipped", "");
    server.create_database("skipped_too", "");
    let toml = format!(
        "[store]\nurl = \"./store\"\n[source.main]\nurl = \"{}\"\ndatabases = [\"*\"]\n\
         exclude_databases = [\"skipped*\", \"postgres\"]\n[scratch]\nurl = \"{}\"\n",
        server.url("postgres"),
        scratch.url("postgres")
    );
    let guard = Guard::configured(&toml);
    let answer = guard.json(&["backup"]).yes();
    let backups: Vec<(String, u64, u64)> = answer["backups"].as_array().unwrap().iter().map(size).collect();
    let expected = [
        ("main.Odd-n-me", 0, 0),
        ("main.ascii", 1, 2),
        ("main.empty", 0, 0),
        ("main.latin", 1, 1),
        ("main.no_public", 0, 0),
        ("main.no_rows", 2, 0),
        ("main.nulls", 1, 1_000_000),
    ];
    assert_eq!(backups, expected.map(|(name, tables, rows)| (name.to_owned(), tables, rows)));
    for (source, ..) in &backups {
        let evidence = guard.json(&["restore", "--to", "scratch", "--source", source]).yes();
        assert_eq!(evidence["verdict"], "proven", "{source}: {evidence:#}");
    }
    guard.json(&["restore", "--to", "scratch"]).error(2, "usage");
    let one = guard.json(&["backup", "main.latin"]).yes();
    assert_eq!(one["backups"].as_array().unwrap().len(), 1);
    assert_eq!(guard.json(&["verify"]).yes()["verdict"], "ok");
}

#[test]
fn a_selection_of_tables_and_schemas_is_backed_up_and_proven_as_that() {
    let (server, scratch) = (TestPostgres::start(Version::V15), TestPostgres::start_foreign(Version::V15, &[]));
    server.create_database("shop", "");
    server.psql(
        "shop",
        "CREATE SCHEMA app; CREATE SCHEMA audit;
         CREATE TABLE app.orders (id serial PRIMARY KEY); INSERT INTO app.orders SELECT FROM generate_series(1, 10);
         CREATE TABLE app.cache (a int); CREATE TABLE audit.log (a int); CREATE TABLE public.users (id int PRIMARY KEY)",
    );
    for (selection, expected) in [
        ("schemas = [\"app\"]", "app.cache app.orders"),
        ("exclude_schemas = [\"a*\"]", "public.users"),
        ("tables = [\"app.*\", \"public.users\"]", "app.cache app.orders public.users"),
        ("exclude_tables = [\"app.cache\"]", "app.orders audit.log public.users"),
        ("exclude_tables = [\"cache\"]", "app.orders audit.log public.users"),
        ("schemas = [\"app\"]\nexclude_tables = [\"app.cache\"]", "app.orders"),
    ] {
        let toml = format!(
            "[store]\nurl = \"./store\"\n[source.shop]\nurl = \"{}\"\n{selection}\n[scratch]\nurl = \"{}\"\n",
            server.url("shop"),
            scratch.url("postgres")
        );
        let guard = Guard::configured(&toml);
        guard.backup();
        let refused = ["restore", "--to", "source", "--replace", "--over-source", "--yes"];
        guard.json(&refused).error(2, "only-a-part");
        let manifest = guard.json(&["show"]).yes();
        let tables: Vec<&str> =
            manifest["contents"]["tables"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(tables.join(" "), expected, "{selection}");
        let evidence = guard.json(&["restore", "--to", "scratch"]);
        assert_eq!(evidence.yes()["verdict"], "proven", "{selection}");
    }
    // A selection that matches nothing is a mistake, not an empty backup.
    let toml =
        format!("[store]\nurl = \"./store\"\n[source.shop]\nurl = \"{}\"\ntables = [\"nope\"]\n", server.url("shop"));
    let guard = Guard::configured(&toml);
    guard.json(&["backup"]).error(2, "source-failed");
    assert_eq!(guard.listed(), [""; 0]);
}

#[test]
fn chosen_tables_come_back_with_what_belongs_to_them_and_nothing_else_does() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql(
        "shop",
        "CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1), (2);
         CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers, note text DEFAULT 'none');
         CREATE INDEX by_customer ON orders (customer); COMMENT ON TABLE orders IS 'what was bought';
         INSERT INTO orders (customer) VALUES (1), (1), (2); CREATE VIEW bought AS SELECT * FROM orders;
         CREATE SCHEMA \"Odd one\"; CREATE TABLE \"Odd one\".\"T.t\" (a int); INSERT INTO \"Odd one\".\"T.t\" VALUES (7)",
    );
    let guard = Guard::of(&server, "shop");
    guard.backup();
    let tables = |database: &str| {
        server.psql(
            database,
            "SELECT string_agg(format('%I.%I', schemaname, tablename), ' ' ORDER BY tablename) FROM
             (SELECT schemaname, tablename FROM pg_tables UNION SELECT schemaname, viewname FROM pg_views) t (schemaname, tablename)
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
    };
    // The accident that this is for: one table is damaged, the rest of the database lives on.
    server.psql("shop", "DROP TABLE orders CASCADE");
    let url = server.url("shop");
    guard.json(&["restore", "--to", &url, "--table", "public.orders"]).error(2, "target-is-source");
    let copy = server.url("copy");
    guard.json(&["restore", "--to", &copy, "--create", "--table", "orders", "--table", "customers"]).yes();
    assert_eq!(tables("copy"), "public.customers public.orders");
    let state = "SELECT (SELECT count(*) FROM orders), nextval('orders_id_seq'), obj_description('orders'::regclass),
        (SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'), (SELECT count(*) FROM pg_constraint WHERE contype = 'f')";
    assert_eq!(server.psql("copy", state), "3|4|what was bought|2|1");

    let odd = server.url("odd");
    guard.json(&["restore", "--to", &odd, "--create", "--table", "\"Odd one\".\"T.t\""]).yes();
    assert_eq!(server.psql("odd", "SELECT a FROM \"Odd one\".\"T.t\""), "7");
    guard.json(&["restore", "--to", &odd, "--create", "--clean", "--yes", "--table", "public.nope"]).error(2, "usage");
}

#[test]
fn a_target_without_the_roles_is_told_which_and_what_to_do() {
    let (source, target) = (TestPostgres::start(Version::V15), TestPostgres::start_foreign(Version::V15, &[]));
    source.create_database("shop", "");
    source.psql(
        "shop",
        "CREATE ROLE shop_owner; CREATE ROLE \"Odd role\"; CREATE TABLE t (a int); ALTER TABLE t OWNER TO shop_owner;
         INSERT INTO t VALUES (1); GRANT SELECT ON t TO \"Odd role\"",
    );
    let guard = Guard::of(&source, "shop");
    guard.backup();
    let url = target.url("shop");
    let error = guard.json(&["restore", "--to", &url, "--create"]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("lacks the roles Odd role, shop_owner"), "{error}");
    assert!(text(&error["help"]).contains("--no-owner"), "{error}");
    assert_eq!(
        target.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop'"),
        "0",
        "nothing was begun"
    );
    guard.json(&["restore", "--to", &url, "--create", "--no-owner"]).yes();
    assert_eq!(target.psql("shop", "SELECT a FROM t"), "1");

    // With the roles of the backup's own globals the owners come back as well.
    let dir = guard.dir().join("files").display().to_string();
    guard.json(&["restore", "--to", &dir]).yes();
    target.psql("postgres", fs::read(Path::new(&dir).join("globals.sql")).unwrap().replace_role_postgres());
    guard.json(&["restore", "--to", &target.url("second"), "--create"]).yes();
    assert_eq!(changes(&source.dump("shop"), &target.dump("second")), []);
}

/// The superuser exists on every test server; psql stops at the first error here, unlike in RESTORE.md.
trait WithoutPostgres {
    fn replace_role_postgres(self) -> Vec<u8>;
}

impl WithoutPostgres for Vec<u8> {
    fn replace_role_postgres(self) -> Vec<u8> {
        String::from_utf8(self).expect("globals are text").replace("CREATE ROLE postgres;", "").into_bytes()
    }
}

#[test]
fn an_extension_that_the_scratch_lacks_is_named_with_its_package() {
    let extensions = tempfile::tempdir().unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(extensions.path(), everybody).unwrap();
    let dir = extensions.path().join("extension");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("vector.control"), "default_version = '1.0'\nrelocatable = true\n").unwrap();
    fs::write(dir.join("vector--1.0.sql"), "CREATE DOMAIN vector AS float8[];\n").unwrap();
    // From PostgreSQL 18 on a server can be told where else its extensions lie.
    let path = format!("extension_control_path={}:$system", extensions.path().display());
    let source = TestPostgres::start_with(Version::V18, &[&path]);
    source.create_database("shop", "");
    source.psql("shop", "CREATE EXTENSION vector; CREATE TABLE t (v vector); INSERT INTO t VALUES ('{1,2}')");
    let guard = Guard::of(&source, "shop").with_programs_of(Version::V18);
    guard.backup();
    let lacking = |outcome: &support::guard::Outcome, code: &str| {
        let error = outcome.error(2, code);
        assert!(text(&error["message"]).contains("lacks the extensions vector"), "{error}");
        assert!(text(&error["help"]).contains("postgresql-18-pgvector"), "{error}");
    };
    lacking(&guard.json(&["restore", "--to", "scratch"]), "scratch-failed");
    let elsewhere = TestPostgres::start(Version::V18);
    lacking(&guard.json(&["restore", "--to", &elsewhere.url("copy"), "--create"]), "restore-failed");
    assert_eq!(guard.json(&["list"]).yes()["backups"][0]["proven"], Value::Null, "the backup is not to blame");
    // Where the extension is available the proof goes through.
    let equipped = TestPostgres::start_foreign(Version::V18, &[&path]);
    let guard = guard.with("GUARD_SCRATCH_URL", &equipped.url("postgres"));
    assert_eq!(guard.json(&["restore", "--to", "scratch"]).yes()["verdict"], "proven");
}

#[test]
fn versions_that_do_not_fit_are_refused_and_those_that_do_go_through() {
    let (old, new) = (TestPostgres::start(Version::V15), TestPostgres::start(Version::V18));
    for server in [&old, &new] {
        server.create_database("shop", "");
        server.psql("shop", "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)");
    }
    // Only the programs of an older version at hand.
    let toml = format!(
        "[store]\nurl = \"./store\"\n[source.shop]\nurl = \"{}\"\nclient_dir = \"{}\"\n",
        new.url("shop"),
        Version::V15.bin_dir().display()
    );
    let error = Guard::configured(&toml).json(&["backup"]).error(2, "source-failed");
    assert!(text(&error["help"]).contains("postgresql-client-18"), "{error}");

    let old_guard = Guard::of(&old, "shop").with_programs_of(Version::V18);
    old_guard.backup();
    let tools = old_guard.json(&["show"]).yes()["tools"].clone();
    assert!(text(&tools[0]["version"]).starts_with("15."), "both are at hand, the server's own is used: {tools}");
    old_guard.json(&["restore", "--to", &new.url("from_old"), "--create"]).yes();
    assert_eq!(new.psql("from_old", "SELECT count(*), sum(a) FROM t"), "100|5050");

    let new_guard = Guard::of(&new, "shop").with_programs_of(Version::V18);
    new_guard.backup();
    let error = new_guard.json(&["restore", "--to", &old.url("from_new"), "--create"]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("an older server cannot take it"), "{error}");
    assert!(text(&error["help"]).contains("PostgreSQL 18"), "{error}");
    assert_eq!(old.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'from_new'"), "0");
}

#[test]
fn a_read_replica_is_a_source_like_its_primary() {
    let primary = TestPostgres::start(Version::V15);
    primary.create_database("shop", "");
    primary.psql(
        "shop",
        "CREATE TABLE t (id serial PRIMARY KEY, a text); INSERT INTO t (a) SELECT 'row ' || g FROM generate_series(1, 500) g;
         CREATE UNLOGGED TABLE cache (a int); INSERT INTO cache VALUES (1)",
    );
    let replica = primary.start_replica();
    assert_eq!(replica.psql("shop", "SELECT pg_is_in_recovery()"), "t");
    let guard = Guard::of(&replica, "shop");
    guard.backup();
    let facts = guard.json(&["show"]).yes()["facts"].clone();
    assert_eq!(facts["replica"], true);
    assert_eq!(facts["system_identifier"].as_str(), Some(&*primary.psql("shop", SYSTEM_IDENTIFIER)));
    assert_eq!(guard.json(&["restore", "--to", "scratch"]).yes()["verdict"], "proven");
    // The primary is the same database.
    let restore = ["restore", "--to", &primary.url("shop"), "--clean", "--yes"];
    guard.json(&restore).error(2, "target-is-source");
}

#[test]
fn a_scratch_server_is_used_for_one_database_and_never_the_sources_own() {
    let (source, scratch) = (TestPostgres::start(Version::V15), TestPostgres::start_foreign(Version::V15, &[]));
    for server in [&source, &scratch] {
        server.create_database("shop", "");
        server.psql("shop", "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)");
    }
    let guard = Guard::of(&source, "shop").with("GUARD_SCRATCH_URL", &scratch.url("postgres"));
    let id = guard.backup();
    let evidence = guard.json(&["restore", "--to", "scratch"]).yes();
    assert_eq!(evidence["verdict"], "proven");
    assert!(text(&evidence["scratch"]).starts_with("guard_scratch_"), "{evidence}");
    let databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
    assert_eq!(scratch.psql("postgres", databases), "postgres shop", "the scratch database is gone, others stay");

    let kept = guard.json(&["restore", "--to", "scratch", "--keep"]).yes();
    assert_eq!(kept["verdict"], "proven");
    let name = format!("guard_scratch_{}", id.to_lowercase().replace('-', "_"));
    assert_eq!(scratch.psql(&name, "SELECT count(*) FROM t"), "100");

    let guard = guard.with("GUARD_SCRATCH_URL", &source.url("postgres"));
    let error = guard.json(&["restore", "--to", "scratch"]).error(2, "scratch-failed");
    assert!(text(&error["message"]).contains("the very server that shop is backed up from"), "{error}");
    assert_eq!(source.psql("postgres", databases), "postgres shop");
}

#[test]
fn restored_files_are_the_dump_as_pg_dump_wrote_it() {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)");
    let guard = Guard::of(&server, "shop").encrypted();
    guard.backup();
    let dir = guard.dir().join("out");
    let to = dir.display().to_string();
    guard.json(&["restore", "--to", &to]).error(2, "identity-needed");
    let identity = guard.identity_file().display().to_string();
    let answer = guard.json(&["restore", "--to", &to, "--identity", &identity]).yes();
    assert_eq!(answer["files"].as_array().unwrap().len(), 3, "{answer}");
    server.create_database("copy", "");
    server.restore("copy", &fs::read(dir.join("dump.pgdump")).unwrap());
    assert_eq!(changes(&server.dump("shop"), &server.dump("copy")), []);
    let error = guard.json(&["restore", "--to", &to, "--identity", &identity]).error(2, "restore-failed");
    assert!(text(&error["message"]).contains("is not an empty directory"), "{error}");
}

const SYSTEM_IDENTIFIER: &str = "SELECT system_identifier FROM pg_control_system()";

fn size(backup: &Value) -> (String, u64, u64) {
    (
        text(&backup["source"]),
        backup["tables"].as_u64().unwrap_or_default(),
        backup["rows"].as_u64().unwrap_or_default(),
    )
}

/// Everything in which the second dump is not the first, by guard's own record, which its own tests hold.
fn changes(first: &[u8], second: &[u8]) -> Vec<Difference> {
    let first = record(first, &Contents::default());
    assert!(!first.schema.is_empty());
    differences(&first, &record(second, &first))
}

fn record(archive: &[u8], earlier: &Contents) -> Contents {
    let mut reader = ArchiveReader::new(ArchiveOptions::comparable_with(earlier));
    reader.feed(archive).expect("a sound archive");
    reader.finish().expect("a whole archive").contents
}
