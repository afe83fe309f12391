//! What a part of a file says by itself: its statements, their transactions, what fails when they run twice. Nothing of it
//! needs to know the files before, so the files are read side by side.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::engine::Engine;
use crate::migration::{MigrationFile, MigrationSet, Part, TransactionMode};
use crate::options::Options;
use crate::parse::{parse, unreadable};
use crate::rerun::{self, Failure};
use crate::statement::Statement;
use crate::transaction::{Place, places, renumber};

/// The grammar's judge recurses; nesting within its limit fits into this.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// One part, read.
pub(super) struct ReadPart {
    pub(super) statements: Vec<Statement>,
    /// Of the part's transaction.
    pub(super) mode: TransactionMode,
    /// One for each statement; transactions have numbers that no other part uses.
    pub(super) places: Vec<Place>,
    /// In the order of the statements; none in a file that is not reported on.
    pub(super) failures: Vec<Failure>,
}

/// The parts of each file of the set. Threads take files one by one.
pub(super) fn read(set: &MigrationSet, options: &Options, engine: Engine) -> Vec<Vec<ReadPart>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let file_idx = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = set.files.get(file_idx) else { return done };
            let parts: Vec<_> = file.parts.iter().map(|part| read_part(set, file, part, (options, engine))).collect();
            done.push((file_idx, parts));
        }
    };
    let bytes: usize = set.files.iter().map(|file| file.source.text().len()).sum();
    let n_useful = set.files.len().min(bytes / 16_384 + 1).max(1);
    // How many cores there are is read from several files: not worth it for a small set.
    let n_cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let n_threads = if n_useful == 1 { 1 } else { n_useful.min(n_cores()) };
    let mut files: Vec<(usize, Vec<ReadPart>)> = thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let handles: Vec<_> = (0..n_threads).filter_map(|idx| spawn(idx).ok()).collect();
        if handles.is_empty() {
            return work();
        }
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    files.sort_by_key(|(file_idx, _)| *file_idx);
    let mut n_transactions = 0;
    for part in files.iter_mut().flat_map(|(_, parts)| parts) {
        renumber(&mut part.places, &mut n_transactions);
    }
    files.into_iter().map(|(_, parts)| parts).collect()
}

/// A fault of the linter's own costs one part, and is said.
fn read_part(set: &MigrationSet, file: &MigrationFile, part: &Part, (options, engine): (&Options, Engine)) -> ReadPart {
    let mode = options.transaction.unwrap_or_else(|| mode(set.layout, part.transaction, engine));
    let told = |statements: Vec<Statement>| {
        let places = places(&statements, mode, engine);
        let failures = if file.reported { rerun::failures(&statements, &places) } else { Vec::new() };
        ReadPart { statements, mode, places, failures }
    };
    catch_unwind(AssertUnwindSafe(|| told(parse(file.source.text(), part.span, engine))))
        .unwrap_or_else(|_| told(vec![unreadable(part.span)]))
}

/// A layout speaks of PostgreSQL, where one request is one transaction. SQLite's statements commit one by one, unless the
/// driver opens a transaction, as golang-migrate's does (`x-no-tx-wrap` in its database/sqlite3).
fn mode(layout: &str, of_layout: TransactionMode, engine: Engine) -> TransactionMode {
    match of_layout {
        TransactionMode::ImplicitPerPart if engine == Engine::Sqlite => match layout {
            "golang-migrate" => TransactionMode::PerPart,
            _ => TransactionMode::None,
        },
        mode => mode,
    }
}
