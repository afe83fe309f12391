//! The data-loss alarm on real servers: what is missing is told, frozen in, and let go by an explicit word alone.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

#[path = "daemon/site.rs"]
mod site;

use serde_json::{Value, json};
use site::Site;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};
use support::receiver::HttpReceiver;
use support::redis::TestRedis;

const SHOP: &str = "
    CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 1000) i;
    CREATE TABLE audit AS SELECT i AS id FROM generate_series(1, 20) i;
    CREATE TABLE session AS SELECT i AS id FROM generate_series(1, 500) i;
    CREATE TABLE rates AS SELECT i AS id FROM generate_series(1, 5) i;";

fn shop() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    server.create_database("shop", "");
    server.psql("shop", SHOP);
    server
}

/// A user with rules for single tables, who keeps one backup.
fn user(server: &TestPostgres) -> Guard {
    let guard = Guard::configured(&format!(
        "[source.shop]\nurl = \"{}\"\n[source.shop.alarm]\nshrink = \"30%\"\ntables = [\"public.audit 0%\", \"*.session off\"]\n",
        server.url("shop")
    ));
    let dir = guard.dir().join("schedules");
    std::fs::create_dir_all(&dir).unwrap();
    let schedule = "sources = [\"*\"]\ntimezone = \"UTC\"\nbackup = \"0 0 * * *\"\n[retention]\nlast = 1\n";
    std::fs::write(dir.join("plan.toml"), schedule).unwrap();
    guard
}

/// The losses of a backup that was just taken, as code and object.
fn losses(answer: &Value) -> Vec<(String, String)> {
    let losses = answer["backups"][0]["alarm"]["losses"].as_array().cloned().unwrap_or_default();
    losses.iter().map(|loss| (text(&loss["code"]), text(&loss["object"]))).collect()
}

fn named(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(code, object)| ((*code).to_owned(), (*object).to_owned())).collect()
}

#[test]
fn each_way_to_lose_data_is_told_and_what_is_allowed_is_not() {
    let server = shop();
    let guard = user(&server);
    let check = |sql: &str, expected: &[(&str, &str)]| {
        server.psql("shop", sql);
        assert_eq!(losses(&guard.json(&["backup"]).yes()), named(expected), "{sql}");
    };
    check("", &[]);
    check("INSERT INTO orders SELECT i, 'x' FROM generate_series(1001, 1100) i", &[]);
    check("DELETE FROM orders WHERE id > 900", &[]);
    check("TRUNCATE session", &[]);
    check("ALTER TABLE rates RENAME TO fees", &[]);
    check("DELETE FROM audit WHERE id = 7", &[("rows-shrunk", "table public.audit")]);
    check("DELETE FROM orders WHERE id > 500", &[("rows-shrunk", "table public.orders")]);
    check("UPDATE orders SET note = ''", &[("bytes-shrunk", "table public.orders")]);
    check("DROP TABLE fees; DROP TABLE session", &[("vanished", "table public.fees")]);
    check("", &[]);
}

#[test]
fn an_alarm_freezes_retention_until_it_is_released() {
    let server = shop();
    let guard = user(&server);
    let first = guard.backup();
    server.psql("shop", "TRUNCATE orders");
    let told = guard.run(&["backup"]);
    assert_eq!(told.code, Some(0), "the backup was taken: {told}");
    assert!(told.stdout.contains("shop: ALARM: table public.orders: 0 rows, 1000 in the backup before"), "{told}");
    let alarmed = guard.listed().into_iter().find(|id| *id != first).unwrap();
    assert!(told.stdout.contains(&format!("guard release {alarmed}")), "{told}");
    // A further backup is no smaller than the one before it; the alarm is still open.
    let newest = guard.backup();

    let status = guard.json(&["status"]).no();
    let finding = &status["sources"][0]["findings"][0];
    assert_eq!(finding["code"], "data-loss", "{status}");
    assert!(text(&finding["message"]).contains("table public.orders: 0 rows"), "{finding}");
    assert!(text(&status["sources"][0]["retention"]["frozen"]).contains(&alarmed), "{status}");
    assert!(guard.run(&["list"]).stdout.contains("ALARM"));
    assert_eq!(guard.json(&["show", &alarmed]).yes()["alarm"]["against"], first.as_str());
    assert!(guard.run(&["show", &alarmed]).stdout.contains("alarm       open"));
    let kept = guard.json(&["prune", "--confirm"]).yes();
    assert_eq!(kept["removed_backups"], json!([]), "{kept}");
    let why = text(&kept["decisions"][0]["reasons"][0]);
    assert!(why.contains("the data-loss alarm of") && why.contains(&alarmed), "{why}");

    // Only what has an alarm can be released.
    let refused = guard.json(&["release", &first]).error(2, "usage");
    assert!(text(&refused["message"]).contains("raised no alarm"), "{refused}");
    let released = guard.json(&["release", &alarmed, "--reason", "archived on purpose"]).yes();
    assert_eq!(released["released"], json!([alarmed]));
    assert_eq!(guard.json(&["status"]).yes()["sources"][0]["retention"]["frozen"], Value::Null);
    assert!(guard.run(&["show", &alarmed]).stdout.contains("alarm       released"));
    let pruned = guard.json(&["prune", "--confirm"]).yes();
    assert_eq!(pruned["removed_backups"], json!([first, alarmed]));
    assert_eq!(guard.listed(), [newest]);
}

#[test]
fn what_is_left_out_by_now_has_not_vanished() {
    let server = shop();
    let guard = user(&server);
    guard.backup();
    guard
        .configure(&format!("[source.shop]\nurl = \"{}\"\nexclude_tables = [\"public.orders\"]\n", server.url("shop")));
    assert_eq!(losses(&guard.json(&["backup"]).yes()), []);
    // Another database under the same name is the worst loss of all.
    server.create_database("empty", "");
    server.psql("empty", "CREATE TABLE orders (id int)");
    guard.configure(&format!(
        "[source.shop]\nurl = \"{}\"\nexclude_tables = [\"public.orders\"]\n",
        server.url("empty")
    ));
    let objects: Vec<String> = losses(&guard.json(&["backup"]).yes()).into_iter().map(|(_, object)| object).collect();
    assert_eq!(objects, ["table public.audit", "table public.rates", "table public.session"]);
}

#[test]
fn keys_that_never_expire_are_missed() {
    let server = TestRedis::start();
    let mut connection = server.connect();
    let set = |idx: u32| [b"SET".to_vec(), format!("k{idx}").into_bytes(), b"value".to_vec()].to_vec();
    connection.pipeline((0..300).map(set));
    let guard = Guard::configured(&format!(
        "[source.cache]\nkind = \"redis\"\nurl = \"unix://{}\"\n",
        server.socket().display()
    ));
    guard.backup();
    connection.pipeline((0..200).map(|idx| [b"DEL".to_vec(), format!("k{idx}").into_bytes()].to_vec()));
    let answer = guard.json(&["backup"]).yes();
    assert_eq!(losses(&answer), named(&[("rows-shrunk", "db0 string keys")]), "{answer}");
}

#[test]
fn a_wrong_rule_is_told_with_its_place() {
    let guard = Guard::configured(
        "[source.shop]\nurl = \"postgres://db/shop\"\n[source.shop.alarm]\nshrink = \"half\"\ntables = [\"public.audit\"]\n",
    );
    let error = guard.json(&["config", "check"]).error(2, "config");
    let message = text(&error["message"]);
    assert!(message.contains("guard.toml:4") && message.contains("`half` is not a percentage or `off`"), "{message}");
    assert!(message.contains("guard.toml:5") && message.contains("`public.audit` is not a table's name"), "{message}");
}

#[test]
fn the_daemon_tells_of_missing_data_once_and_removes_nothing_until_it_is_released() {
    let server = shop();
    let http = HttpReceiver::start();
    let toml = format!(
        "[source.shop]\nurl = \"{}\"\nretries = 0\n[notify.ops]\nwebhook = \"{}\"\non = [\"alarm\"]\n",
        server.url("shop"),
        http.url("/")
    );
    let schedule = "sources = [\"*\"]\ntimezone = \"UTC\"\nbackup = \"*/2 * * * * *\"\n[retention]\nlast = 1\n";
    let site = Site::new(Guard::default(), &toml, schedule);
    let daemon = site.start();
    daemon.wait("two backups, of which the first was removed", || {
        (site.slots_in("done").len() >= 2 && site.manifests("shop").len() == 1).then_some(())
    });
    server.psql("shop", "DROP TABLE orders");
    let notice = daemon.wait("the notice", || http.notices().pop());
    assert_eq!((&notice["event"], &notice["source"]), (&"alarm".into(), &"shop".into()), "{notice}");
    assert!(text(&notice["summary"]).contains("table public.orders vanished, with 1000 rows"), "{notice}");
    let alarmed = text(&notice["details"]["backup"]);
    daemon.wait("backups that pile up", || (site.manifests("shop").len() >= 4).then_some(()));
    let complete = |id: &str| site.guard.listed().iter().any(|listed| listed == id);
    assert!(complete(&text(&notice["details"]["compared with"])), "the last backup that has the table is there");
    site.guard.json(&["release", &alarmed]).yes();
    daemon.wait("retention that goes on", || (!complete(&alarmed)).then_some(()));
    daemon.stop(&["ALARM: the backup holds much less than the one before"]);
    assert_eq!(http.notices().len(), 1, "{:#?}", http.notices());
}
