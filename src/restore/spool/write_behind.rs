//! A file written by a thread of its own: a kernel takes about as long to store bytes as guard to make and record them.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// What is written at once. Large, because a kernel that knows how much comes takes it in fewer steps.
const BLOCK: usize = 1 << 20;

/// The writing end. Dropped before `finish`, it leaves a part of the file behind.
pub(super) struct WriteBehind {
    block: Vec<u8>,
    full: Option<SyncSender<Vec<u8>>>,
    /// Blocks that have been written, to be filled again.
    empty: Receiver<Vec<u8>>,
    writing: Option<JoinHandle<io::Result<File>>>,
}

impl WriteBehind {
    /// Begins to write what comes.
    pub(super) fn begin(mut file: File) -> io::Result<Self> {
        let (full, fulls) = sync_channel::<Vec<u8>>(1);
        let (empties, empty) = channel();
        let writing = thread::Builder::new().name("spool".to_owned()).spawn(move || {
            for block in fulls {
                file.write_all(&block)?;
                let _ = empties.send(block);
            }
            Ok(file)
        })?;
        Ok(Self { block: Vec::with_capacity(BLOCK), full: Some(full), empty, writing: Some(writing) })
    }

    /// Takes the next bytes. An error may be that of bytes before them.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(taken);
            bytes = rest;
            if self.block.len() == BLOCK {
                self.hand_over()?;
            }
        }
        Ok(())
    }

    /// Waits until all of it is written, and gives the file back.
    pub(super) fn finish(mut self) -> io::Result<File> {
        self.hand_over()?;
        self.join().unwrap_or_else(|| Err(gone()))
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let mut next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        next.clear();
        let block = std::mem::replace(&mut self.block, next);
        match &self.full {
            Some(full) if full.send(block).is_ok() => Ok(()),
            // The writing thread ends early only by an error.
            _ => Err(self.join().and_then(Result::err).unwrap_or_else(gone)),
        }
    }

    fn join(&mut self) -> Option<io::Result<File>> {
        self.full = None;
        let writing = self.writing.take()?;
        Some(writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.full = None;
        if let Some(writing) = self.writing.take() {
            // Nobody wants the file any more, nor to know how far it got; but nothing is left running.
            let _ = writing.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("it has failed before")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _};

    use super::{BLOCK, WriteBehind};

    #[test]
    fn what_is_written_in_any_pieces_is_in_the_file_in_order() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * BLOCK + 17).collect();
        let mut behind = WriteBehind::begin(file).unwrap();
        for (piece_idx, piece) in bytes.chunks(BLOCK / 3 + 1).enumerate() {
            behind.write(&piece[..piece_idx % 2]).unwrap();
            behind.write(&piece[piece_idx % 2..]).unwrap();
        }
        let mut file = behind.finish().unwrap();
        let mut found = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut found).unwrap();
        assert!(found == bytes);
    }

    #[test]
    fn a_full_disk_is_told_however_late_it_is_found() {
        let full = || WriteBehind::begin(File::options().write(true).open("/dev/full").unwrap()).unwrap();
        let mut early = full();
        let told = (0..10).find_map(|_| early.write(&vec![0; BLOCK]).err()).expect("one of ten blocks meets the error");
        assert_eq!(told.raw_os_error(), Some(28), "{told}");
        let mut late = full();
        late.write(b"few").unwrap();
        assert_eq!(late.finish().unwrap_err().raw_os_error(), Some(28));
    }
}
