//! The pages in `docs/rules/` are those that the rules' own files make; `UPDATE_DOCS=1` writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use migrations_lint::{page, rules};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules")
}

fn index() -> String {
    let mut index = String::from(
        "<!-- Generated from the rules' own files; do not edit. -->\n# Rules\n\n| rule | class | default | |\n|---|---|---|---|\n",
    );
    for rule in rules() {
        let _ = writeln!(
            index,
            "| [{0}]({0}.md) | {1} | {2} | {3} |",
            rule.id,
            rule.class.as_str(),
            rule.default_severity.as_str(),
            rule.summary
        );
    }
    index
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let directory = directory();
    let mut expected: Vec<(String, String)> =
        rules().iter().map(|rule| (format!("{}.md", rule.id), page(rule))).collect();
    expected.push(("README.md".into(), index()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&directory).expect("docs/rules can be made");
        for (name, text) in &expected {
            std::fs::write(directory.join(name), text).expect("a page can be written");
        }
    }
    for (name, text) in &expected {
        let found = std::fs::read_to_string(directory.join(name)).unwrap_or_default();
        assert_eq!(
            &found, text,
            "docs/rules/{name} is out of date: run UPDATE_DOCS=1 cargo test -p migrations-lint --test docs"
        );
    }
    let names: BTreeSet<String> = expected.into_iter().map(|(name, _)| name).collect();
    for entry in std::fs::read_dir(&directory).expect("docs/rules is there") {
        let name = entry.expect("the directory can be read").file_name().to_string_lossy().into_owned();
        assert!(names.contains(&name), "docs/rules/{name} has no rule");
    }
}
