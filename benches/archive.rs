//! How fast the archive reader is: `cargo bench --bench archive`. One core, rows of about 100 bytes, pieces of 256 KiB.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Instant;

use guard::source::postgres::archive::{ArchiveOptions, ArchiveReader};

/// Bytes of rows per run: enough for a second or less, little enough for any machine.
const ROW_BYTES: usize = 512 << 20;

fn main() {
    for (name, row_length) in [("100-byte rows", 100), ("20-byte rows", 20), ("2000-byte rows", 2000)] {
        measure(&format!("{name}, chunks of 64 KiB (to PostgreSQL 16)"), &archive(row_length, 64 << 10));
        measure(&format!("{name}, a chunk per row (since PostgreSQL 17)"), &archive(row_length, row_length));
    }
}

fn measure(name: &str, archive: &[u8]) {
    let best = (0..3).map(|_| seconds_to_read(archive)).fold(f64::INFINITY, f64::min);
    println!("{name}: {:.0} MB/s", archive.len() as f64 / 1e6 / best);
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

/// An archive of version 1.16 with one table.
fn archive(row_length: usize, chunk_length: usize) -> Vec<u8> {
    let mut out = b"PGDMP\x01\x10\x00\x04\x08\x01\x00".to_vec();
    for _ in 0..7 {
        int(&mut out, 1);
    }
    for word in ["bench", "18.0", "18.0"] {
        text(&mut out, word);
    }
    int(&mut out, 1);
    table_data_entry(&mut out);
    out.push(1);
    int(&mut out, 7);
    let rows = rows(row_length);
    for chunk in rows.chunks(chunk_length) {
        int(&mut out, chunk.len());
        out.extend_from_slice(chunk);
    }
    int(&mut out, 5);
    out.extend_from_slice(b"\\.\n\n\n");
    int(&mut out, 0);
    out
}

fn table_data_entry(out: &mut Vec<u8>) {
    int(out, 7);
    int(out, 1);
    for word in ["0", "1", "t", "TABLE DATA"] {
        text(out, word);
    }
    int(out, 3);
    for word in ["", "", "COPY public.t (a, b, c) FROM stdin;\n", "public", "", ""] {
        text(out, word);
    }
    int(out, 0);
    for word in ["owner", "false"] {
        text(out, word);
    }
    out.extend_from_slice(&[1, 1, 0, 0, 0]);
    out.extend_from_slice(&[1; 9]);
}

/// Distinct rows of exactly `length` bytes, line ends included.
fn rows(length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(ROW_BYTES);
    for number in 0..ROW_BYTES / length {
        let start = out.len();
        out.extend_from_slice(format!("{number}\tsome words\t").as_bytes());
        out.resize(start + length - 1, b'x');
        out.push(b'\n');
    }
    out
}

fn int(out: &mut Vec<u8>, value: usize) {
    out.push(0);
    out.extend_from_slice(&u32::try_from(value).expect("a small number").to_le_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    int(out, value.len());
    out.extend_from_slice(value.as_bytes());
}
