//! The checksums by which frameworks know that an applied file was edited, exactly as each computes them.

use std::fmt::Write as _;
use std::hash::Hasher as _;

use sha2::{Digest as _, Sha256, Sha384};
use siphasher::sip::SipHasher13;

/// SHA-256 in lower-case hex: Prisma, Drizzle.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-384 in lower-case hex: sqlx (`sqlx-core/src/migrate/migration.rs`).
pub(super) fn sha384_hex(bytes: &[u8]) -> String {
    hex(&Sha384::digest(bytes))
}

/// SHA-256 as Prisma's first releases wrote it: each byte by `{:x}`, so a leading zero is lost.
pub(super) fn sha256_unpadded_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:x}").expect("writing to a string does not fail");
    }
    text
}

/// Flyway's `ChecksumCalculator`: CRC-32 over the lines' bytes without their ends and without a BOM, as a signed number.
pub(super) fn flyway_crc32(text: &str) -> i32 {
    let mut hasher = crc32fast::Hasher::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in java_lines(text) {
        hasher.update(line.as_bytes());
    }
    hasher.finalize().cast_signed()
}

/// refinery: SipHash-1-3 of name, version and SQL as Rust's `Hash` feeds them, with the version as `i32` (the default).
pub(super) fn refinery_siphash_i32(name: &str, version: i32, sql: &str) -> u64 {
    refinery_siphash(name, &version.to_ne_bytes(), sql)
}

/// The same for refinery built with `int8-versions`.
pub(super) fn refinery_siphash_i64(name: &str, version: i64, sql: &str) -> u64 {
    refinery_siphash(name, &version.to_ne_bytes(), sql)
}

/// Standard base64 with padding, as `atlas.sum` is written.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().enumerate().fold(0_u32, |group, (idx, byte)| group | u32::from(*byte) << (16 - 8 * idx));
        for idx in 0..4 {
            let sextet = (group >> (18 - 6 * idx)) & 0x3f;
            text.push(if idx <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

fn refinery_siphash(name: &str, version: &[u8], sql: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    // `str::hash` ends a string with 0xff.
    for bytes in [name.as_bytes(), &[0xff], version, sql.as_bytes(), &[0xff]] {
        hasher.write(bytes);
    }
    hasher.finish()
}

/// Lines as Java's `BufferedReader.readLine` gives them: ended by LF, CR, or CRLF.
fn java_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        let line = &rest[..end];
        let skip = if rest[end..].starts_with("\r\n") { 2 } else { usize::from(end < rest.len()) };
        rest = &rest[end + skip..];
        Some(line)
    })
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::hash::Hash;

    use super::*;

    #[test]
    fn sha_sums_are_those_of_the_standard() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            sha384_hex(b"abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        );
        // The digest of "abc" has the bytes 01 cf, 03 61, 00 15: each loses its zero.
        assert_eq!(sha256_unpadded_hex(b"abc"), "ba7816bf8f1cfea414140de5dae2223b0361a396177a9cb410ff61f2015ad");
    }

    #[test]
    fn flyway_ignores_line_ends_and_byte_order_mark() {
        // CRC-32 of "123456789" is the check value 0xcbf43926 of the algorithm.
        let expected = 0xcbf4_3926_u32.cast_signed();
        for text in ["123456789", "1234\n56789", "1234\r\n56789\r\n", "\u{feff}1234\r56789\n"] {
            assert_eq!(flyway_crc32(text), expected, "{text:?}");
        }
    }

    #[test]
    fn refinery_feeds_the_hasher_as_rust_does() {
        let mut hasher = SipHasher13::new();
        "initial".hash(&mut hasher);
        1_i32.hash(&mut hasher);
        "create table t (id int);".hash(&mut hasher);
        assert_eq!(refinery_siphash_i32("initial", 1, "create table t (id int);"), hasher.finish());
        let mut hasher = SipHasher13::new();
        "initial".hash(&mut hasher);
        1_i64.hash(&mut hasher);
        "create table t (id int);".hash(&mut hasher);
        assert_eq!(refinery_siphash_i64("initial", 1, "create table t (id int);"), hasher.finish());
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
