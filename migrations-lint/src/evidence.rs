//! What a real server showed of each example, as `make prove-rules` wrote it down.

const POSTGRESQL: &str = include_str!("../evidence.tsv");

/// The first line names the server, here and below.
const MARIADB: &str = include_str!("../evidence-mariadb.tsv");

const SQLITE: &str = include_str!("../evidence-sqlite.tsv");

/// What was seen of one example.
pub(crate) struct Evidence {
    /// `bad` or `good`.
    pub(crate) kind: &'static str,
    /// The example's number, from 1.
    pub(crate) number: &'static str,
    /// The server's own words, or what had changed.
    pub(crate) seen: &'static str,
}

/// The servers, and what each showed of a rule.
pub(crate) fn of(rule: &str) -> [(&'static str, Vec<Evidence>); 3] {
    let seen = |table: &'static str, or: &'static str| (server(table).unwrap_or(or), rows(table, rule).collect());
    [seen(POSTGRESQL, "PostgreSQL 15"), seen(MARIADB, "MariaDB"), seen(SQLITE, "SQLite")]
}

fn server(table: &'static str) -> Option<&'static str> {
    table.lines().next()?.strip_prefix("server\t")?.split('\t').next()
}

fn rows(table: &'static str, rule: &str) -> impl Iterator<Item = Evidence> {
    table.lines().filter_map(move |line| {
        let mut cells = line.splitn(4, '\t');
        let is_of_rule = cells.next()? == rule;
        let evidence = Evidence { kind: cells.next()?, number: cells.next()?, seen: cells.next()? };
        is_of_rule.then_some(evidence)
    })
}
