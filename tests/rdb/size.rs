//! Size: huge keys are read, in little memory.

use guard::contents::keyspace::KeyKind;
use guard::source::redis::rdb::{RdbDecoder, RdbOptions};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::support;
use super::support::redis::RedisVersion;
use super::{decode, decode_with, keyspace};

#[test]
fn huge_keys_are_read() {
    let server = RedisVersion::V7.start();
    let mut connection = server.connect();
    let script = "for i = 1, 1000000, 1000 do local t = {} for j = i, i + 999 do t[#t+1] = j / 8 t[#t+1] = 'member ' .. j end \
                  redis.call('ZADD', KEYS[1], unpack(t)) end";
    connection.run(&["EVAL", script, "1", "zset"]);
    let script = "for i = 1, 200000 do redis.call('HSET', KEYS[1], 'field ' .. i, string.rep('v', 100) .. i) end";
    connection.run(&["EVAL", script, "1", "hash"]);
    connection.run(&[b"SET", &b"string"[..], &vec![7; 40 << 20]]);
    let random: Vec<u8> = (0..20 << 20)
        .map({
            let mut random = StdRng::seed_from_u64(1);
            move |_| random.random_range(0..16)
        })
        .collect();
    connection.run(&[b"SET", &b"compressed badly"[..], &random]);
    // Longer than what is looked at whole, compressible and not, between small ones: this server packs even those.
    connection.run(&[b"RPUSH", &b"list"[..], &random, b"small"]);
    connection.run(&[b"RPUSH", &b"list"[..], &vec![b'z'; 5 << 20], b"7"]);
    let rdb = server.save();
    let summary = decode(&rdb);
    let kind = |kind| summary.keyspace.databases[&0][&kind].persistent;
    assert_eq!(kind(KeyKind::Zset).elements, 1_000_000);
    assert_eq!(kind(KeyKind::Hash).elements, 200_000);
    assert_eq!(kind(KeyKind::String).bytes, (60 << 20) + 22);
    assert_eq!(kind(KeyKind::List).bytes, (25 << 20) + 10);
    // In nodes of its own, plain, and without compression the list is the same.
    connection.words("DEL zset hash string");
    let large = keyspace(&server);
    let unpacked = RedisVersion::V8.start_with(&["--rdbcompression", "no"]);
    connection = unpacked.connect();
    connection.run(&[b"SET", &b"compressed badly"[..], &random]);
    connection.run(&[b"RPUSH", &b"list"[..], &random, b"small", &vec![b'z'; 5 << 20], b"7"]);
    let rdb = unpacked.save();
    assert_eq!(decode(&rdb).keyspace, large);
    assert_eq!(decode_with(RdbOptions::default(), &rdb, 1021).unwrap().keyspace, large);
    let uncompressed = RedisVersion::V7.start_from(&server.save(), &["--rdbcompression", "no"]);
    assert_eq!(keyspace(&uncompressed), large);
}

/// Runs in a process of its own, whose memory is measured: a string, a compressed string, a packed list element of 256 MiB
/// each, and a hash of a million fields.
#[test]
fn huge_values_pass_through_little_memory() {
    const NAME: &str = "size::huge_values_pass_through_little_memory";
    const LIMIT_KIB: u64 = 64 << 10;
    if std::env::var_os("GUARD_TEST_MEASURED").is_none() {
        let mut measured = std::process::Command::new(std::env::current_exe().unwrap());
        let output = measured.args(["--exact", NAME, "--nocapture"]).env("GUARD_TEST_MEASURED", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "it has another name");
        return;
    }
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    let mut feed = |piece: &[u8]| assert_eq!(decoder.feed(piece), Ok(piece.len()));
    let piece = vec![b'p'; 1 << 20];
    feed(b"REDIS0010\x00\x05plain\x80\x10\0\0\0");
    (0..256).for_each(|_| feed(&piece));
    // One literal, then references of 264 bytes each to the byte before.
    let references = b"\xe0\xff\x00".repeat(1 << 10);
    let (n_pieces, made) = (1024_u32, (264 << 10) * 1024_u32);
    let header =
        |compressed: u32, len: u32| [&b"\xc3\x80"[..], &compressed.to_be_bytes(), b"\x80", &len.to_be_bytes()].concat();
    feed(&[b"\x00\x03lzf", &header(n_pieces * (3 << 10) + 2, made + 1)[..], b"\x00z"].concat());
    (0..n_pieces).for_each(|_| feed(&references));
    // The same as the only element of a packed node: its size, its count, the element, its length backwards, the end.
    let element = made + 1;
    let length = u64::from(element) + 5;
    let seven_bits = |idx: u32| u8::try_from(length >> (7 * idx) & 0x7f).unwrap();
    let backwards = [4, 3, 2, 1, 0].map(|idx| seven_bits(idx) | if idx == 4 { 0 } else { 0x80 });
    let size = 6 + 5 + element + 5 + 1;
    let begin = [&size.to_le_bytes()[..], b"\x01\0\xf0", &element.to_le_bytes(), b"z"].concat();
    let literal = |bytes: &[u8]| [&[u8::try_from(bytes.len() - 1).unwrap()], bytes].concat();
    let (begin, end) = (literal(&begin), literal(&[&backwards[..], b"\xff"].concat()));
    let compressed = u32::try_from(begin.len() + end.len()).unwrap() + n_pieces * (3 << 10);
    feed(&[b"\x12\x04list\x01\x02", &header(compressed, size)[..], &begin].concat());
    (0..n_pieces).for_each(|_| feed(&references));
    feed(&end);
    feed(b"\x04\x04hash\x80\x00\x10\x00\x00");
    let fields = b"\x05field\x06value!".repeat(1 << 10);
    (0..0x0010_0000 >> 10).for_each(|_| feed(&fields));
    feed(b"\xff\0\0\0\0\0\0\0\0");
    let keyspace = decoder.finish().unwrap().keyspace;
    let contents = |kind| keyspace.databases[&0][&kind].persistent;
    assert_eq!(contents(KeyKind::String).bytes, (1 << 28) + 5 + u64::from(made) + 1 + 3);
    assert_eq!((contents(KeyKind::List).elements, contents(KeyKind::List).bytes), (1, u64::from(element) + 4));
    assert_eq!(contents(KeyKind::Hash).elements, 0x0010_0000);
    let peak = support::process::peak_kib(nix::unistd::Pid::this()).unwrap();
    assert!(peak < LIMIT_KIB, "{peak} KiB");
}
