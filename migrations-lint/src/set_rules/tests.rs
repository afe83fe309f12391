use std::path::Path;

use super::*;
use crate::layout::{InputFile, find_sets};

fn found(files: &[(&str, &str)]) -> FoundSet {
    let files = files.iter().map(|(path, text)| InputFile::new(*path, Path::new("/repo").join(path), *text)).collect();
    find_sets(files, None).into_iter().next().unwrap()
}

fn check_all(found: &FoundSet, history: History<'_>) -> Vec<String> {
    let findings = check_set(found, history, &Options::default());
    findings.iter().map(|finding| format!("{} {}", finding.rule, finding.file.display())).collect()
}

fn check(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(check_all(&found(files), History::default()), expected);
}

const LOCK: (&str, &str) = ("m/migration_lock.toml", "provider = \"postgresql\"");

#[test]
fn a_sound_set_has_no_findings() {
    check(&[("m/1_a.up.sql", "a"), ("m/1_a.down.sql", "b"), ("m/2_c.up.sql", "c"), ("m/2_c.down.sql", "d")], &[]);
}

#[test]
fn a_new_version_below_an_old_one_is_found_where_age_is_known() {
    let mut found =
        found(&[("m/1_a.up.sql", "a"), ("m/2_b.up.sql", "b"), ("m/3_c.up.sql", "c"), ("m/4_d.up.sql", "d")]);
    found.set.files[0].reported = false;
    found.set.files[2].reported = false;
    let known = History { is_known: true, ..History::default() };
    assert_eq!(check_all(&found, known), ["out-of-order-version m/2_b.up.sql"]);
    assert_eq!(check_all(&found, History::default()), Vec::<String>::new());
    let changed = History { is_known: true, changed: &[1], ..History::default() };
    assert_eq!(check_all(&found, changed), ["edited-after-apply m/2_b.up.sql"]);
}

#[test]
fn what_the_layout_saw_becomes_findings() {
    check(&[LOCK, ("m/20240101000000_a/migration.sql", "a"), ("m/seed.sql", "s")], &["file-not-run m/seed.sql"]);
    let sum = ("m/atlas.sum", "h1:x\n1_a.sql h1:wrong\n2_b.sql h1:gone\n");
    check(&[sum, ("m/1_a.sql", "a")], &["edited-after-apply m/1_a.sql"]);
    check(
        &[("m/meta/_journal.json", r#"{"entries":[{"when":1,"tag":"0_a"}]}"#)],
        &["missing-file m/meta/_journal.json"],
    );
}

#[test]
fn a_rule_that_is_off_says_nothing_and_a_set_severity_counts() {
    use crate::options::RuleSeverity;
    use crate::report::Severity;
    let found = found(&[LOCK, ("m/20240101000000_a/migration.sql", "a"), ("m/seed.sql", "s")]);
    let options =
        |severity| Options { severities: [("file-not-run".to_owned(), severity)].into(), ..Options::default() };
    assert_eq!(check_set(&found, History::default(), &options(RuleSeverity::Off)), []);
    let findings = check_set(&found, History::default(), &options(RuleSeverity::Error));
    assert_eq!(findings[0].severity, Severity::Error);
}

#[test]
fn every_rule_has_its_own_name() {
    let names: std::collections::BTreeSet<_> = crate::rules().iter().map(|rule| rule.id).collect();
    assert_eq!(names.len(), crate::rules().len());
}
