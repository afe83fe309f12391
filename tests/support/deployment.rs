//! A deployment as the gate sees it: a database with a history of migrations, files of which one is yet to run, and a policy.

use std::fs;
use std::path::PathBuf;

use super::guard::{Guard, Outcome};
use super::postgres::TestPostgres;

/// What asks for no rehearsal, and leaves the rest as it is by default.
pub const POLICY: &str = "[gate.prod]\nrehearsal_for = []\n";

/// Two tables, and between them dbmate's own that says that the first migration has run.
pub const HISTORY: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);
    INSERT INTO orders SELECT g, 'note ' || g FROM generate_series(1, 1000) g;
    CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('20260101000000');
    CREATE TABLE stock (id bigint PRIMARY KEY)";

/// What has run.
pub const FIRST: &str = "-- migrate:up\nCREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text);\n\
     -- migrate:down\nDROP TABLE IF EXISTS orders;\n";

/// What will: nothing that anybody would object to.
pub const HARMLESS: &str = "-- migrate:up\nCREATE TABLE IF NOT EXISTS zones (id bigint PRIMARY KEY);\n-- migrate:down\nDROP TABLE IF EXISTS zones;\n";

/// What loses data.
pub const DESTRUCTIVE: &str = "-- migrate:up\nSET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN IF EXISTS note;\n\
     -- migrate:down\nALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;\n";

/// A database with its history.
pub fn migrated(server: &TestPostgres) {
    server.create_database("shop", "");
    server.psql("shop", HISTORY);
}

/// A user whose configuration has this source and this policy, with short leases, a third of which
/// a machine may stand still without losing one; and the first migration's file.
pub fn deployer(server: &TestPostgres, policy: &str) -> Guard {
    let guard = Guard::default().with_programs_of(server.version());
    let deployer = guard.with("SHOP_URL", &server.url("shop"));
    deployer.configure(&format!(
        "[source.shop]\nurl = {{ env = \"SHOP_URL\" }}\nretry_delay = \"200ms\"\n[run]\nlease_ttl = \"12s\"\n{policy}"
    ));
    write(&deployer, "20260101000000_orders.sql", FIRST);
    deployer
}

/// Writes a migration.
pub fn write(guard: &Guard, name: &str, text: &str) -> PathBuf {
    let folder = guard.dir().join("migrations");
    fs::create_dir_all(&folder).expect("a directory");
    fs::write(folder.join(name), text).expect("a migration");
    folder.join(name)
}

/// Takes a backup and proves it.
pub fn proven(guard: &Guard) -> String {
    let id = guard.backup();
    guard.json(&["restore", "--to", "scratch"]).yes();
    id
}

/// What the gate says of the migrations.
pub fn gate(guard: &Guard, args: &[&str]) -> Outcome {
    guard.json(&[&["gate", "migrations", "--env", "prod"], args].concat())
}

/// The codes of the reasons in an answer.
pub fn codes(answer: &serde_json::Value) -> Vec<String> {
    let reasons = answer["reasons"].as_array().expect("reasons");
    reasons.iter().map(|reason| super::guard::text(&reason["code"])).collect()
}
