//! `guard rehearse` from a backup to its answer: what is pending is found in the copy, what ran is on record, nothing is left.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::guard::{Guard, Outcome, text};
use support::postgres::{TestPostgres, Version};
use support::process::{SOON, wait_for};

const SHOP: &str = include_str!("rehearse/shop.sql");

/// A lock that lasts says here that somebody else has the processors.
const REHEARSE: [&str; 4] = ["rehearse", "migrations", "--max-block", "1h"];

/// A shop whose first migration ran, a backup of it, and a set of migrations.
struct Site {
    server: TestPostgres,
    guard: Guard,
    backup: String,
}

impl Site {
    fn open() -> Self {
        let server = TestPostgres::start(Version::V15);
        server.create_database("shop", "");
        server.psql("shop", SHOP);
        server.psql(
            "shop",
            "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
             INSERT INTO schema_migrations VALUES (1, false)",
        );
        let guard = Guard::of(&server, "shop");
        let backup = guard.backup();
        let site = Self { server, guard, backup };
        site.write("1_first", "CREATE TABLE customers (id serial)", None);
        site
    }

    fn write(&self, name: &str, up: &str, down: Option<&str>) {
        let folder = self.guard.dir().join("migrations");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.up.sql")), up).unwrap();
        if let Some(down) = down {
            fs::write(folder.join(format!("{name}.down.sql")), down).unwrap();
        }
    }

    fn rehearse(&self, args: &[&str]) -> Outcome {
        self.guard.json(&[&REHEARSE[..], args].concat())
    }

    fn records(&self) -> Vec<PathBuf> {
        let folder = self.guard.folder("shop", &self.backup).join("rehearsals");
        let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
        entries.unwrap_or_default()
    }
}

fn codes(answer: &Value) -> Vec<String> {
    answer["problems"].as_array().unwrap().iter().map(|problem| text(&problem["code"])).collect()
}

#[test]
fn what_the_copy_s_own_table_does_not_list_is_rehearsed_and_put_on_record() {
    let site = Site::open();
    site.write(
        "2_second",
        "ALTER TABLE customers ADD COLUMN IF NOT EXISTS tier text;",
        Some("ALTER TABLE customers DROP COLUMN IF EXISTS tier;"),
    );
    let before = site.server.psql("shop", "SELECT count(*) FROM information_schema.columns");
    let answer = site.rehearse(&[]).yes();
    assert_eq!((text(&answer["verdict"]).as_str(), text(&answer["backup"])), ("passed", site.backup.clone()));
    let migrations = answer["migrations"].as_array().unwrap();
    assert_eq!(migrations.len(), 1, "the first one has run: {answer:#}");
    assert_eq!(text(&migrations[0]["files"][0]["path"]), "migrations/2_second.up.sql");
    let lock = &migrations[0]["statements"][0]["locks"][0];
    assert_eq!(
        (text(&lock["relation"]).as_str(), text(&lock["mode"]).as_str()),
        ("public.customers", "access-exclusive")
    );
    assert!(migrations[0]["statements"][0]["wal_bytes"].as_u64().unwrap() > 0, "{answer:#}");
    // Production was not touched, and the answer lies beside the backup.
    assert_eq!(site.server.psql("shop", "SELECT count(*) FROM information_schema.columns"), before);
    let [record] = site.records().try_into().unwrap();
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record, answer);
    let told = site.guard.run(&[&REHEARSE[..], &["--no-record"]].concat());
    assert_eq!(told.code, Some(0), "{told}");
    assert!(told.stdout.contains("way back   the same schema and the same data"), "{told}");
    assert_eq!(site.records().len(), 1);
}

#[test]
fn a_loss_is_a_no_until_somebody_signs_for_it_in_the_file() {
    let site = Site::open();
    site.write("2_second", "ALTER TABLE customers DROP COLUMN IF EXISTS phone;", None);
    site.write("3_third", "SELECT 1;", None);
    let answer = site.rehearse(&[]).no();
    assert_eq!((text(&answer["verdict"]).as_str(), codes(&answer)), ("failed", vec!["data-lost".to_owned()]));
    let message = text(&answer["problems"][0]["message"]);
    assert_eq!(message, "500 of 500 values of public.customers.phone are gone");
    assert!(!answer["covered_findings"].as_array().unwrap().is_empty(), "{answer:#}");
    site.rehearse(&["--accept", "data-lost"]).yes();
    let signed = "-- guard:ignore drop-column -- phones moved to the CRM, owner ann, expires 2099-01-01\n\
                  ALTER TABLE customers DROP COLUMN IF EXISTS phone;";
    site.write("2_second", signed, None);
    let answer = site.rehearse(&[]).yes();
    assert_eq!(codes(&answer), ["data-lost"], "it is told all the same");
    assert_eq!(site.rehearse(&["--fail-on", "warning"]).no()["verdict"], "failed");
}

#[test]
fn a_migration_that_fails_on_this_data_is_the_last_one_that_is_tried() {
    let site = Site::open();
    site.write(
        "2_second",
        "ALTER TABLE items ADD COLUMN IF NOT EXISTS a int;\nALTER TABLE items ADD CHECK (quantity < 5);",
        None,
    );
    site.write("3_third", "SELECT 1;", None);
    let answer = site.rehearse(&[]).no();
    assert_eq!(codes(&answer), ["migration-fails"]);
    let outcome = &answer["migrations"][0]["outcome"];
    assert_eq!((text(&outcome["result"]).as_str(), text(&outcome["sqlstate"]).as_str()), ("failed", "23514"));
    assert_eq!((outcome["line"].as_u64(), outcome["column"].as_u64()), (Some(2), Some(1)));
    assert_eq!(text(&answer["not_reached"][0]["path"]), "migrations/3_third.up.sql");
}

#[test]
fn a_kept_copy_is_masked_and_can_be_rehearsed_on_again() {
    let site = Site::open();
    site.write("2_second", "ALTER TABLE customers ADD COLUMN IF NOT EXISTS tier text;", None);
    let scratch = TestPostgres::start_foreign(Version::V15, &[]);
    site.guard.configure(&format!(
        "[source.shop]\nurl = {{ env = \"DATABASE_URL\" }}\n[scratch]\nurl = \"{}\"\n[rehearse.mask]\n\
         \"public.customers.email\" = \"email\"\n\"public.customers.phone\" = \"null\"\n\"public.customers.name\" = \"text:Somebody\"\n",
        scratch.url("postgres")
    ));
    let answer = site.rehearse(&["--keep"]).yes();
    let kept = text(&answer["kept"]["restored"]);
    let database = kept.rsplit('/').next().unwrap().to_owned();
    let migrated = text(&answer["kept"]["migrated"]);
    let seen = "SELECT count(*) FILTER (WHERE email LIKE '%@example.invalid'), count(DISTINCT email), count(phone),
        min(name), max(name) FROM customers";
    for name in [&database, &migrated] {
        assert_eq!(scratch.psql(name, seen), "1000|1000|0|Somebody|Somebody", "{name}");
    }
    assert_eq!(scratch.psql(&migrated, "SELECT count(tier) FROM customers"), "0");
    // The pages of the table hold no old value either.
    let file = scratch.psql(&database, "CHECKPOINT; SELECT pg_relation_filepath('customers')");
    let bytes = fs::read(scratch.socket_dir().join("data").join(file)).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"@example.com"), "an old address is in the file");

    let url = scratch.url(&database);
    let again = site.rehearse(&["--copy", &url]).yes();
    assert_eq!(again["backup"], answer["backup"]);
    let databases = "SELECT count(*) FROM pg_database WHERE datname LIKE 'guard%'";
    assert_eq!(scratch.psql("postgres", databases), "1", "the copy stays, what was made of it goes");
    site.guard.backup();
    site.rehearse(&["--copy", &url]).error(2, "other-copy");
    site.rehearse(&["--copy", &scratch.url("postgres")]).error(2, "other-copy");
}

#[test]
fn a_mask_that_fits_nothing_keeps_no_copy() {
    let site = Site::open();
    site.write("2_second", "SELECT 1;", None);
    let scratch = TestPostgres::start_foreign(Version::V15, &[]);
    site.guard.configure(&format!(
        "[source.shop]\nurl = {{ env = \"DATABASE_URL\" }}\n[scratch]\nurl = \"{}\"\n[rehearse.mask]\n\
         \"public.customers.mail\" = \"null\"\n",
        scratch.url("postgres")
    ));
    let error = site.rehearse(&["--keep"]).error(2, "mask");
    assert!(text(&error["message"]).contains("public.customers.mail"), "{error}");
    let databases = "SELECT count(*) FROM pg_database WHERE datname LIKE 'guard%'";
    assert_eq!(scratch.psql("postgres", databases), "0");
    // Others use this server: a role of it is nothing to try things on.
    site.write("2_second", "CREATE ROLE somebody;", None);
    site.rehearse(&[]).error(2, "server-wide");
    assert_eq!(scratch.psql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody'"), "0");
    assert_eq!(scratch.psql("postgres", databases), "0");
    site.write("2_second", "SELECT 1;", None);
    // Nobody is given a copy without --keep, and nothing is masked.
    site.rehearse(&[]).yes();
}

#[test]
fn what_cannot_be_rehearsed_is_told_with_the_way_out() {
    let site = Site::open();
    let answer = site.guard.run(&["rehearse", "migrations"]);
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stdout.starts_with("nothing to rehearse: shop"), "{answer}");
    assert_eq!(site.records().len(), 0);
    site.guard.json(&["rehearse", "nowhere"]).error(2, "usage");
    site.rehearse(&["--source", "other"]).error(2, "usage");
    site.rehearse(&["--role", "nobody-of-this-name"]).error(2, "rehearse-failed");
}

#[test]
fn what_a_migration_takes_away_is_exported_as_a_backup_that_can_be_proven() {
    let site = Site::open();
    site.write("2_second", "DROP TABLE items;\nALTER TABLE tickets DROP COLUMN state CASCADE;", None);
    let answer = site.rehearse(&["--export"]).no();
    let export = text(&answer["export"]["id"]);
    assert_eq!(answer["export"]["losing"]["tables"], serde_json::json!(["public.items", "public.tickets"]));
    let shown = site.guard.json(&["show", &export, "--source", "shop-undo"]).yes();
    let tables: Vec<&String> = shown["contents"]["tables"].as_object().unwrap().keys().collect();
    assert_eq!(tables, ["public.items", "public.tickets"], "nothing else is in it");
    let note = site.guard.folder("shop-undo", &export).join("notes");
    let note = fs::read_dir(note).unwrap().next().unwrap().unwrap().path();
    let note: Value = serde_json::from_slice(&fs::read(note).unwrap()).unwrap();
    assert_eq!((&note["source"], &note["migrations"][0]), (&"shop".into(), &"migrations/2_second.up.sql".into()));
    // It is proven like any other, and does not stand in the way of the others.
    let proof = site.guard.json(&["restore", "latest", "--source", "shop-undo", "--to", "scratch"]).yes();
    assert_eq!(proof["verdict"], "proven", "{proof:#}");
    assert_eq!(site.guard.json(&["show"]).yes()["source"], "shop");
    // The table is gone, and comes back with its rows.
    site.server.psql("shop", "DROP TABLE items");
    let undo = site.server.url("undo");
    site.guard.json(&["restore", &export, "--source", "shop-undo", "--to", &undo, "--create"]).yes();
    assert_eq!(site.server.psql("undo", "SELECT count(*), sum(quantity) FROM items"), "4000|12000");
    // A second one holds other tables, which is no alarm; and no foreign key to rows that it does not have.
    site.write("2_second", "DELETE FROM orders WHERE status = 'sent';", None);
    let again = site.rehearse(&["--export"]).no();
    assert_eq!(again["export"]["losing"]["tables"], serde_json::json!(["public.orders"]));
    let proof = site.guard.json(&["restore", "latest", "--source", "shop-undo", "--to", "scratch"]).yes();
    assert_eq!(proof["verdict"], "proven", "{proof:#}");
    let alarm = site.guard.json(&["show", "latest", "--source", "shop-undo"]).yes();
    assert_eq!(alarm.get("alarm").filter(|alarm| !alarm.is_null()), None);
}

#[test]
fn an_interrupted_rehearsal_leaves_nothing_on_a_server_of_others() {
    let site = Site::open();
    site.write("2_second", "SELECT pg_sleep(300);", None);
    let scratch = TestPostgres::start_foreign(Version::V15, &[]);
    site.guard.configure(&format!(
        "[source.shop]\nurl = {{ env = \"DATABASE_URL\" }}\n[scratch]\nurl = \"{}\"\n",
        scratch.url("postgres")
    ));
    let running = site.guard.command(&["rehearse", "migrations", "--json"]).spawn().unwrap();
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(300)%' AND state = 'active'";
    wait_for("the migration runs", SOON * 4, || (scratch.psql("postgres", sleeps) == "1").then_some(()));
    kill(Pid::from_raw(running.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let outcome = site.guard.checked(&running.wait_with_output().unwrap());
    outcome.error(130, "interrupted");
    let databases = "SELECT count(*) FROM pg_database WHERE datname LIKE 'guard%'";
    assert_eq!(scratch.psql("postgres", databases), "0", "{outcome}");
    assert_eq!(site.records().len(), 0);
}
