//! Memory is bounded by what is in flight, whatever the size of the database: the most that a real backup ever held.

#![allow(clippy::print_stdout, reason = "the figure")]

mod support;

use std::time::Duration;

use support::bulk;
use support::guard::Guard;
use support::postgres::{TestPostgres, Version};
use support::process::{Running, peak_kib, within};
use support::s3_process::{self, S3Process};

/// Not a test: the S3 server is this program, started again for this function.
#[test]
fn s3_server() {
    s3_process::serve();
}

const BOUND_KIB: u64 = 128 << 10;

#[test]
fn a_backup_of_hundreds_of_megabytes_takes_less_than_128_mebibytes() {
    let (server, s3) = (TestPostgres::start(Version::V15), S3Process::start());
    server.create_database("shop", "");
    bulk::fill(&server, "shop", "orders", 100);
    // The same rows once more: what was stored is long out of zstd's sight.
    server.psql("shop", "CREATE TABLE copied AS TABLE orders");
    // The pipeline at its longest: encrypted, over the network.
    let user = s3.keeps(Guard::of(&server, "shop")).encrypted();
    let mut guard = Running::start(user.command(&["backup", "--json"]));
    let mut peak = 0;
    let end = within(Duration::from_mins(5), || {
        // The kernel itself keeps the maximum, so that only the very last moment may be missed.
        peak = peak_kib(guard.pid()).unwrap_or(0).max(peak);
        (!guard.is_running()).then_some(())
    });
    assert!(end.is_some(), "it does not end");
    let answer = user.checked(&guard.end_within(Duration::from_secs(1))).yes();
    assert!(answer["backups"][0]["plain_bytes"].as_u64() > Some(200_000_000), "{answer}");
    println!("the peak was {peak} KiB");
    assert!(peak > 10 << 10 && peak <= BOUND_KIB, "the peak was {peak} KiB");
}
