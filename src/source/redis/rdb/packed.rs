//! The packed encodings of small values: listpack, ziplist, zipmap and intset, each one block of bytes
//! (`listpack.c`, `ziplist.c`, `zipmap.c`, `intset.c`). Everything is checked against the block's own bounds and counts.

pub(super) mod element;

use self::element::{fixed, take};
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
            // The server packs only numbers that are exact.
            Self::Integer(value) => Ok(value as f64),
            Self::Bytes(bytes) => parse_score(bytes),
        }
    }
}

impl<'a> Packed<'a> {
    /// Opens a block; its header must agree with its size.
    pub(super) fn open(format: Format, block: &'a [u8]) -> Result<Self, RdbProblem> {
        let header = Self::header_size(format);
        let bad = RdbProblem::Malformed("a packed value does not have the size that it says");
        let (Some(head), Some(&0xff)) = (block.get(..header), block.get(header..).and_then(<[u8]>::last)) else {
            return Err(bad);
        };
        let n_left = Self::check_header(format, head, block.len() as u64)?;
        Ok(Self { format, rest: &block[header..], n_left })
    }

    /// How many bytes a block begins with that are no elements.
    pub(super) fn header_size(format: Format) -> usize {
        match format {
            Format::Listpack => 6,
            Format::Ziplist => 10,
        }
    }

    /// How many elements a block says it has, if that fits into its header.
    pub(super) fn check_header(format: Format, header: &[u8], size: u64) -> Result<Option<u64>, RdbProblem> {
        let (Some(promised), Some(count)) = (header.first_chunk::<4>(), header.last_chunk::<2>()) else {
            unreachable!("a header of {format:?} is longer");
        };
        if u64::from(u32::from_le_bytes(*promised)) != size {
            return Err(RdbProblem::Malformed("a packed value does not have the size that it says"));
        }
        let count = u16::from_le_bytes(*count);
        Ok((count != u16::MAX).then(|| count.into()))
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
        Ok(Some(element::read(self.format, &mut self.rest)?))
    }

    /// The next element, which must be there.
    pub(super) fn expect(&mut self) -> Result<Element<'a>, RdbProblem> {
        self.next()?.ok_or(RdbProblem::Malformed("a packed value ends in the middle of an item"))
    }
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

#[cfg(test)]
mod tests {
    use super::Element::{Bytes, Integer};
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
        let body: Vec<u8> =
            entries.iter().flat_map(|entry| [entry, &[u8::try_from(entry.len()).unwrap()][..]].concat()).collect();
        let size = u32::try_from(body.len() + 7).unwrap();
        [&size.to_le_bytes(), &u16::try_from(entries.len()).unwrap().to_le_bytes()[..], &body, b"\xff"].concat()
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
        let header = [&size.to_le_bytes()[..], &[0; 4], &u16::try_from(body.len()).unwrap().to_le_bytes()].concat();
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
