//! Runs a migration as its framework does: the same statements in the same transactions, without its tracking table.
//!
//! A request of several statements is sent statement by statement, in a block that stands for the implicit one of the server
//! (chapter "Simple Query" of the protocol): so each can be measured, and what the server refuses there it refuses here.

use sqlx::postgres::{PgConnection, PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, Connection as _};

use super::error::RehearseError;
use super::plan::{Control, Mode, Statement, Unit};
use super::record::{Outcome, Refusal};

/// Sees a run from within.
pub(super) trait Watch {
    /// Whether a statement that commits by itself is run in a block, to be seen before it commits.
    const WRAPS: bool;

    /// A statement is about to be sent.
    async fn before(&mut self, _session: &mut PgConnection, _at: At<'_>) -> Result<(), RehearseError> {
        Ok(())
    }

    /// A statement ended well, and its transaction is open.
    async fn within(&mut self, _session: &mut PgConnection, _at: At<'_>) -> Result<(), RehearseError> {
        Ok(())
    }

    /// Sends a statement that cannot run in a block.
    async fn alone(&mut self, session: &mut PgConnection, at: At<'_>) -> Result<Sent, RehearseError> {
        Ok(send(session, at.statement).await)
    }

    /// A statement was refused.
    fn refused(&mut self, _idx: usize, _refusal: &Refusal) {}

    /// A transaction has ended; the last statement of it is at this position.
    fn ended(&mut self, _idx: usize) {}
}

/// A statement and its position in the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// Counted over all units.
    pub(super) idx: usize,
    /// The statement.
    pub(super) statement: &'a Statement,
}

/// Sees nothing.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const WRAPS: bool = false;
}

/// What the server answered.
pub(super) type Sent = Result<(), sqlx::Error>;

/// How far a run goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    /// The first statement, counted over all units.
    pub(super) from: usize,
    /// The last; to the end if there is none.
    pub(super) last: Option<usize>,
}

/// Runs units to their end, to the last statement of the range, or to the first that is refused. What is open then is
/// rolled back: the session of a stopped run is gone.
pub(super) async fn run<W: Watch>(
    session: &mut PgConnection,
    units: &[Unit],
    range: Range,
    watch: &mut W,
) -> Result<Outcome, RehearseError> {
    let mut walk = Walk { session, watch, mode: Mode::EachStatement, block: Block::None, idx: 0 };
    for unit in units {
        if let Some(refusal) = walk.unit(unit, range).await? {
            return Ok(Outcome::Failed(refusal));
        }
        if range.last.is_some_and(|last| walk.idx > last) {
            break;
        }
    }
    Ok(Outcome::Ran)
}

/// Which transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    /// The server's own around a request.
    Implicit,
    /// Begun by the framework or the file.
    Explicit,
}

struct Walk<'a, W> {
    session: &'a mut PgConnection,
    watch: &'a mut W,
    mode: Mode,
    block: Block,
    /// The position of the next statement, over all units.
    idx: usize,
}

impl<W: Watch> Walk<'_, W> {
    async fn unit(&mut self, unit: &Unit, range: Range) -> Result<Option<Refusal>, RehearseError> {
        self.mode = unit.mode;
        if self.mode == Mode::Transaction && self.idx + unit.statements.len() > range.from {
            self.open(Block::Explicit).await?;
        }
        for statement in &unit.statements {
            if self.idx >= range.from
                && let Err(error) = self.step(statement).await?
            {
                let refusal = refusal(statement, &error);
                self.watch.refused(self.idx, &refusal);
                self.roll_back().await;
                return Ok(Some(refusal));
            }
            self.idx += 1;
            let is_last_of_unit = unit.statements.last().is_some_and(|last| last.span == statement.span);
            if range.last.is_some_and(|last| self.idx > last) && !is_last_of_unit {
                self.roll_back().await;
                return Ok(None);
            }
        }
        self.end_unit(unit).await
    }

    /// What the framework does after the last statement of a unit. A file's own BEGIN that psql or a splitting framework
    /// never ends goes with the connection.
    async fn end_unit(&mut self, unit: &Unit) -> Result<Option<Refusal>, RehearseError> {
        if self.block == Block::None {
            return Ok(None);
        }
        if self.mode == Mode::EachStatement {
            self.roll_back().await;
            return Ok(None);
        }
        match (self.command("COMMIT").await, unit.statements.last()) {
            (Err(error), Some(last)) => {
                let refusal = refusal(last, &error);
                self.watch.refused(self.idx.saturating_sub(1), &refusal);
                self.roll_back().await;
                Ok(Some(refusal))
            }
            _ => {
                self.block = Block::None;
                self.watch.ended(self.idx.saturating_sub(1));
                Ok(None)
            }
        }
    }

    async fn step(&mut self, statement: &Statement) -> Result<Sent, RehearseError> {
        if self.mode == Mode::OneRequest && self.block == Block::None {
            self.open(Block::Implicit).await?;
        }
        match (statement.control, self.block) {
            // The implicit block becomes an explicit one, with everything in it.
            (Control::Begin, Block::Implicit) => {
                self.block = Block::Explicit;
                Ok(Ok(()))
            }
            (Control::Begin, Block::None) => {
                let sent = send(self.session, statement).await;
                self.block = Block::Explicit;
                Ok(sent)
            }
            (Control::End, _) => Ok(self.end(statement).await),
            (Control::NeedsBlock, Block::Implicit) if !statement.begins_with(&["lock"]) => {
                Ok(self.in_a_real_request(statement).await)
            }
            (_, Block::None) => self.by_itself(statement).await,
            _ => self.in_block(statement).await,
        }
    }

    /// COMMIT or ROLLBACK of the file's own.
    async fn end(&mut self, statement: &Statement) -> Sent {
        let sent = send(self.session, statement).await;
        // With AND CHAIN the next one is open already.
        let chains = statement.has_word("chain") && !statement.has_word("no");
        self.block = if chains { Block::Explicit } else { Block::None };
        self.watch.ended(self.idx);
        sent
    }

    /// SAVEPOINT and its like are refused in the server's own block; only a real one of these gives the real words.
    async fn in_a_real_request(&mut self, statement: &Statement) -> Sent {
        self.command("ROLLBACK").await?;
        let request = format!("SELECT 1; {}", statement.sql());
        sqlx::raw_sql(AssertSqlSafe(request)).execute(&mut *self.session).await.map(|_| ())
    }

    async fn in_block(&mut self, statement: &Statement) -> Result<Sent, RehearseError> {
        let at = At { idx: self.idx, statement };
        self.watch.before(self.session, at).await?;
        let sent = send(self.session, statement).await;
        if sent.is_ok() {
            self.watch.within(self.session, at).await?;
        }
        Ok(sent)
    }

    /// A statement that commits by itself. To be seen before it does, it runs in a block of its own, unless it cannot.
    async fn by_itself(&mut self, statement: &Statement) -> Result<Sent, RehearseError> {
        if W::WRAPS && statement.control == Control::None {
            self.open(Block::Explicit).await?;
            let sent = self.in_block(statement).await?;
            let sent = match sent {
                Ok(()) => self.command("COMMIT").await,
                refused => refused,
            };
            if sent.is_ok() {
                self.block = Block::None;
                self.watch.ended(self.idx);
                return Ok(sent);
            }
            self.roll_back().await;
            if !sent.as_ref().is_err_and(is_about_block) {
                return Ok(sent);
            }
        }
        let at = At { idx: self.idx, statement };
        self.watch.before(self.session, at).await?;
        let sent = self.watch.alone(self.session, at).await?;
        self.watch.ended(self.idx);
        Ok(sent)
    }

    async fn open(&mut self, block: Block) -> Result<(), RehearseError> {
        let begun = self.command("BEGIN").await;
        begun.map_err(|reason| RehearseError::Query { attempt: "beginning a transaction", reason })?;
        self.block = block;
        Ok(())
    }

    async fn roll_back(&mut self) {
        if self.block != Block::None {
            // Where the session is gone there is nothing to take back.
            let _ = self.command("ROLLBACK").await;
            self.block = Block::None;
        }
    }

    async fn command(&mut self, sql: &'static str) -> Sent {
        sqlx::raw_sql(sql).execute(&mut *self.session).await.map(|_| ())
    }
}

/// Sends one statement, and the lines that follow it if it is a COPY.
pub(super) async fn send(session: &mut PgConnection, statement: &Statement) -> Sent {
    if let Some(data) = statement.copy_data {
        let mut copy = session.copy_in_raw(statement.sql()).await?;
        copy.send(statement.source.slice(data).as_bytes().to_vec()).await?;
        return copy.finish().await.map(|_| ());
    }
    sqlx::raw_sql(AssertSqlSafe(statement.sql().to_owned())).execute(session).await.map(|_| ())
}

/// `active_sql_transaction` of CREATE INDEX CONCURRENTLY, VACUUM and others; `invalid_transaction_termination` of a
/// procedure or DO block that commits.
fn is_about_block(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code().map(|code| code == "25001" || code == "2D000"))
        == Some(true)
}

fn refusal(statement: &Statement, error: &sqlx::Error) -> Refusal {
    let refused = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    let (sqlstate, mut message) = match refused {
        Some(refused) => (refused.code().to_owned(), refused.message().to_owned()),
        None => (String::new(), error.to_string()),
    };
    if let Some(detail) = refused.and_then(PgDatabaseError::detail) {
        message.push_str(&format!(" ({detail})"));
    }
    // The server counts characters of the statement from 1.
    let offset = match refused.and_then(PgDatabaseError::position) {
        Some(PgErrorPosition::Original(position)) => {
            statement.sql().char_indices().nth(position.saturating_sub(1)).map_or(0, |(offset, _)| offset)
        }
        _ => 0,
    };
    let place = statement.source.position(statement.span.start + offset);
    Refusal { file: statement.file(), line: place.line as u64, column: place.column as u64, sqlstate, message }
}

/// Ends a session at once, as a crash of the framework does.
pub(super) async fn drop_session(session: PgConnection) {
    let _ = session.close().await;
}
