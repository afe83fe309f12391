//! Patterns of names: `*` stands for anything.

/// Whether a name matches a pattern in which `*` stands for anything.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| matches_pattern(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn a_star_stands_for_anything() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches_pattern(pattern, name), expected, "{pattern} {name}");
        };
        check("*", "", true);
        check("shop", "shop", true);
        check("shop", "shop2", false);
        check("shop_*", "shop_eu", true);
        check("*_test", "shop_test", true);
        check("*_test", "shop_tester", false);
        check("a*b*c", "a-ü-b-b-c", true);
        check("a*b*c", "a-c-b", false);
    }
}
