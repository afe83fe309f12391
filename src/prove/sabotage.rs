//! Damage to a restored copy, made from what the backup lists: each piece of it must be among the differences of the proof.

use crate::contents::{Contents, Difference, DifferenceCode};

/// What is done to a copy, and what must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sabotage {
    /// For the restored server.
    pub statement: String,
    /// Each damage in words, and the difference that must be told.
    pub expected: Vec<(String, DifferenceCode, String)>,
}

impl Sabotage {
    /// As much damage as the backup has things to damage.
    pub fn of(contents: &Contents) -> Self {
        if contents.keyspace.is_some() {
            return Self::of_keyspace();
        }
        let mut sabotage = Self {
            // Rows are removed whatever refers to them.
            statement: "SET session_replication_role = replica; CREATE TABLE public.guard_self_test_extra ();"
                .to_owned(),
            expected: Vec::new(),
        };
        let extra = "table public.guard_self_test_extra".to_owned();
        sabotage.expected.push(("a table too many".to_owned(), DifferenceCode::TableUnexpected, extra));
        let mut tables = contents.tables.iter().filter(|(_, table)| table.rows > 0).map(|(name, _)| name);
        if let Some(name) = tables.next() {
            sabotage.statement.push_str(&format!(
                "DELETE FROM {name} WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM {name} LIMIT 1);"
            ));
            sabotage.add(format!("a row of {name} removed"), DifferenceCode::RowsDiffer, format!("table {name}"));
        }
        if let Some(name) = tables.next() {
            sabotage.statement.push_str(&format!("ALTER TABLE {name} RENAME TO guard_self_test_gone;"));
            sabotage.add(format!("the table {name} removed"), DifferenceCode::TableMissing, format!("table {name}"));
        }
        if let Some((name, state)) = contents.sequences.iter().next() {
            let (literal, value, called) = (name.replace('\'', "''"), state.last_value, !state.is_called);
            sabotage.statement.push_str(&format!("SELECT pg_catalog.setval('{literal}', {value}, {called});"));
            sabotage.add(
                format!("the sequence {name} moved"),
                DifferenceCode::SequenceDiffers,
                format!("sequence {name}"),
            );
        }
        sabotage
    }

    fn of_keyspace() -> Self {
        let mut sabotage = Self { statement: "SET guard:self-test:extra 1".to_owned(), expected: Vec::new() };
        sabotage.add("a key too many".to_owned(), DifferenceCode::KeysUnexpected, String::new());
        sabotage
    }

    fn add(&mut self, damage: String, code: DifferenceCode, object: String) {
        self.expected.push((damage, code, object));
    }

    /// Each damage in words, and whether it is among the differences.
    pub fn found_in<'a>(&'a self, differences: &'a [Difference]) -> impl Iterator<Item = (&'a str, bool)> {
        self.expected.iter().map(|(damage, code, object)| {
            let is_it = |found: &Difference| found.code == *code && (object.is_empty() || found.object == *object);
            (damage.as_str(), differences.iter().any(is_it))
        })
    }
}
