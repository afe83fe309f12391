//! What a real server showed of each example, as `make prove-rules` wrote it down.

const TABLE: &str = include_str!("../evidence.tsv");

/// What was seen of one example.
pub(crate) struct Evidence {
    /// `bad` or `good`.
    pub(crate) kind: &'static str,
    /// The example's number, from 1.
    pub(crate) number: &'static str,
    /// The server's own words, or what had changed.
    pub(crate) seen: &'static str,
}

/// The evidence of a rule.
pub(crate) fn of(rule: &str) -> impl Iterator<Item = Evidence> {
    TABLE.lines().filter_map(move |line| {
        let mut cells = line.splitn(4, '\t');
        let is_of_rule = cells.next()? == rule;
        let evidence = Evidence { kind: cells.next()?, number: cells.next()?, seen: cells.next()? };
        is_of_rule.then_some(evidence)
    })
}
