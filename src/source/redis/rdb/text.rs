//! Lengths and strings: everything in an RDB is made of them. A string is reduced to its hash and its length as it passes.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::error::RdbProblem;
use super::input::Input;
use super::lzf;

/// Strings up to this size are looked at whole, longer ones in passing.
const WHOLE: usize = 1 << 20;

/// Packed values up to this size are held in memory. With the servers' usual settings they stay below 64 KiB; no setting
/// makes them larger than this. Only a list's may be large by themselves, and those pass through `node.rs`.
const MAX_BLOB: u64 = 1 << 30;

/// Of a compressed string at most so much is inflated at a time.
const LZF_STEP: usize = 8 << 10;

/// A string, reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) hash: u128,
    pub(super) len: u64,
}

/// A length, or a special encoding in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Plain(u64),
    Encoding(u8),
}

/// How a string is laid down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Integer(i64),
    Plain { len: u64 },
    Compressed { compressed: u64, len: u64 },
}

/// Bytes of a string that somebody wants to have, up to a limit.
pub(super) struct Wanted<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    pub(super) limit: usize,
}

impl Layout {
    /// Whether it can be held in memory without a thought.
    pub(super) fn is_small(self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Plain { len } | Self::Compressed { len, .. } => len <= WHOLE as u64,
        }
    }
}

impl Text {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { hash: xxh3_128(bytes), len: bytes.len() as u64 }
    }

    /// A number is the string of its decimal digits, as clients see it.
    pub(super) fn of_integer(value: i64) -> Self {
        let mut buffer = [0; 20];
        Self::of(decimal(value, &mut buffer))
    }
}

impl Wanted<'_> {
    fn take(&mut self, bytes: &[u8]) {
        let room = self.limit - self.bytes.len().min(self.limit);
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Input {
    /// Reads one byte.
    pub(super) async fn byte(&mut self) -> Result<u8, RdbProblem> {
        self.ensure(1).await?;
        Ok(self.take(1)[0])
    }

    /// Reads a length.
    pub(super) async fn length(&mut self) -> Result<u64, RdbProblem> {
        match self.front(any_length).await? {
            Length::Plain(length) => Ok(length),
            Length::Encoding(_) => Err(RdbProblem::Malformed("a string's encoding stands where a length must be")),
        }
    }

    /// Reads a string.
    pub(super) async fn text(&mut self) -> Result<Text, RdbProblem> {
        if let Some(text) = self.text_at_hand()? {
            return Ok(text);
        }
        match self.layout().await? {
            Layout::Plain { len } if len <= WHOLE as u64 => {
                let len = to_usize(len);
                self.ensure(len).await?;
                Ok(Text::of(self.take(len)))
            }
            Layout::Compressed { compressed, len } if compressed.max(len) <= WHOLE as u64 => {
                let mut buffer = std::mem::take(&mut self.inflated);
                let text = self.inflate_whole(compressed, len, &mut buffer).await.map(Text::of);
                self.inflated = buffer;
                text
            }
            layout => Box::pin(self.text_in_passing(layout, None)).await,
        }
    }

    /// Reads a string if all of it is there and none of it is to be inflated. Nearly all are read here: waiting, even for what
    /// is there, would cost more than the rest.
    pub(super) fn text_at_hand(&mut self) -> Result<Option<Text>, RdbProblem> {
        let there = self.available();
        let Some((layout, head)) = any_layout(there)? else { return Ok(None) };
        match layout {
            Layout::Integer(value) => {
                self.advance(head);
                Ok(Some(Text::of_integer(value)))
            }
            Layout::Plain { len } if len <= (there.len() - head).min(WHOLE) as u64 => {
                Ok(Some(Text::of(&self.take(head + to_usize(len))[head..])))
            }
            _ => Ok(None),
        }
    }

    /// Reads a string and hands out its bytes up to a limit.
    pub(super) async fn wanted_text(&mut self, mut wanted: Wanted<'_>) -> Result<Text, RdbProblem> {
        match self.layout().await? {
            // Nearly every key.
            Layout::Plain { len } if len <= WHOLE as u64 => {
                let len = to_usize(len);
                self.ensure(len).await?;
                let bytes = self.take(len);
                wanted.take(bytes);
                Ok(Text::of(bytes))
            }
            layout => Box::pin(self.text_in_passing(layout, Some(wanted))).await,
        }
    }

    /// Reads a string that packs several values; it is held whole.
    pub(super) async fn blob<'a>(&'a mut self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], RdbProblem> {
        let layout = self.layout().await?;
        self.blob_of(layout, scratch).await
    }

    /// Reads a packed value whose head was read.
    pub(super) async fn blob_of<'a>(
        &'a mut self,
        layout: Layout,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], RdbProblem> {
        match layout {
            Layout::Integer(_) => Err(RdbProblem::Malformed("a number stands where a packed value must be")),
            Layout::Plain { len } => {
                let len = blob_size(len)?;
                self.ensure(len).await?;
                Ok(self.take(len))
            }
            Layout::Compressed { compressed, len } if compressed.max(len) <= WHOLE as u64 => {
                self.inflate_whole(compressed, len, scratch).await
            }
            Layout::Compressed { compressed, len } => {
                blob_size(len)?;
                scratch.clear();
                scratch.shrink_to(WHOLE);
                let mut left = compressed;
                while left > 0 {
                    left -= self.inflate_some(left, scratch).await?;
                    check_inflated(scratch.len() as u64, len, left)?;
                }
                Ok(scratch)
            }
        }
    }

    async fn text_in_passing(&mut self, layout: Layout, mut wanted: Option<Wanted<'_>>) -> Result<Text, RdbProblem> {
        let mut see = |hasher: &mut Xxh3, bytes: &[u8]| {
            hasher.update(bytes);
            if let Some(wanted) = &mut wanted {
                wanted.take(bytes);
            }
        };
        let mut hasher = Xxh3::new();
        let len = match layout {
            Layout::Integer(value) => {
                let mut buffer = [0; 20];
                let digits = decimal(value, &mut buffer);
                see(&mut hasher, digits);
                digits.len() as u64
            }
            Layout::Plain { len } => {
                let mut left = len;
                while left > 0 {
                    self.ensure(1).await?;
                    let n_bytes = to_usize(left.min(self.available().len() as u64));
                    see(&mut hasher, self.take(n_bytes));
                    left -= n_bytes as u64;
                }
                len
            }
            Layout::Compressed { compressed, len } => {
                let (mut left, mut seen, mut out) = (compressed, 0, Vec::new());
                while left > 0 {
                    left -= self.inflate_some(left, &mut out).await?;
                    check_inflated(seen + out.len() as u64, len, left)?;
                    if left == 0 || out.len() > WHOLE {
                        // What is inflated next may refer to the last of this.
                        let n_done = if left == 0 { out.len() } else { out.len() - lzf::WINDOW };
                        see(&mut hasher, &out[..n_done]);
                        out.drain(..n_done);
                        seen += n_done as u64;
                    }
                }
                len
            }
        };
        Ok(Text { hash: hasher.digest128(), len })
    }

    /// Inflates a compressed string that is small in both forms. The buffer only grows.
    async fn inflate_whole<'a>(
        &mut self,
        compressed: u64,
        len: u64,
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], RdbProblem> {
        let (compressed, len) = (to_usize(compressed), to_usize(len));
        self.ensure(compressed).await?;
        if buffer.len() < len + lzf::OVERRUN {
            buffer.resize(len + lzf::OVERRUN, 0);
        }
        lzf::inflate_whole(&self.available()[..compressed], buffer, len)?;
        self.advance(compressed);
        Ok(&buffer[..len])
    }

    /// Inflates some of the bytes that are left of a compressed string; returns how many.
    pub(super) async fn inflate_some(&mut self, left: u64, out: &mut Vec<u8>) -> Result<u64, RdbProblem> {
        let at_least = to_usize(left.min(lzf::MAX_INSTRUCTION as u64));
        self.ensure(at_least).await?;
        let at_most = self.available().len().min(LZF_STEP).min(usize::try_from(left).unwrap_or(usize::MAX));
        let used = lzf::inflate(&self.available()[..at_most], out)?;
        if used == 0 {
            return Err(RdbProblem::Malformed("a compressed string is cut off"));
        }
        self.advance(used);
        Ok(used as u64)
    }

    /// Reads how a string is laid down; its bytes come next.
    pub(super) async fn layout(&mut self) -> Result<Layout, RdbProblem> {
        self.front(any_layout).await
    }

    /// Reads what `read` finds at the front, with the number of its bytes; waits as long as it is not all there.
    async fn front<T>(&mut self, read: fn(&[u8]) -> Front<T>) -> Result<T, RdbProblem> {
        loop {
            if let Some((value, n_bytes)) = read(self.available())? {
                self.advance(n_bytes);
                return Ok(value);
            }
            self.ensure(self.available().len() + 1).await?;
        }
    }
}

/// The bytes of a value that is a small string, from its payload: type and value as they stand in an RDB. `room` is for one
/// that lies there compressed or as a number.
pub fn small_string<'a>(payload: &'a [u8], room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let encoded = payload.strip_prefix(&[STRING])?;
    let (layout, head) = any_layout(encoded).ok()??;
    let bytes = &encoded[head..];
    match layout {
        _ if !layout.is_small() => None,
        Layout::Integer(value) => {
            room.clear();
            room.extend_from_slice(decimal(value, &mut [0; 20]));
            Some(room)
        }
        Layout::Plain { len } => (bytes.len() as u64 == len).then_some(bytes),
        Layout::Compressed { compressed, len } => {
            let len = to_usize(len);
            if room.len() < len + lzf::OVERRUN {
                room.resize(len + lzf::OVERRUN, 0);
            }
            (bytes.len() as u64 == compressed).then_some(())?;
            lzf::inflate_whole(bytes, room, len).ok()?;
            Some(&room[..len])
        }
    }
}

/// The type of a string (`RDB_TYPE_STRING` of rdb.h).
const STRING: u8 = 0;

/// What stands at the front, and how many bytes it is; `None` if it is not all there.
type Front<T> = Result<Option<(T, usize)>, RdbProblem>;

/// The two highest bits of the first byte say what follows (`rdb.h`).
#[inline]
fn any_length(bytes: &[u8]) -> Front<Length> {
    let Some(first) = bytes.first().copied() else { return Ok(None) };
    let rest = &bytes[1..];
    Ok(match first {
        0..=0x3f => Some((Length::Plain(first.into()), 1)),
        0x40..=0x7f => rest.first().map(|low| (Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(*low)), 2)),
        0x80 => rest.first_chunk().map(|bytes| (Length::Plain(u32::from_be_bytes(*bytes).into()), 5)),
        0x81 => rest.first_chunk().map(|bytes| (Length::Plain(u64::from_be_bytes(*bytes)), 9)),
        0x82..=0xbf => return Err(RdbProblem::UnknownEncoding { what: "length encoding", value: first.into() }),
        _ => Some((Length::Encoding(first & 0x3f), 1)),
    })
}

#[inline]
fn any_layout(bytes: &[u8]) -> Front<Layout> {
    let Some((length, head)) = any_length(bytes)? else { return Ok(None) };
    let rest = &bytes[head..];
    Ok(match length {
        Length::Plain(len) => Some((Layout::Plain { len }, head)),
        Length::Encoding(0) => rest.first_chunk().map(|it| (Layout::Integer(i8::from_le_bytes(*it).into()), head + 1)),
        Length::Encoding(1) => rest.first_chunk().map(|it| (Layout::Integer(i16::from_le_bytes(*it).into()), head + 2)),
        Length::Encoding(2) => rest.first_chunk().map(|it| (Layout::Integer(i32::from_le_bytes(*it).into()), head + 4)),
        Length::Encoding(3) => compressed(rest)?.map(|(layout, n_bytes)| (layout, head + n_bytes)),
        Length::Encoding(value) => {
            return Err(RdbProblem::UnknownEncoding { what: "string encoding", value: value.into() });
        }
    })
}

fn compressed(bytes: &[u8]) -> Front<Layout> {
    let Some((compressed, head)) = any_length(bytes)? else { return Ok(None) };
    let Some((len, more)) = any_length(&bytes[head..])? else { return Ok(None) };
    match (compressed, len) {
        (Length::Plain(0), Length::Plain(1..)) => Err(RdbProblem::Malformed("a compressed string has no bytes")),
        (Length::Plain(compressed), Length::Plain(len)) => {
            Ok(Some((Layout::Compressed { compressed, len }, head + more)))
        }
        _ => Err(RdbProblem::Malformed("a string's encoding stands where a length must be")),
    }
}

fn blob_size(len: u64) -> Result<usize, RdbProblem> {
    if len > MAX_BLOB {
        return Err(RdbProblem::TooLarge { what: "a packed value", bytes: len, limit: MAX_BLOB });
    }
    Ok(to_usize(len))
}

/// Compares what was inflated with what was promised, in the end exactly.
pub(super) fn check_inflated(inflated: u64, len: u64, left: u64) -> Result<(), RdbProblem> {
    if inflated > len || left == 0 && inflated != len {
        return Err(RdbProblem::Malformed("a compressed string does not have the length that it promised"));
    }
    Ok(())
}

/// Only for numbers that were compared with something small, or with what is in memory.
fn to_usize(value: u64) -> usize {
    usize::try_from(value).expect("it is bounded by something that is in memory")
}

/// The decimal digits of a number.
fn decimal(value: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let (mut left, mut begin) = (value.unsigned_abs(), buffer.len());
    loop {
        begin -= 1;
        buffer[begin] = b'0' + u8::try_from(left % 10).expect("a digit is less than ten");
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        begin -= 1;
        buffer[begin] = b'-';
    }
    &buffer[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_their_digits() {
        for value in [0, 7, -7, 10, 99, i64::MAX, i64::MIN] {
            assert_eq!(decimal(value, &mut [0; 20]), value.to_string().as_bytes());
        }
    }

    #[test]
    fn a_small_string_is_read_from_its_payload_in_every_encoding() {
        let mut room = Vec::new();
        let mut read = |payload: &[u8]| small_string(payload, &mut room).map(<[u8]>::to_vec);
        assert_eq!(read(b"\x00\x03abc").as_deref(), Some(b"abc".as_slice()));
        assert_eq!(read(b"\x00\x00").as_deref(), Some(b"".as_slice()));
        assert_eq!(read(b"\x00\xc0\xff").as_deref(), Some(b"-1".as_slice()));
        assert_eq!(read(b"\x00\xc1\x00\x01").as_deref(), Some(b"256".as_slice()));
        assert_eq!(read(b"\x00\xc2\x00\x00\x01\x00").as_deref(), Some(b"65536".as_slice()));
        // A literal, and a reference of nine bytes to it.
        assert_eq!(read(b"\x00\xc3\x05\x0a\x00a\xe0\x00\x00").as_deref(), Some(b"aaaaaaaaaa".as_slice()));
        for broken in
            [b"".as_slice(), b"\x00", b"\x00\x03ab", b"\x00\x03abcd", b"\x01\x01a", b"\x00\xc3\x05\x0a\x00a\xe0"]
        {
            assert_eq!(read(broken), None, "{broken:?}");
        }
    }
}
