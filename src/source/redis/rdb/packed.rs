//! The packed encodings of small values: listpack, ziplist, zipmap and intset, each one block of bytes
//! (`listpack.c`, `ziplist.c`, `zipmap.c`, `intset.c`). Everything is checked against the block's own bounds and counts.

use super::error::RdbProblem;
use super::text::Text;

/// A block of elements in order.
#[derive(Debug)]
pub(super) struct Packed<'a> {
    format: Format,
    rest: &'a [u8],
    /// Elements still to come; `None` if the block does not say.
    n_left: Option<u64>,
}

/// The formats of such blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Since Redis 5 for streams, since 7 for everything.
    Listpack,
    /// Until Redis 6.
    Ziplist,
}

/// An element: numbers are packed as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element<'a> {
    Bytes(&'a [u8]),
    Integer(i64),
}

impl Element<'_> {
    pub(super) fn text(self) -> Text {
        match self {
            Self::Bytes(bytes) => Text::of(bytes),
            Self::Integer(value) => Text::of_integer(value),
        }
    }

    pub(super) fn integer(self) -> Result<i64, RdbProblem> {
        match self {
            Self::Integer(value) => Ok(value),
            Self::Bytes(bytes) => {
                parse(bytes).ok_or(RdbProblem::Malformed("a packed value has text where a number must be"))
            }
        }
    }

    pub(super) fn score(self) -> Result<f64, RdbProblem> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the server packs only numbers that are exact")]
            Self::Integer(value) => Ok(value as f64),
            Self::Bytes(bytes) => parse_score(bytes),
        }
    }
}

impl<'a> Packed<'a> {
    /// Opens a block; its header must agree with its size.
    pub(super) fn open(format: Format, block: &'a [u8]) -> Result<Self, RdbProblem> {
        let header = if format == Format::Listpack { 6 } else { 10 };
        let bad = RdbProblem::Malformed("a packed value does not have the size that it says");
        let (Some(size), Some(&0xff)) = (block.first_chunk::<4>(), block.last()) else { return Err(bad) };
        if block.len() <= header || u32::from_le_bytes(*size) as usize != block.len() {
            return Err(bad);
        }
        let count = u16::from_le_bytes([block[header - 2], block[header - 1]]);
        // A count that does not fit is this.
        let n_left = (count != u16::MAX).then(|| count.into());
        Ok(Self { format, rest: &block[header..], n_left })
    }

    /// The next element; `None` at the end, which must be that of the block.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, RdbProblem> {
        if let [0xff] = self.rest {
            return match self.n_left {
                Some(1..) => Err(RdbProblem::Malformed("a packed value has fewer elements than it says")),
                _ => Ok(None),
            };
        }
        if let Some(left) = &mut self.n_left {
            let bad = RdbProblem::Malformed("a packed value has more elements than it says");
            *left = left.checked_sub(1).ok_or(bad)?;
        }
        let element = match self.format {
            Format::Listpack => listpack_element(&mut self.rest)?,
            Format::Ziplist => ziplist_element(&mut self.rest)?,
        };
        Ok(Some(element))
    }

    /// The next element, which must be there.
    pub(super) fn expect(&mut self) -> Result<Element<'a>, RdbProblem> {
        self.next()?.ok_or(RdbProblem::Malformed("a packed value ends in the middle of an item"))
    }
}

/// Encoding byte and data, then the entry's own length backwards.
fn listpack_element<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, RdbProblem> {
    let before = rest.len();
    let [first] = fixed(rest)?;
    let element = match first {
        0x00..=0x7f => Element::Integer(first.into()),
        0x80..=0xbf => Element::Bytes(take(rest, usize::from(first & 0x3f))?),
        0xc0..=0xdf => {
            let [second] = fixed(rest)?;
            Element::Integer(sign_extend(i64::from(first & 0x1f) << 8 | i64::from(second), 13))
        }
        0xe0..=0xef => {
            let [second] = fixed(rest)?;
            Element::Bytes(take(rest, usize::from(first & 0x0f) << 8 | usize::from(second))?)
        }
        0xf0 => {
            let length = u32::from_le_bytes(fixed(rest)?) as usize;
            Element::Bytes(take(rest, length)?)
        }
        0xf1 => Element::Integer(i16::from_le_bytes(fixed(rest)?).into()),
        0xf2 => Element::Integer(little_24(fixed(rest)?)),
        0xf3 => Element::Integer(i32::from_le_bytes(fixed(rest)?).into()),
        0xf4 => Element::Integer(i64::from_le_bytes(fixed(rest)?)),
        _ => return Err(RdbProblem::UnknownEncoding { what: "listpack encoding", value: first.into() }),
    };
    let mut length = before - rest.len();
    // Seven bits a byte, the lowest last; all but the first byte have the highest bit set.
    let n_bytes = match length {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    for (idx, byte) in take(rest, n_bytes)?.iter().rev().enumerate() {
        let more = if idx + 1 < n_bytes { 0x80 } else { 0 };
        if usize::from(*byte) != (length & 0x7f) | more {
            return Err(RdbProblem::Malformed("a listpack entry does not have the length that it says"));
        }
        length >>= 7;
    }
    Ok(element)
}

/// The length of the entry before, encoding byte and data.
fn ziplist_element<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, RdbProblem> {
    let [before] = fixed(rest)?;
    if before == 0xfe {
        fixed::<4>(rest)?;
    }
    let [first] = fixed(rest)?;
    Ok(match first {
        0x00..=0x3f => Element::Bytes(take(rest, first.into())?),
        0x40..=0x7f => {
            let [second] = fixed(rest)?;
            Element::Bytes(take(rest, usize::from(first & 0x3f) << 8 | usize::from(second))?)
        }
        0x80 => {
            let length = u32::from_be_bytes(fixed(rest)?) as usize;
            Element::Bytes(take(rest, length)?)
        }
        0xc0 => Element::Integer(i16::from_le_bytes(fixed(rest)?).into()),
        0xd0 => Element::Integer(i32::from_le_bytes(fixed(rest)?).into()),
        0xe0 => Element::Integer(i64::from_le_bytes(fixed(rest)?)),
        0xf0 => Element::Integer(little_24(fixed(rest)?)),
        0xfe => Element::Integer(i8::from_le_bytes(fixed(rest)?).into()),
        0xf1..=0xfd => Element::Integer(i64::from(first & 0x0f) - 1),
        _ => return Err(RdbProblem::UnknownEncoding { what: "ziplist encoding", value: first.into() }),
    })
}

/// Calls `see` with every field and value of a zipmap, the packed hash of Redis before 2.6.
pub(super) fn zipmap(block: &[u8], mut see: impl FnMut(Text, Text)) -> Result<(), RdbProblem> {
    let mut rest = block;
    // Its count stops at 253 and says nothing that the end mark does not.
    let [_count] = fixed(&mut rest)?;
    loop {
        let [first] = fixed(&mut rest)?;
        if first == 0xff {
            break;
        }
        let length = zipmap_length(first, &mut rest)?;
        let field = Text::of(take(&mut rest, length)?);
        let [first] = fixed(&mut rest)?;
        let length = zipmap_length(first, &mut rest)?;
        let [n_free] = fixed(&mut rest)?;
        let value = Text::of(take(&mut rest, length)?);
        take(&mut rest, n_free.into())?;
        see(field, value);
    }
    if rest.is_empty() { Ok(()) } else { Err(RdbProblem::Malformed("bytes follow the end of a zipmap")) }
}

fn zipmap_length(first: u8, rest: &mut &[u8]) -> Result<usize, RdbProblem> {
    match first {
        0..=253 => Ok(first.into()),
        254 => Ok(u32::from_le_bytes(fixed(rest)?) as usize),
        255 => Err(RdbProblem::Malformed("a zipmap ends in the middle of an item")),
    }
}

/// Calls `see` with every member of an intset.
pub(super) fn intset(block: &[u8], mut see: impl FnMut(i64)) -> Result<(), RdbProblem> {
    let mut rest = block;
    let width = u32::from_le_bytes(fixed(&mut rest)?);
    let count = u32::from_le_bytes(fixed(&mut rest)?);
    if !matches!(width, 2 | 4 | 8) {
        return Err(RdbProblem::UnknownEncoding { what: "intset width", value: width.into() });
    }
    if rest.len() as u64 != u64::from(width) * u64::from(count) {
        return Err(RdbProblem::Malformed("an intset does not have the size that it says"));
    }
    for bytes in rest.chunks_exact(width as usize) {
        let mut wide = if bytes[bytes.len() - 1] & 0x80 == 0 { [0; 8] } else { [0xff; 8] };
        wide[..bytes.len()].copy_from_slice(bytes);
        see(i64::from_le_bytes(wide));
    }
    Ok(())
}

/// A score as text: `inf`, `-inf`, or what `strtod` reads.
pub(super) fn parse_score(bytes: &[u8]) -> Result<f64, RdbProblem> {
    parse(bytes).ok_or(RdbProblem::Malformed("a score is not a number"))
}

fn parse<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn take<'a>(rest: &mut &'a [u8], n_bytes: usize) -> Result<&'a [u8], RdbProblem> {
    let cut = RdbProblem::Malformed("a packed value is cut off in the middle of an element");
    let (taken, left) = rest.split_at_checked(n_bytes).ok_or(cut)?;
    *rest = left;
    Ok(taken)
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], RdbProblem> {
    let taken = take(rest, N)?;
    Ok(*taken.first_chunk().expect("so many bytes were taken"))
}

fn sign_extend(value: i64, n_bits: u32) -> i64 {
    value << (64 - n_bits) >> (64 - n_bits)
}

fn little_24([low, middle, high]: [u8; 3]) -> i64 {
    sign_extend(i64::from(low) | i64::from(middle) << 8 | i64::from(high) << 16, 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, block: &[u8], expected: &[Element<'_>]) {
        let mut packed = Packed::open(format, block).unwrap();
        let mut found = Vec::new();
        while let Some(element) = packed.next().unwrap() {
            found.push(element);
        }
        assert_eq!(found, expected);
    }

    /// A listpack of encoded entries; each gets the single byte that says its length.
    fn listpack(entries: &[&[u8]]) -> Vec<u8> {
        let body: Vec<u8> = entries.iter().flat_map(|entry| [entry, &[entry.len() as u8][..]].concat()).collect();
        let size = u32::try_from(body.len() + 7).unwrap();
        [&size.to_le_bytes(), &(entries.len() as u16).to_le_bytes()[..], &body, b"\xff"].concat()
    }

    #[test]
    fn every_listpack_encoding_is_read() {
        let block = listpack(&[
            b"\x00",
            b"\x7f",
            b"\x83abc",
            b"\xc1\x00",
            b"\xdf\xff",
            b"\xe0\x02xy",
            b"\xf1\x00\x80",
            b"\xf2\xff\xff\x7f",
            b"\xf3\x00\x00\x00\x80",
            b"\xf4\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\xf0\x01\x00\x00\x00z",
        ]);
        use Element::{Bytes, Integer};
        check(
            Format::Listpack,
            &block,
            &[
                Integer(0),
                Integer(127),
                Bytes(b"abc"),
                Integer(256),
                Integer(-1),
                Bytes(b"xy"),
                Integer(i64::from(i16::MIN)),
                Integer((1 << 23) - 1),
                Integer(i64::from(i32::MIN)),
                Integer(i64::MAX),
                Bytes(b"z"),
            ],
        );
    }

    #[test]
    fn every_ziplist_encoding_is_read() {
        let body: &[&[u8]] = &[
            b"\x00\x03abc",
            b"\x05\x40\x02xy",
            b"\xfe\x05\x00\x00\x00\x80\x00\x00\x00\x01z",
            b"\x01\xf1",
            b"\x01\xfd",
            b"\x01\xfe\x80",
            b"\x01\xc0\xff\xff",
            b"\x01\xf0\x00\x00\x80",
            b"\x01\xd0\x00\x00\x00\x80",
            b"\x01\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
        ];
        let size = u32::try_from(body.concat().len() + 11).unwrap();
        let header = [&size.to_le_bytes()[..], &[0; 4], &(body.len() as u16).to_le_bytes()].concat();
        use Element::{Bytes, Integer};
        check(
            Format::Ziplist,
            &[&header[..], &body.concat(), b"\xff"].concat(),
            &[
                Bytes(b"abc"),
                Bytes(b"xy"),
                Bytes(b"z"),
                Integer(0),
                Integer(12),
                Integer(-128),
                Integer(-1),
                Integer(-(1 << 23)),
                Integer(i64::from(i32::MIN)),
                Integer(i64::MAX),
            ],
        );
    }

    #[test]
    fn a_zipmap_with_free_bytes_is_read() {
        let mut found = Vec::new();
        zipmap(b"\x02\x03foo\x03\x02bar\0\0\x05hello\x05\x00world\xff", |field, value| found.push((field, value)))
            .unwrap();
        assert_eq!(found, [(Text::of(b"foo"), Text::of(b"bar")), (Text::of(b"hello"), Text::of(b"world"))]);
    }

    #[test]
    fn an_intset_of_every_width_is_read() {
        for (width, value) in [(2, i64::from(i16::MIN)), (4, i64::from(i32::MIN)), (8, i64::MIN), (4, 7), (8, -1)] {
            let block = [&[width, 0, 0, 0, 1, 0, 0, 0], &value.to_le_bytes()[..usize::from(width)]].concat();
            let mut found = Vec::new();
            intset(&block, |member| found.push(member)).unwrap();
            assert_eq!(found, [value]);
        }
    }

    #[test]
    fn counts_and_sizes_that_are_not_true_are_refused() {
        let good = listpack(&[b"\x01", b"\x02"]);
        for (position, byte) in [(0, 3), (4, 1), (4, 3), (7, 9), (good.len() - 1, 0)] {
            let mut bad = good.clone();
            bad[position] = byte;
            let read = |block| {
                let mut packed = Packed::open(Format::Listpack, block)?;
                while packed.next()?.is_some() {}
                Ok::<_, RdbProblem>(())
            };
            assert!(read(&bad).is_err(), "{position}");
        }
    }
}
