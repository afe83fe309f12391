//! How fast the archive reader is: `cargo bench --bench archive`. One core, pieces of 256 KiB, the best of three runs.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[allow(unreachable_pub, reason = "the tests share it")]
#[path = "../tests/support/archive.rs"]
mod synthetic;

use std::time::Instant;

use guard::source::postgres::archive::{ArchiveOptions, ArchiveReader};

/// Bytes of rows per run: enough to be measured, little enough for any machine.
const ROW_BYTES: usize = 512 << 20;

fn main() {
    for row_length in [20, 100, 2000] {
        let rows = synthetic::rows(ROW_BYTES / row_length, row_length);
        measure(row_length, "chunks of 64 KiB (to PostgreSQL 16)", &synthetic::archive(15, &rows, 64 << 10));
        measure(row_length, "a chunk per row (since PostgreSQL 17)", &synthetic::archive(16, &rows, row_length));
    }
}

fn measure(row_length: usize, chunks: &str, archive: &[u8]) {
    let best = (0..3).map(|_| seconds_to_read(archive)).fold(f64::INFINITY, f64::min);
    println!("rows of {row_length} bytes, {chunks}: {:.0} MB/s", archive.len() as f64 / 1e6 / best);
}

fn seconds_to_read(archive: &[u8]) -> f64 {
    let start = Instant::now();
    let mut reader = ArchiveReader::new(ArchiveOptions::default());
    for piece in archive.chunks(256 << 10) {
        reader.feed(piece).expect("the archive is sound");
    }
    let summary = reader.finish().expect("the archive is whole");
    assert!(summary.contents.tables["public.t"].rows > 0);
    start.elapsed().as_secs_f64()
}
