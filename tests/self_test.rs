//! `guard verify --self-test`: damage made on purpose is found, damage that is there by itself is told apart, nothing changes.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};
use support::redis::TestRedis;

fn shop() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql(
        "shop",
        "CREATE TABLE customers (id serial PRIMARY KEY, name text); INSERT INTO customers (name) SELECT i FROM generate_series(1, 50) i;
         CREATE TABLE \"Orders\" (id int PRIMARY KEY, customer int REFERENCES customers); INSERT INTO \"Orders\" SELECT i, i FROM generate_series(1, 50) i;",
    );
    server
}

/// Every file of the store with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn cases(answer: &Value) -> Vec<(String, Option<bool>)> {
    let cases = answer["self_test"][0]["cases"].as_array().unwrap();
    cases.iter().map(|case| (text(&case["damage"]), case["ok"].as_bool())).collect()
}

#[test]
fn every_damage_to_a_copy_is_found_and_the_store_stays_as_it_is() {
    let server = shop();
    let guard = Guard::of(&server, "shop").encrypted().with_identity();
    guard.backup();
    let before = files(&guard.store());
    let answer = guard.json(&["verify", "--self-test"]).yes();
    let cases = cases(&answer);
    assert!(cases.iter().all(|(_, ok)| *ok == Some(true)), "{answer:#}");
    let has = |what: &str| cases.iter().any(|(damage, _)| damage.contains(what));
    for what in [
        "one bit flipped",
        "missing",
        "another object in its place",
        "manifest: one bit flipped",
        "a key that is not one of the recipients'",
        "a table too many",
        "a row of public.\"Orders\" removed",
        "the table public.customers removed",
        "the sequence public.customers_id_seq moved",
    ] {
        assert!(has(what), "{what}: {answer:#}");
    }
    assert_eq!(files(&guard.store()), before);
    assert!(guard.run(&["verify", "--self-test"]).stdout.contains(" 0 missed, 0 skipped"));
}

#[test]
fn without_a_key_the_stored_bytes_are_tested_and_the_rest_is_skipped() {
    let server = shop();
    let guard = Guard::of(&server, "shop").encrypted();
    guard.backup();
    let answer = guard.json(&["verify", "--self-test"]).yes();
    let cases = cases(&answer);
    assert!(cases.iter().filter(|(_, ok)| *ok == Some(true)).count() >= 10, "{answer:#}");
    assert!(cases.iter().filter(|(_, ok)| ok.is_none()).count() >= 3, "{answer:#}");
}

#[test]
fn a_backup_that_is_damaged_by_itself_is_told_as_such() {
    let server = shop();
    let guard = Guard::of(&server, "shop");
    let id = guard.backup();
    let object = fs::read_dir(guard.folder("shop", &id)).unwrap().map(|entry| entry.unwrap().path());
    for path in object.filter(|path| path.extension().is_some_and(|it| it == "zst")) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let error = guard.json(&["verify", "--self-test"]).error(1, "damaged");
    assert!(text(&error["message"]).contains("is damaged by itself: stored-bytes-differ"), "{error}");
    Guard::of(&server, "shop").json(&["verify", "--self-test"]).error(2, "not-a-repository");
}

#[test]
fn a_key_too_many_is_found_in_a_keyspace() {
    let server = TestRedis::start();
    server.connect().words("SET greeting hello");
    let guard = Guard::configured(&format!(
        "[source.cache]\nkind = \"redis\"\nurl = \"unix://{}\"\n",
        server.socket().display()
    ));
    guard.backup();
    let answer = guard.json(&["verify", "--self-test"]).yes();
    assert!(cases(&answer).contains(&("a key too many".to_owned(), Some(true))), "{answer:#}");
}
