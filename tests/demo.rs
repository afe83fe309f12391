//! `guard demo` tells the story that the README shows, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::fs;
use std::path::Path;

use support::guard::{Guard, text};

/// The words of a line. One with a digit in it differs from run to run: sizes, times, names of backups; so does a path. Of times
/// there may be several words: `1m 5s`.
fn words(line: &str) -> Vec<&str> {
    let differs = |word: &str| word.starts_with('/') || word.contains(|c: char| c.is_ascii_digit());
    let mut words: Vec<&str> = line.split_whitespace().map(|word| if differs(word) { "#" } else { word }).collect();
    words.dedup_by(|one, other| *one == "#" && *other == "#");
    words
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let outcome = Guard::default().run(&["demo"]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, shown) = readme.split_once("This is what the demo prints:\n\n```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let [shown, printed] = [shown, &outcome.stdout].map(|text| text.lines().map(words).collect::<Vec<_>>());
    assert_eq!(printed, shown, "{outcome}");
}

#[test]
fn the_demo_proves_both_sources_and_fails_both_damaged_copies() {
    let answer = Guard::default().json(&["demo"]).yes();
    let all = |list: &str, field: &str| -> Vec<String> {
        answer[list].as_array().unwrap().iter().map(|evidence| text(&evidence[field])).collect()
    };
    assert_eq!(all("backups", "source"), ["shop", "cache"]);
    assert_eq!(all("proven", "verdict"), ["proven", "proven"], "{answer:#}");
    assert_eq!(all("damaged", "reason"), ["contents-differ", "contents-differ"], "{answer:#}");
    for (damaged, code) in answer["damaged"].as_array().unwrap().iter().zip(["rows-differ", "values-differ"]) {
        let differences = damaged["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 1, "{damaged:#}");
        assert_eq!(differences[0]["code"], code, "{damaged:#}");
    }
}
