//! A database that takes a while to dump: rows of seeded random text, which no compression makes small.

use std::io::Write;

use super::postgres::TestPostgres;

/// Bytes of a row's text.
const ROW: usize = 480;

/// Creates `table` with about `mib` MiB of rows.
pub fn fill(server: &TestPostgres, database: &str, table: &str, mib: usize) {
    let mut sql = format!("CREATE TABLE {table} (id bigint PRIMARY KEY, note text, amount numeric);\n").into_bytes();
    writeln!(sql, "COPY {table} FROM STDIN;").expect("memory");
    let mut state = 42;
    for id in 0..(mib << 20) / (ROW + 20) {
        write!(sql, "{id}\t").expect("memory");
        for _ in 0..ROW / 10 {
            sql.extend_from_slice(&letters(&mut state));
        }
        writeln!(sql, "\t{}.5", id % 1000).expect("memory");
    }
    sql.extend_from_slice(b"\\.\n");
    server.psql(database, sql);
}

/// Ten letters from a step of xorshift64: drawing them one by one takes longer than all else here.
fn letters(state: &mut u64) -> [u8; 10] {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    std::array::from_fn(|idx| LETTERS[usize::from((*state >> (6 * idx)).to_le_bytes()[0] & 63)])
}
