//! The archive reader on what real servers of both ends of the supported range dump.

mod support;

use guard::source::postgres::archive::{ArchiveError, ArchiveOptions, ArchiveReader, ArchiveSummary};
use support::postgres::{TestPostgres, Version};

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

const SMALL: &str = r#"
CREATE TABLE plain (id int, note text);
INSERT INTO plain SELECT g, repeat('x', g % 200) FROM generate_series(1, 300) g;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE "od""d
name" ("Col A" int, "b""c" text);
INSERT INTO "od""d
name" VALUES (1, 'a\b'), (2, E'tab\t line\n'), (3, '\.'), (4, NULL), (5, '');
CREATE TABLE empty (a int);
CREATE SEQUENCE "s'q";
SELECT setval('"s''q"', 42, false);
SELECT lo_from_bytea(0, 'abc'), lo_from_bytea(4000000000, ''), lo_from_bytea(7, decode(repeat('ab', 5000), 'hex'));
"#;

fn small_dump(server: &TestPostgres) -> Vec<u8> {
    server.create_database("small", "");
    server.psql("small", SMALL);
    server.dump("small")
}

#[test]
fn rows_sequences_and_large_objects_are_counted() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        let archive = small_dump(&server);
        let summary = read(&archive, ArchiveOptions::default()).unwrap();
        assert_eq!(summary.trailing_bytes, 0);
        assert_eq!(summary.header.database, "small");
        let contents = summary.contents;
        let rows: Vec<_> = contents.tables.iter().map(|(name, table)| (name.as_str(), table.rows)).collect();
        let odd = "public.\"od\"\"d\nname\"";
        assert_eq!(rows, [(odd, 5), ("public.empty", 0), ("public.nothing", 3), ("public.plain", 300)]);
        assert_eq!(contents.tables[odd].columns, ["\"Col A\"", "\"b\"\"c\""]);
        let sequence = contents.sequences["public.\"s'q\""];
        assert_eq!((sequence.last_value, sequence.is_called), (42, false));
        assert_eq!((contents.large_objects.count, contents.large_objects.bytes), (3, 5003));
    }
}

#[test]
fn the_borders_of_the_pieces_do_not_matter() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        let archive = small_dump(&server);
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
        let server = TestPostgres::start(version);
        let archive = small_dump(&server);
        for length in 0..archive.len() {
            let cut = read_in_pieces(&archive[..length], 4096, ArchiveOptions::default());
            assert!(cut.is_err(), "{version:?} cut to {length} of {}", archive.len());
        }
    }
}
