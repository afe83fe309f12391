//! From what was seen to what speaks against a migration. Pure: the same report gives the same problems.

use std::time::Duration;

use super::measure::{Blocks, LockHeld};
use super::record::{
    ColumnFate, MigrationReport, Outcome, Problem, ProblemCode, ProblemSeverity, Refusal, StatementReport, Stop,
    TableChange,
};

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long others' reads or writes of a table may wait.
    pub max_block: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_block: Duration::from_secs(1) }
    }
}

/// What speaks against a migration, worst first.
pub fn problems(report: &MigrationReport, limits: Limits) -> Vec<Problem> {
    let mut judge = Judge { report, found: Vec::new() };
    judge.outcome();
    judge.data();
    judge.statements(limits);
    judge.load(limits);
    judge.stops();
    judge.repeat();
    judge.way_back();
    judge.schema();
    judge.found.sort_by_key(|problem| (problem.severity, problem.code));
    judge.found
}

/// Lowers those that somebody has signed for: they are told, and speak against nothing any more.
pub fn accept(problems: &mut [Problem], is_accepted: impl Fn(&Problem) -> bool) {
    for problem in problems.iter_mut().filter(|problem| problem.severity == ProblemSeverity::Error) {
        if is_accepted(problem) {
            problem.severity = ProblemSeverity::Warning;
            problem.message.push_str(" (accepted)");
        }
    }
    problems.sort_by_key(|problem| problem.severity);
}

struct Judge<'a> {
    report: &'a MigrationReport,
    found: Vec<Problem>,
}

/// Codes and how bad they are by default.
fn severity(code: ProblemCode) -> ProblemSeverity {
    use ProblemCode as Code;
    match code {
        Code::MigrationFails
        | Code::DataLost
        | Code::StuckAfterStop
        | Code::InvalidAfterStop
        | Code::Blocks
        | Code::InvalidIndex
        | Code::DownFails
        | Code::UpAgainFails => ProblemSeverity::Error,
        Code::Rewrites
        | Code::DataChanged
        | Code::RepeatFails
        | Code::RepeatChanges
        | Code::DownDiffers
        | Code::UnvalidatedConstraint
        | Code::ForeignKeyWithoutIndex
        | Code::AlreadyThere => ProblemSeverity::Warning,
    }
}

/// What a problem is about.
#[derive(Debug, Clone, Default)]
struct About {
    file: Option<String>,
    line: Option<u64>,
    object: Option<String>,
}

impl About {
    fn object(name: &str) -> Self {
        Self { object: Some(name.to_owned()), ..Self::default() }
    }

    fn statement(statement: &StatementReport, object: Option<&str>) -> Self {
        let (file, line) = (Some(statement.file.clone()), Some(statement.line));
        Self { file, line, object: object.map(str::to_owned) }
    }

    fn refusal(refusal: &Refusal) -> Self {
        Self { file: Some(refusal.file.clone()), line: Some(refusal.line), object: None }
    }
}

impl Judge<'_> {
    fn add(&mut self, code: ProblemCode, about: About, message: String) {
        let first = self.report.files.first().map(|file| file.path.clone()).unwrap_or_default();
        let About { file, line, object } = about;
        let migration = file.unwrap_or(first);
        self.found.push(Problem { code, severity: severity(code), migration, line, object, message });
    }

    fn outcome(&mut self) {
        if let Outcome::Failed(refusal) = &self.report.outcome {
            let rest =
                if self.report.atomic { "nothing of it remains" } else { "what it had committed before remains" };
            let message = format!("{}; {rest}", said(refusal));
            self.add(ProblemCode::MigrationFails, About::refusal(refusal), message);
        }
    }

    fn data(&mut self) {
        let report = self.report;
        for table in &report.tables {
            self.rows(table);
            for column in table.values_lost() {
                let name = format!("{}.{}", table.table, column.column);
                let n_lost = column.values_before.saturating_sub(column.values_after);
                let message = format!("{n_lost} of {} values of {name} are gone", column.values_before);
                self.add(ProblemCode::DataLost, About::object(&name), message);
            }
            for column in table.values_changed() {
                let name = format!("{}.{}", table.table, column.column);
                let message = format!("values of {name} are others than before ({} of them)", column.values_before);
                self.add(ProblemCode::DataChanged, About::object(&name), message);
            }
            if table.rows_changed {
                let message = format!("the values of {} are in other rows than before", table.table);
                self.add(ProblemCode::DataChanged, About::object(&table.table), message);
            }
        }
        for sequence in &report.sequences_moved {
            let message = format!("{sequence} was set back: it will give numbers that it gave before");
            self.add(ProblemCode::DataChanged, About::object(sequence), message);
        }
    }

    fn rows(&mut self, table: &TableChange) {
        let n_lost = table.rows_lost();
        if n_lost == 0 {
            return;
        }
        let how = if table.dropped { "with the table" } else { "by deletion" };
        let message = format!("{n_lost} of {} rows of {} are gone {how}", table.rows_before, table.table);
        self.add(ProblemCode::DataLost, About::object(&table.table), message);
    }

    fn statements(&mut self, limits: Limits) {
        let report = self.report;
        for statement in &report.statements {
            for lock in &statement.measured.locks {
                if is_too_long(lock, limits) {
                    let message = format!(
                        "{} on {} for {:.1} s: {}",
                        lock.mode.words(),
                        lock.relation,
                        lock.seconds,
                        lock.blocks.words()
                    );
                    self.add(ProblemCode::Blocks, About::statement(statement, Some(&lock.relation)), message);
                }
            }
            for rewrite in statement.measured.rewrites.iter().filter(|rewrite| rewrite.bytes > 0) {
                let message =
                    format!("the {} {} is written anew ({} bytes)", rewrite.kind, rewrite.relation, rewrite.bytes);
                self.add(ProblemCode::Rewrites, About::statement(statement, Some(&rewrite.relation)), message);
            }
            if passed_over(statement) {
                let message = "it is already there, and IF NOT EXISTS leaves it as it is, whatever its definition";
                self.add(ProblemCode::AlreadyThere, About::statement(statement, None), message.to_owned());
            }
        }
    }

    fn load(&mut self, limits: Limits) {
        let Some(load) = &self.report.load else { return };
        for (longest, what) in [(load.longest_read, "read"), (load.longest_write, "write")] {
            if longest >= limits.max_block.as_secs_f64() {
                let message = format!("under load, a {what} waited {longest:.1} s");
                self.add(ProblemCode::Blocks, About::default(), message);
            }
        }
        if let Some(Outcome::Failed(refusal)) = &load.outcome {
            let message = format!("under load, {}", said(refusal));
            self.add(ProblemCode::MigrationFails, About::refusal(refusal), message);
        }
    }

    fn stops(&mut self) {
        let report = self.report;
        for stop in &report.stops {
            let about = || About { file: Some(stop.file.clone()), line: Some(stop.line), object: None };
            if let Outcome::Failed(refusal) = &stop.outcome {
                let message = format!("stopped {}, it cannot be run again: {}", place(stop), said(refusal));
                self.add(ProblemCode::StuckAfterStop, about(), message);
            }
            // An invalid index is a difference as well, and the worse one.
            if let Some(index) = stop.invalid.first() {
                let message = match stop.outcome {
                    Outcome::Ran => {
                        format!("stopped {}, running it again succeeds and leaves {index} invalid", place(stop))
                    }
                    Outcome::Failed(_) => format!("stopped {}, it leaves {index} invalid", place(stop)),
                };
                let about = About { object: Some(index.clone()), ..about() };
                self.add(ProblemCode::InvalidAfterStop, about, message);
            } else if let Some(first) = stop.differences.first() {
                let message = format!("stopped {} and run again, it ends elsewhere: {first}", place(stop));
                self.add(ProblemCode::StuckAfterStop, about(), message);
            }
        }
    }

    fn repeat(&mut self) {
        let Some(repeat) = &self.report.repeat else { return };
        if let Outcome::Failed(refusal) = &repeat.outcome {
            let message = format!("run a second time it fails: {}", said(refusal));
            self.add(ProblemCode::RepeatFails, About::refusal(refusal), message);
        }
        if let Some(first) = repeat.changes.first() {
            let others = match repeat.changes.len() - 1 {
                0 => String::new(),
                n_others => format!(" (and {n_others} more)"),
            };
            let message = format!("run a second time it changes something again: {first}{others}");
            self.add(ProblemCode::RepeatChanges, About::default(), message);
        }
    }

    fn way_back(&mut self) {
        let Some(way_back) = &self.report.way_back else { return };
        if let Outcome::Failed(refusal) = &way_back.outcome {
            let message = format!("the way back fails: {}", said(refusal));
            self.add(ProblemCode::DownFails, About::refusal(refusal), message);
        }
        // What the way forward lost no way back can bring.
        let is_lost = self.found.iter().any(|problem| problem.code == ProblemCode::DataLost);
        let data = way_back.data_differences.first().filter(|_| !is_lost && !self.has_changed_data());
        if let Some(first) = way_back.schema_differences.first().or(data) {
            let message = format!("the way back leads elsewhere: {first}");
            self.add(ProblemCode::DownDiffers, About::default(), message);
        }
        if let Some(Outcome::Failed(refusal)) = &way_back.up_again {
            let message = format!("after the way back it cannot be run again: {}", said(refusal));
            self.add(ProblemCode::UpAgainFails, About::refusal(refusal), message);
        }
        if let Some(Outcome::Failed(refusal)) = &way_back.down_again {
            let message = format!("the way back, run a second time, fails: {}", said(refusal));
            self.add(ProblemCode::RepeatFails, About::refusal(refusal), message);
        }
    }

    fn has_changed_data(&self) -> bool {
        self.found.iter().any(|problem| problem.code == ProblemCode::DataChanged)
    }

    fn schema(&mut self) {
        let change = &self.report.schema;
        let each = [
            (ProblemCode::InvalidIndex, &change.invalid_indexes, "is invalid: it costs writes and answers no query"),
            (
                ProblemCode::UnvalidatedConstraint,
                &change.unvalidated_constraints,
                "is not validated: rows that were there before may break it",
            ),
            (
                ProblemCode::ForeignKeyWithoutIndex,
                &change.foreign_keys_without_index,
                "has no index on its columns: each delete of what it refers to reads the whole table",
            ),
        ];
        for (code, names, what) in each {
            for name in names {
                self.add(code, About::object(name), format!("{name} {what}"));
            }
        }
    }
}

fn is_too_long(lock: &LockHeld, limits: Limits) -> bool {
    lock.blocks >= Blocks::Writes && lock.seconds >= limits.max_block.as_secs_f64()
}

/// Whether a guarded statement found everything there: then it wrote nothing, or at most the record of its lock. Schemas and
/// extensions are there more often than not, and are what they are called.
fn passed_over(statement: &StatementReport) -> bool {
    const LOCK_RECORD: u64 = 150;
    let text = statement.sql.to_ascii_lowercase();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let has_guard = words.windows(3).any(|words| words == ["if", "not", "exists"]);
    let is_of_one_meaning = words.first() == Some(&"create") && matches!(words.get(1), Some(&"schema" | &"extension"));
    let is_block = words.first() == Some(&"do");
    let measured = &statement.measured;
    has_guard && !is_of_one_meaning && !is_block && measured.error.is_none() && measured.wal_bytes < LOCK_RECORD
}

fn said(refusal: &Refusal) -> String {
    match refusal.sqlstate.as_str() {
        "" => refusal.message.clone(),
        sqlstate => format!("{} ({sqlstate})", refusal.message),
    }
}

fn place(stop: &Stop) -> String {
    let how = if stop.within { "within" } else { "after" };
    format!("{how} the statement of line {}", stop.line)
}

impl ColumnFate {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Dropped => "gone",
            Self::Changed => "other values",
            Self::Renamed => "renamed",
        }
    }
}
