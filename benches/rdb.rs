//! How fast the RDB decoder is, digests included: `cargo bench --bench rdb [-- FILE.rdb…]`. Pieces of 256 KiB, CPU time of
//! the one thread, the best of three runs, on the files, else on what a real server writes of each type.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "the tests share it")]
#[path = "../tests/support/redis.rs"]
mod redis;

use guard::source::redis::rdb::{Entries, RdbDecoder, RdbOptions, RdbSummary};

use redis::RedisVersion;

/// What is measured: a name, settings, and a script that fills some hundred megabytes.
const KEYSPACES: &[(&str, &[&str], &str)] = &[
    (
        "strings of 100 bytes",
        &[],
        "for i = 1, 1500000 do redis.call('SET', 'string:' .. i, tostring(i) .. LETTERS:sub(i % 900, i % 900 + 93)) end",
    ),
    (
        "strings of 1 KB, compressed",
        &[],
        "for i = 1, 200000 do redis.call('SET', 'string:' .. i, i .. string.rep(LETTERS:sub(i % 900, i % 900 + 9) .. i, 60)) end",
    ),
    (
        "small hashes, packed",
        &[],
        "for i = 1, 400000 do redis.call('HSET', 'hash:' .. i, 'name', 'user ' .. i, 'mail', i .. '@example.org', 'visits', i, 'seen', 1700000000 + i, 'note', LETTERS:sub(i % 900, i % 900 + 60)) end",
    ),
    (
        "one hash of 1.5 M fields",
        &[],
        "for i = 1, 1500000 do redis.call('HSET', 'hash', 'field:' .. i, LETTERS:sub(i % 900, i % 900 + 93)) end",
    ),
    (
        "one sorted set of 3 M members",
        &[],
        "for i = 1, 3000000 do redis.call('ZADD', 'zset', i / 7, 'member:' .. i) end",
    ),
    (
        "lists",
        &[],
        "for i = 1, 2000 do local t = {} for j = 1, 1000 do t[j] = LETTERS:sub(j % 900, j % 900 + 40) .. j end redis.call('RPUSH', 'list:' .. i, unpack(t)) end",
    ),
    (
        "one stream of 1 M entries",
        &[],
        "for i = 1, 1000000 do redis.call('XADD', 'stream', i .. '-0', 'user', i, 'text', LETTERS:sub(i % 900, i % 900 + 60)) end",
    ),
    (
        "the same without compression",
        &["--rdbcompression", "no"],
        "for i = 1, 1000000 do redis.call('XADD', 'stream', i .. '-0', 'user', i, 'text', LETTERS:sub(i % 900, i % 900 + 60)) end",
    ),
];

fn main() {
    // Cargo itself adds `--bench`.
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for file in &files {
        report(file, &std::fs::read(file).expect("the file can be read"));
    }
    if files.is_empty() {
        KEYSPACES.iter().for_each(|(name, settings, script)| report(name, &made(settings, script)));
    }
}

/// The RDB of a server after a script.
fn made(settings: &[&str], script: &str) -> Vec<u8> {
    let server = RedisVersion::V7.start_with(&[&["--busy-reply-threshold", "600000"], settings].concat());
    let letters = "local LETTERS = '' local x = 1 for i = 1, 1000 do x = (x * 48271) % 2147483647 LETTERS = LETTERS .. string.char(97 + x % 26) end ";
    server.connect().run(&["EVAL", &format!("{letters}{script}"), "0"]);
    server.save()
}

fn report(name: &str, rdb: &[u8]) {
    let megabytes = rdb.len() as f64 / 1e6;
    let rate =
        |read: fn(&[u8]) -> RdbSummary| megabytes / (0..3).map(|_| seconds(read, rdb)).fold(f64::INFINITY, f64::min);
    println!("{name}: {megabytes:.0} MB, decoded at {:.0} MB/s, as entries at {:.0} MB/s", rate(decode), rate(entries));
}

fn seconds(read: fn(&[u8]) -> RdbSummary, rdb: &[u8]) -> f64 {
    let start = cpu_seconds();
    assert!(read(rdb).keyspace.keys() > 0);
    cpu_seconds() - start
}

/// What this thread has had of a processor: the first number there is in nanoseconds.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanoseconds.expect("it is a number") / 1e9
}

fn decode(rdb: &[u8]) -> RdbSummary {
    let mut decoder = RdbDecoder::new(RdbOptions::default());
    for piece in rdb.chunks(256 << 10) {
        decoder.feed(piece).expect("the RDB is sound");
    }
    decoder.finish().expect("the RDB is whole")
}

fn entries(rdb: &[u8]) -> RdbSummary {
    let mut entries = Entries::new(rdb, RdbOptions::default());
    while entries.next_entry().expect("the RDB is sound").is_some() {}
    entries.finish().expect("the RDB is whole")
}
