//! From a found set to what is run: the pending migrations, each as the statements and transactions that its framework makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use migrations_lint::engine::Engine;
use migrations_lint::layout::{FoundSet, Layout};
use migrations_lint::migration::{Direction, MigrationFile, Part, TransactionMode};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::statement_spans;

use super::record::FileRef;

/// What a framework runs as one step: a file, or all pending files where they share one transaction.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its files.
    pub files: Vec<FileRef>,
    /// Forward.
    pub up: Vec<Unit>,
    /// Back, if there is a way back.
    pub down: Option<Vec<Unit>>,
    /// Where the framework goes on after a stop.
    pub resume: Resume,
}

/// Statements that are sent in one manner.
#[derive(Debug, Clone)]
pub struct Unit {
    /// In which.
    pub mode: Mode,
    /// In order.
    pub statements: Vec<Statement>,
}

/// How a unit is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Between a BEGIN and a COMMIT of the framework's.
    Transaction,
    /// As one simple query: the server's implicit block around several statements.
    OneRequest,
    /// Each statement for itself.
    EachStatement,
}

/// Where a framework goes on when a migration was stopped in its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// At its first statement.
    Start,
    /// At the first unit that is not recorded as done (Liquibase's changesets).
    Unit,
    /// At the first statement that is not recorded as done (Atlas).
    Statement,
}

/// One statement, with its place.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The file.
    pub source: Arc<SourceText>,
    /// Where in it.
    pub span: Span,
    /// The lines after a `COPY … FROM STDIN`, for the clients that send them.
    pub copy_data: Option<Span>,
    /// What it does to transactions.
    pub control: Control,
}

/// What a statement does to transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Opens a block.
    Begin,
    /// Ends it.
    End,
    /// Needs one around it.
    NeedsBlock,
    /// Nothing.
    None,
}

impl Statement {
    /// Its text.
    pub fn sql(&self) -> &str {
        self.source.slice(self.span)
    }

    /// The path of its file, as shown.
    pub fn file(&self) -> String {
        self.source.path().display().to_string()
    }

    /// The line it begins in, from 1.
    pub fn line(&self) -> u64 {
        self.source.position(self.span.start).line as u64
    }

    /// Whether it changes something that all databases of a server share: no copy can take that in.
    pub fn is_server_wide(&self) -> bool {
        let mut words = words_of(self.sql()).map(str::to_ascii_lowercase);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let shared = ["role", "user", "group", "tablespace", "database"];
        match (first.as_str(), second.as_str()) {
            ("alter", "system") => true,
            // A user mapping belongs to a database.
            ("create" | "alter" | "drop", "user") => words.next().as_deref() != Some("mapping"),
            ("create" | "alter" | "drop", second) => shared.contains(&second),
            _ => false,
        }
    }

    /// Whether its first words are these, whatever their case.
    pub fn begins_with(&self, words: &[&str]) -> bool {
        let mut found = words_of(self.sql());
        words.iter().all(|word| found.next().is_some_and(|found| found.eq_ignore_ascii_case(word)))
    }

    /// Whether it has this keyword outside of quotes; comments count as words, which at worst costs a trial.
    pub fn has_word(&self, word: &str) -> bool {
        words_of(self.sql()).any(|found| found.eq_ignore_ascii_case(word))
    }
}

impl Migration {
    /// The name of its first file, and how many follow.
    pub fn name(&self) -> String {
        let first = self.files.first().map_or_else(String::new, |file| file.path.clone());
        match self.files.len() {
            0 | 1 => first,
            n_files => format!("{first} and {} more in one transaction", n_files - 1),
        }
    }

    /// Its statements in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.up.iter().flat_map(|unit| &unit.statements)
    }
}

/// The pending migrations of a set in which [`migrations_lint::layout::mark_pending`] has left its marks.
pub fn pending(found: &FoundSet) -> Vec<Migration> {
    let downs = Downs::of(found);
    let mut migrations: Vec<Migration> = Vec::new();
    let mut shared: Option<Migration> = None;
    for file in found.set.files.iter().filter(|file| file.reported) {
        let is_up = |part: &&Part| part.direction != Direction::Down;
        let ups: Vec<&Part> = file.parts.iter().filter(is_up).collect();
        if ups.is_empty() {
            continue;
        }
        let source = Arc::new(file.source.clone());
        let units: Vec<Unit> = ups.iter().map(|part| unit(&source, part, found.layout)).collect();
        let down = downs.of_file(file, found.layout);
        let migration = Migration { files: vec![FileRef::of(file)], up: units, down, resume: resume(found.layout) };
        if ups.iter().any(|part| part.transaction == TransactionMode::WholeSet) {
            match &mut shared {
                Some(shared) => shared.absorb(migration),
                None => shared = Some(migration),
            }
        } else {
            migrations.extend(shared.take());
            migrations.push(migration);
        }
    }
    migrations.extend(shared);
    migrations
}

impl Migration {
    /// Another file of the same transaction.
    fn absorb(&mut self, later: Self) {
        self.files.extend(later.files);
        let statements = later.up.into_iter().flat_map(|unit| unit.statements);
        match self.up.first_mut() {
            Some(unit) => unit.statements.extend(statements),
            None => self.up.push(Unit { mode: Mode::Transaction, statements: statements.collect() }),
        }
        // One way back for all, the last first; without one of them there is none.
        self.down = self.down.take().zip(later.down).map(|(earlier, mut later)| {
            later.extend(earlier);
            later
        });
    }
}

/// The downs of a set by version.
struct Downs<'a> {
    by_version: BTreeMap<&'a str, Vec<&'a MigrationFile>>,
}

impl<'a> Downs<'a> {
    fn of(found: &'a FoundSet) -> Self {
        let mut by_version: BTreeMap<&str, Vec<&MigrationFile>> = BTreeMap::new();
        for file in &found.set.files {
            if let Some(version) = &file.version {
                by_version.entry(version).or_default().push(file);
            }
        }
        Self { by_version }
    }

    fn of_file(&self, file: &MigrationFile, layout: Layout) -> Option<Vec<Unit>> {
        let alone = vec![file];
        let files = file.version.as_deref().and_then(|version| self.by_version.get(version)).unwrap_or(&alone);
        let mut units = Vec::new();
        for file in files {
            let source = Arc::new(file.source.clone());
            let downs = file.parts.iter().filter(|part| part.direction == Direction::Down);
            units.extend(downs.map(|part| unit(&source, part, layout)));
        }
        units.reverse();
        units.retain(|unit| !unit.statements.is_empty());
        (!units.is_empty()).then_some(units)
    }
}

fn resume(layout: Layout) -> Resume {
    match layout {
        Layout::Liquibase => Resume::Unit,
        Layout::Atlas => Resume::Statement,
        _ => Resume::Start,
    }
}

fn unit(source: &Arc<SourceText>, part: &Part, layout: Layout) -> Unit {
    let spans = statement_spans(source.slice(part.span), Engine::PostgreSql);
    let statement = |span: Span| {
        let span = span.shifted(part.span.start);
        let copy_data = copy_data(source, span, part.span.end);
        let control = control(source.slice(span));
        Statement { source: Arc::clone(source), span, copy_data, control }
    };
    let statements: Vec<Statement> = spans.into_iter().map(statement).collect();
    Unit { mode: mode(part.transaction, layout, statements.len()), statements }
}

/// sqlx, dbmate and Diesel send a part without a transaction as one query (`execute(sql)`, lib/pq's `Exec`, libpq's
/// `PQexec`): the server then makes one of its own around several statements. Those of the others split it.
fn mode(transaction: TransactionMode, layout: Layout, n_statements: usize) -> Mode {
    let is_sent_whole = matches!(layout, Layout::Sqlx | Layout::Dbmate | Layout::Diesel);
    match transaction {
        TransactionMode::PerPart | TransactionMode::WholeSet => Mode::Transaction,
        TransactionMode::ImplicitPerPart if n_statements > 1 => Mode::OneRequest,
        TransactionMode::None if is_sent_whole && n_statements > 1 => Mode::OneRequest,
        TransactionMode::ImplicitPerPart | TransactionMode::None => Mode::EachStatement,
    }
}

fn copy_data(source: &SourceText, span: Span, part_end: usize) -> Option<Span> {
    let mut words = words_of(source.slice(span));
    let is_copy = words.next().is_some_and(|word| word.eq_ignore_ascii_case("copy"));
    if !is_copy || !words.any(|word| word.eq_ignore_ascii_case("stdin")) {
        return None;
    }
    let text = &source.text()[..part_end];
    let start = span.end + text[span.end..].find('\n')? + 1;
    let end = text[start..].find("\\.").map_or(part_end, |offset| start + offset);
    Some(Span::new(start, end))
}

fn control(sql: &str) -> Control {
    let mut words = words_of(sql).map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    match (first.as_str(), second.as_str()) {
        ("begin", _) | ("start", "transaction") => Control::Begin,
        ("rollback", "to") | ("savepoint" | "release" | "lock" | "declare", _) => Control::NeedsBlock,
        // ROLLBACK WORK TO SAVEPOINT and its like.
        ("rollback", "work" | "transaction") if words.next().as_deref() == Some("to") => Control::NeedsBlock,
        ("commit" | "end" | "rollback" | "abort", _) | ("prepare", "transaction") => Control::End,
        _ => Control::None,
    }
}

fn words_of(sql: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    sql.split(move |c: char| !is_word(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrations_lint::layout::{InputFile, find_sets};

    fn plan(files: &[(&str, &str)], layout: Layout) -> Vec<Migration> {
        let files = files.iter().map(|(path, text)| InputFile::new(*path, format!("/x/{path}"), *text)).collect();
        find_sets(files, Some(layout)).iter().flat_map(pending).collect()
    }

    fn modes(migration: &Migration) -> Vec<(Mode, usize)> {
        migration.up.iter().map(|unit| (unit.mode, unit.statements.len())).collect()
    }

    #[test]
    fn each_framework_sends_a_file_in_its_own_manner() {
        let one = |path, text, layout| modes(&plan(&[(path, text)], layout)[0]);
        let two = "SELECT 1; SELECT 2;";
        assert_eq!(one("m/1_a.up.sql", two, Layout::GolangMigrate), [(Mode::OneRequest, 2)]);
        assert_eq!(one("m/1_a.up.sql", "SELECT 1;", Layout::GolangMigrate), [(Mode::EachStatement, 1)]);
        assert_eq!(one("m/1_a.sql", two, Layout::Sqlx), [(Mode::Transaction, 2)]);
        assert_eq!(one("m/1_a.sql", "-- no-transaction\nSELECT 1; SELECT 2;", Layout::Sqlx), [(Mode::OneRequest, 2)]);
        assert_eq!(
            one("m/1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\nSELECT 2;\n", Layout::Goose),
            [(Mode::EachStatement, 2)]
        );
    }

    #[test]
    fn a_down_is_found_in_its_own_file_and_in_the_same_one() {
        let files = [("m/1_a.up.sql", "SELECT 1"), ("m/1_a.down.sql", "SELECT 2"), ("m/2_b.up.sql", "SELECT 3")];
        let found = plan(&files, Layout::GolangMigrate);
        assert_eq!(found.iter().map(|migration| migration.down.is_some()).collect::<Vec<_>>(), [true, false]);
        let dbmate = plan(&[("m/1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n")], Layout::Dbmate);
        assert_eq!(dbmate[0].down.as_ref().map(|units| units[0].statements[0].sql()), Some("SELECT 2"));
    }

    #[test]
    fn files_of_one_transaction_are_one_migration() {
        let journal = r#"{"dialect":"postgresql","entries":[{"when":1,"tag":"0_a"},{"when":2,"tag":"1_b"}]}"#;
        let files = [("d/meta/_journal.json", journal), ("d/0_a.sql", "SELECT 1"), ("d/1_b.sql", "SELECT 2; SELECT 3")];
        let found = plan(&files, Layout::Drizzle);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].files.len(), modes(&found[0])), (2, vec![(Mode::Transaction, 3)]));
    }

    #[test]
    fn what_a_statement_does_to_transactions_is_read_from_its_first_words() {
        let cases = [
            ("BEGIN", Control::Begin),
            ("start  transaction", Control::Begin),
            ("COMMIT AND CHAIN", Control::End),
            ("rollback", Control::End),
            ("ROLLBACK TO a", Control::NeedsBlock),
            ("rollback work to savepoint a", Control::NeedsBlock),
            ("SAVEPOINT a", Control::NeedsBlock),
            ("CREATE TABLE begin ()", Control::None),
        ];
        for (sql, expected) in cases {
            assert_eq!(control(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_all_databases_share_is_recognised() {
        let is = |sql: &str| plan(&[("m/1_a.sql", sql)], Layout::Plain)[0].statements().all(Statement::is_server_wide);
        assert!(is("CREATE ROLE app; ALTER USER app LOGIN; DROP DATABASE x; ALTER SYSTEM SET work_mem = '1GB';"));
        assert!(!is("CREATE USER MAPPING FOR app SERVER s") && !is("CREATE TABLE role ()"));
    }

    #[test]
    fn the_lines_after_copy_are_its_data() {
        let text = "COPY t FROM stdin;\n1\ta\n2\tb\n\\.\nSELECT 1;";
        let found = plan(&[("m/1_a.sql", text)], Layout::Plain);
        let statements: Vec<&Statement> = found[0].statements().collect();
        assert_eq!(statements.len(), 2);
        assert_eq!(statements[0].copy_data.map(|span| &text[span.range()]), Some("1\ta\n2\tb\n"));
    }
}
