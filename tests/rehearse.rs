//! `guard rehearse`: a library of migrations whose truth is known, each run as its framework runs it, and every verdict right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

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
            let done = rehearse_on(&stage, &migrations, (trials, Limits::default()), &progress).await;
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
    let codes = problems(report, Limits::default());
    let codes: BTreeSet<String> =
        codes.iter().map(|problem| format!("{:?}", serde_json::json!(problem.code)).replace(['"', '\\'], "")).collect();
    let codes: Vec<String> = codes.into_iter().map(|code| code.replace("String(", "").replace(')', "")).collect();
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

fn check_library(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/rehearse/{name}.txt"));
    let text = std::fs::read_to_string(path).expect("a library");
    let theatre = Theatre::open(Version::V15);
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
            check_library($file);
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
