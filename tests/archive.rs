//! The archive reader on what real servers of both ends of the supported range dump.

mod support;

use guard::contents::{Contents, DifferenceCode, SchemaEntry, differences};
use guard::source::postgres::archive::{ArchiveError, ArchiveOptions, ArchiveProblem, ArchiveReader, ArchiveSummary};
use memchr::memmem;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::everything;
use support::postgres::{TestPostgres, Version};

/// Rows, sequences and large objects, small enough to be read thousands of times.
const SMALL: &str = r#"
CREATE TABLE plain (id int, note text);
INSERT INTO plain SELECT g, repeat('x', g) FROM generate_series(1, 60) g;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE "od""d
name" ("Col A" int, "b""c" text);
INSERT INTO "od""d
name" VALUES (1, 'a\b'), (2, E'tab\t line\n'), (3, '\.'), (4, NULL), (5, '');
CREATE TABLE empty (a int);
CREATE SEQUENCE "s'q";
SELECT setval('"s''q"', 42, false);
SELECT lo_from_bytea(0, 'abc'), lo_from_bytea(4000000000, ''), lo_from_bytea(7, decode(repeat('ab', 500), 'hex'));
"#;

/// Damage to a restored copy, and every difference that it must show.
const MUTATIONS: &[(&str, &[(DifferenceCode, &str)])] = {
    use DifferenceCode::{
        ColumnsDiffer, DefinitionDiffers, DigestDiffers, LargeObjectsDiffer, ObjectMissing, ObjectUnexpected,
        OwnerDiffers, RowsDiffer, SequenceDiffers, TableMissing, TableUnexpected,
    };
    &[
        ("UPDATE app.types SET a_double = a_double + 1e-12 WHERE id = 27", &[(DigestDiffers, "table app.types")]),
        ("UPDATE app.types SET a_numeric = 0.1 WHERE id = 24", &[(DigestDiffers, "table app.types")]),
        ("UPDATE app.types SET a_text = NULL WHERE id = 20", &[(DigestDiffers, "table app.types")]),
        (
            "UPDATE app.types SET a_bytea = set_bit(a_bytea, 100000, 1 - get_bit(a_bytea, 100000)) WHERE id = 27",
            &[(DigestDiffers, "table app.types")],
        ),
        ("DELETE FROM app.events WHERE id = 5", &[(RowsDiffer, "table app.events_old")]),
        ("INSERT INTO app.hashed SELECT * FROM app.hashed WHERE id = 7", &[(RowsDiffer, "table app.hashed_1")]),
        (
            "UPDATE app.nulls SET a = 1 WHERE ctid = (SELECT max(ctid) FROM app.nulls)",
            &[(DigestDiffers, "table app.nulls")],
        ),
        ("DELETE FROM app.nothing WHERE ctid = '(0,1)'", &[(RowsDiffer, "table app.nothing")]),
        ("UPDATE ONLY app.child SET own = 'changed' WHERE id = 7", &[(DigestDiffers, "table app.child")]),
        ("UPDATE app.hashed_by_enum SET note = 'n8' WHERE id = 7", &[(DigestDiffers, "table app.hashed_by_enum")]),
        ("SELECT lo_put(4294967290, 1000000, '\\x01')", &[(LargeObjectsDiffer, "large objects")]),
        ("SELECT lo_unlink(4294967290)", &[(LargeObjectsDiffer, "large objects")]),
        ("ALTER LARGE OBJECT 70000 OWNER TO postgres", &[(OwnerDiffers, "large objects")]),
        ("SELECT setval('app.untouched', 1, true)", &[(SequenceDiffers, "sequence app.untouched")]),
        ("DROP INDEX app.items_hash", &[(ObjectMissing, "INDEX app.items_hash")]),
        ("DROP POLICY writers ON app.orders", &[(ObjectMissing, "POLICY app.orders writers")]),
        (
            "ALTER TABLE app.orders DROP CONSTRAINT orders_status_check,
             ADD CONSTRAINT orders_status_check CHECK (status IN ('new', 'paid', 'shipped', 'lost'))",
            &[(DefinitionDiffers, "TABLE app.orders")],
        ),
        ("ALTER TABLE app.grandchild ALTER COLUMN z TYPE bigint", &[(DefinitionDiffers, "TABLE app.grandchild")]),
        ("ALTER TYPE app.status ADD VALUE 'last'", &[(DefinitionDiffers, "TYPE app.status")]),
        ("ALTER TABLE app.hashed_0 OWNER TO guard_reader", &[(OwnerDiffers, "TABLE app.hashed_0")]),
        ("GRANT SELECT ON app.hashed_0 TO guard_reader", &[(ObjectUnexpected, "ACL on TABLE hashed_0 in schema app")]),
        ("REVOKE SELECT ON app.orders FROM guard_reader", &[(DefinitionDiffers, "ACL on TABLE orders in schema app")]),
        ("COMMENT ON SCHEMA app IS 'the Application'", &[(DefinitionDiffers, "COMMENT on SCHEMA app")]),
        (
            "ALTER TABLE app.one_text RENAME COLUMN line TO other",
            &[(ColumnsDiffer, "table app.one_text"), (DefinitionDiffers, "TABLE app.one_text")],
        ),
        (
            "DROP TABLE app.listed_ab",
            &[
                (TableMissing, "table app.listed_ab"),
                (ObjectMissing, "TABLE app.listed_ab"),
                (ObjectMissing, "TABLE ATTACH app.listed_ab"),
            ],
        ),
        (
            "CREATE TABLE public.extra (a int); REVOKE ALL ON public.extra FROM guard_owner",
            &[(TableUnexpected, "table public.extra"), (ObjectUnexpected, "TABLE public.extra")],
        ),
    ]
};

#[test]
fn everything_comes_back_exactly_on_15() {
    everything_comes_back_exactly(Version::V15);
}

#[test]
fn everything_comes_back_exactly_on_18() {
    everything_comes_back_exactly(Version::V18);
}

#[test]
fn each_change_to_a_copy_is_found_and_nothing_else_on_15() {
    each_change_to_a_copy_is_found(Version::V15);
}

#[test]
fn each_change_to_a_copy_is_found_and_nothing_else_on_18() {
    each_change_to_a_copy_is_found(Version::V18);
}

#[test]
fn definitions_that_the_server_rewrites_are_the_same_after_a_restore() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        everything::load_deparse(&server, "deparse");
        let (contents, copy) = round_trip(&server, "deparse", "");
        // The server does rewrite definitions; without that this test would show little.
        let is_rewritten = |entry: &&SchemaEntry| copy.schema.iter().all(|copied| copied.digest != entry.digest);
        assert!(contents.schema.iter().filter(is_rewritten).count() >= 10);
    }
}

#[test]
fn databases_in_other_encodings_come_back_exactly() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        server.create_database("latin", "ENCODING 'LATIN1' LOCALE 'C'");
        server.psql("latin", "SET client_encoding = 'UTF8'; CREATE TABLE \"Größe é\" (\"ß\" text); INSERT INTO \"Größe é\" VALUES ('ÿ'), ('ä')");
        server.create_database("ascii", "ENCODING 'SQL_ASCII' LOCALE 'C'");
        server.psql(
            "ascii",
            b"CREATE TABLE \"\xff\xfe\" (\"\xe9\" text); INSERT INTO \"\xff\xfe\" VALUES ('\x80\\'), ('\xc3')",
        );
        let (latin, _) = round_trip(&server, "latin", "ENCODING 'LATIN1' LOCALE 'C'");
        assert_eq!(latin.tables["public.\"Gr\\xF6\\xDFe \\xE9\""].rows, 2);
        let (ascii, _) = round_trip(&server, "ascii", "ENCODING 'SQL_ASCII' LOCALE 'C'");
        assert_eq!(ascii.tables["public.\"\\xFF\\xFE\""].columns, ["\"\\xE9\""]);
    }
}

#[test]
fn rows_sequences_and_large_objects_are_counted() {
    for version in Version::ALL {
        let summary = read(&small_dump(version), ArchiveOptions::default()).unwrap();
        assert_eq!(summary.trailing_bytes, 0);
        assert_eq!(summary.header.database, "small");
        let contents = summary.contents;
        let rows: Vec<_> = contents.tables.iter().map(|(name, table)| (name.as_str(), table.rows)).collect();
        let odd = "public.\"od\"\"d\nname\"";
        assert_eq!(rows, [(odd, 5), ("public.empty", 0), ("public.nothing", 3), ("public.plain", 60)]);
        assert_eq!(contents.tables[odd].columns, ["\"Col A\"", "\"b\"\"c\""]);
        let sequence = contents.sequences["public.\"s'q\""];
        assert_eq!((sequence.last_value, sequence.is_called), (42, false));
        assert_eq!((contents.large_objects.count, contents.large_objects.bytes), (3, 503));
    }
}

#[test]
fn every_format_version_since_postgresql_10_is_read_alike() {
    let rows = support::archive::rows(1000, 40);
    let expected = contents(&support::archive::archive(16, &rows, 40), ArchiveOptions::default());
    assert_eq!((expected.tables["public.t"].rows, expected.tables["public.t"].bytes), (1000, 40_000));
    for minor in 12..=16 {
        let archive = support::archive::archive(minor, &rows, 8192);
        let summary = read(&archive, ArchiveOptions::default()).unwrap();
        assert_eq!(summary.header.created, [2025, 12, 31, 12, 30, 59]);
        assert_eq!(summary.contents, expected, "1.{minor}");
        // A dump to a seekable file leaves a second table of contents.
        let trailed = read(&[&archive[..], b"\0more"].concat(), ArchiveOptions::default()).unwrap();
        assert_eq!((trailed.contents, trailed.trailing_bytes), (summary.contents, 5));
    }
    for minor in [11, 17] {
        let problem =
            read(&support::archive::archive(minor, &rows, 8192), ArchiveOptions::default()).unwrap_err().problem;
        assert_eq!(problem, ArchiveProblem::Version { major: 1, minor });
    }
}

#[test]
fn blocks_that_were_not_promised_are_refused() {
    let rows = support::archive::rows(10, 40);
    let archive = support::archive::archive(16, &rows, 8192);
    let block = [&[1, 0, 7, 0, 0, 0, 0, 0x90, 1, 0, 0][..], &rows[..10]].concat();
    let start = memmem::find(&archive, &block).expect("the data block");
    let refused = |damaged: &[u8]| read(damaged, ArchiveOptions::default()).unwrap_err().problem.to_string();
    assert_eq!(
        refused(&[&archive[..], &archive[start..]].concat()),
        "expected the end of the archive, found further data"
    );
    assert_eq!(refused(&[&archive[..], &archive[..]].concat()), "expected the end of the archive, found further data");
    let listed = "a data block for entry 6, which the table of contents does not list as having one";
    assert_eq!(refused(&flip(&archive, start + 2, 0)), listed);
    assert_eq!(refused(&flip(&archive, start, 1)), "expected the block type that the entry promises, found 3");
}

#[test]
fn a_table_whose_data_ends_without_the_end_mark_is_an_error() {
    let archive = support::archive::archive(16, &support::archive::rows(10, 40), 8192);
    let end = [&[0, 5, 0, 0, 0][..], b"\\.\n\n\n"].concat();
    let at = memmem::rfind(&archive, &end).expect("the end mark's chunk");
    let without = [&archive[..at], &archive[at + end.len()..]].concat();
    let error = read(&without, ArchiveOptions::default()).unwrap_err();
    assert_eq!(error.place, "the rows of public.t");
    assert_eq!(
        error.problem.to_string(),
        "expected the end mark \\. after the last row, found the end of the data block"
    );
}

#[test]
fn a_large_object_that_only_the_data_holds_is_an_error() {
    let mut archive = small_dump(Version::V18);
    // The entry lists its objects a line each; number 7 becomes an empty line.
    let listed = memmem::find(&archive, b"\x007\n").expect("the list of large objects");
    archive[listed + 1] = b'\n';
    let problem = read(&archive, ArchiveOptions::default()).unwrap_err().problem;
    assert_eq!(problem, ArchiveProblem::LargeObjectCount { listed: 2, found: 3 });
}

#[test]
fn the_borders_of_the_pieces_do_not_matter() {
    for version in Version::ALL {
        let archive = small_dump(version);
        let whole = read(&archive, ArchiveOptions::default());
        assert!(whole.is_ok());
        for size in [1, 2, 3, 5, 7, 64, 1000, 8192] {
            assert_eq!(read_in_pieces(&archive, size, ArchiveOptions::default()), whole, "{version:?} by {size}");
        }
    }
}

#[test]
fn an_archive_cut_anywhere_is_an_error() {
    for version in Version::ALL {
        let archive = small_dump(version);
        // Every offset of the header and the first entries, a sample of the rest, and every offset of the end.
        let is_sampled = |length: &usize| *length < 1500 || length.is_multiple_of(7) || archive.len() - length < 1000;
        for length in (0..archive.len()).filter(is_sampled) {
            let cut = read_in_pieces(&archive[..length], 4096, ArchiveOptions::default());
            let problem = cut.expect_err("a cut archive is refused").problem;
            assert!(matches!(problem, ArchiveProblem::Truncated { .. }), "{version:?} cut to {length}: {problem}");
        }
    }
}

#[test]
fn a_flipped_bit_in_a_row_is_an_error_or_changes_the_record() {
    for version in Version::ALL {
        let archive = small_dump(version);
        let whole = read(&archive, ArchiveOptions::default()).unwrap();
        for id in 1..=60 {
            let row = format!("{id}\t{}\n", "x".repeat(id));
            let start = memmem::find(&archive, row.as_bytes()).expect("the row is in the archive");
            for position in start..start + row.len() {
                let damaged = flip(&archive, position, id % 8);
                let read = read(&damaged, ArchiveOptions::default());
                assert!(read.is_err() || read.as_ref() != Ok(&whole), "{version:?} bit {} of byte {position}", id % 8);
            }
        }
    }
}

#[test]
fn flipped_bits_anywhere_do_no_harm() {
    let mut random = StdRng::seed_from_u64(15);
    for version in Version::ALL {
        let archive = small_dump(version);
        for _ in 0..2000 {
            let damaged = flip(&archive, random.random_range(0..archive.len()), random.random_range(0..8));
            // What it says does not matter here; that it says something does.
            drop(read_in_pieces(&damaged, 4096, ArchiveOptions::default()));
        }
    }
}

#[test]
fn what_is_not_an_uncompressed_archive_is_refused_with_its_reason() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        let dump = |options: &[&str]| {
            let mut dump = server.command("pg_dump");
            dump.args(options).arg("postgres");
            read(&support::postgres::run(dump, b""), ArchiveOptions::default()).map_err(|error| error.to_string())
        };
        server.psql("postgres", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
        assert!(dump(&["-Fc", "-Z0"]).is_ok());
        assert!(dump(&["-Fc", "-Z0", "--schema-only"]).is_ok());
        assert!(dump(&["-Fc"]).unwrap_err().contains("expected no compression"));
        assert!(dump(&["-Fp"]).unwrap_err().contains("expected the mark PGDMP"));
        assert!(dump(&["-Ft"]).unwrap_err().contains("expected the mark PGDMP"));
        assert!(dump(&["-Fc", "-Z0", "--inserts"]).unwrap_err().contains("expected a COPY statement"));
    }
}

fn everything_comes_back_exactly(version: Version) {
    let server = TestPostgres::start(version);
    everything::load(&server, "everything");
    let (contents, _) = round_trip(&server, "everything", "");
    assert_eq!(contents.tables["app.nulls"].rows, 50_000);
    assert_eq!(contents.tables["app.hashed_by_enum"].rows, 200, "both partitions are loaded through the root");
    assert_eq!(contents.large_objects.count, 6);
    assert!(contents.large_objects.bytes > 5 << 20);
    let count = |kind: &str| contents.schema.iter().filter(|entry| entry.kind == kind).count();
    assert!(count("TABLE") > 30 && count("POLICY") == 2 && count("PUBLICATION") == 3);
}

/// Restores a dump of the database and compares the copy's record with the source's. Returns both.
fn round_trip(server: &TestPostgres, database: &str, options: &str) -> (Contents, Contents) {
    let archive = server.dump(database);
    let contents = contents(&archive, ArchiveOptions::default());
    let copy = format!("{database}_copy");
    server.create_database(&copy, options);
    server.restore(&copy, &archive);
    let found = self::contents(&server.dump(&copy), ArchiveOptions::comparable_with(&contents));
    let differences: Vec<_> = differences(&contents, &found).iter().map(ToString::to_string).collect();
    assert_eq!(differences, [""; 0], "{:?} {database}", server.version());
    (contents, found)
}

fn each_change_to_a_copy_is_found(version: Version) {
    let server = TestPostgres::start(version);
    everything::load(&server, "everything");
    let (expected, _) = round_trip(&server, "everything", "");
    let mut wrong = Vec::new();
    for (sql, differences_expected) in MUTATIONS {
        server.psql("postgres", "CREATE DATABASE changed TEMPLATE everything_copy");
        server.psql("changed", sql);
        let found = contents(&server.dump("changed"), ArchiveOptions::comparable_with(&expected));
        let differences = differences(&expected, &found);
        let differences: Vec<_> = differences.iter().map(|found| (found.code, found.object.as_str())).collect();
        if differences != *differences_expected {
            wrong.push(format!("{sql}\n  found {differences:?}\n  expected {differences_expected:?}"));
        }
        server.psql("postgres", "DROP DATABASE changed");
    }
    assert!(wrong.is_empty(), "{version:?}\n{}", wrong.join("\n"));
}

fn small_dump(version: Version) -> Vec<u8> {
    let server = TestPostgres::start(version);
    server.create_database("small", "");
    server.psql("small", SMALL);
    server.dump("small")
}

fn flip(archive: &[u8], position: usize, bit: usize) -> Vec<u8> {
    let mut damaged = archive.to_vec();
    damaged[position] ^= 1 << bit;
    damaged
}

/// The record of a sound archive.
fn contents(archive: &[u8], options: ArchiveOptions) -> Contents {
    read(archive, options).expect("a sound archive").contents
}

fn read(archive: &[u8], options: ArchiveOptions) -> Result<ArchiveSummary, ArchiveError> {
    read_in_pieces(archive, usize::MAX, options)
}

fn read_in_pieces(archive: &[u8], size: usize, options: ArchiveOptions) -> Result<ArchiveSummary, ArchiveError> {
    let mut reader = ArchiveReader::new(options);
    for piece in archive.chunks(size) {
        reader.feed(piece)?;
    }
    reader.finish()
}
