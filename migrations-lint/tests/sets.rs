//! Findings about a set as a whole: versions, downs, files.

use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

/// One file of a set: version, direction, text.
type File<'a> = (&'a str, Direction, &'a str);

fn check(files: &[File<'_>], is_old: fn(usize) -> bool) -> Vec<String> {
    let files = files.iter().enumerate().map(|(idx, (version, direction, text))| MigrationFile {
        source: SourceText::new(format!("{idx}.sql"), *text),
        version: Some((*version).into()),
        name: String::new(),
        parts: vec![Part { direction: *direction, span: Span::new(0, text.len()), transaction: TransactionMode::None }],
        reported: !is_old(idx),
    });
    let set = MigrationSet { layout: "plain", engine: None, server_version: None, files: files.collect() };
    lint(&set, &Options::default())
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.file.display(), finding.rule))
        .collect()
}

const UP: &str = "CREATE TABLE IF NOT EXISTS t (a int);\nALTER TABLE u ADD COLUMN IF NOT EXISTS b int;\n";
const DOWN: &str = "ALTER TABLE u DROP COLUMN IF EXISTS b;\nDROP TABLE IF EXISTS t;\n";

#[test]
fn a_down_that_undoes_its_up_is_silent() {
    assert_eq!(check(&[("1", Direction::Up, UP), ("1", Direction::Down, DOWN)], |_| false), Vec::<String>::new());
}

#[test]
fn a_down_that_leaves_something_is_told() {
    let down = "ALTER TABLE u DROP COLUMN IF EXISTS b;\n";
    assert_eq!(
        check(&[("1", Direction::Up, UP), ("1", Direction::Down, down)], |_| false),
        ["1.sql down-does-not-undo"]
    );
}

#[test]
fn a_missing_and_an_empty_down_are_told_where_others_have_one() {
    let files = [
        ("1", Direction::Up, UP),
        ("1", Direction::Down, DOWN),
        ("2", Direction::Up, "SELECT 1;"),
        ("3", Direction::Up, "SELECT 1;"),
        ("3", Direction::Down, "-- none\n"),
    ];
    assert_eq!(check(&files, |_| false), ["2.sql missing-down", "4.sql missing-down"]);
    assert_eq!(check(&[("1", Direction::Up, UP)], |_| false), Vec::<String>::new());
}

#[test]
fn versions_are_unique() {
    let one = ("1", Direction::Up, "SELECT 1;");
    assert_eq!(check(&[one, one], |_| false), ["1.sql duplicate-version"]);
}

#[test]
fn empty_files_are_told() {
    assert_eq!(check(&[("1", Direction::Up, "-- later\n")], |_| false), ["0.sql empty-migration"]);
    for meant in ["-- No-op: only for MySQL\n", "/* nothing to do */", "-- empty on purpose"] {
        assert_eq!(check(&[("1", Direction::Up, meant)], |_| false), Vec::<String>::new(), "{meant}");
    }
    // Of line endings only frameworks that hash bytes have to be told.
    assert_eq!(check(&[("1", Direction::Up, "SELECT 1;\r\nSELECT 2;\n")], |_| false), Vec::<String>::new());
}

#[test]
fn a_table_of_a_file_that_is_not_deployed_yet_is_new_in_the_next() {
    let index = "CREATE INDEX IF NOT EXISTS t_a ON t (a);";
    let files = [
        ("1", Direction::Up, "SELECT 1;"),
        ("2", Direction::Up, "CREATE TABLE IF NOT EXISTS t (a int);"),
        ("3", Direction::Up, index),
    ];
    assert_eq!(check(&files, |idx| idx == 0), Vec::<String>::new());
    assert_eq!(check(&files, |idx| idx < 2), ["2.sql create-index-not-concurrent"]);
}

#[test]
fn a_run_over_new_files_gives_the_fingerprints_of_a_run_over_all() {
    let text = "DROP TABLE t;\nDROP TABLE t;\n";
    let fingerprints = |first_new: usize| {
        let files = ["a/1.sql", "b/1.sql", "b/2.sql"].into_iter().enumerate().map(|(idx, path)| MigrationFile {
            source: SourceText::new(path, text),
            version: Some(idx.to_string()),
            name: String::new(),
            parts: vec![Part {
                direction: Direction::Up,
                span: Span::new(0, text.len()),
                transaction: TransactionMode::None,
            }],
            reported: idx >= first_new,
        });
        let set = MigrationSet { layout: "plain", engine: None, server_version: None, files: files.collect() };
        let findings = lint(&set, &Options::default()).findings;
        let of_drop = findings.into_iter().filter(|finding| finding.rule == "drop-table");
        of_drop.map(|finding| (finding.file, finding.fingerprint)).collect::<Vec<_>>()
    };
    let all = fingerprints(0);
    assert_eq!(all.len(), 6);
    assert_eq!(fingerprints(1), all[2..], "the second of two files with one name");
    assert_eq!(fingerprints(2), all[4..]);
    let distinct: std::collections::HashSet<_> = all.iter().map(|(_, fingerprint)| fingerprint).collect();
    assert_eq!(distinct.len(), 6);
}

#[test]
fn what_the_up_dropped_again_and_what_goes_with_its_table_need_no_undoing() {
    let up = "CREATE OR REPLACE FUNCTION f (b bool) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;\nDROP FUNCTION f;\n\
              CREATE TABLE IF NOT EXISTS t (a bigint);\nCREATE SEQUENCE IF NOT EXISTS s OWNED BY public.t.a;\n";
    let down = "DROP TABLE IF EXISTS t;\n";
    assert_eq!(check(&[("1", Direction::Up, up), ("1", Direction::Down, down)], |_| false), Vec::<String>::new());
    let loose = up.replace(" OWNED BY public.t.a", "");
    let found = check(&[("1", Direction::Up, &loose), ("1", Direction::Down, down)], |_| false);
    assert!(found.contains(&"1.sql down-does-not-undo".to_owned()), "{found:?}");
}
