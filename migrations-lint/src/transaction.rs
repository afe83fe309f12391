//! Which transaction each statement of a part runs in, whether its effect is rolled back, and what is odd about it.

use crate::engine::Engine;
use crate::migration::TransactionMode;
use crate::statement::{Kind, Statement, Transaction};

/// The transaction of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Equal for statements of one transaction; `None` when the statement commits by itself.
    pub(crate) transaction: Option<u32>,
    /// Opened by the framework (or the protocol), not by the file.
    pub(crate) is_implicit: bool,
    /// A later ROLLBACK takes it back.
    pub(crate) rolled_back: bool,
    /// What is wrong with this statement as transaction control.
    pub(crate) problem: Option<Problem>,
}

/// Transaction control that does not do what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// BEGIN while a transaction is open.
    Nested,
    /// BEGIN while the framework's own transaction is open.
    NestedInFramework,
    /// COMMIT or ROLLBACK of the framework's transaction.
    EndsFramework,
    /// COMMIT or ROLLBACK with none open.
    NothingToEnd,
    /// BEGIN that no COMMIT follows.
    NeverEnds,
    /// SAVEPOINT and its like, or LOCK TABLE, with no transaction open.
    NeedsTransaction,
    /// ROLLBACK TO or RELEASE of a savepoint that the transaction does not have.
    NoSuchSavepoint,
}

/// The places of a part's statements. Their transactions are numbered from 1.
pub(crate) fn places(statements: &[Statement], mode: TransactionMode, engine: Engine) -> Vec<Place> {
    let n_top_level = statements.iter().filter(|statement| statement.within.is_none()).count();
    let mode = if mode == TransactionMode::ImplicitPerPart && n_top_level <= 1 { TransactionMode::None } else { mode };
    let commits_ddl = matches!(engine, Engine::MySql | Engine::MariaDb);
    // The wire protocol of MySQL knows no implicit transaction around what is sent at once.
    let mode = if commits_ddl && mode == TransactionMode::ImplicitPerPart { TransactionMode::None } else { mode };
    let mut walk = Walk { mode, commits_ddl, n_opened: 0, open: None, places: Vec::with_capacity(statements.len()) };
    walk.start_part();
    for statement in statements {
        walk.step(statement);
    }
    walk.finish()
}

/// Numbers the transactions of a part on from those of the parts before, of which there were `n_before`.
pub(crate) fn renumber(places: &mut [Place], n_before: &mut u32) {
    let mut n_own = 0;
    let transactions = places.iter_mut().filter_map(|place| place.transaction.as_mut());
    for id in transactions.filter(|id| **id != WHOLE_SET) {
        n_own = n_own.max(*id);
        *id += *n_before;
    }
    *n_before += n_own;
}

/// The id of the one transaction of a whole set.
const WHOLE_SET: u32 = u32::MAX;

struct Open {
    id: u32,
    is_implicit: bool,
    /// Index of the first statement inside.
    start: usize,
    /// Where BEGIN stands.
    begin: Option<usize>,
    savepoints: Vec<(Box<str>, usize)>,
}

struct Walk {
    mode: TransactionMode,
    /// DDL ends the transaction around it.
    commits_ddl: bool,
    n_opened: u32,
    open: Option<Open>,
    places: Vec<Place>,
}

impl Walk {
    fn start_part(&mut self) {
        match self.mode {
            TransactionMode::None => {}
            TransactionMode::WholeSet => self.open_with(WHOLE_SET, true, None),
            TransactionMode::PerPart | TransactionMode::ImplicitPerPart => self.open_implicit(),
        }
    }

    fn open_implicit(&mut self) {
        let id = self.fresh_id();
        self.open_with(id, true, None);
    }

    fn open_with(&mut self, id: u32, is_implicit: bool, begin: Option<usize>) {
        self.open = Some(Open { id, is_implicit, start: self.places.len(), begin, savepoints: Vec::new() });
    }

    fn fresh_id(&mut self) -> u32 {
        self.n_opened += 1;
        self.n_opened
    }

    fn step(&mut self, statement: &Statement) {
        let idx = self.places.len();
        let problem = match &statement.kind {
            Kind::Transaction(_) if statement.within.is_some() => None,
            Kind::Transaction(Transaction::Begin) => self.begin(idx),
            Kind::Transaction(control @ (Transaction::Commit | Transaction::Rollback | Transaction::Prepare)) => {
                return self.end(*control == Transaction::Rollback);
            }
            Kind::Transaction(Transaction::Savepoint(name)) => self.savepoint(name, idx),
            Kind::Transaction(Transaction::RollbackTo(name)) => self.rollback_to(name, idx),
            // A DO block is a transaction.
            Kind::LockTable(_) if self.commits_ddl || statement.within.is_some() => None,
            Kind::Transaction(Transaction::Release(_)) | Kind::LockTable(_) if self.open.is_none() => {
                Some(Problem::NeedsTransaction)
            }
            Kind::Transaction(Transaction::Release(name)) if !self.has_savepoint(name) => {
                Some(Problem::NoSuchSavepoint)
            }
            _ => None,
        };
        self.push(problem);
        if self.commits_ddl && commits(&statement.kind) && statement.within.is_none() {
            self.open = None;
        }
    }

    fn push(&mut self, problem: Option<Problem>) {
        let open = self.open.as_ref();
        self.places.push(Place {
            transaction: open.map(|open| open.id),
            is_implicit: open.is_some_and(|open| open.is_implicit && open.begin.is_none()),
            rolled_back: false,
            problem,
        });
    }

    fn begin(&mut self, idx: usize) -> Option<Problem> {
        match &mut self.open {
            None => {
                let id = self.fresh_id();
                self.open_with(id, false, Some(idx));
                None
            }
            // The protocol's implicit block becomes the explicit one; a framework's BEGIN was sent for real.
            Some(open) if self.mode == TransactionMode::ImplicitPerPart && open.begin.is_none() => {
                open.begin = Some(idx);
                None
            }
            Some(open) => {
                let is_first = open.is_implicit && open.begin.is_none();
                open.begin.get_or_insert(idx);
                Some(if is_first { Problem::NestedInFramework } else { Problem::Nested })
            }
        }
    }

    fn end(&mut self, rolls_back: bool) {
        let problem = match &self.open {
            // After DDL there is nothing left to end: the DDL itself is what to speak of.
            None if self.commits_ddl => None,
            None => Some(Problem::NothingToEnd),
            Some(open) if open.is_implicit && open.begin.is_none() && self.mode != TransactionMode::ImplicitPerPart => {
                Some(Problem::EndsFramework)
            }
            Some(open) if open.begin.is_none() => Some(Problem::NothingToEnd),
            Some(_) => None,
        };
        self.push(problem);
        if let Some(open) = self.open.take()
            && rolls_back
        {
            self.take_back(open.start);
        }
        if self.mode == TransactionMode::ImplicitPerPart {
            self.open_implicit();
        }
    }

    fn savepoint(&mut self, name: &str, idx: usize) -> Option<Problem> {
        let Some(open) = &mut self.open else { return Some(Problem::NeedsTransaction) };
        open.savepoints.push((name.into(), idx));
        None
    }

    fn rollback_to(&mut self, name: &str, _idx: usize) -> Option<Problem> {
        let Some(open) = &self.open else { return Some(Problem::NeedsTransaction) };
        if let Some((_, start)) = open.savepoints.iter().rev().find(|(savepoint, _)| **savepoint == *name) {
            self.take_back(*start);
            return None;
        }
        (!self.has_savepoint(name)).then_some(Problem::NoSuchSavepoint)
    }

    /// A transaction of the whole set may have it from another file.
    fn has_savepoint(&self, name: &str) -> bool {
        self.mode == TransactionMode::WholeSet
            || self.open.as_ref().is_some_and(|open| open.savepoints.iter().any(|(savepoint, _)| **savepoint == *name))
    }

    fn take_back(&mut self, start: usize) {
        for place in &mut self.places[start..] {
            place.rolled_back = true;
        }
    }

    fn finish(mut self) -> Vec<Place> {
        if let Some(Open { begin: Some(begin), .. }) = self.open
            && self.places[begin].problem.is_none()
        {
            self.places[begin].problem = Some(Problem::NeverEnds);
        }
        self.places
    }
}

/// Statements before and after which MySQL commits (the manual's list in "Statements That Cause an Implicit Commit").
pub(crate) fn commits(kind: &Kind) -> bool {
    match kind {
        Kind::CreateTable(create) => !create.is_temporary,
        Kind::CreateIndex(_)
        | Kind::CreateFunction(_)
        | Kind::Create(_)
        | Kind::AlterTable(_)
        | Kind::AlterObject(_)
        | Kind::Drop(_)
        | Kind::Truncate(_)
        | Kind::Grant(_)
        | Kind::Role(_)
        | Kind::LockTable(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::source_text::Span;

    /// For each statement: whether it is in a transaction, whether it stays, and what is odd.
    fn check(text: &str, mode: TransactionMode, expected: &[(bool, bool, Option<Problem>)]) {
        let statements = parse(text, Span::new(0, text.len()), Engine::PostgreSql);
        let found: Vec<_> = places(&statements, mode, Engine::PostgreSql)
            .iter()
            .map(|place| (place.transaction.is_some(), !place.rolled_back, place.problem))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn rollback_takes_back_what_came_since_begin_or_the_savepoint() {
        let stays = (true, true, None);
        let goes = (true, false, None);
        check("BEGIN; SELECT 1; ROLLBACK; SELECT 2;", TransactionMode::None, &[goes, goes, goes, (false, true, None)]);
        check(
            "BEGIN; SELECT 1; SAVEPOINT a; SELECT 2; ROLLBACK TO a; COMMIT;",
            TransactionMode::None,
            &[stays, stays, goes, goes, stays, stays],
        );
    }

    #[test]
    fn begin_and_commit_are_judged_by_who_opened_the_transaction() {
        let odd = |in_transaction, problem| (in_transaction, true, Some(problem));
        check("BEGIN; SELECT 1;", TransactionMode::None, &[odd(true, Problem::NeverEnds), (true, true, None)]);
        check("COMMIT;", TransactionMode::None, &[odd(false, Problem::NothingToEnd)]);
        check("COMMIT;", TransactionMode::PerPart, &[odd(true, Problem::EndsFramework)]);
        check("BEGIN; COMMIT;", TransactionMode::PerPart, &[odd(true, Problem::NestedInFramework), (true, true, None)]);
        check("SAVEPOINT a;", TransactionMode::None, &[odd(false, Problem::NeedsTransaction)]);
    }

    #[test]
    fn one_request_is_one_transaction_unless_it_is_one_statement() {
        check("SELECT 1;", TransactionMode::ImplicitPerPart, &[(false, true, None)]);
        check("SELECT 1; SELECT 2;", TransactionMode::ImplicitPerPart, &[(true, true, None); 2]);
        check("BEGIN; SELECT 1; COMMIT;", TransactionMode::ImplicitPerPart, &[(true, true, None); 3]);
    }
}
