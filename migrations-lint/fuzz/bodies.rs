//! What each fuzz target does with its input; shared with the test that runs it over every input that once failed.
//!
//! Text of any kind must give a report whose places are in the text, and never a panic.

use std::path::{Path, PathBuf};

use migrations_lint::engine::Engine;
use migrations_lint::fix;
pub(crate) use migrations_lint::layout::Layout;
use migrations_lint::layout::{Applied, FoundSet, InputFile, find_sets, mark_pending};
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::render::{Document, Format, Look, Sources, render};
use migrations_lint::report::Report;
use migrations_lint::set_rules::{History, check_set};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::suppress::suppress;
use migrations_lint::{Options, lint, statement_spans};

const ENGINES: [Engine; 4] = [Engine::PostgreSql, Engine::MySql, Engine::MariaDb, Engine::Sqlite];

const MODES: [TransactionMode; 4] =
    [TransactionMode::None, TransactionMode::PerPart, TransactionMode::ImplicitPerPart, TransactionMode::WholeSet];

/// The splitter: the first character chooses the engine; statements are in order, apart, and begin with a token.
pub(crate) fn split(input: &str) {
    let (choice, text) = first(input);
    let mut end = 0;
    for span in statement_spans(text, ENGINES[choice & 3]) {
        assert!(span.start >= end && span.start < span.end, "statements overlap, or one is empty");
        end = span.end;
        let statement = &text[span.range()];
        assert_eq!(statement, statement.trim_ascii_start(), "a statement begins with a blank");
    }
}

/// The linter: the first character chooses engine, transaction mode and direction of the one file.
pub(crate) fn linter(input: &str) {
    let (choice, text) = first(input);
    let part = Part {
        direction: if choice & 16 == 0 { Direction::Up } else { Direction::Down },
        span: Span::new(0, text.len()),
        transaction: MODES[choice >> 2 & 3],
    };
    let source = SourceText::new("1_file.sql", text);
    let file = MigrationFile { source, version: None, name: String::new(), parts: vec![part], reported: true };
    let set =
        MigrationSet { layout: "plain", engine: Some(ENGINES[choice & 3]), server_version: None, files: vec![file] };
    let found = FoundSet {
        layout: Layout::Plain,
        folder: PathBuf::from("/"),
        set,
        observations: Vec::new(),
        foreign: None,
        is_engine_guessed: false,
    };
    report(&[found], false);
}

/// A layout, forced or to be found: the input is files, each after a line `=== path`.
pub(crate) fn layout(input: &str, forced: Option<Layout>) {
    let files = files(input);
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let mut sets = find_sets(files, forced);
    for found in &mut sets {
        for file in &found.set.files {
            assert!(paths.iter().any(|path| path == file.source.path()), "a file that was not given");
            let mut end = 0;
            for part in &file.parts {
                // The text up to the part must be sliceable: both ends lie between characters.
                assert!(part.span.start >= end && file.source.text().get(part.span.range()).is_some());
                end = part.span.start;
            }
        }
    }
    report(&sets, true);
    for found in &mut sets {
        let rows = found.set.files.iter().step_by(2).filter_map(|file| file.version.clone());
        let rows: Vec<Applied> =
            rows.map(|version| Applied { version, checksum: Some("0".to_owned()), failed: false }).collect();
        mark_pending(found, &rows);
    }
    report(&sets, true);
}

/// Files as they stand in an input of [`layout`].
pub(crate) fn files(text: &str) -> Vec<InputFile> {
    let sections = text.split("\n=== ").skip(1);
    let files = sections.map(|section| {
        let (path, text) = section.split_once('\n').unwrap_or((section, ""));
        InputFile::new(path, Path::new("/repo").join(path), text)
    });
    files.collect()
}

/// All that `guard lint` does with sets once it has read them.
fn report(sets: &[FoundSet], is_set: bool) {
    let options = Options::default();
    let mut whole = Report::default();
    for found in sets {
        let mut report = lint(&found.set, &options);
        if is_set {
            report.findings.extend(check_set(found, History::default(), &options));
        }
        whole.n_files += report.n_files;
        whole.n_statements += report.n_statements;
        whole.findings.extend(report.findings);
    }
    let n_suppressed = suppress(&mut whole, sets.iter().flat_map(|found| &found.set.files), &options);
    for finding in &whole.findings {
        assert!(!finding.message.contains("the linter failed"), "{}", finding.message);
    }
    for file in sets.iter().flat_map(|found| &found.set.files) {
        let own = || whole.findings.iter().filter(|finding| finding.file == file.source.path());
        for finding in own() {
            assert!(file.source.text().get(finding.span.range()).is_some(), "{} is out of the text", finding.rule);
        }
        if let Some(fixed) = fix::apply(&file.source, own()) {
            fix::diff(&file.source, &fixed.edits);
        }
    }
    let document = Document { report: &whole, sources: Sources::of(sets), n_suppressed, n_baselined: 0 };
    for format in Format::ALL {
        render(&document, format, Look { color: true, width: 80 });
    }
}

/// The choice that the first character makes, and the rest.
fn first(input: &str) -> (usize, &str) {
    let mut rest = input.chars();
    let choice = rest.next().map_or(0, |first| first as usize % 32);
    (choice, rest.as_str())
}
