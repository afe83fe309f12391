//! Plain bytes read by a thread of its own, a little ahead: a server that writes its snapshot must not stand still while
//! what it wrote before is recorded, hashed and compressed.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

const BLOCK: usize = 256 << 10;
/// At most so many blocks wait: 4 MiB.
const BLOCKS: usize = 16;

/// Bytes that were read.
pub(super) struct Block {
    buffer: Vec<u8>,
    n_bytes: usize,
}

impl Block {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.n_bytes]
    }
}

/// The reading end. Dropped, it leaves the reading thread to end with whatever it reads from, at the latest.
pub(super) struct ReadAhead {
    full: Receiver<io::Result<Block>>,
    /// Blocks that have been used, to be filled again.
    empty: Sender<Vec<u8>>,
}

impl ReadAhead {
    /// Begins to read.
    pub(super) fn begin(plain: impl Read + Send + 'static) -> io::Result<Self> {
        let (full, fulls) = sync_channel(BLOCKS);
        let (empty, empties) = channel();
        thread::Builder::new().name("read-ahead".to_owned()).spawn(move || read(plain, &full, &empties))?;
        Ok(Self { full: fulls, empty })
    }

    /// The next bytes; none at the end. An error is the last.
    pub(super) fn next(&self) -> io::Result<Option<Block>> {
        // Only an empty block is the end: a thread that died must not look like one.
        let block = self.full.recv().unwrap_or_else(|_| Err(io::Error::other("the reading thread died")))?;
        Ok((block.n_bytes > 0).then_some(block))
    }

    /// Lets a block be used again.
    pub(super) fn give_back(&self, block: Block) {
        // At the end of the bytes nobody needs it.
        let _ = self.empty.send(block.buffer);
    }
}

fn read(mut plain: impl Read, full: &SyncSender<io::Result<Block>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; BLOCK]);
        let block = match plain.read(&mut buffer) {
            Ok(n_bytes) => Ok(Block { buffer, n_bytes }),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = block.as_ref().map_or(true, |block| block.n_bytes == 0);
        if full.send(block).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{BLOCK, ReadAhead};

    /// Reads of one length, then an end or an error.
    struct Source {
        left: u8,
        is_broken: bool,
    }

    impl Read for Source {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.left {
                0 if self.is_broken => Err(io::Error::other("broken")),
                0 => Ok(0),
                left => {
                    self.left -= 1;
                    out[..1000].fill(left);
                    Ok(1000)
                }
            }
        }
    }

    fn read_all(source: Source) -> (Vec<u8>, io::Result<()>) {
        let ahead = ReadAhead::begin(source).unwrap();
        let mut found = Vec::new();
        loop {
            match ahead.next() {
                Ok(Some(block)) => {
                    assert!(block.bytes().len() <= BLOCK);
                    found.extend_from_slice(block.bytes());
                    ahead.give_back(block);
                }
                Ok(None) => return (found, Ok(())),
                Err(error) => return (found, Err(error)),
            }
        }
    }

    struct Panicking;

    impl Read for Panicking {
        fn read(&mut self, _out: &mut [u8]) -> io::Result<usize> {
            panic!("on purpose")
        }
    }

    #[test]
    fn a_reader_that_dies_is_not_an_end() {
        let ahead = ReadAhead::begin(Panicking).unwrap();
        assert!(ahead.next().is_err());
    }

    #[test]
    fn everything_arrives_in_order_and_an_error_after_what_came_before_it() {
        let expected: Vec<u8> = (1..=100).rev().flat_map(|left: u8| [left; 1000]).collect();
        let (found, end) = read_all(Source { left: 100, is_broken: false });
        assert!(end.is_ok() && found == expected);
        let (found, end) = read_all(Source { left: 100, is_broken: true });
        assert_eq!(end.unwrap_err().to_string(), "broken");
        assert!(found == expected);
    }
}
