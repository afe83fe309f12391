//! `guard lint --pending` against real tracking tables, written as the frameworks themselves write them.

use std::fs;
use std::path::Path;

use clap::Parser;
use guard::cli::lint::{Environment, LintArgs, run_in};
use migrations_lint::baseline::Date;
use tempfile::TempDir;

#[allow(unreachable_pub, reason = "shared with other test binaries")]
#[path = "support/port.rs"]
mod port;
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
#[path = "support/postgres.rs"]
mod postgres;

use postgres::{TestPostgres, Version};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    lint: LintArgs,
}

/// Each case: files, what the database has, and the findings (`rule file`) that are left.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    database: &'static str,
    expected: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "prisma",
        files: &[
            ("migrations/migration_lock.toml", "provider = \"postgresql\""),
            ("migrations/20240101000000_a/migration.sql", "-- a"),
            ("migrations/20240102000000_b/migration.sql", "-- edited"),
            ("migrations/20240103000000_c/migration.sql", "-- c"),
        ],
        // The sums are those of "-- a" and "-- b".
        database: "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, \
                   finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, \
                   started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);\
                   INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) \
                   SELECT n, encode(sha256(convert_to(t, 'UTF8')), 'hex'), now(), m FROM (VALUES \
                   ('1', '-- a', '20240101000000_a'), ('2', '-- b', '20240102000000_b')) AS v (n, t, m)",
        expected: &[
            "edited-after-apply migrations/20240102000000_b/migration.sql",
            "empty-migration migrations/20240103000000_c/migration.sql",
        ],
    },
    Case {
        name: "sqlx",
        files: &[("sqlx.toml", ""), ("m/1_a.sql", "-- a"), ("m/2_b.sql", "-- edited"), ("m/4_c.sql", "-- c")],
        database: "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on \
                   timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time \
                   bigint NOT NULL);\
                   INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES \
                   (1, 'a', true, sha384('-- a'), 1), (2, 'b', true, sha384('-- b'), 1)",
        expected: &["edited-after-apply m/2_b.sql", "empty-migration m/4_c.sql"],
    },
    Case {
        name: "golang_migrate",
        files: &[("m/1_a.up.sql", "-- a"), ("m/2_b.up.sql", "-- b"), ("m/3_c.up.sql", "-- c")],
        database: "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);\
                   INSERT INTO schema_migrations VALUES (2, false)",
        expected: &["empty-migration m/3_c.up.sql"],
    },
    Case {
        name: "dbmate",
        files: &[
            ("m/20240101_a.sql", "-- migrate:up\n-- migrate:down\n"),
            ("m/20240102_b.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
        ],
        database: "CREATE TABLE schema_migrations (version varchar PRIMARY KEY);\
                   INSERT INTO schema_migrations VALUES ('20240101')",
        expected: &["missing-down m/20240102_b.sql"],
    },
    Case {
        name: "drizzle",
        files: &[
            (
                "drizzle/meta/_journal.json",
                r#"{"dialect":"postgresql","entries":[{"when":100,"tag":"0_a"},{"when":200,"tag":"1_b"}]}"#,
            ),
            ("drizzle/0_a.sql", "-- a"),
            ("drizzle/1_b.sql", "-- b"),
        ],
        database: "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT \
                   NULL, created_at bigint);\
                   INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (encode(sha256('-- a'), 'hex'), 100)",
        expected: &["empty-migration drizzle/1_b.sql"],
    },
    Case {
        name: "supabase",
        files: &[("supabase/migrations/20240101_a.sql", "-- a"), ("supabase/migrations/20240102_b.sql", "-- b")],
        database: "CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text \
                   PRIMARY KEY, statements text[], name text);\
                   INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES ('20240101', 'a')",
        expected: &["empty-migration supabase/migrations/20240102_b.sql"],
    },
    Case {
        name: "flyway",
        files: &[("sql/V1.0__a.sql", "-- a\r\n"), ("sql/V2__b.sql", "-- edited"), ("sql/V3__c.sql", "-- c")],
        database: "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description \
                   varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, \
                   success boolean NOT NULL);\
                   INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1.0__a.sql', FLYWAY_CRC, true), \
                   (2, '2', 'b', 'SQL', 'V2__b.sql', 1, true), (3, '3', 'c', 'SQL', 'V3__c.sql', 1, true), \
                   (4, '3', 'c', 'UNDO_SQL', 'U3__c.sql', 1, true)",
        expected: &["edited-after-apply sql/V2__b.sql", "empty-migration sql/V3__c.sql"],
    },
    Case {
        name: "diesel",
        files: &[("m/2024-01-01-000000_a/up.sql", "-- a"), ("m/2024-01-02-000000_b/up.sql", "-- b")],
        database: "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL \
                   DEFAULT now()); INSERT INTO __diesel_schema_migrations VALUES ('20240101000000')",
        expected: &["empty-migration m/2024-01-02-000000_b/up.sql"],
    },
    Case {
        name: "goose",
        files: &[("m/1_a.sql", "-- +goose Up\n"), ("m/2_b.sql", "-- +goose Up\n"), ("m/3_c.sql", "-- +goose Up\n")],
        database: "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean \
                   NOT NULL, tstamp timestamp DEFAULT now());\
                   INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
        expected: &["empty-migration m/2_b.sql", "empty-migration m/3_c.sql"],
    },
    Case {
        name: "atlas",
        files: &[("m/atlas.sum", "h1:\n1_a.sql h1:\n"), ("m/1_a.sql", "-- a"), ("m/2_b.sql", "-- b")],
        database: "CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions \
                   (version varchar PRIMARY KEY, applied bigint NOT NULL, total bigint NOT NULL);\
                   INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('1', 1, 1), ('2', 1, 2)",
        expected: &["edited-after-apply m/1_a.sql", "empty-migration m/2_b.sql"],
    },
    Case {
        name: "liquibase",
        files: &[
            ("c/1.sql", "--liquibase formatted sql\n--changeset ann:1\n"),
            ("c/2.sql", "--liquibase formatted sql\n--changeset ann:2\nDROP TABLE a;\n"),
        ],
        database: "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, exectype \
                   varchar(10) NOT NULL); INSERT INTO databasechangelog VALUES ('1', 'ann', 'EXECUTED')",
        expected: &["drop-table c/2.sql"],
    },
];

fn lint(root: &Path, url: &str) -> Vec<String> {
    let root_text = root.to_str().expect("a readable path");
    let cli = Cli::try_parse_from(["lint", root_text, "--format", "json", "--pending", "--database", url]);
    let today = Date { year: 2027, month: 1, day: 1 };
    let environment = Environment { today, color: false, width: 100, is_github: false, database_url: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(run_in(cli.expect("arguments").lint, &environment)).expect("the run succeeds");
    let document: serde_json::Value = serde_json::from_str(&outcome.text).expect("JSON");
    let findings = document["findings"].as_array().expect("a list");
    let name = |finding: &serde_json::Value| {
        let file = Path::new(finding["file"].as_str().expect("a path")).strip_prefix(root).expect("below").display();
        format!("{} {file}", finding["rule"].as_str().expect("a rule"))
    };
    // What else the statements of the cases are guilty of is no matter here.
    let rules = ["edited-after-apply", "empty-migration", "missing-down", "drop-table"];
    let is_about_history = |finding: &&serde_json::Value| rules.iter().any(|rule| finding["rule"] == *rule);
    findings.iter().filter(is_about_history).map(name).collect()
}

#[test]
fn each_framework_s_own_table_tells_what_is_pending() {
    let server = TestPostgres::start(Version::V15);
    for case in CASES {
        let root: TempDir = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in case.files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        let everything_is_pending =
            |found: &[String]| !found.iter().any(|finding| finding.starts_with("edited-after-apply m/2"));
        server.create_database(case.name, "");
        assert!(everything_is_pending(&lint(root.path(), &server.url(case.name))), "{}", case.name);
        server.psql(case.name, case.database.replace("FLYWAY_CRC", &flyway_crc().to_string()));
        assert_eq!(lint(root.path(), &server.url(case.name)), case.expected, "{}", case.name);
    }
}

/// CRC-32 of "-- a" by its definition, bit by bit.
fn flyway_crc() -> i32 {
    let crc = b"-- a".iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    (!crc).cast_signed()
}
