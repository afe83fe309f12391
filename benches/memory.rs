//! How much memory a backup takes, whatever its size: a generated archive goes through the whole sealing pipeline (content
//! record, zstd, age, SHA-256, parts) into a store that forgets. `scripts/bench-memory 50` sends 50 GB.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use guard::progress::Progress;
use guard::source::postgres::archive::ArchiveOptions;
use guard::source::postgres::record::Recorder;
use guard::store::{
    ByteStream, Fetched, Key, ObjectInfo, Store, StoreError, Tag, UnfinishedUpload, Upload, UploadLimits,
};
use guard::stream::{Compression, ObjectNames, Recipients, Uploads, seal};

const GB: u64 = 1_000_000_000;

/// As much as the S3 store keeps on its way.
const LIMITS: UploadLimits =
    UploadLimits { min_part_size: 5 << 20, max_part_size: 5 << 30, max_parts: 10_000, concurrency: 4 };

#[tokio::main]
async fn main() {
    // `cargo bench` itself adds `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let gigabytes: u64 = words.next().map_or(1, |text| text.parse().expect("the first word is a size in GB"));
    let encrypted = words.next().is_some_and(|word| word == "encrypted");
    let key = if encrypted { vec![age::x25519::Identity::generate().to_public().to_string()] } else { Vec::new() };
    let recipients = Recipients::parse(&key).expect("a key that was just made");

    let began = Instant::now();
    let store: Arc<dyn Store> = Arc::new(Forgetful);
    let uploads = Uploads::new(store);
    let names = ObjectNames::new("bench/dump.pgdump.zst".parse().expect("a valid key"));
    let recorder = Recorder::new(ArchiveOptions::default(), &Arc::new(Progress::default()));
    let archive = Archive::new(gigabytes * GB);
    let sealing = (Compression::default(), recipients);
    let (sealed, recorder) = seal(archive, recorder, sealing, &uploads, names).await.expect("it is sealed").split();
    let contents = recorder.finish().expect("the archive is whole").contents;
    let stream = sealed.commit().await.expect("the store refuses nothing");
    let seconds = began.elapsed().as_secs_f64();

    let rows: u64 = contents.tables.values().map(|table| table.rows).sum();
    let stored: u64 = stream.objects.iter().map(|object| object.stored.bytes).sum();
    let (plain, objects) = (stream.plain.bytes, stream.objects.len());
    println!("{rows} rows, {plain} bytes, stored as {stored} in {objects} objects, encrypted: {encrypted}");
    println!("{seconds:.1} s, {:.0} MB/s, peak memory {:.1} MiB", plain as f64 / 1e6 / seconds, peak_mib());
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells it");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    kib / 1024.0
}

/// An archive of version 1.16 with one table, made as it is read: a block of rows again and again, each time with other
/// numbers in front, so that neither zstd nor the digests have an easy time.
struct Archive {
    block: Vec<u8>,
    at: usize,
    rows_left: u64,
    next_row: u64,
    ended: bool,
    pool: Vec<u8>,
}

/// Bytes of a row, its end included.
const ROW: usize = 200;
const ROWS_A_BLOCK: u64 = 320;

impl Archive {
    fn new(bytes: u64) -> Self {
        let mut state = 42_u64;
        let letter = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            b'a' + state.to_le_bytes()[0] % 16
        };
        let pool = std::iter::repeat_with(letter).take(4 << 20).collect();
        Self { block: head(), at: 0, rows_left: bytes / ROW as u64, next_row: 0, ended: false, pool }
    }

    fn refill(&mut self) {
        self.block.clear();
        self.at = 0;
        if self.rows_left == 0 {
            if !self.ended {
                self.ended = true;
                chunk(&mut self.block, b"\\.\n\n\n");
                int(&mut self.block, 0);
            }
            return;
        }
        let n_rows = self.rows_left.min(ROWS_A_BLOCK);
        int(&mut self.block, usize::try_from(n_rows).expect("a few") * ROW);
        for _ in 0..n_rows {
            let start = self.block.len();
            self.block.extend_from_slice(format!("{:016}\tsome words\t", self.next_row).as_bytes());
            // A step that shares no factor with the pool's length comes round late.
            let left = ROW - 1 - (self.block.len() - start);
            let from =
                usize::try_from(self.next_row * 104_729 % (self.pool.len() - ROW) as u64).expect("within the pool");
            self.block.extend_from_slice(&self.pool[from..from + left]);
            self.block.push(b'\n');
            self.next_row += 1;
        }
        self.rows_left -= n_rows;
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            self.refill();
        }
        let n_bytes = buffer.len().min(self.block.len() - self.at);
        buffer[..n_bytes].copy_from_slice(&self.block[self.at..self.at + n_bytes]);
        self.at += n_bytes;
        Ok(n_bytes)
    }
}

/// Everything before the first chunk of rows: header, table of contents, the block's own head.
fn head() -> Vec<u8> {
    let mut out = b"PGDMP\x01\x10\x00\x04\x08\x01\x00".to_vec();
    for _ in 0..7 {
        int(&mut out, 1);
    }
    for word in ["bench", "18.0", "18.0"] {
        chunk(&mut out, word.as_bytes());
    }
    int(&mut out, 1);
    int(&mut out, 7);
    int(&mut out, 1);
    for word in ["0", "1", "t", "TABLE DATA"] {
        chunk(&mut out, word.as_bytes());
    }
    int(&mut out, 3);
    for word in ["", "", "COPY public.t (a, b, c) FROM stdin;\n", "public", "", ""] {
        chunk(&mut out, word.as_bytes());
    }
    int(&mut out, 0);
    for word in ["owner", "false"] {
        chunk(&mut out, word.as_bytes());
    }
    out.extend_from_slice(&[1, 1, 0, 0, 0]);
    out.extend_from_slice(&[1; 9]);
    out.push(1);
    int(&mut out, 7);
    out
}

fn int(out: &mut Vec<u8>, value: usize) {
    out.push(0);
    out.extend_from_slice(&u32::try_from(value).expect("a small number").to_le_bytes());
}

fn chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    int(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// A store that takes everything and keeps nothing.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl Store for Forgetful {
    fn location(&self) -> String {
        "nowhere".to_owned()
    }

    fn limits(&self) -> UploadLimits {
        LIMITS
    }

    async fn create(&self, _: &Key, _: Bytes) -> Result<(), StoreError> {
        Ok(())
    }

    async fn replace(&self, _: &Key, _: Bytes) -> Result<(), StoreError> {
        Ok(())
    }

    async fn fetch(&self, _: &Key) -> Result<Option<Fetched>, StoreError> {
        Ok(None)
    }

    async fn swap(&self, _: &Key, tag: &Tag, _: Bytes) -> Result<Tag, StoreError> {
        Ok(tag.clone())
    }

    async fn begin(&self, _: &Key, _: usize) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(Self))
    }

    async fn read(&self, _: &Key, _: Option<std::ops::Range<u64>>) -> Result<ByteStream, StoreError> {
        Ok(futures_util::stream::empty().boxed())
    }

    async fn stat(&self, _: &Key) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &Key) -> Result<Vec<ObjectInfo>, StoreError> {
        Ok(Vec::new())
    }

    async fn list_folders(&self, _: Option<&Key>) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: &Key) -> Result<(), StoreError> {
        Ok(())
    }

    async fn unfinished_uploads(&self, _: Option<&Key>) -> Result<Vec<UnfinishedUpload>, StoreError> {
        Ok(Vec::new())
    }

    async fn abort_unfinished(&self, _: &UnfinishedUpload) -> Result<(), StoreError> {
        Ok(())
    }

    async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(Utc::now())
    }
}

#[async_trait]
impl Upload for Forgetful {
    /// A store that is slow for a moment, as all are, so that parts queue up to the bound.
    async fn put_part(&self, part_idx: u32, body: Bytes) -> Result<(), StoreError> {
        if part_idx.is_multiple_of(16) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        drop(body);
        Ok(())
    }

    async fn commit(&self, _: u32) -> Result<(), StoreError> {
        Ok(())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
