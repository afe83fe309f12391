//! Completing a piped archive, so that `pg_restore --jobs` need not search it.

mod support;

use guard::source::postgres::archive::{ArchiveOptions, ArchiveReader};
use support::postgres::{TestPostgres, Version, run};

const SMALL: &str = "
    CREATE TABLE one AS SELECT i, repeat('x', i) AS text FROM generate_series(1, 500) AS i;
    CREATE TABLE empty (a int);
    CREATE TABLE two AS SELECT i FROM generate_series(1, 10) AS i;
    CREATE SEQUENCE counter;
    SELECT lo_from_bytea(0, 'abc'), lo_from_bytea(7, decode(repeat('ab', 5000), 'hex'));";

#[test]
fn a_piped_archive_with_its_places_completed_is_what_pg_dump_writes_to_a_file() {
    for version in Version::ALL {
        let server = TestPostgres::start(version);
        server.create_database("small", "");
        server.psql("small", SMALL);
        let mut completed = server.dump("small");
        let mut reader = ArchiveReader::new(ArchiveOptions::default());
        // In small pieces: an entry or a block's beginning may be cut anywhere.
        completed.chunks(13).try_for_each(|piece| reader.feed(piece)).unwrap();
        assert!(reader.data_places().len() >= 4, "{version:?}");
        for place in reader.data_places() {
            let at = usize::try_from(place.at).unwrap();
            completed[at..at + place.text.len()].copy_from_slice(&place.text);
        }
        // The first bytes tell the time of the dump.
        assert!(completed[64..] == dump_to_file(&server)[64..], "{version:?}");
    }
}

fn dump_to_file(server: &TestPostgres) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("small.pgdump");
    let mut dump = server.command("pg_dump");
    dump.args(["-Fc", "-Z0", "small", "--file"]).arg(&file);
    run(dump, b"");
    std::fs::read(file).expect("the dump")
}
