//! Patterns of keys as `KEYS` and `SCAN MATCH` read them (`stringmatchlen` of util.c): `*`, `?`, `[a-z]`, `[^a]`, `\`.

/// Whether a key matches a pattern.
pub(super) fn matches(pattern: &[u8], key: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return key.is_empty() };
    match first {
        b'*' => {
            let rest = &pattern[pattern.iter().take_while(|byte| **byte == b'*').count()..];
            (0..=key.len()).any(|skipped| matches(rest, &key[skipped..]))
        }
        b'?' => !key.is_empty() && matches(rest, &key[1..]),
        b'[' => match key.split_first() {
            None => false,
            Some((letter, key)) => {
                let (is_in, rest) = in_class(rest, *letter);
                is_in && matches(rest, key)
            }
        },
        b'\\' if !rest.is_empty() => key.first() == Some(&rest[0]) && matches(&rest[1..], &key[1..]),
        letter => key.first() == Some(letter) && matches(rest, &key[1..]),
    }
}

/// Whether a letter is in the class that begins here, and what follows the class.
fn in_class(class: &[u8], letter: u8) -> (bool, &[u8]) {
    let (negated, mut class) = match class.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, class),
    };
    let mut found = false;
    loop {
        class = match class {
            // An unclosed class ends with the pattern.
            [] => return (found != negated, class),
            [b']', rest @ ..] => return (found != negated, rest),
            [b'\\', escaped, rest @ ..] => {
                found |= *escaped == letter;
                rest
            }
            [first, b'-', last, rest @ ..] => {
                let (low, high) = (first.min(last), first.max(last));
                found |= (low..=high).contains(&&letter);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == letter;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_they_do_in_redis() {
        let check = |pattern: &str, key: &str, expected: bool| {
            assert_eq!(matches(pattern.as_bytes(), key.as_bytes()), expected, "{pattern} {key}");
        };
        check("session:*", "session:1", true);
        check("session:*", "sessions:1", false);
        check("*", "", true);
        check("h?llo", "hallo", true);
        check("h?llo", "hllo", false);
        check("h[ae]llo", "hello", true);
        check("h[^e]llo", "hello", false);
        check("h[a-c]llo", "hbllo", true);
        check("h[c-a]llo", "hbllo", true);
        check("a\\*b", "a*b", true);
        check("a\\*b", "axb", false);
        check("*:1:*", "user:1:name", true);
        check("a[b", "ab", true);
    }
}
