//! LZF, the compression of strings inside an RDB: literal runs, and references at most 8 KiB back.

use super::error::RdbProblem;

/// How far back a reference can reach: what must stay of the output while more comes.
pub(super) const WINDOW: usize = 8192;

/// No instruction is longer than this: a control byte and 32 literals.
pub(super) const MAX_INSTRUCTION: usize = 33;

/// Carries out the instructions that are whole and appends what they make to `out`; returns how many bytes they took.
/// References reach into what `out` already holds.
pub(super) fn inflate(compressed: &[u8], out: &mut Vec<u8>) -> Result<usize, RdbProblem> {
    let mut position = 0;
    while let Some(control) = compressed.get(position).copied() {
        let rest = &compressed[position + 1..];
        if control < 32 {
            let n_literals = usize::from(control) + 1;
            let Some(literals) = rest.get(..n_literals) else { break };
            out.extend_from_slice(literals);
            position += 1 + n_literals;
            continue;
        }
        let (length, used) = match (control >> 5, rest) {
            (7, [more, _, ..]) => (9 + usize::from(*more), 2),
            (short @ 1..=6, [_, ..]) => (usize::from(short) + 2, 1),
            _ => break,
        };
        let back = (usize::from(control & 0x1f) << 8 | usize::from(rest[used - 1])) + 1;
        copy_back(out, back, length)?;
        position += 1 + used;
    }
    Ok(position)
}

/// So much beyond the end of what it makes `inflate_whole` may write.
pub(super) const OVERRUN: usize = 32;

/// Carries out all instructions of a string at once, and makes exactly `len` bytes of them at the beginning of `out`, which has
/// room for [`OVERRUN`] more. Copies have a fixed size where they can: that is several times as fast.
pub(super) fn inflate_whole(compressed: &[u8], out: &mut [u8], len: usize) -> Result<(), RdbProblem> {
    let cut = RdbProblem::Malformed("a compressed string is cut off");
    let wrong = RdbProblem::Malformed("a compressed string does not have the length that it promised");
    let before = RdbProblem::Malformed("a compressed string refers to before its beginning");
    let (mut at, mut made) = (0, 0);
    while let Some(control) = compressed.get(at).copied().map(usize::from) {
        at += 1;
        let n_bytes = match control >> 5 {
            0 => control + 1,
            7 => {
                at += 1;
                usize::from(*compressed.get(at - 1).ok_or(cut.clone())?) + 9
            }
            short => short + 2,
        };
        if made + n_bytes > len {
            return Err(wrong);
        }
        if control < 32 {
            match compressed.get(at..at + OVERRUN) {
                Some(more) => out[made..made + OVERRUN].copy_from_slice(more),
                None => out[made..made + n_bytes].copy_from_slice(compressed.get(at..at + n_bytes).ok_or(cut.clone())?),
            }
            at += n_bytes;
        } else {
            let low = usize::from(*compressed.get(at).ok_or(cut.clone())?);
            at += 1;
            let back = ((control & 0x1f) << 8 | low) + 1;
            repeat(out, made.checked_sub(back).ok_or(before.clone())?, made, n_bytes);
        }
        made += n_bytes;
    }
    if made == len { Ok(()) } else { Err(wrong) }
}

/// Copies to `to` what begins at `from`, and may reach into what it is just making.
fn repeat(out: &mut [u8], from: usize, to: usize, n_bytes: usize) {
    match to - from {
        16.. => in_steps::<16>(out, from, to, n_bytes),
        8..16 => in_steps::<8>(out, from, to, n_bytes),
        _ => in_steps::<1>(out, from, to, n_bytes),
    }
}

/// No step is longer than the distance, so that what it copies is there.
fn in_steps<const STEP: usize>(out: &mut [u8], from: usize, to: usize, n_bytes: usize) {
    for done in (0..n_bytes).step_by(STEP) {
        out.copy_within(from + done..from + done + STEP, to + done);
    }
}

fn copy_back(out: &mut Vec<u8>, back: usize, length: usize) -> Result<(), RdbProblem> {
    let bad = RdbProblem::Malformed("a compressed string refers to before its beginning");
    let mut from = out.len().checked_sub(back).ok_or(bad)?;
    if back >= length {
        out.extend_from_within(from..from + length);
        return Ok(());
    }
    // A reference may reach into what it is just making: the copy repeats itself.
    let mut left = length;
    while left > 0 {
        let n_bytes = left.min(out.len() - from);
        out.extend_from_within(from..from + n_bytes);
        (from, left) = (from + n_bytes, left - n_bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compressed: &[u8], expected: &[u8]) {
        let mut out = Vec::new();
        assert_eq!(inflate(compressed, &mut out), Ok(compressed.len()));
        assert_eq!(out, expected);
        let mut whole = vec![0; expected.len() + OVERRUN];
        assert_eq!(inflate_whole(compressed, &mut whole, expected.len()), Ok(()));
        assert_eq!(&whole[..expected.len()], expected);
        for len in [expected.len() - 1, expected.len() + 1] {
            assert!(inflate_whole(compressed, &mut vec![0; len + OVERRUN], len).is_err());
        }
    }

    #[test]
    fn literals_and_references_are_carried_out() {
        check(b"\x02abc", b"abc");
        check(b"\x02abc\x20\x02", b"abcabc");
        check(b"\x00a\xe0\x01\x00", b"aaaaaaaaaaa");
        check(b"\x08abcdefghi\xe0\x07\x08", b"abcdefghiabcdefghiabcdefg");
        let letters = b"abcdefghijklmnopqrstuvwxyz012345";
        check(&[&[31], &letters[..], b"\xe0\x17\x1f\x02xyz"].concat(), &[&letters[..], letters, b"xyz"].concat());
    }

    #[test]
    fn an_instruction_that_is_not_whole_waits() {
        for (whole, partial) in [(0, &b"\x05abc"[..]), (4, b"\x02abc\x20"), (4, b"\x02abc\xe0\x01")] {
            assert_eq!(inflate(partial, &mut Vec::new()), Ok(whole));
        }
    }

    #[test]
    fn a_reference_to_before_the_beginning_is_refused() {
        assert!(inflate(b"\x00a\x20\x01", &mut Vec::new()).is_err());
        assert!(inflate_whole(b"\x00a\x20\x01", &mut [0; 40], 4).is_err());
    }
}
