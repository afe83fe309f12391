//! What the README shows of the linter is what it says: the output of its example, and silence about the better way.

use std::path::Path;

use migrations_lint::layout::{FoundSet, InputFile, find_sets};
use migrations_lint::render::{Document, Format, Look, Sources, render};
use migrations_lint::report::Report;
use migrations_lint::suppress::suppress;
use migrations_lint::{Options, lint};

const README: &str = include_str!("../../README.md");

/// The first block of that language after `rest` begins, and what follows it.
fn block<'a>(rest: &'a str, language: &str) -> (&'a str, &'a str) {
    let (_, rest) = rest.split_once(&format!("```{language}\n")).expect("the README has the block");
    rest.split_once("\n```").expect("a block ends")
}

fn linted(files: &[(String, &str)]) -> (Vec<FoundSet>, Report, usize) {
    let file =
        |(name, text): &(String, &str)| InputFile::new(format!("migrations/{name}"), Path::new("/r").join(name), *text);
    let sets = find_sets(files.iter().map(file).collect(), None);
    let options = Options::default();
    let mut report = Report::default();
    for found in &sets {
        let of_set = lint(&found.set, &options);
        report.n_files += of_set.n_files;
        report.n_statements += of_set.n_statements;
        report.findings.extend(of_set.findings);
    }
    let n_suppressed = suppress(&mut report, sets.iter().flat_map(|found| &found.set.files), &options);
    (sets, report, n_suppressed)
}

#[test]
fn the_readme_shows_what_the_linter_prints() {
    let (_, rest) = README.split_once("A migration that works on a laptop").expect("the README has the example");
    let (before, rest) = block(rest, "sql");
    let (shown, rest) = block(rest, "text");
    let (sets, report, n_suppressed) = linted(&[("0042_order_reference.sql".into(), &format!("{before}\n"))]);
    let document = Document { report: &report, sources: Sources::of(&sets), n_suppressed, n_baselined: 0 };
    let printed = render(&document, Format::Human, Look { color: false, width: 100 });
    let (head, tail) = shown.split_once("\n…\n").expect("the README leaves something out");
    assert!(printed.starts_with(head), "{printed}");
    assert!(printed.trim_end().ends_with(tail), "{printed}");

    let (after, _) = block(rest, "sql");
    let mut files: Vec<(String, String)> = Vec::new();
    for line in after.lines() {
        let named = line.strip_prefix("-- 00").and_then(|rest| rest.split_once(".sql"));
        match (named, files.last_mut()) {
            (Some((name, _)), _) => files.push((format!("00{name}.sql"), String::new())),
            (None, Some((_, text))) => text.extend([line, "\n"]),
            (None, None) => panic!("the better way begins with the name of a file"),
        }
    }
    assert_eq!(files.len(), 4);
    let files: Vec<(String, &str)> = files.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
    let (_, report, n_suppressed) = linted(&files);
    let said: Vec<_> = report.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!((said, n_suppressed), (Vec::new(), 1));
}
