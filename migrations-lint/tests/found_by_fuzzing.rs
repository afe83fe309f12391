//! Every input on which a fuzz target once failed, and the seeds that it starts from, must pass for ever.

use std::fs;
use std::path::Path;

#[path = "../fuzz/bodies.rs"]
mod bodies;

use bodies::Layout;

/// Runs a target over the inputs of its folder below `fuzz/found`; the names say what was wrong.
fn check(folder: &str, body: impl Fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found").join(folder);
    let mut n_inputs = 0;
    for entry in fs::read_dir(&folder).expect("the folder is part of the repository") {
        let path = entry.expect("a folder can be read to its end").path();
        let input = fs::read(&path).expect("an input can be read");
        body(&String::from_utf8_lossy(&input));
        n_inputs += 1;
    }
    assert!(n_inputs > 0, "{} is empty", folder.display());
}

#[test]
fn the_splitter_survives_what_it_once_failed_on() {
    check("split", bodies::split);
}

#[test]
fn the_linter_survives_what_it_once_failed_on() {
    check("lint", bodies::linter);
}

#[test]
fn the_layouts_survive_what_they_once_failed_on() {
    check("layout/detected", |input| bodies::layout(input, None));
    for layout in Layout::ALL {
        let folder = format!("layout/{}", layout.as_str());
        check(&folder, |input| bodies::layout(input, Some(layout)));
        check(&folder, |input| bodies::layout(input, None));
    }
}

#[test]
fn every_layout_has_a_target_of_its_own() {
    let targets = include_str!("../fuzz/Cargo.toml");
    for layout in Layout::ALL {
        let name = layout.as_str().replace('-', "_");
        assert!(targets.contains(&format!("fuzz_targets/layout_{name}.rs")), "no target for {name}");
    }
}

/// Inputs of every run are the same: a small generator with a fixed start.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % below.max(1)
    }

    /// The text with some stretches left out, doubled, or replaced by what often breaks readers.
    fn mutilate(&mut self, text: &str) -> String {
        const BREAKERS: [&str; 16] = [
            "'",
            "\"",
            "`",
            "$$",
            "/*",
            "*/",
            "--",
            "(",
            ")",
            ";",
            "\0",
            "[",
            "--> statement-breakpoint",
            "DELIMITER //",
            "é",
            "\n",
        ];
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.roll(4) {
            let start = self.roll(characters.len());
            let end = (start + self.roll(30)).min(characters.len());
            match self.roll(3) {
                0 => drop(characters.drain(start..end)),
                1 => {
                    let again = characters[start..end].to_vec();
                    characters.splice(start..start, again);
                }
                _ => {
                    let breaker = BREAKERS[self.roll(BREAKERS.len())].chars();
                    characters.splice(start..end, breaker);
                }
            }
        }
        characters.into_iter().collect()
    }
}

/// `ROUNDS=50` mutilates each fifty times.
#[test]
fn mutilated_cases_and_sets_of_files_are_survived() {
    let cases = [include_str!("labelled.sql"), include_str!("labelled_mysql.sql"), include_str!("labelled_sqlite.sql")];
    let mut dice = Dice(20_261_121);
    let n_rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let mutilated = cases.iter().cycle().take(cases.len() * n_rounds);
    for case in mutilated.flat_map(|cases| cases.split("\n-- case: ").skip(1)) {
        let choice = char::from_u32(u32::try_from(dice.roll(32)).expect("it is small")).expect("it is a character");
        let input = format!("{choice}{}", dice.mutilate(case));
        bodies::split(&input);
        bodies::linter(&input);
    }
    for layout in Layout::ALL {
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found/layout").join(layout.as_str()).join("seed");
        let text = fs::read_to_string(seed).expect("a seed is text");
        for _ in 0..10 * n_rounds {
            bodies::layout(&dice.mutilate(&text), Some(layout));
            bodies::layout(&dice.mutilate(&text), None);
        }
    }
}
