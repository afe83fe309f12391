//! Any text, on any engine, in any transaction mode: a report, and never a panic. The first byte chooses among them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let engine = [Engine::PostgreSql, Engine::MySql, Engine::MariaDb, Engine::Sqlite][usize::from(choice & 3)];
    let modes = [TransactionMode::None, TransactionMode::PerPart, TransactionMode::ImplicitPerPart, TransactionMode::WholeSet];
    let part = Part {
        direction: if choice & 16 == 0 { Direction::Up } else { Direction::Down },
        span: Span::new(0, text.len()),
        transaction: modes[usize::from(choice >> 2 & 3)],
    };
    let file = MigrationFile { source: SourceText::new("f.sql", text), version: None, name: String::new(), parts: vec![part], reported: true };
    let set = MigrationSet { layout: "plain", engine: Some(engine), server_version: None, files: vec![file] };
    let report = lint(&set, &Options::default());
    assert!(report.findings.iter().all(|finding| finding.span.end <= text.len()));
    assert!(report.findings.iter().all(|finding| !finding.message.contains("the linter failed")));
});
