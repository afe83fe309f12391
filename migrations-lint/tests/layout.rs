//! Layouts and what stands around the rules, under texts that nobody wrote: no panic, sound spans, linear time.

use std::path::Path;
use std::time::{Duration, Instant};

use migrations_lint::layout::{InputFile, Layout, find_sets};
use migrations_lint::render::{Document, Format, Look, Sources, render};
use migrations_lint::report::Report;
use migrations_lint::set_rules::{History, check_set};
use migrations_lint::suppress::suppress;
use migrations_lint::{Options, fix, lint};

/// Pieces that mean something to one of the layouts, or that break what is careless with bytes.
const PIECES: &[&str] = &[
    "\u{feff}",
    "\n",
    "\r\n",
    "\r",
    " ",
    ";",
    "'",
    "\"",
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "-- ",
    "é",
    "日本",
    "\0",
    "\u{202e}",
    "-- +goose Up\n",
    "-- +goose Down\n",
    "-- +goose NO TRANSACTION\n",
    "-- +goose StatementBegin\n",
    "-- migrate:up\n",
    "-- migrate:down transaction:false\n",
    "--liquibase formatted sql\n",
    "--changeset a:1 dbms:mysql runOnChange:true\n",
    "--changeset a:2\n",
    "--rollback DROP TABLE t;\n",
    "/* liquibase rollback\n",
    "-- atlas:txmode none\n\n",
    "-- atlas:txtar\n\n",
    "-- migration.sql --\n",
    "-- down.sql --\n",
    "-- atlas:checkpoint\n\n",
    "-- atlas:nolint\n",
    "-- squawk-ignore x\n",
    "-- guard:ignore drop-table -- why\n",
    "-- guard:ignore-file\n",
    "-- no-transaction\n",
    "-- +migrate Up\n",
    "-- //@UNDO\n",
    "---- create above / drop below ----\n",
    "DROP TABLE t;\n",
    "CREATE TABLE t (id int);\n",
    "ALTER TABLE t ADD c int",
    "DO $$ ",
];

const PATHS: &[&str] = &[
    "m/1_a.sql",
    "m/1_a.up.sql",
    "m/1_a.down.sql",
    "m/V1__a.sql",
    "m/R__a.sql",
    "m/U1__a.sql",
    "m/a.sql",
    "m/1_a/up.sql",
    "m/1_a/down.sql",
    "m/20240101000000_a/migration.sql",
    "m/é_ü.sql",
    "m/V.sql",
    "m/1.sql",
    "m/_.sql",
];

const COMPANIONS: &[&str] = &[
    "m/atlas.sum",
    "m/meta/_journal.json",
    "m/migration_lock.toml",
    "m/1_a/metadata.toml",
    "m/V1__a.sql.conf",
    "Cargo.toml",
    "sqlx.toml",
    "m/20240101000000_a/snapshot.json",
    "flyway.toml",
];

/// The same numbers on every machine: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }

    fn text(&mut self) -> String {
        (0..self.below(12)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

fn check(files: Vec<InputFile>, forced: Option<Layout>) {
    let sets = find_sets(files, forced);
    let options = Options::default();
    let mut report = Report::default();
    for found in &sets {
        for file in &found.set.files {
            for part in &file.parts {
                assert!(
                    file.source.text().get(part.span.range()).is_some(),
                    "{:?} in {:?}",
                    part.span,
                    file.source.text()
                );
            }
        }
        report.findings.extend(lint(&found.set, &options).findings);
        report.findings.extend(check_set(found, History { is_known: true, ..History::default() }, &options));
    }
    let files = || sets.iter().flat_map(|found| &found.set.files);
    let n_suppressed = suppress(&mut report, files(), &options);
    for file in files() {
        if let Some(fixed) = fix::apply(&file.source, report.findings.iter().filter(|f| f.file == file.source.path())) {
            assert!(!fix::diff(&file.source, &fixed.edits).is_empty());
        }
    }
    let document = Document { report: &report, sources: Sources::of(&sets), n_suppressed, n_baselined: 0 };
    for format in Format::ALL {
        assert!(!render(&document, format, Look { color: true, width: 60 }).is_empty());
    }
}

#[test]
fn no_text_makes_a_layout_panic_or_a_span_unsound() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..1500 {
        let mut files = Vec::new();
        for list in [PATHS, PATHS, PATHS, COMPANIONS] {
            let path = list[numbers.below(list.len())];
            files.push(InputFile::new(path, Path::new("/r").join(path), numbers.text()));
        }
        let forced = numbers.below(3).checked_sub(1).map(|_| Layout::ALL[numbers.below(Layout::ALL.len())]);
        check(files, forced);
    }
}

/// A comparison of each file with each other one would take minutes.
#[test]
fn twenty_thousand_files_of_any_layout_are_read_in_seconds() {
    let names: [fn(usize) -> String; 5] = [
        |n| format!("m/{n}_a.up.sql"),
        |n| format!("m/{n:014}_a/migration.sql"),
        |n| format!("m/{n}_a/up.sql"),
        |n| format!("m/V{n}__a.sql"),
        |n| format!("m/f{n}.sql"),
    ];
    for name in names {
        let file = |n| InputFile::new(name(n), Path::new("/r").join(name(n)), "SELECT 1;");
        let files: Vec<_> = (0..20_000).map(file).collect();
        let start = Instant::now();
        let n_found: usize = find_sets(files, None).iter().map(|found| found.set.files.len()).sum();
        assert_eq!(n_found, 20_000, "{}", name(1));
        assert!(start.elapsed() < Duration::from_secs(30), "{} took {:?}", name(1), start.elapsed());
    }
}
