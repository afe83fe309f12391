//! A strict reader of Prometheus' text format: what a scraper would stumble over, and what `promtool check metrics` would
//! remark, fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// A metric family as it was scraped.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    /// `gauge` or `counter`.
    pub kind: String,
    /// What it says.
    pub help: String,
    /// Values by their labels.
    pub samples: BTreeMap<BTreeMap<String, String>, f64>,
}

/// The families of a scrape, by name.
pub fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help has a text");
            assert!(
                families.insert(name.to_owned(), Family { help: help.to_owned(), ..Family::default() }).is_none(),
                "{name} comes twice"
            );
            name.clone_into(&mut current);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type has a name");
            assert_eq!(name, current, "the type follows its help");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            kind.clone_into(&mut families.get_mut(name).expect("its help came before").kind);
        } else {
            let (name, labels, value) = sample(line);
            assert_eq!(name, current, "samples follow their family: {line}");
            let family = families.get_mut(&name).expect("its help came before");
            assert!(!family.kind.is_empty(), "{name} has no type");
            assert!(family.samples.insert(labels, value).is_none(), "twice: {line}");
        }
    }
    for (name, family) in &families {
        lint(name, family);
    }
    families
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).expect("a sample has a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name, ":"), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, quoted) = rest.split_once("=\"").expect("a label has a value");
            assert!(is_name(label, ""), "{line}");
            let (value, after) = unquote(quoted);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}').expect("labels end");
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').expect("one blank before the value");
    assert!(!value.contains(' '), "no time stamps: {line}");
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("{line}")))
}

fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((idx, character)) = characters.next() {
        match character {
            '"' => return (value, &text[idx + 1..]),
            '\\' => match characters.next().expect("an escape is whole").1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                other => panic!("\\{other} is no escape"),
            },
            other => value.push(other),
        }
    }
    panic!("a label's value does not end: {text}");
}

fn is_name(text: &str, also: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_' || also.contains(character);
    !text.is_empty() && !text.starts_with(|character: char| character.is_ascii_digit()) && text.chars().all(fits)
}

fn lint(name: &str, family: &Family) {
    let Family { kind, help, samples } = family;
    assert!(help.ends_with('.') && help.len() > 20, "{name}: {help}");
    assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
    assert!(!samples.is_empty(), "{name} has no samples");
    let names: BTreeSet<Vec<&String>> = samples.keys().map(|labels| labels.keys().collect()).collect();
    assert_eq!(names.len(), 1, "{name} has samples with different labels");
    for unit in ["milliseconds", "minutes", "hours", "kilobytes", "megabytes", "percent"] {
        assert!(!name.contains(unit), "{name}: base units are seconds, bytes and ratios");
    }
    assert!(samples.values().all(|value| value.is_finite()), "{name}");
    assert!(name.starts_with("guard_"), "{name}");
}
