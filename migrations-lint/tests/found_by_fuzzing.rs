//! Every input on which a fuzz target once failed, and the seeds that it starts from, must pass for ever.

use std::fs;
use std::path::Path;

#[path = "../fuzz/bodies.rs"]
mod bodies;

/// Runs a target over the inputs of its folder below `fuzz/found`; the names say what was wrong.
fn check(folder: &str, body: fn(&str)) {
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
    check("layout", bodies::layout);
}
