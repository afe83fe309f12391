//! A rehearsal for people: what ran, what it cost, what speaks against it, and where the figures come from.

use std::fmt::Write as _;

use super::measure::{Blocks, Measured};
use super::record::{MigrationReport, Outcome, Problem, ProblemSeverity, Rehearsal, RehearsalVerdict, StatementReport};
use crate::status::words::bytes;

/// The whole answer.
pub fn text(record: &Rehearsal) -> String {
    let mut text = String::new();
    let Rehearsal { backup, source, layout, migrations, .. } = record;
    if migrations.is_empty() {
        let _ = writeln!(text, "nothing to rehearse: {source} ({backup}) has run every migration of this {layout} set");
        return text;
    }
    let _ = writeln!(
        text,
        "{} rehearsed on a copy of {source} {backup} (data of {}, {})",
        counted(migrations.len(), "pending migration"),
        record.data_at.format("%F %T UTC"),
        bytes(record.place.database_bytes)
    );
    for migration in migrations {
        text.push('\n');
        migration_text(&mut text, migration);
    }
    for file in &record.not_reached {
        let _ = writeln!(text, "\n{}  not reached", file.path);
    }
    text.push('\n');
    for problem in &record.problems {
        problem_text(&mut text, problem);
    }
    verdict_text(&mut text, record);
    place_text(&mut text, record);
    text
}

fn migration_text(text: &mut String, migration: &MigrationReport) {
    let name: Vec<&str> = migration.files.iter().map(|file| file.path.as_str()).collect();
    let how = match &migration.outcome {
        Outcome::Ran => "ran in",
        Outcome::Failed(_) => "failed after",
    };
    let whole = if migration.atomic { "one transaction" } else { "several commits" };
    let _ = writeln!(text, "{}  {how} {:.3} s, {whole}", name.join(", "), migration.seconds);
    let is_told = |statement: &&StatementReport| !is_nothing(&statement.measured);
    let n_quiet = migration.statements.iter().filter(|statement| !is_told(statement)).count();
    for statement in migration.statements.iter().filter(is_told) {
        statement_text(text, statement);
    }
    if n_quiet > 0 {
        let _ = writeln!(text, "  {} that blocked nobody and wrote little", counted(n_quiet, "statement"));
    }
    if let Some(spilled) = migration.temp_bytes.filter(|spilled| *spilled > 0) {
        let _ = writeln!(text, "  temporary files: {}", bytes(spilled));
    }
    trials_text(text, migration);
}

/// Whether there is nothing about it that anybody would want to read.
fn is_nothing(measured: &Measured) -> bool {
    const LITTLE: u64 = 64 << 10;
    measured.error.is_none()
        && measured.rewrites.is_empty()
        && measured.locks.iter().all(|lock| lock.blocks < Blocks::Writes)
        && measured.seconds < 0.1
        && measured.wal_bytes < LITTLE
}

fn statement_text(text: &mut String, statement: &StatementReport) {
    let Measured { seconds, locks, rewrites, rows, wal_bytes, error } = &statement.measured;
    let _ = writeln!(text, "  line {:<4} {seconds:>8.3} s  {}", statement.line, first_words(&statement.sql));
    let mut line = |what: String| {
        let _ = writeln!(text, "                       {what}");
    };
    for lock in locks.iter().filter(|lock| lock.blocks >= Blocks::Maintenance) {
        line(format!("{} on {} for {:.3} s: {}", lock.mode.words(), lock.relation, lock.seconds, lock.blocks.words()));
    }
    for rewrite in rewrites {
        line(format!("writes the {} {} anew ({})", rewrite.kind, rewrite.relation, bytes(rewrite.bytes)));
    }
    if let Some(rows) = rows {
        let figures = [(rows.inserted, "inserted"), (rows.updated, "updated"), (rows.deleted, "deleted")];
        let told: Vec<String> =
            figures.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if !told.is_empty() {
            line(format!("rows: {}", told.join(", ")));
        }
    }
    if *wal_bytes > 1 << 20 {
        line(format!("write-ahead log: {}", bytes(*wal_bytes)));
    }
    if let Some(error) = error {
        line(format!("refused: {error}"));
    }
}

fn first_words(sql: &str) -> String {
    let flat = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(90) {
        None => flat,
        Some((end, _)) => format!("{} …", &flat[..end]),
    }
}

fn trials_text(text: &mut String, migration: &MigrationReport) {
    let mut line = |name: &str, what: String| {
        let _ = writeln!(text, "  {name:<10} {what}");
    };
    if let Some(repeat) = &migration.repeat {
        let what = match (&repeat.outcome, repeat.changes.len()) {
            (Outcome::Ran, 0) => "runs, and changes nothing more".to_owned(),
            (Outcome::Ran, _) => "runs, and changes something more".to_owned(),
            (Outcome::Failed(refusal), _) => format!("fails: {}", refusal.message),
        };
        line("again", what);
    }
    match migration.stops.as_slice() {
        [] if migration.atomic => line("stopped", "leaves nothing of it".to_owned()),
        [] => {}
        stops => {
            let is_bad = |stop: &&super::record::Stop| {
                stop.outcome != Outcome::Ran || !stop.differences.is_empty() || !stop.invalid.is_empty()
            };
            let n_bad = stops.iter().filter(is_bad).count();
            line("stopped", format!("in {} places; {n_bad} of them are not mended by running it again", stops.len()));
        }
    }
    if let Some(way_back) = &migration.way_back {
        let what = match &way_back.outcome {
            Outcome::Failed(refusal) => format!("fails: {}", refusal.message),
            Outcome::Ran if !way_back.schema_differences.is_empty() => "runs, to another schema".to_owned(),
            Outcome::Ran if !way_back.data_differences.is_empty() => "the same schema, other data".to_owned(),
            Outcome::Ran => "the same schema and the same data".to_owned(),
        };
        line("way back", what);
    }
    if let Some(load) = &migration.load {
        let what = format!("longest read {:.3} s, longest write {:.3} s", load.longest_read, load.longest_write);
        line("under load", what);
        for error in &load.errors {
            line("", format!("refused: {error}"));
        }
    }
    for what in &migration.not_tried {
        line("not tried", what.clone());
    }
}

fn problem_text(text: &mut String, problem: &Problem) {
    let level = match problem.severity {
        ProblemSeverity::Error => "error",
        ProblemSeverity::Warning => "warning",
    };
    let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
    let _ = writeln!(text, "{level}[{}] {}{line}: {}", problem.code.as_str(), problem.migration, problem.message);
}

fn verdict_text(text: &mut String, record: &Rehearsal) {
    let count = |level| record.problems.iter().filter(|problem| problem.severity == level).count();
    let verdict = match record.verdict {
        RehearsalVerdict::Passed => "passed",
        RehearsalVerdict::Failed => "failed",
    };
    let (errors, warnings) = (count(ProblemSeverity::Error), count(ProblemSeverity::Warning));
    let _ = writeln!(text, "{verdict}: {}, {}", counted(errors, "error"), counted(warnings, "warning"));
}

fn place_text(text: &mut String, record: &Rehearsal) {
    let place = &record.place;
    let _ = writeln!(
        text,
        "measured on {} with PostgreSQL {}, shared_buffers {}, maintenance_work_mem {}; production has the same rows, so times \
         there differ as the machines do:",
        counted(usize::try_from(place.processors).unwrap_or(usize::MAX), "processor"),
        place.server_version,
        place.shared_buffers,
        place.maintenance_work_mem
    );
    for note in &place.notes {
        let _ = writeln!(text, "  {note}");
    }
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
