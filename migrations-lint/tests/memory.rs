//! Fifty megabytes of SQL are linted in less than a gigabyte. Alone in its program: the peak is the process's.

use std::fmt::Write as _;

use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

const N_BYTES: usize = 50_000_000;

const BOUND_KIB: u64 = 1 << 20;

/// A dump: a few tables with long INSERTs, as `pg_dump --inserts` writes them, and changes of tables between them.
fn dump() -> String {
    let mut text = String::with_capacity(N_BYTES + 10_000);
    let mut n_rows = 0_usize;
    while text.len() < N_BYTES {
        let table = n_rows / 100;
        writeln!(text, "CREATE TABLE t{table} (id bigint PRIMARY KEY, name text NOT NULL, at timestamptz);")
            .expect("a string takes text");
        for _ in 0..20 {
            write!(text, "INSERT INTO t{table} (id, name, at) VALUES ").expect("a string takes text");
            for _ in 0..100 {
                write!(text, "({n_rows}, 'a name; with ''quotes'' of row {n_rows}', '2026-11-21 10:00:00+00'), ")
                    .expect("a string takes text");
                n_rows += 1;
            }
            text.push_str("(0, '', NULL);\n");
        }
        writeln!(text, "ALTER TABLE t{table} ADD COLUMN more int;\nCREATE INDEX ON t{table} (name);")
            .expect("a string takes text");
    }
    text
}

/// The most memory that this process ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("the peak is a number")
}

#[test]
fn fifty_megabytes_are_linted_in_less_than_a_gigabyte() {
    let text = dump();
    let part = Part { direction: Direction::Up, span: Span::new(0, text.len()), transaction: TransactionMode::None };
    let source = SourceText::new("dump.sql", text);
    let file = MigrationFile { source, version: None, name: String::new(), parts: vec![part], reported: true };
    let set =
        MigrationSet { layout: "plain", engine: Some(Engine::PostgreSql), server_version: None, files: vec![file] };
    let report = lint(&set, &Options::default());
    assert!(report.n_statements > 5_000 && !report.findings.is_empty());
    let peak = peak_kib();
    assert!(peak > 50 << 10 && peak < BOUND_KIB, "the peak was {peak} KiB");
}
