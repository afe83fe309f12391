//! Some tables out of an archive, with what belongs to them and what they need: the list for `pg_restore --use-list`.
//!
//! `pg_restore --table` restores a bare table without its indexes, constraints, defaults and grants. The archive knows what
//! depends on what, so the list is made from that.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::ListedEntry;
use super::load::quoted;

/// An object by the archive's words: kind, schema, name.
pub type ObjectName = (String, String, String);

/// The archive has no such table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the backup has no table {0}")]
pub struct NoSuchTable(pub String);

/// The entries to restore, in the archive's order: the tables (a partitioned one with its partitions), what hangs on them,
/// and what they need unless the target has it already.
pub fn pick(
    entries: &[ListedEntry],
    tables: &[String],
    existing: &BTreeSet<ObjectName>,
) -> Result<Vec<i64>, NoSuchTable> {
    let archive = Archive::new(entries);
    let mut picked = BTreeSet::new();
    for table in tables {
        let found = entries.iter().filter(|entry| is_table(entry) && is_called(entry, table));
        let before = picked.len();
        picked.extend(found.map(|entry| entry.dump_id));
        if picked.len() == before {
            return Err(NoSuchTable(table.clone()));
        }
    }
    archive.add_partitions(&mut picked);
    let tables = picked.clone();
    archive.add_needed(&mut picked, existing);
    archive.add_attached(&mut picked, &tables, existing);
    Ok(entries.iter().map(|entry| entry.dump_id).filter(|dump_id| picked.contains(dump_id)).collect())
}

/// The tables among the picked entries, as the target would know them.
pub fn picked_tables<'a>(entries: &'a [ListedEntry], picked: &[i64]) -> impl Iterator<Item = &'a ListedEntry> {
    let picked: BTreeSet<i64> = picked.iter().copied().collect();
    entries.iter().filter(move |entry| is_table(entry) && picked.contains(&entry.dump_id))
}

/// What an entry is called, for comparing two archives.
pub fn object_name(entry: &ListedEntry) -> ObjectName {
    (entry.kind.clone(), entry.schema.clone(), entry.name.clone())
}

/// Entries that go where their table goes. A view or a function that uses it does not.
const ATTACHED: &[&str] = &[
    "TABLE DATA",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "TABLE ATTACH",
    "TRIGGER",
    "RULE",
    "POLICY",
    "ROW SECURITY",
    "SEQUENCE",
    "SEQUENCE SET",
    "SEQUENCE OWNED BY",
    "STATISTICS",
    "COMMENT",
    "ACL",
    "SECURITY LABEL",
    "STATISTICS DATA",
];

/// Those of them that go with any object, not just with a table.
const SATELLITES: &[&str] = &["COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE SET"];

struct Archive<'a> {
    by_id: BTreeMap<i64, &'a ListedEntry>,
}

impl<'a> Archive<'a> {
    fn new(entries: &'a [ListedEntry]) -> Self {
        Self { by_id: entries.iter().map(|entry| (entry.dump_id, entry)).collect() }
    }

    /// A `TABLE ATTACH` entry ties a partition to its parent; picking the parent picks the partition, down the tree.
    fn add_partitions(&self, picked: &mut BTreeSet<i64>) {
        let attachments: Vec<&ListedEntry> =
            self.by_id.values().copied().filter(|entry| entry.kind == "TABLE ATTACH").collect();
        loop {
            let before = picked.len();
            for attachment in &attachments {
                // The parent is named first (`dumpTableAttach` of pg_dump.c).
                if let [parent, child, ..] = self.tables_of(attachment)[..]
                    && picked.contains(&parent)
                {
                    picked.insert(child);
                }
            }
            if picked.len() == before {
                return;
            }
        }
    }

    fn tables_of(&self, entry: &ListedEntry) -> Vec<i64> {
        let is_table_id = |dump_id: &&i64| self.by_id.get(dump_id).is_some_and(|entry| is_table(entry));
        entry.dependencies.iter().filter(is_table_id).copied().collect()
    }

    /// Types, functions, schemas, extensions, parent tables: whatever a picked entry's definition refers to.
    fn add_needed(&self, picked: &mut BTreeSet<i64>, existing: &BTreeSet<ObjectName>) {
        let mut open: Vec<i64> = picked.iter().copied().collect();
        while let Some(dump_id) = open.pop() {
            let Some(entry) = self.by_id.get(&dump_id) else { continue };
            for needed in &entry.dependencies {
                let Some(found) = self.by_id.get(needed) else { continue };
                if !existing.contains(&object_name(found)) && picked.insert(*needed) {
                    open.push(*needed);
                }
            }
        }
    }

    /// What hangs on the picked tables, and on that in turn; it brings the types and functions that it needs. What ties a
    /// picked table to one that is neither picked nor in the target (a foreign key, a view's rule) is left out.
    fn add_attached(&self, picked: &mut BTreeSet<i64>, tables: &BTreeSet<i64>, existing: &BTreeSet<ObjectName>) {
        let mut roots = tables.clone();
        loop {
            let before = roots.len();
            for entry in self.by_id.values().filter(|entry| ATTACHED.contains(&entry.kind.as_str())) {
                let is_satellite = SATELLITES.contains(&entry.kind.as_str());
                let hangs_on = |dump_id: &i64| roots.contains(dump_id) || is_satellite && picked.contains(dump_id);
                let hangs = entry.dependencies.iter().any(hangs_on);
                let is_available = |dump_id: &i64| {
                    let Some(needed) = self.by_id.get(dump_id) else { return true };
                    let is_of_a_table =
                        is_table(needed) || matches!(needed.kind.as_str(), "VIEW" | "CONSTRAINT" | "INDEX");
                    picked.contains(dump_id) || existing.contains(&object_name(needed)) || !is_of_a_table
                };
                let is_there = existing.contains(&object_name(entry));
                if hangs && !is_there && entry.dependencies.iter().all(is_available) {
                    roots.insert(entry.dump_id);
                    picked.insert(entry.dump_id);
                }
            }
            self.add_needed(picked, existing);
            if roots.len() == before {
                return;
            }
        }
    }
}

fn is_table(entry: &ListedEntry) -> bool {
    matches!(entry.kind.as_str(), "TABLE" | "FOREIGN TABLE" | "MATERIALIZED VIEW")
}

/// Each part may be written bare or as SQL quotes it, which is how a manifest lists odd names.
fn is_called(entry: &ListedEntry, table: &str) -> bool {
    let written = |name: &str| [name.to_owned(), quoted(name)];
    let names = written(&entry.name);
    let qualified = |schema: &String| names.iter().any(|name| table == format!("{schema}.{name}"));
    names.iter().any(|name| name == table) || written(&entry.schema).iter().any(qualified)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ListedEntry, NoSuchTable, ObjectName, object_name, pick};

    fn entry(dump_id: i64, kind: &str, name: &str, dependencies: &[i64]) -> ListedEntry {
        let (kind, schema, name) = (kind.to_owned(), "shop".to_owned(), name.to_owned());
        ListedEntry { dump_id, kind, schema, name, dependencies: dependencies.to_vec() }
    }

    fn shop() -> Vec<ListedEntry> {
        vec![
            entry(1, "SCHEMA", "shop", &[]),
            entry(2, "TYPE", "state", &[1]),
            entry(3, "TABLE", "orders", &[1, 2]),
            entry(4, "TABLE", "customers", &[1]),
            entry(5, "VIEW", "late_orders", &[3]),
            entry(6, "SEQUENCE", "orders_id_seq", &[1]),
            entry(7, "DEFAULT", "orders id", &[6, 3]),
            entry(8, "TABLE DATA", "orders", &[3]),
            entry(9, "CONSTRAINT", "orders orders_pkey", &[3]),
            entry(10, "CONSTRAINT", "customers customers_pkey", &[4]),
            entry(11, "FK CONSTRAINT", "orders orders_customer_fkey", &[3, 4, 10]),
            entry(12, "SEQUENCE SET", "orders_id_seq", &[6]),
            entry(13, "INDEX", "orders_at_idx", &[3]),
            entry(14, "COMMENT", "INDEX orders_at_idx", &[13]),
            entry(15, "TABLE", "events", &[1]),
            entry(16, "TABLE", "events_2026", &[1]),
            entry(17, "TABLE ATTACH", "events_2026", &[15, 16]),
            entry(18, "TABLE DATA", "events_2026", &[16]),
            entry(19, "VIEW", "totals", &[1]),
            entry(20, "RULE", "totals _RETURN", &[19, 3, 9]),
            entry(21, "FK CONSTRAINT", "customers customers_first_order_fkey", &[9, 4]),
        ]
    }

    fn check(tables: &[&str], existing: &[i64], expected: Result<&[i64], &str>) {
        let entries = shop();
        let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
        let existing: BTreeSet<ObjectName> =
            entries.iter().filter(|entry| existing.contains(&entry.dump_id)).map(object_name).collect();
        let picked = pick(&entries, &tables, &existing);
        assert_eq!(picked, expected.map(<[i64]>::to_vec).map_err(|table| NoSuchTable(table.to_owned())));
    }

    #[test]
    fn a_table_comes_with_what_hangs_on_it_and_what_it_needs_and_nothing_else() {
        check(&["shop.orders"], &[], Ok(&[1, 2, 3, 6, 7, 8, 9, 12, 13, 14]));
    }

    #[test]
    fn what_the_target_has_is_left_alone_and_foreign_keys_to_it_come_back() {
        check(&["orders"], &[1, 2, 4, 10], Ok(&[3, 6, 7, 8, 9, 11, 12, 13, 14, 21]));
    }

    #[test]
    fn a_partitioned_table_brings_its_partitions() {
        check(&["events"], &[1], Ok(&[15, 16, 17, 18]));
    }

    #[test]
    fn a_table_that_is_not_in_the_backup_is_named() {
        check(&["orders", "order"], &[], Err("order"));
    }
}
