//! Would a part run a second time? Its statements are played over the state that its first run leaves behind.
//!
//! The state is only what the part itself tells: which objects exist after it, and which are gone. A statement fails the
//! second time if it needs something that is gone, or makes something that is there. So `DROP … IF EXISTS` before `CREATE`
//! is safe, a table made and dropped again is safe, and `RENAME` is not, without a rule for each pair.

mod effect;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::source_text::Span;
use crate::statement::{ActionKind, AlterTable, Assignment, Conflict, Guard, Insert, Kind, Looked, Statement, Update};
use crate::transaction::Place;
use effect::{Effect, Object, effects};

pub(crate) use effect::Space;

/// Why a statement fails, or changes more, the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Of the statement, within its part.
    pub(crate) statement_idx: usize,
    /// The clause.
    pub(crate) span: Span,
    pub(crate) reason: Reason,
}

/// What happens the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// What it makes is there already.
    Exists { space: Space, name: Box<str> },
    /// What it needs is gone.
    Missing { space: Space, name: Box<str> },
    /// It succeeds and makes one more, under another name.
    MakesAnother { space: Space, table: Box<str> },
    /// Rows are inserted again, or their key conflicts.
    InsertsAgain { table: Box<str> },
    /// USING converts with a function of the old type, and the column has the new one.
    ConvertedAlready { column: Box<str> },
    /// The new value depends on the old one, or on the moment.
    ChangesAgain { table: Box<str>, column: Box<str> },
}

/// Everything in the part that does not survive a second run.
pub(crate) fn failures(statements: &[Statement], places: &[Place]) -> Vec<Failure> {
    let lasting = || statements.iter().zip(places).enumerate().filter(|(_, (_, place))| !place.rolled_back);
    let mut state = State::default();
    for (_, (statement, _)) in lasting() {
        for (_, effect) in effects(statement) {
            state.carry_out(&effect);
        }
    }
    // Temporary tables are gone with the session of the first run, and all that was done to them.
    for (_, (statement, _)) in lasting() {
        if let Kind::CreateTable(create) = &statement.kind
            && create.is_temporary
        {
            state.carry_out(&Effect::Remove { object: Object::relation(&create.name), is_guarded: true });
        }
    }
    state.fresh.clear();
    state.made.clear();
    let mut found = Vec::new();
    for (statement_idx, (statement, _)) in lasting() {
        for (span, effect) in effects(statement) {
            if let Some(reason) = state.obstacle(&effect).filter(|reason| !is_guarded(&statement.guard, reason)) {
                found.push(Failure { statement_idx, span, reason });
            }
            state.carry_out(&effect);
        }
        if let Some((span, reason)) = changes_again(statement, &mut state) {
            found.push(Failure { statement_idx, span, reason });
        }
    }
    found
}

/// What an up makes and its down leaves behind, by name; and what the up takes away and the down does not bring back.
pub(crate) fn not_undone(up: &[Statement], down: &[Statement]) -> Vec<String> {
    let mut state = State::default();
    // Whether it was there before the up; `None` where the up does not tell.
    let mut before: Vec<(Object, Option<bool>)> = Vec::new();
    let mut seen = FxHashSet::default();
    // A DROP FUNCTION may leave the arguments out.
    let mut functions: FxHashSet<Box<str>> = FxHashSet::default();
    for statement in up {
        for (_, effect) in effects(statement) {
            state.carry_out(&effect);
            let (object, was_there) = match effect {
                Effect::Make { object, .. } => (object, (!replaces(statement)).then_some(false)),
                Effect::Remove { object, is_guarded } => (object, (!is_guarded).then_some(true)),
                Effect::Rename { from, to, .. } => {
                    seen.extend([from, to]);
                    continue;
                }
                _ => continue,
            };
            if object.space == Space::Function {
                if object.owner.is_none() && functions.contains(&object.name) {
                    continue;
                }
                functions.insert(object.owner.clone().unwrap_or_else(|| object.name.clone()));
            }
            if seen.insert(object.clone()) && is_lasting(statement, &object) {
                before.push((object, was_there));
            }
        }
    }
    // What CASCADE takes along is not written down.
    let cascades = down.iter().any(|statement| matches!(&statement.kind, Kind::Drop(drop) if drop.cascade));
    let mut n_effects = 0;
    for (_, effect) in down.iter().flat_map(effects) {
        state.carry_out(&effect);
        n_effects += 1;
    }
    // A down of which nothing is understood (it raises an error, or calls a function) is not judged.
    let judged = before.into_iter().filter(|_| n_effects > 0);
    let differs = |(object, was_there): (Object, Option<bool>)| match (was_there, state.exists.get(&object)) {
        (Some(false), Some(true)) if !cascades => Some(format!("{} stays", object.label())),
        (Some(true), Some(false)) => Some(format!("{} does not come back", object.label())),
        _ => None,
    };
    judged.filter_map(differs).collect()
}

/// CREATE OR REPLACE says nothing of what was there before.
fn replaces(statement: &Statement) -> bool {
    match &statement.kind {
        Kind::CreateFunction(create) => create.or_replace,
        Kind::Create(create) => create.or_replace,
        _ => false,
    }
}

/// Objects that a down has to see to. Indexes and constraints go with their columns, extensions and roles are shared.
fn is_lasting(statement: &Statement, object: &Object) -> bool {
    match &statement.kind {
        Kind::CreateTable(create) => object.space == Space::Relation && !create.is_temporary,
        Kind::Create(_) | Kind::Drop(_) => matches!(object.space, Space::Relation | Space::Type | Space::Function),
        Kind::CreateFunction(_) => object.space == Space::Function,
        Kind::AlterTable(_) => object.space == Space::Column,
        _ => false,
    }
}

/// What exists, as far as the part tells.
#[derive(Default)]
struct State {
    exists: FxHashMap<Object, bool>,
    /// What goes with a table, a type or a schema.
    members: FxHashMap<Object, Vec<Object>>,
    /// Tables made or emptied in this run: what is inserted into them was not there before.
    fresh: FxHashSet<Object>,
    /// Of these, the ones that were made.
    made: FxHashSet<Object>,
}

impl State {
    fn obstacle(&self, effect: &Effect) -> Option<Reason> {
        match effect {
            Effect::Make { object, is_guarded: false, shown } if self.exists.get(object) == Some(&true) => {
                Some(Reason::Exists { space: *shown, name: object.label() })
            }
            Effect::Remove { object, is_guarded: false } | Effect::Need { object } if self.is_gone(object) => {
                Some(Reason::Missing { space: object.space, name: object.label() })
            }
            Effect::Rename { from, is_guarded: false, .. } if self.is_gone(from) => {
                Some(Reason::Missing { space: from.space, name: from.label() })
            }
            Effect::Rename { to, is_guarded: false, .. } if self.exists.get(to) == Some(&true) => {
                Some(Reason::Exists { space: to.space, name: to.label() })
            }
            Effect::MakeAnother { space, table, usual } if !self.is_gone(usual) && !self.made.contains(table) => {
                Some(Reason::MakesAnother { space: *space, table: table.name.clone() })
            }
            _ => None,
        }
    }

    fn is_gone(&self, object: &Object) -> bool {
        self.exists.get(object) == Some(&false)
    }

    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::Make { object, .. } => {
                if self.is_gone(object) {
                    self.fresh.insert(object.clone());
                    self.made.insert(object.clone());
                }
                if object.space == Space::Function {
                    object
                        .parents()
                        .into_iter()
                        .filter(|parent| parent.space == Space::Function)
                        .for_each(|parent| self.set(parent, true));
                }
                if object.space == Space::Relation && self.exists.get(object) != Some(&true) {
                    self.remove_members(object);
                }
                self.set(object.clone(), true);
            }
            Effect::MakeAnother { usual, .. } => self.set(usual.clone(), true),
            Effect::Remove { object, .. } => {
                self.remove_members(object);
                self.set(object.clone(), false);
            }
            Effect::Rename { from, to, .. } => {
                self.move_members(from, to);
                self.set(from.clone(), false);
                self.set(to.clone(), true);
            }
            Effect::Empty { table } => {
                self.fresh.insert(table.clone());
            }
            Effect::Renew { table } => {
                self.fresh.insert(table.clone());
                self.made.insert(table.clone());
            }
            Effect::Belong { object, table } => {
                let members = self.members.entry(table.clone()).or_default();
                if !members.contains(object) {
                    members.push(object.clone());
                }
            }
            Effect::Need { .. } => {}
        }
    }

    fn set(&mut self, object: Object, exists: bool) {
        if !self.exists.contains_key(&object) {
            for parent in object.parents() {
                self.members.entry(parent).or_default().push(object.clone());
            }
        }
        self.exists.insert(object, exists);
    }

    /// With a table go its columns, indexes, constraints, triggers; with a schema all that is in it.
    fn remove_members(&mut self, object: &Object) {
        for member in self.members.get(object).into_iter().flatten() {
            self.exists.insert(member.clone(), false);
        }
    }

    fn move_members(&mut self, from: &Object, to: &Object) {
        for member in self.members.remove(from).unwrap_or_default() {
            let Some(exists) = self.exists.remove(&member) else { continue };
            let owner = member.owner.as_ref().map(|_| to.name.clone());
            let moved = Object { owner, schema: to.schema.clone(), ..member };
            self.set(moved.clone(), exists);
            if moved.owner.is_none() {
                self.members.entry(to.clone()).or_default().push(moved);
            }
        }
    }
}

/// Whether the block around the statement keeps the failure from ending the migration.
fn is_guarded(guard: &Guard, reason: &Reason) -> bool {
    match (guard, reason) {
        (Guard::Condition(Looked::ForPresence), Reason::Exists { space, .. }) => *space == Space::Partition,
        (Guard::None, _) | (Guard::Condition(Looked::ForPresence), Reason::MakesAnother { .. }) => false,
        (Guard::Condition(Looked::ForAbsence), Reason::Missing { space, .. }) => *space != Space::Column,
        (Guard::Condition(_), _) => true,
        (Guard::Exception(conditions), reason) => {
            conditions.iter().any(|condition| &**condition == "others" || raised_by(reason).contains(&&**condition))
        }
    }
}

/// The conditions that the server raises (proven by the examples of the rules).
fn raised_by(reason: &Reason) -> &'static [&'static str] {
    match reason {
        Reason::Exists { space, .. } => match space {
            Space::Relation | Space::UniqueConstraint => &["duplicate_table"],
            Space::Column | Space::Attribute => &["duplicate_column"],
            Space::Schema => &["duplicate_schema"],
            Space::Function => &["duplicate_function"],
            Space::Database => &["duplicate_database"],
            Space::PrimaryKey => &["invalid_table_definition"],
            Space::Partition => &["wrong_object_type"],
            Space::Identity => &["object_not_in_prerequisite_state"],
            _ => &["duplicate_object"],
        },
        Reason::Missing { space, .. } => match space {
            Space::Relation => &["undefined_table", "undefined_object"],
            Space::Column | Space::Attribute => &["undefined_column"],
            Space::Function => &["undefined_function"],
            Space::Schema => &["invalid_schema_name"],
            Space::EnumValue => &["invalid_parameter_value"],
            _ => &["undefined_object"],
        },
        Reason::InsertsAgain { .. } => &["unique_violation"],
        Reason::ConvertedAlready { .. } => &["undefined_function"],
        Reason::MakesAnother { .. } | Reason::ChangesAgain { .. } => &[],
    }
}

fn changes_again(statement: &Statement, state: &mut State) -> Option<(Span, Reason)> {
    match &statement.kind {
        Kind::Insert(insert) => insert_again(insert, statement, state),
        Kind::Update(update) => update_again(update, statement, state),
        Kind::AlterTable(alter) => converts_again(alter, statement),
        Kind::Copy(copy) if copy.is_import => {
            let name = copy.table.as_ref()?;
            let reason = Reason::InsertsAgain { table: name.name.clone() };
            (!state.fresh.contains(&Object::relation(name)) && !is_guarded(&statement.guard, &reason))
                .then_some((statement.span, reason))
        }
        Kind::Delete(delete) => {
            state.fresh.insert(Object::relation(&delete.table));
            None
        }
        _ => None,
    }
}

fn insert_again(insert: &Insert, statement: &Statement, state: &State) -> Option<(Span, Reason)> {
    if state.fresh.contains(&Object::relation(&insert.table)) {
        return None;
    }
    let table = insert.table.name.clone();
    let reason = match &insert.conflict {
        Conflict::Fails if !insert.excludes_existing => Reason::InsertsAgain { table },
        Conflict::Updated(assignments) => {
            let relative =
                assignments.iter().find(|assignment| assignment.is_relative && !is_moment(&assignment.value.calls))?;
            Reason::ChangesAgain { table, column: relative.column.clone() }
        }
        _ => return None,
    };
    (!is_guarded(&statement.guard, &reason)).then_some((statement.span, reason))
}

fn update_again(update: &Update, statement: &Statement, state: &State) -> Option<(Span, Reason)> {
    // The rows of a table that each run makes anew start from the same values.
    if matches!(statement.guard, Guard::Condition(_)) || state.made.contains(&Object::relation(&update.table)) {
        return None;
    }
    let n_tests = |column: &str| update.tested.iter().filter(|tested| ***tested == *column).count();
    // A column that the same statement sets to a constant and tests marks the row as done; that it is not null marks it only if it
    // is set to NULL.
    let marks = |assignment: &Assignment| {
        let not_null = update.filter.iter().flat_map(|filter| &filter.not_null);
        let says_little = not_null.filter(|column| **column == assignment.column).count();
        n_tests(&assignment.column) > if assignment.value.is_null { 0 } else { says_little }
    };
    if update.assignments.iter().any(marks) || n_tests("exists") > 0 {
        return None;
    }
    // Which rows a join finds is beyond this text; what depends on the old value changes whichever they are.
    let depends_on_itself = |words: &[Box<str>], column: &str| words.iter().any(|word| **word == *column);
    let relative = update.assignments.iter().find(|assignment| {
        // `updated_at = now()` beside the change proper says when.
        let says_when = update.assignments.len() > 1 && is_moment(&assignment.value.calls);
        assignment.is_relative
            && !says_when
            && (!update.is_joined || depends_on_itself(&assignment.value.words, &assignment.column))
    })?;
    let reason = Reason::ChangesAgain { table: update.table.name.clone(), column: relative.column.clone() };
    Some((relative.value.span, reason))
}

/// Functions that take text only.
const OF_TEXT: &[&str] = &[
    "btrim",
    "decode",
    "left",
    "lower",
    "regexp_replace",
    "replace",
    "split_part",
    "string_to_array",
    "substr",
    "substring",
    "to_date",
    "to_number",
    "to_timestamp",
    "trim",
    "upper",
];

/// `TYPE int USING trim(a)::int` meets an `int` the second time.
fn converts_again(alter: &AlterTable, statement: &Statement) -> Option<(Span, Reason)> {
    const TEXTS: &[&str] = &["text", "varchar", "bpchar", "citext"];
    alter.actions.iter().find_map(|action| {
        let ActionKind::AlterType { column, ty, using: Some(using) } = &action.kind else { return None };
        let reads_itself = using.words.contains(&column.name)
            && !using.cast.contains(&column.name)
            && using.calls.iter().any(|call| OF_TEXT.contains(&&**call));
        let reason = Reason::ConvertedAlready { column: column.name.clone() };
        let is_text = TEXTS.contains(&&*ty.name) && !ty.is_array;
        (reads_itself && !is_text && !is_guarded(&statement.guard, &reason)).then_some((action.span, reason))
    })
}

/// `updated_at = now()` in an upsert says when, and nothing depends on it.
fn is_moment(calls: &[Box<str>]) -> bool {
    !calls.is_empty()
        && calls
            .iter()
            .all(|call| matches!(&**call, "now" | "current_timestamp" | "clock_timestamp" | "localtimestamp"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::migration::TransactionMode;
    use crate::parse::parse;
    use crate::transaction::places;

    /// The indexes of the statements that do not survive a second run.
    fn check(text: &str, expected: &[usize]) {
        let statements = parse(text, Span::new(0, text.len()), Engine::PostgreSql);
        let places = places(&statements, TransactionMode::None, Engine::PostgreSql);
        let found: Vec<usize> = failures(&statements, &places).iter().map(|failure| failure.statement_idx).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_a_part_leaves_behind_decides_not_the_form_of_a_statement() {
        check("CREATE TABLE a (i int);", &[0]);
        check("CREATE TABLE a (i int); DROP TABLE a;", &[]);
        check(
            "DROP TABLE IF EXISTS a; CREATE TABLE a (i int); CREATE INDEX x ON a (i); INSERT INTO a VALUES (1);",
            &[],
        );
        check("CREATE TABLE b (i int); DROP TABLE a; ALTER TABLE b RENAME TO a;", &[]);
        check("ALTER TABLE a RENAME TO b; CREATE TABLE a (i int);", &[0]);
        check("DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; CREATE TABLE s.a (i int);", &[]);
        check("BEGIN; CREATE TABLE a (i int); ROLLBACK;", &[]);
    }

    #[test]
    fn a_conversion_that_takes_text_only_works_once_unless_it_casts_to_text() {
        check("ALTER TABLE t ALTER COLUMN a TYPE int USING trim(a)::int;", &[0]);
        check("ALTER TABLE t ALTER COLUMN a TYPE int USING trim(a::text)::int;", &[]);
    }

    #[test]
    fn functions_are_told_apart_by_their_argument_types() {
        check(
            "DROP FUNCTION IF EXISTS f(int); CREATE FUNCTION f(a integer DEFAULT 1) RETURNS int LANGUAGE sql AS '';",
            &[],
        );
        check("DROP FUNCTION f(int); CREATE OR REPLACE FUNCTION f(a text) RETURNS int LANGUAGE sql AS '';", &[0]);
        check("DROP FUNCTION IF EXISTS f; CREATE FUNCTION f(a text) RETURNS int LANGUAGE sql AS '';", &[]);
    }

    #[test]
    fn a_column_that_goes_takes_its_readers_second_run_with_it() {
        check("UPDATE t SET b = a WHERE b IS NULL; ALTER TABLE t DROP COLUMN IF EXISTS a;", &[0]);
    }
}
