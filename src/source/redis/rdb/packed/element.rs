//! One element of a listpack or a ziplist.

use super::{Element, Format};
use crate::source::redis::rdb::error::RdbProblem;

/// Where an element is a string: how many bytes come before it, and how many it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::redis::rdb) struct StringHead {
    pub(in crate::source::redis::rdb) head: usize,
    pub(in crate::source::redis::rdb) length: u64,
}

/// Takes an element off the front.
pub(in crate::source::redis::rdb) fn read<'a>(format: Format, rest: &mut &'a [u8]) -> Result<Element<'a>, RdbProblem> {
    let all = *rest;
    let Some(string) = string_head(format, rest)? else {
        return match format {
            Format::Listpack => listpack_number(rest),
            Format::Ziplist => ziplist_number(rest),
        };
    };
    take(rest, string.head)?;
    let length = usize::try_from(string.length).unwrap_or(usize::MAX);
    let bytes = take(rest, length)?;
    if format == Format::Listpack {
        check_tail(all, rest)?;
    }
    Ok(Element::Bytes(bytes))
}

/// What stands before an element that is a string; `None` if it is a number.
#[inline]
pub(in crate::source::redis::rdb) fn string_head(
    format: Format,
    bytes: &[u8],
) -> Result<Option<StringHead>, RdbProblem> {
    let mut rest = bytes;
    let length = match format {
        Format::Listpack => listpack_string(&mut rest)?,
        Format::Ziplist => ziplist_string(&mut rest)?,
    };
    Ok(length.map(|length| StringHead { head: bytes.len() - rest.len(), length }))
}

/// What follows an element whose head and data have so many bytes: in a listpack that number, seven bits a byte, the
/// lowest last; all but the first byte have the highest bit set.
pub(in crate::source::redis::rdb) fn tail(format: Format, length: u64) -> Vec<u8> {
    match format {
        Format::Listpack => {
            let (buffer, n_bytes) = backwards(length);
            buffer[..n_bytes].to_vec()
        }
        Format::Ziplist => Vec::new(),
    }
}

fn listpack_string(rest: &mut &[u8]) -> Result<Option<u64>, RdbProblem> {
    let [first] = fixed(rest)?;
    Ok(match first {
        0x80..=0xbf => Some(u64::from(first & 0x3f)),
        0xe0..=0xef => {
            let [second] = fixed(rest)?;
            Some(u64::from(first & 0x0f) << 8 | u64::from(second))
        }
        0xf0 => Some(u32::from_le_bytes(fixed(rest)?).into()),
        _ => None,
    })
}

/// The length of the entry before, then an encoding.
fn ziplist_string(rest: &mut &[u8]) -> Result<Option<u64>, RdbProblem> {
    skip_length_before(rest)?;
    let [first] = fixed(rest)?;
    Ok(match first {
        0x00..=0x3f => Some(first.into()),
        0x40..=0x7f => {
            let [second] = fixed(rest)?;
            Some(u64::from(first & 0x3f) << 8 | u64::from(second))
        }
        0x80 => Some(u32::from_be_bytes(fixed(rest)?).into()),
        _ => None,
    })
}

fn listpack_number<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, RdbProblem> {
    let all = *rest;
    let [first] = fixed(rest)?;
    let value = match first {
        0x00..=0x7f => first.into(),
        0xc0..=0xdf => {
            let [second] = fixed(rest)?;
            sign_extend(i64::from(first & 0x1f) << 8 | i64::from(second), 13)
        }
        0xf1 => i16::from_le_bytes(fixed(rest)?).into(),
        0xf2 => little_24(fixed(rest)?),
        0xf3 => i32::from_le_bytes(fixed(rest)?).into(),
        0xf4 => i64::from_le_bytes(fixed(rest)?),
        _ => return Err(RdbProblem::UnknownEncoding { what: "listpack encoding", value: first.into() }),
    };
    check_tail(all, rest)?;
    Ok(Element::Integer(value))
}

fn ziplist_number<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, RdbProblem> {
    skip_length_before(rest)?;
    let [first] = fixed(rest)?;
    Ok(Element::Integer(match first {
        0xc0 => i16::from_le_bytes(fixed(rest)?).into(),
        0xd0 => i32::from_le_bytes(fixed(rest)?).into(),
        0xe0 => i64::from_le_bytes(fixed(rest)?),
        0xf0 => little_24(fixed(rest)?),
        0xfe => i8::from_le_bytes(fixed(rest)?).into(),
        0xf1..=0xfd => i64::from(first & 0x0f) - 1,
        _ => return Err(RdbProblem::UnknownEncoding { what: "ziplist encoding", value: first.into() }),
    }))
}

fn skip_length_before(rest: &mut &[u8]) -> Result<(), RdbProblem> {
    let [before] = fixed(rest)?;
    if before == 0xfe {
        fixed::<4>(rest)?;
    }
    Ok(())
}

/// Takes off what must follow the bytes that were taken since `all`.
fn check_tail(all: &[u8], rest: &mut &[u8]) -> Result<(), RdbProblem> {
    let length = all.len() - rest.len();
    if length < 128 {
        // Nearly every element; comparing slices would cost more than reading it.
        let [tail] = fixed(rest)?;
        if usize::from(tail) == length {
            return Ok(());
        }
    } else {
        let (buffer, n_bytes) = backwards(length as u64);
        if take(rest, n_bytes)? == &buffer[..n_bytes] {
            return Ok(());
        }
    }
    Err(RdbProblem::Malformed("a listpack entry does not have the length that it says"))
}

fn backwards(length: u64) -> ([u8; 5], usize) {
    // The bounds are the server's own, which use one byte more for the largest of each.
    let n_bytes = match length {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    let mut buffer = [0; 5];
    for (idx, byte) in buffer[..n_bytes].iter_mut().rev().enumerate() {
        let more = if idx + 1 < n_bytes { 0x80 } else { 0 };
        *byte = u8::try_from(length >> (7 * idx) & 0x7f).expect("seven bits are a byte") | more;
    }
    (buffer, n_bytes)
}

#[inline]
pub(super) fn take<'a>(rest: &mut &'a [u8], n_bytes: usize) -> Result<&'a [u8], RdbProblem> {
    let cut = RdbProblem::Malformed("a packed value is cut off in the middle of an element");
    let (taken, left) = rest.split_at_checked(n_bytes).ok_or(cut)?;
    *rest = left;
    Ok(taken)
}

#[inline]
pub(super) fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], RdbProblem> {
    let taken = take(rest, N)?;
    Ok(*taken.first_chunk().expect("so many bytes were taken"))
}

fn sign_extend(value: i64, n_bits: u32) -> i64 {
    value << (64 - n_bits) >> (64 - n_bits)
}

fn little_24([low, middle, high]: [u8; 3]) -> i64 {
    sign_extend(i64::from(low) | i64::from(middle) << 8 | i64::from(high) << 16, 24)
}
