//! Turns the table of contents into what is known before any data: definitions, sequences, and which data must follow.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_128;

use super::canonical::canonical_digest;
use super::copy::{CopyTarget, parse_copy};
use super::cursor::readable;
use super::entry::Entry;
use super::error::ArchiveProblem;
use crate::contents::{Contents, Digest, LargeObjects, SchemaEntry, SequenceState};

/// A data block that is still to come.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    /// COPY text of a table.
    Rows(CopyTarget),
    /// Large objects, one after the other.
    LargeObjects,
}

/// What the entries read so far promise.
#[derive(Debug, Default)]
pub(super) struct Toc {
    /// By dump id.
    pub(super) expected: BTreeMap<i64, Expected>,
    /// How many large objects the entries name, and whether their data was promised (not in a dump of definitions).
    n_large_objects: u64,
    has_large_object_data: bool,
}

impl Toc {
    /// Takes one entry into the record and the promises.
    pub(super) fn add(&mut self, entry: &Entry<'_>, contents: &mut Contents) -> Result<(), ArchiveProblem> {
        if entry.has_data {
            let expected = expected_data(entry)?;
            self.has_large_object_data |= matches!(expected, Expected::LargeObjects);
            self.expected.insert(entry.dump_id, expected);
        }
        match entry.kind {
            b"TABLE DATA" | b"BLOBS" | b"STATISTICS DATA" => {}
            b"SEQUENCE SET" => add_sequence(entry, contents)?,
            b"BLOB" => self.add_large_object(entry.tag, entry, contents)?,
            // Since 1.16 one entry names many objects, a line each.
            b"BLOB METADATA" => {
                for oid in entry.definition.split(|byte| *byte == b'\n').filter(|oid| !oid.is_empty()) {
                    self.add_large_object(oid, entry, contents)?;
                }
            }
            _ => contents.schema.push(schema_entry(entry)),
        }
        Ok(())
    }

    /// Compares the objects named with those whose data was found.
    pub(super) fn check_large_objects(&self, found: &LargeObjects) -> Result<(), ArchiveProblem> {
        let (listed, found) = (self.n_large_objects, found.count);
        if self.has_large_object_data && listed != found {
            return Err(ArchiveProblem::LargeObjectCount { listed, found });
        }
        Ok(())
    }

    fn add_large_object(
        &mut self,
        oid: &[u8],
        entry: &Entry<'_>,
        contents: &mut Contents,
    ) -> Result<(), ArchiveProblem> {
        let number: u32 = std::str::from_utf8(oid)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ArchiveProblem::unexpected("the number of a large object", readable(oid)))?;
        let owned = [&number.to_le_bytes(), entry.owner].concat();
        contents.large_objects.owners.add(xxh3_128(&owned));
        self.n_large_objects += 1;
        Ok(())
    }
}

fn expected_data(entry: &Entry<'_>) -> Result<Expected, ArchiveProblem> {
    match entry.kind {
        b"BLOBS" => Ok(Expected::LargeObjects),
        b"TABLE DATA" => parse_copy(entry.copy_statement).map(Expected::Rows).ok_or_else(|| {
            ArchiveProblem::unexpected(
                "a COPY statement for the rows (pg_dump without --inserts)",
                readable(entry.copy_statement),
            )
        }),
        other => Err(ArchiveProblem::unexpected("data of a table or of large objects", readable(other))),
    }
}

/// `SELECT pg_catalog.setval('public.s', 42, true);`
fn add_sequence(entry: &Entry<'_>, contents: &mut Contents) -> Result<(), ArchiveProblem> {
    let (name, state) = parse_setval(entry.definition)
        .ok_or_else(|| ArchiveProblem::unexpected("a call of setval", readable(entry.definition)))?;
    contents.sequences.insert(name, state);
    Ok(())
}

fn parse_setval(definition: &[u8]) -> Option<(String, SequenceState)> {
    let call = definition.trim_ascii().strip_prefix(b"SELECT pg_catalog.setval(")?.strip_suffix(b");")?;
    // The name may hold anything, so the two plain arguments are taken from the end.
    let text = readable(call);
    let (rest, is_called) = text.rsplit_once(", ")?;
    let (literal, last_value) = rest.rsplit_once(", ")?;
    let state = SequenceState { last_value: last_value.parse().ok()?, is_called: is_called.parse().ok()? };
    Some((unquote_literal(literal)?, state))
}

/// The text of an SQL literal; `E'…'` doubles backslashes too.
fn unquote_literal(literal: &str) -> Option<String> {
    let (quoted, escaped) = match literal.strip_prefix('E') {
        Some(rest) => (rest, true),
        None => (literal, false),
    };
    let text = quoted.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
    Some(if escaped { text.replace("\\\\", "\\") } else { text })
}

fn schema_entry(entry: &Entry<'_>) -> SchemaEntry {
    SchemaEntry {
        kind: readable(entry.kind),
        schema: readable(entry.schema),
        name: readable(entry.tag),
        owner: readable(entry.owner),
        digest: Digest(xxh3_128(entry.definition)),
        canonical: canonical_digest(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setval_call_gives_name_and_position() {
        let state = SequenceState { last_value: -5, is_called: false };
        for (call, name) in [
            ("SELECT pg_catalog.setval('public.s', -5, false);\n", "public.s"),
            ("SELECT pg_catalog.setval('public.\"a, ''b\"', -5, false);\n", "public.\"a, 'b\""),
            ("SELECT pg_catalog.setval(E'public.\"a\\\\b\"', -5, false);\n", "public.\"a\\b\""),
        ] {
            assert_eq!(parse_setval(call.as_bytes()), Some((name.to_owned(), state)));
        }
        assert_eq!(parse_setval(b"SELECT pg_catalog.setval('s', x, false);"), None);
    }
}
