//! Writes dump archives by hand, for format versions whose servers are not at hand and for streams of any size.

/// An archive of format 1.`minor` with one table, `public.t (a, b, c)`, whose rows come in chunks of a length.
pub fn archive(minor: u8, rows: &[u8], chunk_length: usize) -> Vec<u8> {
    let mut out = header(minor);
    int(&mut out, 1);
    table_data_entry(&mut out, minor);
    out.push(1);
    int(&mut out, 7);
    for chunk in rows.chunks(chunk_length) {
        int(&mut out, chunk.len());
        out.extend_from_slice(chunk);
    }
    int(&mut out, 5);
    out.extend_from_slice(b"\\.\n\n\n");
    int(&mut out, 0);
    out
}

/// So many distinct rows of exactly `length` bytes, line ends included.
pub fn rows(n_rows: usize, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(n_rows * length);
    for number in 0..n_rows {
        let start = out.len();
        out.extend_from_slice(format!("{number}\tsome words\t").as_bytes());
        out.resize(start + length - 1, b'x');
        out.push(b'\n');
    }
    out
}

fn header(minor: u8) -> Vec<u8> {
    let mut out = b"PGDMP".to_vec();
    out.extend_from_slice(&[1, minor, 0, 4, 8, 1]);
    // The compression: a level, since 1.15 an algorithm.
    if minor >= 15 {
        out.push(0);
    } else {
        int(&mut out, 0);
    }
    for field in [59, 30, 12, 31, 11, 125, 0] {
        int(&mut out, field);
    }
    for word in ["made by hand", "10.0", "10.0"] {
        text(&mut out, word);
    }
    out
}

fn table_data_entry(out: &mut Vec<u8>, minor: u8) {
    int(out, 7);
    int(out, 1);
    for word in ["0", "1", "t", "TABLE DATA"] {
        text(out, word);
    }
    int(out, 3);
    for word in ["", "", "COPY public.t (a, b, c) FROM stdin;\n", "public", ""] {
        text(out, word);
    }
    if minor >= 14 {
        text(out, "heap");
    }
    if minor >= 16 {
        int(out, 0);
    }
    for word in ["owner", "false", "3", "4"] {
        text(out, word);
    }
    absent_text(out);
    out.extend_from_slice(&[1; 9]);
}

fn int(out: &mut Vec<u8>, value: usize) {
    out.push(0);
    out.extend_from_slice(&u32::try_from(value).expect("a small number").to_le_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    int(out, value.len());
    out.extend_from_slice(value.as_bytes());
}

/// A length of -1.
fn absent_text(out: &mut Vec<u8>) {
    out.extend_from_slice(&[1, 1, 0, 0, 0]);
}
