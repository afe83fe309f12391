//! From texts to a report: sets, which migrations to report on, all rules, suppressions, the baseline.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use migrations_lint::baseline::{Baseline, Date};
use migrations_lint::engine::Engine;
use migrations_lint::layout::{FoundSet, Layout, Observation, find_sets, mark_pending};
use migrations_lint::report::Report;
use migrations_lint::set_rules::{History, check_set};
use migrations_lint::suppress::{Suppressed, take_out};
use migrations_lint::{Options, lint};

use super::collect::{Collected, Wanted};
use super::pending::Histories;
use super::since::{Change, Changes};

/// Which migrations are reported on.
#[derive(Debug)]
pub(super) struct Selection {
    /// The layout that `--layout` forces.
    pub(super) layout: Option<Layout>,
    /// What `--since` found.
    pub(super) changes: Option<Changes>,
    /// What `--pending` found.
    pub(super) history: Option<Histories>,
}

/// The sets and what was found in them.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) sets: Vec<FoundSet>,
    pub(super) report: Report,
    pub(super) suppressed: Vec<Suppressed>,
    pub(super) n_baselined: usize,
    notes: Vec<String>,
}

impl Analysis {
    /// What is worth a line on standard error.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Takes the findings out that a baseline lists; returns what is worth a line about it.
    pub(super) fn leave_out(&mut self, baseline: Option<&Baseline>, today: Date) -> Vec<String> {
        let Some(baseline) = baseline else { return Vec::new() };
        let applied = baseline.apply(&mut self.report, today);
        self.n_baselined = applied.matched;
        let mut notes = Vec::new();
        if applied.expired > 0 {
            notes.push(format!("{} findings of the baseline have expired and count again", applied.expired));
        }
        if applied.stale > 0 {
            notes.push(format!(
                "{} rows of the baseline fit nothing any more; --write-baseline removes them",
                applied.stale
            ));
        }
        notes
    }
}

/// Lints everything that was collected.
pub(super) fn analyse(collected: Collected, selection: &Selection, options: &Options) -> Analysis {
    let places = Places { locations: collected.locations(), wanted: collected.wanted };
    let mut sets = find_sets(collected.files, selection.layout);
    for found in &mut sets {
        keep_wanted(found, &places);
    }
    sets.retain(|found| found.set.files.iter().any(|file| file.reported) || !found.observations.is_empty());
    let mut notes = Vec::new();
    if options.engine.is_none() {
        leave_out_foreign(&mut sets, &mut notes);
    }
    if selection.layout.is_none() {
        leave_out_loose(&mut sets, &places, &mut notes);
    }
    if options.engine.is_none() {
        tell_guesses(&sets, &mut notes);
    }
    let mut contexts = Vec::new();
    for found in &mut sets {
        contexts.push(narrow(found, selection, &places, &mut notes));
    }
    let mut report = lint_all(&sets, &contexts, options);
    let files = sets.iter().flat_map(|found| &found.set.files);
    let suppressed = take_out(&mut report, files, options);
    Analysis { sets, report, suppressed, n_baselined: 0, notes }
}

/// The sets of migrations that were collected, for a command that runs them: for PostgreSQL, without loose files.
pub(super) fn runnable(collected: Collected, layout: Option<Layout>) -> (Vec<FoundSet>, Vec<String>) {
    let places = Places { locations: collected.locations(), wanted: collected.wanted };
    let mut sets = find_sets(collected.files, layout);
    for found in &mut sets {
        keep_wanted(found, &places);
    }
    sets.retain(|found| found.set.files.iter().any(|file| file.reported));
    let mut notes = Vec::new();
    leave_out_foreign(&mut sets, &mut notes);
    if layout.is_none() {
        leave_out_loose(&mut sets, &places, &mut notes);
    }
    sets.retain(|found| found.set.engine.is_none_or(|engine| engine == Engine::PostgreSql));
    (sets, notes)
}

/// Where the files are that the sets know by the paths to show.
struct Places {
    locations: HashMap<PathBuf, PathBuf>,
    wanted: Wanted,
}

impl Places {
    fn location(&self, path: &Path) -> &Path {
        self.locations.get(path).map_or(Path::new(""), PathBuf::as_path)
    }
}

/// What is known of a set from outside its files.
#[derive(Debug, Default)]
struct Known {
    has_base: bool,
    edited: Vec<usize>,
    changed: Vec<usize>,
}

/// Files beside those that were asked for give context where a framework orders them; where none does, they are no
/// business of this run.
fn keep_wanted(found: &mut FoundSet, places: &Places) {
    let is_wanted = |path: &Path| places.wanted.contains(places.location(path));
    for file in &mut found.set.files {
        file.reported = is_wanted(file.source.path());
    }
    if found.layout == Layout::Plain {
        found.set.files.retain(|file| file.reported);
    }
    found.observations.retain(|observation| is_wanted(place(observation)));
}

/// Migrations of databases whose SQL is not understood would only be called unparsed.
fn leave_out_foreign(sets: &mut Vec<FoundSet>, notes: &mut Vec<String>) {
    for found in sets.iter() {
        if let Some(database) = found.foreign {
            notes.push(format!(
                "{}: left out, for it is named after {database}; --engine lints it",
                found.folder.display()
            ));
        }
    }
    sets.retain(|found| found.foreign.is_none());
}

/// An engine that nothing but the SQL names is told, so that a wrong guess is seen.
fn tell_guesses(sets: &[FoundSet], notes: &mut Vec<String>) {
    for found in sets.iter().filter(|found| found.is_engine_guessed) {
        if let Some(engine) = found.set.engine {
            notes.push(format!(
                "{}: read as {}, for what is written in it; --engine decides",
                found.folder.display(),
                engine.as_str()
            ));
        }
    }
}

/// Beside sets of migrations, files without a number are queries, seeds and dumps: they are linted when they are named,
/// or when there is nothing else.
fn leave_out_loose(sets: &mut Vec<FoundSet>, places: &Places, notes: &mut Vec<String>) {
    let is_loose = |found: &FoundSet| {
        let mut files = found.set.files.iter();
        found.layout == Layout::Plain
            && files.all(|file| file.version.is_none() && !places.wanted.names(places.location(file.source.path())))
    };
    let n_loose = sets.iter().filter(|found| is_loose(found)).count();
    if n_loose > 0 && n_loose < sets.len() {
        sets.retain(|found| !is_loose(found));
        notes.push(format!(
            "{n_loose} SQL files that belong to no set of migrations were left out; name them to lint them"
        ));
    }
}

fn place(observation: &Observation) -> &Path {
    match observation {
        Observation::NotRun { file, .. }
        | Observation::Skipped { file, .. }
        | Observation::SumMismatch { file, .. }
        | Observation::NotUtf8 { file } => file,
        Observation::Missing { listing, .. } => listing,
    }
}

/// Leaves only those files reported that are new (`--since`) or not yet run (`--pending`).
fn narrow(found: &mut FoundSet, selection: &Selection, places: &Places, notes: &mut Vec<String>) -> Known {
    let mut known = Known { has_base: selection.changes.is_some() || selection.history.is_some(), ..Known::default() };
    if let Some(changes) = &selection.changes {
        for (idx, file) in found.set.files.iter_mut().enumerate() {
            let change = changes.of(places.location(file.source.path()));
            file.reported &= change.is_some();
            if file.reported && change == Some(Change::Changed) {
                known.changed.push(idx);
            }
        }
        found.observations.retain(|observation| match observation {
            // A sum or journal may be out of step because of a file that is gone.
            Observation::Missing { .. } | Observation::SumMismatch { .. } => true,
            _ => changes.of(places.location(place(observation))).is_some(),
        });
    }
    if let Some(history) = &selection.history {
        match history.of(found.layout) {
            Some(applied) => known.edited = mark_pending(found, applied),
            None => notes.push(format!(
                "{}: plain files keep no history in the database; all of them are reported",
                found.folder.display()
            )),
        }
    }
    known
}

/// Lints each set on its own; the sets are shared out among the processors.
fn lint_all(sets: &[FoundSet], known: &[Known], options: &Options) -> Report {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut reports = Vec::new();
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            let Some((found, known)) = sets.get(idx).zip(known.get(idx)) else { return reports };
            reports.push((idx, lint_set(found, known, options)));
        }
    };
    let n_threads =
        if sets.len() == 1 { 1 } else { thread::available_parallelism().map_or(1, usize::from).min(sets.len()) };
    let mut reports: Vec<(usize, Report)> = thread::scope(|scope| {
        let workers: Vec<_> = (1..n_threads).map(|_| scope.spawn(work)).collect();
        let mut reports = work();
        for worker in workers {
            reports.extend(worker.join().expect("a rule that panics is a bug that must not look like a pass"));
        }
        reports
    });
    reports.sort_by_key(|(idx, _)| *idx);
    reports.into_iter().fold(Report::default(), |mut whole, (_, report)| {
        whole.n_files += report.n_files;
        whole.n_statements += report.n_statements;
        whole.findings.extend(report.findings);
        whole
    })
}

fn lint_set(found: &FoundSet, known: &Known, options: &Options) -> Report {
    let mut report = lint(&found.set, options);
    let history = History { is_known: known.has_base, edited: &known.edited, changed: &known.changed };
    report.findings.extend(check_set(found, history, options));
    report
}
