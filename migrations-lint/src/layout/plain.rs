//! SQL files of no framework that is known here: ordered by the numbers in their names, or standing alone.
//!
//! Each statement commits by itself, as when psql runs the file. The down conventions of small tools are honoured: their
//! marker lines (sql-migrate, node-pg-migrate, tern, `MyBatis`, Play) and names such as `3_x.down.sql`, `undo_3.sql`,
//! `rollback/3_x.sql`. A `V` before the number is passed over, as in `V0001.Initial.up.sql`.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::section::{self, Section};
use super::tree::{InputFile, Tree, folder_of, name_of};
use super::{FoundSet, Layout, SetBuilder, Title, name};
use crate::migration::{Direction, TransactionMode};

/// The marker lines of small tools: what the line begins with, the way it opens, and whether a transaction is opened.
const MARKERS: [(&str, Direction, TransactionMode); 10] = [
    ("-- +migrate up", Direction::Up, TransactionMode::PerPart),
    ("-- +migrate down", Direction::Down, TransactionMode::PerPart),
    ("-- up migration", Direction::Up, TransactionMode::WholeSet),
    ("-- down migration", Direction::Down, TransactionMode::WholeSet),
    ("---- create above / drop below ----", Direction::Down, TransactionMode::PerPart),
    ("-- //@undo", Direction::Down, TransactionMode::PerPart),
    ("# --- !ups", Direction::Up, TransactionMode::PerPart),
    ("# --- !downs", Direction::Down, TransactionMode::PerPart),
    ("-- !ups", Direction::Up, TransactionMode::PerPart),
    ("-- !downs", Direction::Down, TransactionMode::PerPart),
];

/// The files of `folder`: the numbered ones as one set, each other one as a set of its own.
pub(super) fn read(tree: &mut Tree, folder: &Path) -> Vec<FoundSet> {
    let mut idxs: Vec<_> = tree.sql_in(folder).map(|(idx, file)| (idx, Order::of(file))).collect();
    idxs.sort_by(|(_, a), (_, b)| a.cmp(b));
    let mut n_files_of: FxHashMap<String, usize> = FxHashMap::default();
    for (_, order) in &idxs {
        *n_files_of.entry(order.number.clone()).or_default() += 1;
    }
    let mut numbered = SetBuilder::new(Layout::Plain, folder);
    let mut sets = Vec::new();
    for (idx, _) in idxs {
        let Some(file) = tree.take(idx) else { continue };
        let stem = name::stem(file.file_name()).to_owned();
        let (digits, rest) = name::leading_digits(without_v(&stem));
        if digits.is_empty() {
            let mut alone = SetBuilder::new(Layout::Plain, folder);
            let direction = if is_down_name(&file) { Direction::Down } else { Direction::Up };
            add(&mut alone, file, Title { version: None, name: stem }, direction);
            sets.push(alone.finish());
        } else {
            let number = name::number(digits);
            // `42-rollback-triggers.sql` without another 42 is the way forward from 41.
            let is_alone = n_files_of.get(&number) == Some(&1) && !has_down_suffix(&stem) && !is_in_down_folder(&file);
            let is_down = is_down_name(&file) && !is_alone;
            let direction = if is_down { Direction::Down } else { Direction::Up };
            let title = Title::new(number, rest.trim_start_matches(['_', '-', '.']));
            add(&mut numbered, file, title, direction);
        }
    }
    if !numbered.files.is_empty() {
        sets.push(numbered.finish());
    }
    sets
}

/// By number, unnumbered files last; the way forward before the way back.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    is_unnumbered: bool,
    n_digits: usize,
    number: String,
    is_way_back: bool,
    rest: String,
}

impl Order {
    fn of(file: &InputFile) -> Self {
        let (is_unnumbered, n_digits, number, rest) = name::natural_key(without_v(file.file_name()));
        Self { is_unnumbered, n_digits, number, is_way_back: is_down_name(file), rest }
    }
}

/// `V7.name` is numbered as `7.name` is.
fn without_v(name: &str) -> &str {
    let rest = name.strip_prefix(['V', 'v']);
    rest.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())).unwrap_or(name)
}

fn add(set: &mut SetBuilder, file: InputFile, title: Title, direction: Direction) {
    let mut parts = section::split(&file.text, marker);
    if parts.is_empty() {
        set.add_whole(file, title, direction, TransactionMode::None);
        return;
    }
    // tern and MyBatis mark only the way back: what stands before it is the way forward.
    if parts.iter().all(|part| part.direction == Direction::Down) {
        let mut up = parts[0].clone();
        up.direction = Direction::Up;
        let marker_start = file.text[..up.span.start.saturating_sub(1)].rfind('\n').map_or(0, |newline| newline + 1);
        up.span.end = marker_start;
        up.span.start = super::whole_span(&file.text).start.min(marker_start);
        parts.insert(0, up);
    }
    set.add(file, title, parts);
}

fn marker(line: &str) -> Option<Section> {
    if !matches!(line.as_bytes().first(), Some(b'-' | b'#')) {
        return None;
    }
    let line = line.trim_end();
    let (_, direction, transaction) = MARKERS.iter().find(|(text, ..)| section::strip_word(line, text).is_some())?;
    let is_none = line.to_ascii_lowercase().ends_with("notransaction");
    Some(Section { direction: *direction, transaction: if is_none { TransactionMode::None } else { *transaction } })
}

const DOWN_WORDS: [&str; 4] = ["down", "undo", "rollback", "revert"];

/// `3_x.down`, `3.undo.x`: a part of the name that says nothing else.
fn has_down_suffix(stem: &str) -> bool {
    stem.to_ascii_lowercase().split('.').any(|part| DOWN_WORDS.contains(&part))
}

fn is_in_down_folder(file: &InputFile) -> bool {
    let folder = name_of(folder_of(&file.location)).to_ascii_lowercase();
    DOWN_WORDS.contains(&folder.trim_end_matches('s'))
}

/// Names by which people tell the way back from the way forward.
fn is_down_name(file: &InputFile) -> bool {
    let stem = name::stem(file.file_name()).to_ascii_lowercase();
    let mut words = stem.split(['_', '-', '.', ' ']);
    let first = words.clone().find(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
    let last = words.next_back();
    let is_way_back = |word: &str| DOWN_WORDS.contains(&word);
    is_in_down_folder(file)
        || last.is_some_and(is_way_back)
        || first.is_some_and(|word| matches!(word, "undo" | "rollback" | "down"))
}
