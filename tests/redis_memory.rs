//! Memory is bounded whatever the size of a key: the most that a backup and a proof of huge keys ever held.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "the figures; a step that fails fails its test")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::guard::Guard;
use support::keyspace::url;
use support::process::{Running, peak_kib, within};
use support::redis::TestRedis;

const BOUND_KIB: u64 = 150 << 10;

/// A hash of 200 MB, and a sorted set of a million members.
fn fill_with_huge_keys(server: &TestRedis) {
    let mut to = server.connect();
    let hash = "local x = 1 \
        for i = 1, 20000 do \
            local t = {} \
            for j = 1, 1250 do x = (x * 48271) % 2147483647 t[j] = string.format('%08x', x) end \
            redis.call('HSET', KEYS[1], 'field ' .. i, table.concat(t)) \
        end";
    to.run(&["EVAL", hash, "1", "hash"]);
    let zset = "for i = 1, 1000000, 1000 do \
            local t = {} \
            for j = i, i + 999 do t[#t + 1] = j / 8 t[#t + 1] = 'member ' .. j end \
            redis.call('ZADD', KEYS[1], unpack(t)) \
        end";
    to.run(&["EVAL", zset, "1", "zset"]);
}

/// Runs guard to its good end; its answer, and the most memory that it held.
fn measured(guard: &Guard, arguments: &[&str]) -> (Value, u64) {
    let mut running = Running::start(guard.command(&[arguments, &["--json"]].concat()));
    let mut peak = 0;
    let end = within(Duration::from_mins(5), || {
        // The kernel itself keeps the maximum, so that only the very last moment may be missed.
        peak = peak_kib(running.pid()).unwrap_or(0).max(peak);
        (!running.is_running()).then_some(())
    });
    assert!(end.is_some(), "it does not end");
    let answer = guard.checked(&running.end_within(Duration::from_secs(1))).yes();
    println!("{}: the peak was {peak} KiB", arguments[0]);
    (answer, peak)
}

#[test]
fn huge_keys_are_backed_up_and_proven_in_less_than_150_mebibytes_and_come_back() {
    let settings = ["--busy-reply-threshold", "600000", "--rdbcompression", "no"];
    let (server, target) = (TestRedis::start_with(&settings), TestRedis::start_with(&settings));
    fill_with_huge_keys(&server);
    let guard = Guard::default().with("REDIS_URL", &url(&server)).encrypted().with_identity();
    let (answer, peak) = measured(&guard, &["backup"]);
    assert!(answer["backups"][0]["plain_bytes"].as_u64() > Some(200_000_000), "{answer}");
    assert!(peak > 10 << 10 && peak <= BOUND_KIB, "the peak was {peak} KiB");
    let (evidence, peak) = measured(&guard, &["restore", "--to", "scratch"]);
    assert_eq!(evidence["verdict"], "proven", "{evidence}");
    assert!(peak > 10 << 10 && peak <= BOUND_KIB, "the peak was {peak} KiB");
    // Here a key is held whole: RESTORE takes it in one piece.
    let answer = guard.json(&["restore", "--to", &url(&target)]).yes();
    assert_eq!((&answer["keys"], &answer["compared"]), (&2.into(), &true.into()), "{answer}");
}
