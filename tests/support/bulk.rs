//! A database that takes a while to dump: rows of seeded random text, which no compression makes small.

use std::io::Write;

use rand::distr::{Alphanumeric, SampleString};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::postgres::TestPostgres;

/// Creates `table` with about `mib` MiB of rows.
pub fn fill(server: &TestPostgres, database: &str, table: &str, mib: usize) {
    const ROW: usize = 500;
    let mut random = StdRng::seed_from_u64(42);
    let mut sql = format!("CREATE TABLE {table} (id bigint PRIMARY KEY, note text, amount numeric);\n").into_bytes();
    writeln!(sql, "COPY {table} FROM STDIN;").expect("memory");
    // Drawing every letter anew would take longer than everything else here.
    let letters = Alphanumeric.sample_string(&mut random, 1 << 20);
    for id in 0..(mib << 20) / ROW {
        let at = random.random_range(0..letters.len() - ROW);
        let len = ROW - 24;
        writeln!(sql, "{id}\t{}\t{}.5", &letters[at..at + len], id % 1000).expect("memory");
    }
    sql.extend_from_slice(b"\\.\n");
    server.psql(database, sql);
}
