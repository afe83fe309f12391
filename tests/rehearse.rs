//! `guard rehearse`: a library of migrations whose truth is known, each run as its framework runs it, and every verdict right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard::progress::Progress;
use guard::rehearse::inspect::Trials;
use guard::rehearse::judge::{Limits, problems};
use guard::rehearse::measure::LockMode;
use guard::rehearse::plan::pending;
use guard::rehearse::record::{ColumnFate, MigrationReport, Outcome};
use guard::rehearse::stage::{Manner, Stage};
use guard::rehearse::{Done, rehearse_on};
use guard::source::postgres::connection::Connection;
use migrations_lint::layout::{InputFile, Layout, find_sets};

mod support;

use support::postgres::{TestPostgres, Version};

#[path = "rehearse/case.rs"]
mod case;

use case::{Case, library};

/// What a machine whose processors are somebody else's for a while does not reach.
const PATIENT: Limits = Limits { max_block: Duration::from_hours(1) };

/// A server with the shop, and a stage on it.
struct Theatre {
    server: TestPostgres,
}

impl Theatre {
    fn open(version: Version) -> Self {
        let server = TestPostgres::start(version);
        server.create_database("shop", "");
        server.psql("shop", include_str!("rehearse/shop.sql"));
        Self { server }
    }

    fn stage(&self) -> Stage {
        let connection = Connection::parse(&self.server.url("postgres")).expect("an address");
        Stage::new(connection, "shop", Manner::default())
    }

    fn rehearse(&self, layout: Layout, files: &[(String, String)], trials: Trials) -> Done {
        let files = files.iter().map(|(path, text)| InputFile::new(path, format!("/x/{path}"), text.as_str()));
        let sets = find_sets(files.collect(), Some(layout));
        let migrations: Vec<_> = sets.iter().flat_map(pending).collect();
        assert!(!migrations.is_empty(), "there is something to run");
        let stage = self.stage();
        let work = async {
            stage.begin().await.expect("a copy");
            let progress = Arc::new(Progress::default());
            let done = rehearse_on(&stage, &migrations, (trials, PATIENT), &progress).await;
            stage.clear(&[]).await.expect("the copies go");
            done.expect("the rehearsal is held")
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(work)
    }
}

/// What a report says, in the words of the library.
fn facts(report: &MigrationReport) -> Vec<String> {
    let mut facts = vec![format!("run {}", outcome(&report.outcome))];
    facts.push(if report.atomic { "atomic" } else { "not atomic" }.to_owned());
    facts.extend(locks(report));
    for rewrite in report.statements.iter().flat_map(|statement| &statement.measured.rewrites) {
        facts.push(format!("rewrites {} {}", rewrite.kind, short(&rewrite.relation)));
    }
    for table in &report.tables {
        let name = short(&table.table);
        if table.rows_lost() > 0 {
            facts.push(format!("loses {} rows of {name}", table.rows_lost()));
        }
        for column in table.values_lost() {
            let n_lost = column.values_before - column.values_after;
            facts.push(format!("loses {n_lost} values of {name}.{}", column.column));
        }
        for column in table.values_changed() {
            facts.push(format!("changes {name}.{}", column.column));
        }
        for column in table.columns.iter().filter(|column| column.fate != ColumnFate::Renamed) {
            if let Some(place) = &column.kept_in {
                facts.push(format!("moves {name}.{} to {}", column.column, short(place)));
            }
        }
    }
    if let Some(repeat) = &report.repeat {
        let changes = if repeat.changes.is_empty() { "" } else { " and changes" };
        facts.push(format!("repeat {}{changes}", outcome(&repeat.outcome)));
    }
    for stop in &report.stops {
        let place = if stop.within { "within" } else { "after" };
        let differs = if stop.differences.is_empty() { "" } else { " and differs" };
        let invalid = if stop.invalid.is_empty() { "" } else { " and leaves invalid" };
        facts.push(format!("stop {place} {}: {}{differs}{invalid}", stop.line, outcome(&stop.outcome)));
    }
    if let Some(way_back) = &report.way_back {
        let schema = if way_back.schema_differences.is_empty() { "" } else { ", schema differs" };
        let data = if way_back.data_differences.is_empty() { "" } else { ", data differs" };
        facts.push(format!("down {}{schema}{data}", outcome(&way_back.outcome)));
        if let Some(up_again) = way_back.up_again.as_ref().filter(|up_again| **up_again != Outcome::Ran) {
            facts.push(format!("up again {}", outcome(up_again)));
        }
        if let Some(down_again) = &way_back.down_again {
            facts.push(format!("down again {}", outcome(down_again)));
        }
    }
    let problems = problems(report, PATIENT);
    let codes: BTreeSet<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    facts.push(format!("problems: {}", if codes.is_empty() { "none".to_owned() } else { codes.join(" ") }));
    facts
}

/// The strongest lock on each table, save what only reads take.
fn locks(report: &MigrationReport) -> Vec<String> {
    let mut strongest: BTreeMap<String, LockMode> = BTreeMap::new();
    for lock in report.statements.iter().flat_map(|statement| &statement.measured.locks) {
        let found = strongest.entry(short(&lock.relation)).or_insert(lock.mode);
        *found = lock.mode.max(*found);
    }
    let is_index = |name: &str| name.ends_with("_pkey") || name.ends_with("_idx") || name.ends_with("_seq");
    strongest.retain(|name, mode| *mode >= LockMode::RowExclusive && !is_index(name));
    strongest.into_iter().map(|(name, mode)| format!("locks {name} {}", mode.words())).collect()
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ran => "ok".to_owned(),
        Outcome::Failed(refusal) => format!("fails {} at {}:{}", refusal.sqlstate, refusal.line, refusal.column),
    }
}

fn short(name: &str) -> String {
    name.strip_prefix("public.").unwrap_or(name).to_owned()
}

fn check_library(name: &str, version: Version) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/rehearse/{name}.txt"));
    let text = std::fs::read_to_string(path).expect("a library");
    let theatre = Theatre::open(version);
    let mut wrong = String::new();
    for Case { title, layout, files, truth } in library(name, &text) {
        let done = theatre.rehearse(layout, &files, Trials::default());
        let mut found: Vec<String> = done.reports.iter().flat_map(facts).collect();
        found.extend(done.not_reached.iter().map(|file| format!("not reached {}", file.path)));
        if found != truth {
            writeln!(wrong, "\n=== {title}").expect("a string takes text");
            for fact in &truth {
                if !found.contains(fact) {
                    writeln!(wrong, "- {fact}").expect("a string takes text");
                }
            }
            for fact in &found {
                writeln!(wrong, "{} {fact}", if truth.contains(fact) { " " } else { "+" })
                    .expect("a string takes text");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

macro_rules! libraries {
    ($($test:ident: $file:literal)*) => {
        $(#[test]
        fn $test() {
            check_library($file, Version::V15);
        })*
    };
}

libraries! {
    every_verdict_about_prisma_migrations_is_right: "prisma"
    every_verdict_about_golang_migrate_migrations_is_right: "golang-migrate"
    every_verdict_about_sqlx_migrations_is_right: "sqlx"
    every_verdict_about_flyway_migrations_is_right: "flyway"
    every_verdict_about_dbmate_migrations_is_right: "dbmate"
    every_verdict_about_supabase_migrations_is_right: "supabase"
}

#[test]
fn the_newest_server_gives_the_same_verdicts() {
    check_library("golang-migrate", Version::V18);
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn files_that_share_one_transaction_hold_their_locks_to_its_end() {
    let journal = r#"{"dialect":"postgresql","entries":[{"when":1,"tag":"0_a"},{"when":2,"tag":"1_b"}]}"#;
    let files = owned(&[
        ("drizzle/meta/_journal.json", journal),
        ("drizzle/0_a.sql", "ALTER TABLE customers ADD COLUMN tier text;"),
        ("drizzle/1_b.sql", "SELECT pg_sleep(5);\nALTER TABLE orders ADD COLUMN tier text;"),
    ]);
    let theatre = Theatre::open(Version::V15);
    let done = theatre.rehearse(Layout::Drizzle, &files, Trials { load: true });
    let [report] = done.reports.as_slice() else { panic!("one transaction is one migration") };
    assert_eq!((report.files.len(), report.atomic), (2, true));
    let lock = &report.statements[0].measured.locks[0];
    assert_eq!((lock.relation.as_str(), lock.mode), ("public.customers", LockMode::AccessExclusive));
    assert!(lock.seconds > 5.0, "the first file's lock lasts to the end of the second: {lock:?}");
    assert!(report.statements[0].measured.seconds < 5.0, "though its statement did not");
    let load = report.load.as_ref().expect("a load was asked for");
    assert!(load.longest_read > 3.0 && load.longest_write > 3.0, "others waited for it: {load:?}");
    let blocks = problems(report, Limits::default()).iter().filter(|problem| problem.code.as_str() == "blocks").count();
    assert!(blocks >= 3, "the lock, the read and the write");
    assert!(problems(report, PATIENT).iter().all(|problem| problem.code.as_str() != "blocks"));
}

#[test]
fn others_do_not_wait_for_a_concurrent_build() {
    let files =
        owned(&[("m/1_a.up.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_total_idx ON orders (total);")]);
    let done = Theatre::open(Version::V15).rehearse(Layout::GolangMigrate, &files, Trials { load: true });
    let load = done.reports[0].load.as_ref().expect("a load was asked for");
    assert_eq!(load.outcome, Some(Outcome::Ran));
    assert!(load.writes > 0 && load.errors.is_empty(), "{load:?}");
}

#[test]
fn a_framework_that_records_each_step_goes_on_where_it_was_stopped() {
    let theatre = Theatre::open(Version::V15);
    let stops = |layout, files: &[(&str, &str)]| {
        let done = theatre.rehearse(layout, &owned(files), Trials::default());
        let report = &done.reports[0];
        assert_eq!(report.outcome, Outcome::Ran);
        facts(report).into_iter().filter(|fact| fact.starts_with("stop ")).collect::<Vec<_>>()
    };
    let statements = "ALTER TABLE customers ADD COLUMN a text;\nALTER TABLE customers ADD COLUMN b text;\n";
    let changesets = "--liquibase formatted sql\n--changeset ann:1\nALTER TABLE customers ADD COLUMN a text;\n\
                      --changeset ann:2\nALTER TABLE customers ADD COLUMN b text;\n";
    assert_eq!(stops(Layout::Liquibase, &[("c/1.sql", changesets)]), ["stop after 3: ok"]);
    let atlas = format!("-- atlas:txmode none\n\n{statements}");
    let files = [("m/atlas.sum", "h1:\n1_a.sql h1:\n"), ("m/1_a.sql", atlas.as_str())];
    assert_eq!(stops(Layout::Atlas, &files), ["stop after 3: ok"]);
    let goose = format!("-- +goose NO TRANSACTION\n-- +goose Up\n{statements}");
    assert_eq!(stops(Layout::Goose, &[("m/1_a.sql", goose.as_str())]), ["stop after 3: fails 42701 at 3:1"]);
}

#[test]
fn a_random_value_is_no_difference_between_two_runs() {
    let text = "-- +goose NO TRANSACTION\n-- +goose Up\n\
                ALTER TABLE customers ADD COLUMN IF NOT EXISTS token uuid DEFAULT gen_random_uuid();\n\
                ALTER TABLE customers ADD COLUMN IF NOT EXISTS tier text;\n";
    let done = Theatre::open(Version::V15).rehearse(Layout::Goose, &owned(&[("m/1_a.sql", text)]), Trials::default());
    let found = facts(&done.reports[0]);
    assert!(found.contains(&"stop after 3: ok".to_owned()), "{found:#?}");
}

#[test]
fn lines_of_copy_are_sent_as_psql_sends_them() {
    let text = "COPY empty FROM stdin;\n1\tone\n2\t\\N\n\\.\nDELETE FROM empty WHERE id = 2;\n";
    let done = Theatre::open(Version::V15).rehearse(Layout::Plain, &owned(&[("m/1_a.sql", text)]), Trials::default());
    let report = &done.reports[0];
    assert_eq!(report.outcome, Outcome::Ran, "{:?}", report.outcome);
    let rows: Vec<_> = report.statements.iter().filter_map(|statement| statement.measured.rows).collect();
    assert_eq!(rows.iter().map(|rows| (rows.inserted, rows.deleted)).collect::<Vec<_>>(), [(2, 0), (0, 1)]);
}

#[test]
fn a_procedure_that_commits_is_seen_all_the_same() {
    let text =
        "DO $$ BEGIN DELETE FROM items WHERE quantity = 1; COMMIT; DELETE FROM items WHERE quantity = 2; END $$;\n";
    let done = Theatre::open(Version::V15).rehearse(Layout::Plain, &owned(&[("m/1_a.sql", text)]), Trials::default());
    let found = facts(&done.reports[0]);
    assert!(found.contains(&"loses 1600 rows of items".to_owned()), "{found:#?}");
}
