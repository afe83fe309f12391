//! What the TOML parser and serde say, in the words of whoever writes the file, with a way out. The value of an entry is
//! never repeated unless it is known to be a duration or a choice: it may be a secret.

use super::nearest;

/// A message and its help.
type Said = (String, Option<String>);

/// What the TOML parser says of a malformed file.
pub(super) fn of_syntax(said: &str) -> Said {
    let said = said.strip_suffix(", expected literal string").unwrap_or(said);
    let help = if said.starts_with("duplicate key") {
        Some("a key may stand once in a table: keep one of them".to_owned())
    } else if said.starts_with("string values must be quoted") {
        Some("put the text in quotes: \"…\"".to_owned())
    } else {
        None
    };
    (said.to_owned(), help)
}

/// What serde says of an entry that does not fit.
pub(super) fn of_shape(said: &str) -> Said {
    let names = quoted(said);
    if said.starts_with("unknown field") {
        let (written, known) = names.split_first().map_or(("", &[][..]), |(written, known)| (*written, known));
        return (format!("unknown key `{written}`"), Some(suggestion(written, known, "the keys here are")));
    }
    if said.starts_with("unknown variant") {
        let (written, known) = names.split_first().map_or(("", &[][..]), |(written, known)| (*written, known));
        return (format!("`{written}` is not a value of this key"), Some(suggestion(written, known, "expected")));
    }
    if let Some((found, expected)) = said.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return (format!("expected {}, found {}", expected_words(expected), found_words(found)), None);
    }
    if let Some((found, expected)) =
        said.strip_prefix("invalid value: ").and_then(|rest| rest.split_once(", expected "))
    {
        let found = found.trim_start_matches("string ").trim_start_matches("integer ");
        return (format!("{found} is not valid: expected {}", expected_words(expected)), None);
    }
    (said.to_owned(), None)
}

fn suggestion(written: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(&written.replace('_', "-"), known).or_else(|| nearest(written, known)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("{otherwise}: {}", known.join(", ")),
    }
}

/// The names that serde puts in backticks.
fn quoted(said: &str) -> Vec<&str> {
    said.split('`').skip(1).step_by(2).collect()
}

fn expected_words(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "a text in quotes",
        "a boolean" => "true or false",
        "i32" => "a whole number",
        "u32" => "a whole number that is not negative",
        "a nonzero u32" => "a whole number from 1 on",
        "a sequence" => "a list: [\"…\", \"…\"]",
        "a map" => "a table",
        shape if shape.starts_with("struct ") => "a table",
        other => other,
    }
}

fn found_words(found: &str) -> &'static str {
    match found.split([' ', '`']).next().unwrap_or_default() {
        "string" => "a text",
        "integer" => "a whole number",
        "floating" => "a number with a point",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "a table",
        _ => "something else",
    }
}
