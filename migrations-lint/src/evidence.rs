//! What a real server showed of each example, as `make prove-rules` wrote it down.

const POSTGRESQL: &str = include_str!("../evidence.tsv");

/// The first line names the server.
const MARIADB: &str = include_str!("../evidence-mariadb.tsv");

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
pub(crate) fn of(rule: &str) -> [(&'static str, Vec<Evidence>); 2] {
    let mariadb = MARIADB.lines().next().and_then(|line| line.split('\t').nth(1)).unwrap_or("MariaDB");
    [("PostgreSQL 15", rows(POSTGRESQL, rule).collect()), (mariadb, rows(MARIADB, rule).collect())]
}

fn rows(table: &'static str, rule: &str) -> impl Iterator<Item = Evidence> {
    table.lines().filter_map(move |line| {
        let mut cells = line.splitn(4, '\t');
        let is_of_rule = cells.next()? == rule;
        let evidence = Evidence { kind: cells.next()?, number: cells.next()?, seen: cells.next()? };
        is_of_rule.then_some(evidence)
    })
}
