//! Replacing a file only if it is still the one that was read: a lock file serialises those who compare.
//!
//! The lock file is `~lock` in the object's directory: not a key's name, and not a temporary one, so it is neither listed
//! nor swept. `flock` ends with its process, so nobody has to clean up after a killed one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_128;

use super::{FsStore, Key, StoreError};
use crate::store::{Fetched, Store, Tag};

const LOCK_FILE: &str = "~lock";

/// A swap takes milliseconds; whoever holds the lock for longer was stopped in the middle of one.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

impl FsStore {
    pub(super) fn fetch_now(&self, key: &Key) -> Result<Option<Fetched>, StoreError> {
        if self.look(key)?.is_none() {
            return Ok(None);
        }
        match std::fs::read(self.path(key)) {
            Ok(body) => Ok(Some(Fetched { tag: tag_of(&body), body: body.into() })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(format!("reading {key}"), &error)),
        }
    }

    pub(super) fn swap_now(&self, key: &Key, tag: &Tag, body: &[u8]) -> Result<Tag, StoreError> {
        let changed = || StoreError::Changed { location: self.location(), key: key.clone() };
        if self.look(key)?.is_none() {
            return Err(changed());
        }
        let temp = self.write_temp(key, body)?;
        let _lock = self.lock_directory(key).map_err(|error| self.fault(format!("locking {key}"), &error))?;
        match self.fetch_now(key)? {
            Some(found) if found.tag == *tag => self.publish_over(key, temp).map(|()| tag_of(body)),
            _ => Err(changed()),
        }
    }

    /// Locked until dropped.
    fn lock_directory(&self, key: &Key) -> io::Result<File> {
        let path = self.path(key).with_file_name(LOCK_FILE);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let error = "another process holds its lock and does not let go";
                    return Err(io::Error::new(ErrorKind::TimedOut, error));
                }
            }
        }
    }
}

fn tag_of(body: &[u8]) -> Tag {
    Tag(format!("{:032x}", xxh3_128(body)))
}
