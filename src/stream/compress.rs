//! The zstd encoder of a stream, and the priority of its threads.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::thread;

use zstd::zstd_safe::CParameter;

use super::Compression;

/// Begins a zstd frame into `output`, its worker threads started at a lower priority.
pub(super) fn encoder<W: Write + Send + 'static>(
    output: W,
    compression: Compression,
) -> io::Result<zstd::Encoder<'static, W>> {
    // Workers inherit the priority of the thread that starts them, and no thread can raise its own again: so one is made
    // for this alone.
    let starting = thread::Builder::new().name("zstd-start".to_owned()).spawn(move || {
        give_way();
        let mut encoder = set_up(output, compression)?;
        // Nothing to flush yet: this starts the workers (`ZSTD_compressStream2` of zstd makes them when it is first called).
        encoder.flush()?;
        Ok(encoder)
    })?;
    starting.join().unwrap_or_else(|_| Err(io::Error::other("the compressor could not be started")))
}

fn set_up<W: Write>(output: W, compression: Compression) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(output, compression.level)?;
    encoder.include_checksum(true)?;
    let threads = compression.threads.map_or_else(default_threads, NonZeroU32::get);
    encoder.multithread(threads)?;
    // zstd holds a job several times over for each worker; its own size (8 MiB at level 3) would be most of the memory.
    encoder.set_parameter(CParameter::JobSize((8 << 20) / threads.max(2)))?;
    if let Some(log) = compression.long_window {
        encoder.long_distance_matching(true)?;
        encoder.window_log(log)?;
    } else if compression.level <= LAST_FAST_LEVEL {
        // Each job would first read the end of the one before, for matches: a job of megabytes gains nothing by it. The slow
        // levels look further back, and live by that.
        encoder.set_parameter(CParameter::OverlapSizeLog(NO_OVERLAP))?;
    }
    Ok(encoder)
}

/// `ZSTD_c_overlapLog` of zstd.h; 0 would be the default.
const NO_OVERLAP: u32 = 1;

/// The last level of the strategies `fast` and `dfast` for large inputs (`clevels.h` of zstd).
const LAST_FAST_LEVEL: i32 = 4;

fn default_threads() -> u32 {
    thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)).min(4)
}

/// The niceness of whatever compresses: a tenth of the share of a thread at 0, where both want the same core.
const NICENESS: i32 = 10;

/// Lowers this thread's priority. Whoever makes the dump, a server's child or session on this machine, holds a snapshot as
/// long as it takes; compressing beside it uses what the dump leaves.
fn give_way() {
    // That it holds for the thread alone is Linux's own (NOTES of setpriority(2)).
    if cfg!(target_os = "linux") && rustix::process::getpriority_process(None).is_ok_and(|now| now < NICENESS) {
        // Whoever may not is no slower than before.
        let _ = rustix::process::setpriority_process(None, NICENESS);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    /// The niceness of each thread of this process, which other tests share: field 19 of proc_pid_stat(5).
    fn threads() -> BTreeMap<String, i32> {
        let task = |entry: fs::DirEntry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let niceness = stat.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse().ok()?;
            Some((entry.file_name().into_string().ok()?, niceness))
        };
        fs::read_dir("/proc/self/task").unwrap().filter_map(|entry| task(entry.unwrap())).collect()
    }

    #[test]
    fn compressing_gives_way_and_the_thread_that_reads_does_not() {
        let own = rustix::process::getpriority_process(None).unwrap();
        let compression = Compression { threads: NonZeroU32::new(3), ..Compression::default() };
        let before = threads();
        let encoder = encoder(Vec::new(), compression).unwrap();
        let lowered = own.max(NICENESS);
        let begun =
            threads().into_iter().filter(|(id, niceness)| !before.contains_key(id) && *niceness == lowered).count();
        assert!(begun >= 3, "three workers: {:?}", threads());
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), own);
        drop(encoder);
    }

    #[test]
    fn starting_the_workers_early_changes_no_byte() {
        let plain = (0_u32..3_000_000).flat_map(|n| (n / 7).to_le_bytes()).collect::<Vec<u8>>();
        let mut early = encoder(Vec::new(), Compression::default()).unwrap();
        let mut late = set_up(Vec::new(), Compression::default()).unwrap();
        early.write_all(&plain).unwrap();
        late.write_all(&plain).unwrap();
        assert!(early.finish().unwrap() == late.finish().unwrap());
        let empty = encoder(Vec::new(), Compression::default()).unwrap().finish().unwrap();
        assert_eq!(zstd::decode_all(empty.as_slice()).unwrap(), b"");
    }
}
