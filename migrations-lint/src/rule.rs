//! What a rule is: its name, class, default severity, documentation and examples; and what its check sees and says.

use std::borrow::Cow;
use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use crate::engine::{Engine, ServerVersion};
use crate::migration::{Direction, MigrationSet, TransactionMode};
use crate::options::RuleSeverity;
use crate::report::{Class, Edit};
use crate::rerun::Failure;
use crate::schema::Catalog;
use crate::session::Session;
use crate::source_text::{SourceText, Span};
use crate::statement::{ActionKind, Kind, Name, Statement};
use crate::transaction::Place;

/// One rule as the outside sees it: `--list-rules`, `--explain`, the generated page.
#[derive(Debug, Clone)]
pub struct RuleInfo {
    /// Stable kebab-case name, public API.
    pub id: &'static str,
    /// The kind of harm.
    pub class: Class,
    /// How its findings count unless the options say otherwise.
    pub default_severity: RuleSeverity,
    /// One sentence.
    pub summary: &'static str,
    /// Markdown: why it matters and what to do instead.
    pub docs: &'static str,
    /// SQL that the rule reports.
    pub bad: &'static [Example],
    /// The safe counterparts, about which no rule says anything at warning level.
    pub good: &'static [Example],
}

/// SQL that shows a rule.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What stands in the database before: run first, never linted with the example.
    pub setup: &'static str,
    /// The migration.
    pub sql: &'static str,
    /// The engine it is for.
    pub engine: Engine,
    /// How it is run.
    pub transaction: TransactionMode,
}

impl Example {
    /// Statements that commit one by one on PostgreSQL.
    pub const fn new(setup: &'static str, sql: &'static str) -> Self {
        Self { setup, sql, engine: Engine::PostgreSql, transaction: TransactionMode::None }
    }

    /// The same in a framework's transaction.
    #[must_use]
    pub const fn in_transaction(self) -> Self {
        Self { transaction: TransactionMode::PerPart, ..self }
    }

    /// The same on MySQL.
    #[must_use]
    pub const fn mysql(self) -> Self {
        Self { engine: Engine::MySql, ..self }
    }

    /// The same on MariaDB.
    #[must_use]
    pub const fn mariadb(self) -> Self {
        Self { engine: Engine::MariaDb, ..self }
    }

    /// The same on SQLite.
    #[must_use]
    pub const fn sqlite(self) -> Self {
        Self { engine: Engine::Sqlite, ..self }
    }
}

/// A rule with its check.
pub(crate) struct Rule {
    pub(crate) info: RuleInfo,
    pub(crate) check: Check,
    /// Whether it also looks at parts that undo something, where losing what the up made is the point.
    pub(crate) judges_downs: bool,
    /// Whether it speaks of statements that are rolled back later.
    pub(crate) judges_rolled_back: bool,
}

impl Rule {
    /// A rule about statements of these engines, silent in downs and about what is rolled back.
    pub(crate) const fn new(info: RuleInfo, engines: Engines, check: fn(&View<'_>, &mut Vec<Draft>)) -> Self {
        Self { info, check: Check::Statement(engines, check), judges_downs: false, judges_rolled_back: false }
    }

    /// A rule about the set as a whole.
    pub(crate) const fn of_set(info: RuleInfo, check: fn(&MigrationSet, &mut Vec<SetDraft>)) -> Self {
        Self { info, check: Check::Set(check), judges_downs: true, judges_rolled_back: false }
    }

    /// A rule about ups and their downs.
    pub(crate) const fn of_pair(info: RuleInfo, check: fn(&[Statement], &[Statement], &mut Vec<Draft>)) -> Self {
        Self { info, check: Check::Pair(check), judges_downs: true, judges_rolled_back: false }
    }

    /// The same, also in downs.
    pub(crate) const fn in_downs(self) -> Self {
        Self { judges_downs: true, ..self }
    }

    /// The same, also of what is rolled back.
    pub(crate) const fn even_rolled_back(self) -> Self {
        Self { judges_rolled_back: true, ..self }
    }
}

/// When a rule is asked.
pub(crate) enum Check {
    /// For each statement of these engines.
    Statement(Engines, fn(&View<'_>, &mut Vec<Draft>)),
    /// For each up with its down; findings are about the down.
    Pair(fn(&[Statement], &[Statement], &mut Vec<Draft>)),
    /// Once for the set.
    Set(fn(&MigrationSet, &mut Vec<SetDraft>)),
}

/// The engines that a check is right about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    /// What is true of SQL wherever it runs.
    All,
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
    Sqlite,
    /// Those that roll DDL back.
    PostgreSqlAndSqlite,
    /// PostgreSQL, MySQL and MariaDB.
    Servers,
}

impl Engines {
    /// Whether this one is among them.
    pub(crate) fn include(self, engine: Engine) -> bool {
        let is_mysql = matches!(engine, Engine::MySql | Engine::MariaDb);
        match self {
            Self::All => true,
            Self::PostgreSql => engine == Engine::PostgreSql,
            Self::MySql => is_mysql,
            Self::Sqlite => engine == Engine::Sqlite,
            Self::PostgreSqlAndSqlite => !is_mysql,
            Self::Servers => engine != Engine::Sqlite,
        }
    }
}

/// Stands for a table whose name the SQL puts together.
const NAMED_AT_RUN_TIME: &str = "_";

/// One part of a file, parsed, with what is known of it as a whole.
pub(crate) struct PartView<'a> {
    pub(crate) source: &'a SourceText,
    pub(crate) layout: &'static str,
    pub(crate) direction: Direction,
    pub(crate) mode: TransactionMode,
    pub(crate) engine: Engine,
    pub(crate) version: ServerVersion,
    pub(crate) statements: &'a [Statement],
    pub(crate) places: &'a [Place],
    /// In the order of the statements.
    pub(crate) failures: &'a [Failure],
    /// Filled by [`Self::is_secured_after`].
    pub(crate) secured: OnceCell<FxHashMap<Box<str>, usize>>,
}

impl PartView<'_> {
    /// Whether the part goes on to enable row level security of the table of that name, however far ahead, or of tables that it
    /// names at run time.
    pub(crate) fn is_secured_after(&self, statement_idx: usize, table: &str) -> bool {
        let secured = self.secured.get_or_init(|| self.secured_tables());
        let is_ahead = |name: &str| secured.get(name).is_some_and(|idx| *idx > statement_idx);
        is_ahead(table) || is_ahead(NAMED_AT_RUN_TIME)
    }

    /// Each table with the last statement that enables it.
    fn secured_tables(&self) -> FxHashMap<Box<str>, usize> {
        let mut secured = FxHashMap::default();
        for (idx, statement) in self.statements.iter().enumerate() {
            let Kind::AlterTable(alter) = &statement.kind else { continue };
            let enables = alter.actions.iter().any(|action| matches!(action.kind, ActionKind::EnableRowSecurity));
            if enables && !statement.is_defined_only && !self.places[idx].rolled_back {
                let is_unknown = alter.name.name.bytes().all(|byte| byte == b'_');
                secured.insert(if is_unknown { NAMED_AT_RUN_TIME.into() } else { alter.name.name.clone() }, idx);
            }
        }
        secured
    }
}

/// A statement in its context: what a check looks at.
pub(crate) struct View<'a> {
    pub(crate) part: &'a PartView<'a>,
    pub(crate) statement: &'a Statement,
    pub(crate) statement_idx: usize,
    /// As it was before the statement.
    pub(crate) catalog: &'a Catalog,
    pub(crate) session: &'a Session,
}

/// Statements further ahead than this are not looked at, so that looking ahead stays linear.
const MAX_LOOK_AHEAD: usize = 1000;

impl<'a> View<'a> {
    /// What the statement is.
    pub(crate) fn kind(&self) -> &'a Kind {
        &self.statement.kind
    }

    /// Where it stands in a transaction.
    pub(crate) fn place(&self) -> Place {
        self.part.places[self.statement_idx]
    }

    /// Whether a transaction is open around it.
    pub(crate) fn in_transaction(&self) -> bool {
        self.place().transaction.is_some()
    }

    /// The statements after it that stay.
    pub(crate) fn following(&self) -> impl Iterator<Item = &'a Statement> {
        let (statements, places) = (self.part.statements, self.part.places);
        let rest = self.statement_idx + 1..statements.len();
        rest.take(MAX_LOOK_AHEAD)
            .filter(|idx| !places[*idx].rolled_back)
            .map(|idx| &statements[idx])
            .filter(|statement| !statement.is_defined_only)
    }

    /// The statements before it, nearest first.
    pub(crate) fn preceding(&self) -> impl Iterator<Item = &'a Statement> {
        let earlier = self.part.statements[..self.statement_idx].iter().rev().take(MAX_LOOK_AHEAD);
        earlier.filter(|statement| !statement.is_defined_only)
    }

    /// Why the statement does not survive a second run.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        let failures = self.part.failures;
        let start = failures.partition_point(|failure| failure.statement_idx < self.statement_idx);
        failures[start..].iter().take_while(|failure| failure.statement_idx == self.statement_idx)
    }

    /// The text under a span.
    pub(crate) fn text(&self, span: Span) -> &'a str {
        self.part.source.slice(span)
    }

    /// A name as the file writes it.
    pub(crate) fn written(&self, name: &Name) -> &'a str {
        self.part.source.slice(name.span)
    }

    /// An identifier as SQL of the part's engine has to write it.
    pub(crate) fn quoted<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let is_plain = !name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        match self.part.engine {
            _ if is_plain => name.into(),
            Engine::MySql | Engine::MariaDb => format!("`{}`", name.replace('`', "``")).into(),
            Engine::PostgreSql | Engine::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")).into(),
        }
    }

    /// The statement's text.
    pub(crate) fn sql(&self) -> &'a str {
        self.text(self.statement.span)
    }
}

/// A finding before the engine adds file, positions and severity.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) why: String,
    pub(crate) help: String,
    pub(crate) fix: Vec<Edit>,
}

/// A finding about a file of the set.
pub(crate) struct SetDraft {
    pub(crate) file_idx: usize,
    pub(crate) draft: Draft,
}

impl Draft {
    /// What is wrong, and where.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), why: String::new(), help: String::new(), fix: Vec::new() }
    }

    /// What happens in production.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// The safe way for this very statement.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// An edit that keeps the meaning.
    pub(crate) fn insert(mut self, at: usize, text: impl Into<String>) -> Self {
        self.fix.push(Edit { span: Span::new(at, at), text: text.into() });
        self
    }
}
