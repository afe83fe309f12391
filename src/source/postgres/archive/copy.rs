//! Reads the identifiers of the statements that `pg_dump` writes: `COPY public."Odd" (a, "b c") FROM stdin;`.

use super::cursor::readable;

/// Where rows go and which columns they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyTarget {
    /// The relation as written.
    pub(super) table: String,
    /// The columns as written.
    pub(super) columns: Vec<String>,
}

/// Reads a `COPY … FROM stdin` statement.
pub(super) fn parse_copy(statement: &[u8]) -> Option<CopyTarget> {
    let rest = statement.strip_prefix(b"COPY ")?;
    let (table, rest) = qualified_name(rest)?;
    // A table without columns has no list, and two spaces (`fmtCopyColumnList`).
    let (columns, rest) = match rest.strip_prefix(b" (") {
        Some(list) => column_list(list)?,
        None => (Vec::new(), rest.strip_prefix(b" ")?),
    };
    rest.trim_ascii().eq(b"FROM stdin;").then_some(CopyTarget { table: readable(table), columns })
}

/// Splits a dotted name off the front.
pub(super) fn qualified_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = identifier_length(text)?;
    while text.get(length) == Some(&b'.') {
        length += 1 + identifier_length(&text[length + 1..])?;
    }
    Some(text.split_at(length))
}

fn column_list(mut rest: &[u8]) -> Option<(Vec<String>, &[u8])> {
    let mut columns = Vec::new();
    loop {
        let (name, after) = rest.split_at(identifier_length(rest)?);
        columns.push(readable(name));
        if let Some(end) = after.strip_prefix(b")") {
            return Some((columns, end));
        }
        rest = after.strip_prefix(b", ")?;
    }
}

/// Bytes of the identifier at the front, with its quotes.
fn identifier_length(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        let end = text.iter().position(|byte| b".,() \n;".contains(byte)).unwrap_or(text.len());
        return (end > 0).then_some(end);
    }
    let mut position = 1;
    loop {
        position += memchr::memchr(b'"', text.get(position..)?)? + 1;
        // A doubled quote is one quote of the name.
        if text.get(position) != Some(&b'"') {
            return Some(position);
        }
        position += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, table: &str, columns: &[&str]) {
        let columns = columns.iter().map(ToString::to_string).collect();
        assert_eq!(parse_copy(statement.as_bytes()), Some(CopyTarget { table: table.to_owned(), columns }));
    }

    #[test]
    fn plain_and_quoted_names_are_kept_as_written() {
        check("COPY public.t (a, b) FROM stdin;\n", "public.t", &["a", "b"]);
        check("COPY \"a.b\".\"x\"\"(\n\" (\"c, d\") FROM stdin;\n", "\"a.b\".\"x\"\"(\n\"", &["\"c, d\""]);
    }

    #[test]
    fn a_table_without_columns_has_an_empty_list() {
        check("COPY public.nothing  FROM stdin;\n", "public.nothing", &[]);
    }

    #[test]
    fn anything_else_is_refused() {
        for statement in
            ["", "COPY", "COPY t", "COPY t (a FROM stdin;", "COPY \"t (a) FROM stdin;", "COPY t (a) TO stdin;"]
        {
            assert_eq!(parse_copy(statement.as_bytes()), None, "{statement}");
        }
    }
}
