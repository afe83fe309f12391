//! Templates and placeholders made readable: each becomes an identifier of the same length, so every span stays right.

use std::borrow::Cow;

use crate::source_text::Span;

/// The part of `text` under `span` with `{{ x }}`, `${x}` and `{% … %}` replaced; all else, and every offset, is unchanged.
pub(crate) fn mask_placeholders(text: &str, span: Span) -> Cow<'_, str> {
    let mut masked: Option<Vec<u8>> = None;
    let bytes = text.as_bytes();
    let mut position = span.start;
    while let Some(offset) = memchr::memchr2(b'{', b'$', &bytes[position..span.end]) {
        let start = position + offset;
        position = start + 1;
        let Some((end, filler)) = placeholder_end(&bytes[..span.end], start) else { continue };
        masked.get_or_insert_with(|| bytes.to_vec())[start..end].fill(filler);
        position = end;
    }
    match masked.map(String::from_utf8) {
        Some(Ok(masked)) => Cow::Owned(masked),
        _ => Cow::Borrowed(text),
    }
}

/// Where the placeholder that starts here ends, and what to put in its place.
fn placeholder_end(bytes: &[u8], start: usize) -> Option<(usize, u8)> {
    let (close, is_allowed, filler): (&[u8], fn(u8) -> bool, u8) = match (bytes[start], bytes.get(start + 1)?) {
        (b'$', b'{') if start == 0 || bytes[start - 1] != b'$' => (b"}", is_name_byte, b'_'),
        (b'{', b'{') => (b"}}", |byte| !matches!(byte, b'\n' | b'\'' | b'{' | b'}'), b'_'),
        (b'{', b'%') => (b"%}", |byte| !matches!(byte, b'\n' | b'%'), b' '),
        _ => return None,
    };
    let mut end = start + 2;
    while bytes.get(end).copied().is_some_and(is_allowed) {
        end += 1;
    }
    (end > start + 2 && bytes[end..].starts_with(close)).then_some((end + close.len(), filler))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(mask_placeholders(text, Span::new(0, text.len())), expected);
    }

    #[test]
    fn placeholders_become_identifiers_of_the_same_length() {
        check("select * from ${schema}.t", "select * from _________.t");
        check("create table {{ name }} (a int)", "create table __________ (a int)");
        check("{% if x %}select 1", "          select 1");
    }

    #[test]
    fn what_only_looks_like_a_placeholder_stays() {
        check("select $${\"a\": 1}$$", "select $${\"a\": 1}$$");
        check("select '{}'::jsonb, $1", "select '{}'::jsonb, $1");
    }
}
