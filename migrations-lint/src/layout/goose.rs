//! goose: `<version>_<name>.sql` with `-- +goose Up` and `-- +goose Down`.
//!
//! Read in `internal/sqlparser/parser.go`. Annotations stand at the start of a line, in any case. Each file runs in a
//! transaction unless it says `-- +goose NO TRANSACTION`.

use std::path::Path;

use super::section::{self, Section};
use super::tree::Tree;
use super::{SetBuilder, Title, name};
use crate::migration::{Direction, TransactionMode};

pub(super) fn recognises(tree: &Tree, folder: &Path) -> bool {
    tree.sql_in(folder).any(|(_, file)| section::header(&file.text).any(|line| annotation(line).is_some()))
}

pub(super) fn read(tree: &mut Tree, folder: &Path, set: &mut SetBuilder) {
    let mut files: Vec<_> = tree
        .sql_in(folder)
        .map(|(idx, file)| (idx, name::leading_digits(name::stem(file.file_name())).0.to_owned()))
        .collect();
    files.sort_by(|(_, a), (_, b)| name::compare_numbers(a, b));
    for (idx, version) in files {
        let Some(file) = tree.take(idx) else { continue };
        let name = name::stem(file.file_name()).split_once('_').map(|(_, name)| name.to_owned());
        match name {
            Some(name) if !version.is_empty() => {
                let parts = section::split(&file.text, marker(&file.text));
                set.add(file, Title::new(name::number(&version), name), parts);
            }
            _ => set.not_run(file, "goose runs only files named <version>_<name>.sql"),
        }
    }
}

fn marker(text: &str) -> impl Fn(&str) -> Option<Section> {
    let is_none =
        |line: &str| comment(line).and_then(annotation).is_some_and(|a| a.eq_ignore_ascii_case("no transaction"));
    let no_transaction = section::lines(text).any(|(_, line)| is_none(line));
    let transaction = if no_transaction { TransactionMode::None } else { TransactionMode::PerPart };
    move |line| {
        let annotation = comment(line).and_then(annotation)?;
        let direction = match annotation {
            _ if annotation.eq_ignore_ascii_case("up") => Direction::Up,
            _ if annotation.eq_ignore_ascii_case("down") => Direction::Down,
            _ => return None,
        };
        Some(Section { direction, transaction })
    }
}

fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("--").map(str::trim)
}

/// What follows `+goose` in a comment.
fn annotation(comment: &str) -> Option<&str> {
    section::strip_word(comment, "+goose").map(str::trim)
}
