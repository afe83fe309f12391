//! Damage: each flipped bit, each cut, any bytes at all are an error or a record, never a panic.

#[path = "../../fuzz/bodies.rs"]
#[allow(unreachable_pub, reason = "a module of the fuzz target too")]
mod bodies;

use std::fs;
use std::path::Path;

use guard::source::redis::rdb::{Entries, RdbDecoder, RdbOptions};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::filling::{deliver, fill, small_rdbs};
use super::support::redis::RedisVersion;
use super::{decode, decode_with, whole};

#[test]
fn pieces_of_any_size_give_the_same_record() {
    let server = RedisVersion::V8.start();
    fill(&mut server.connect(), false);
    deliver(&mut server.connect());
    let rdb = server.save();
    let whole = decode(&rdb);
    for piece in [1, 2, 7, 4096, 65_537, rdb.len()] {
        assert_eq!(decode_with(RdbOptions::default(), &rdb, piece).unwrap(), whole, "pieces of {piece}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_found() {
    for rdb in small_rdbs() {
        decode(&rdb);
        for length in 0..rdb.len() {
            let error = decode_with(RdbOptions::default(), &rdb[..length], 64).unwrap_err();
            assert!(error.offset <= length as u64, "{error}");
        }
        for (position, bit) in (0..rdb.len()).flat_map(|position| (0..8).map(move |bit| (position, bit))) {
            let mut damaged = rdb.clone();
            damaged[position] ^= 1 << bit;
            let mut decoder = RdbDecoder::new(RdbOptions::default());
            let read = decoder.feed(&damaged).and_then(|taken| decoder.finish().map(|summary| (taken, summary)));
            assert!(
                !matches!(read, Ok((taken, _)) if taken == damaged.len()),
                "bit {bit} of byte {position} is not seen"
            );
        }
    }
}

/// Larger than what can be tried byte by byte: damage at places chosen by chance.
#[test]
fn damage_anywhere_in_a_larger_rdb_is_found() {
    let server = RedisVersion::V7.start();
    fill(&mut server.connect(), false);
    deliver(&mut server.connect());
    let rdb = server.save();
    assert!(rdb.len() > 100_000, "{} bytes", rdb.len());
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..60 {
        let (position, bit) = (random.random_range(0..rdb.len()), random.random_range(0..8));
        let mut damaged = rdb.clone();
        damaged[position] ^= 1 << bit;
        assert!(whole(&damaged).is_err(), "bit {bit} of byte {position} is not seen");
        let length = random.random_range(0..rdb.len());
        assert!(whole(&rdb[..length]).is_err(), "a cut after {length} bytes is not seen");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// The same as the fuzz target `rdb`, on fewer inputs.
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_answer(
        version in prop::sample::select(vec![&b"REDIS0012"[..], b"REDIS0010", b"VALKEY080", b""]),
        type_byte in prop_oneof![0..28_u8, 240..=255_u8],
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 2, 0x0f, 0x40, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xff])],
            0..200,
        ),
        piece in 0..64_u8,
    ) {
        bodies::rdb(&[&[piece, 0], version, &[type_byte, 1, b'k'], &bytes].concat());
    }
}

/// Every input on which the fuzz target once failed, and the seeds that it starts from.
#[test]
fn the_decoder_survives_what_it_once_failed_on() {
    let found = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found/rdb")).unwrap();
    let inputs: Vec<Vec<u8>> = found.map(|input| fs::read(input.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty());
    inputs.iter().for_each(|input| bodies::rdb(input));
}

/// Without the checksum anything may come: no panic, no endless loop, no allocation that the bytes do not justify.
#[test]
fn damage_without_a_checksum_ends_in_a_record_or_an_error() {
    let rdbs = small_rdbs().into_iter().map(|mut rdb| {
        let end = rdb.len() - 8;
        rdb[end..].fill(0);
        rdb
    });
    let mut random = StdRng::seed_from_u64(4);
    for rdb in rdbs {
        assert!(!decode(&rdb).facts.has_checksum);
        for _ in 0..30_000 {
            let mut damaged = rdb.clone();
            for _ in 0..random.random_range(1..4) {
                let position = random.random_range(9..damaged.len() - 8);
                match random.random_range(0..4) {
                    0 => damaged[position] = random.random(),
                    1 => damaged[position] = [0, 0x3f, 0x40, 0x80, 0x81, 0xc0, 0xc3, 0xff][random.random_range(0..8)],
                    2 => drop(damaged.drain(position..(position + random.random_range(1..9)).min(damaged.len() - 8))),
                    _ => damaged.splice(position..position, (0..8).map(|_| 0xff).collect::<Vec<u8>>()).for_each(drop),
                }
            }
            let mut decoder = RdbDecoder::new(RdbOptions::default());
            if decoder.feed(&damaged).is_ok() {
                let _ = decoder.finish();
            }
            for entry in Entries::new(&damaged[..], RdbOptions::default()) {
                if entry.is_err() {
                    break;
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused_and_the_end_is_told() {
    let rdb = small_rdbs().remove(0);
    let longer = [&rdb[..], b"0123456789"].concat();
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    assert_eq!(decoder.feed(&longer), Ok(rdb.len()));
    assert!(decoder.is_complete());
    assert_eq!(decoder.feed(b"more"), Ok(0));
    let error = Entries::new(&longer[..], RdbOptions::default()).find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), format!("byte {} of the RDB: bytes follow the end of the RDB", rdb.len()));
    let split = std::io::Read::chain(&rdb[..], &b"x"[..]);
    assert!(Entries::new(split, RdbOptions::default()).any(|entry| entry.is_err()));
}
