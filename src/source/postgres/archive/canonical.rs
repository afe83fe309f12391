//! The digest of a definition without what the server itself changes when it reads a definition back.
//!
//! A dump shows stored expressions as the server deparses them, and that is not a fixpoint: `status IN ('a', 'b')` on a
//! varchar column is dumped as `(status)::text = ANY ((ARRAY['a'::character varying, …])::text[])`, which, restored and
//! dumped again, is `(status)::text = ANY (ARRAY[('a'::character varying)::text, …])`. Casts move, and the parentheses
//! around a cast's operand move with them. A restore also moves columns of inheritance children, and grants. So:
//!
//! - white space and comments are dropped;
//! - casts (`::type`) are dropped where they stand; the *set* of types that a definition casts to remains a part of it,
//!   without lengths and brackets;
//! - `(a AND b) AND c` is the same as `a AND b AND c`, and so with `OR`: the server flattens what it reads, but not what
//!   it makes itself of `BETWEEN` and `IN`;
//! - parentheses around a single operand (a name, a literal, a call, `ARRAY[…]`, `CASE … END`) are dropped; all others
//!   stay, and the server writes them around every operator, so precedence is kept;
//! - the column definitions of a table with `INHERITS`, the statements of grants, and the roles of a policy, which the
//!   server lists in the order of their oids, are taken without their order.
//!
//! Everything else counts: names, operators, literals, bodies of functions, types of columns.

mod reduce;
mod token;

use xxhash_rust::xxh3::xxh3_128;

use self::reduce::reduce;
use self::token::{Token, tokens};
use super::entry::Entry;
use crate::contents::Digest;

/// The canonical digest of an entry's definition.
pub(super) fn canonical_digest(entry: &Entry<'_>) -> Digest {
    let mut digest = canonical_sql(entry.kind, entry.definition);
    digest.add(xxh3_128(entry.access_method));
    digest
}

fn canonical_sql(kind: &[u8], definition: &[u8]) -> Digest {
    let tokens = tokens(definition);
    let Some(reduced) = reduce(&tokens) else { return Digest(xxh3_128(definition)) };
    let mut digest = Digest(hash_items(reduced.casts.into_iter().map(Token::Word)));
    let is_child = reduced.tokens.contains(&Token::Word(b"INHERITS"));
    match kind {
        b"ACL" | b"DEFAULT ACL" => add_unordered(&mut digest, &reduced.tokens, Token::Symbol(b";"), 0),
        b"TABLE" | b"FOREIGN TABLE" if is_child => add_unordered(&mut digest, &reduced.tokens, Token::Symbol(b","), 1),
        b"POLICY" => digest.add(hash_items(with_sorted_roles(reduced.tokens))),
        _ => digest.add(hash_items(reduced.tokens)),
    }
    digest
}

/// `CREATE POLICY … TO a, b USING (…)`: the roles are what stands between the first `TO` and the expressions.
fn with_sorted_roles(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let is_word = |token: &Token<'_>, words: &[&[u8]]| matches!(token, Token::Word(word) if words.contains(word));
    let Some(clause) = tokens.iter().position(|token| is_word(token, &[b"TO", b"USING", b"WITH"])) else {
        return tokens;
    };
    if !is_word(&tokens[clause], &[b"TO"]) {
        return tokens;
    }
    let ends = |token: &Token<'_>| is_word(token, &[b"USING", b"WITH"]) || *token == Token::Symbol(b";");
    let first = clause + 1;
    let end = tokens[first..].iter().position(ends).map_or(tokens.len(), |length| first + length);
    tokens[first..end].sort_by_key(|token| if let Token::Word(role) = token { *role } else { b"" });
    tokens
}

/// Adds the items between separators at a depth, each on its own; all else is one more item.
fn add_unordered(digest: &mut Digest, tokens: &[Token<'_>], separator: Token<'_>, at_depth: usize) {
    let mut depth = 0_usize;
    let (mut item, mut around) = (Vec::new(), Vec::new());
    for &token in tokens {
        let outside = depth;
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_around = outside.min(depth) < at_depth;
        if is_around {
            around.push(token);
        }
        if is_around || (depth == at_depth && token == separator) {
            digest.add(hash_items(item.drain(..)));
        } else {
            item.push(token);
        }
    }
    digest.add(hash_items(item));
    digest.add(hash_items(around));
}

fn hash_items<'a>(items: impl IntoIterator<Item = Token<'a>>) -> u128 {
    let mut bytes = Vec::new();
    for item in items {
        match item {
            Token::Word(text) | Token::Literal(text) | Token::Symbol(text) => bytes.extend_from_slice(text),
            Token::Open(bracket) | Token::Close(bracket) => bytes.push(bracket),
            Token::Cast => {}
        }
        // No definition holds a zero byte: the server's texts cannot.
        bytes.push(0);
    }
    // The hash of nothing must not count: an item may be empty on one side only.
    if bytes.is_empty() { 0 } else { xxh3_128(&bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_same(kind: &str, one: &str, other: &str) {
        let digest = |sql: &str| canonical_sql(kind.as_bytes(), sql.as_bytes());
        assert_eq!(digest(one), digest(other), "\n{one}\n{other}");
    }

    fn check_differ(kind: &str, one: &str, other: &str) {
        let digest = |sql: &str| canonical_sql(kind.as_bytes(), sql.as_bytes());
        assert_ne!(digest(one), digest(other), "\n{one}\n{other}");
    }

    #[test]
    fn casts_that_a_restore_moves_do_not_matter() {
        check_same(
            "CHECK CONSTRAINT",
            "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying(3)])::text[])))",
            "CHECK (((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
        );
        check_same(
            "VIEW",
            "SELECT (CASE WHEN a THEN f(b) ELSE c.d END)::text",
            "SELECT CASE WHEN a THEN f(b) ELSE c.d END::text",
        );
        check_same(
            "VIEW",
            "SELECT (x.y)::timestamp(3) without time zone AS z",
            "SELECT x.y::timestamp without time zone AS z",
        );
    }

    #[test]
    fn chains_that_a_restore_flattens_do_not_matter() {
        let flat = "CHECK (((n >= 0) AND (n <= 9) AND (NOT (n = 7)) AND ((a > 1) OR b OR (c IS NULL))))";
        check_same(
            "TABLE",
            "CHECK ((((n >= 0) AND (n <= 9)) AND (NOT (n = 7)) AND (((a > 1) OR b) OR (c IS NULL))))",
            flat,
        );
        check_differ(
            "TABLE",
            "CHECK ((((n >= 0) AND (n <= 9)) OR (NOT (n = 7)) OR ((a > 1) OR b OR (c IS NULL))))",
            flat,
        );
        check_differ("TABLE", "CHECK (((a OR b) AND (c OR d)))", "CHECK ((a OR (b AND c) OR d))");
    }

    #[test]
    fn real_changes_matter() {
        let check = "CHECK ((((a > 1) OR (b < 2)) AND ((s)::text = ANY (ARRAY['a'::text]))))";
        for (from, to) in
            [("> 1", "> 2"), ("OR", "AND"), ("'a'", "'b'"), ("(s)", "(t)"), ("::text", "::bytea"), ("<", "<=")]
        {
            check_differ("CHECK CONSTRAINT", check, &check.replace(from, to));
        }
        check_differ("VIEW", "SELECT (((a) AND (b)) OR (c))", "SELECT ((a) AND ((b) OR (c)))");
        check_differ("VIEW", "SELECT ((a OR b) AND c)", "SELECT (a OR (b AND c))");
        check_differ("FUNCTION", "CREATE FUNCTION f() AS $$ a  b $$", "CREATE FUNCTION f() AS $$ a b $$");
        check_differ("TABLE", "CREATE TABLE t (a character varying(10))", "CREATE TABLE t (a character varying(11))");
    }

    #[test]
    fn the_order_of_columns_matters_except_for_inheritance_children() {
        check_differ("TABLE", "CREATE TABLE t (\n a int,\n b int\n);", "CREATE TABLE t (\n b int,\n a int\n);");
        let child = "CREATE TABLE t (\n a int,\n b numeric(3,1)\n)\nINHERITS (p);";
        check_same("TABLE", child, "CREATE TABLE t (\n b numeric(3,1),\n a int\n)\nINHERITS (p);");
        check_differ("TABLE", child, "CREATE TABLE t (\n a int,\n b numeric(1,3)\n)\nINHERITS (p);");
        check_differ("TABLE", child, "CREATE TABLE t (\n a int,\n b numeric(3,1)\n)\nINHERITS (q);");
    }

    #[test]
    fn the_order_of_grants_does_not_matter() {
        check_same(
            "ACL",
            "GRANT SELECT ON t TO a;\nGRANT ALL ON t TO b;",
            "GRANT ALL ON t TO b;\nGRANT SELECT ON t TO a;",
        );
        check_differ(
            "ACL",
            "GRANT SELECT ON t TO a;\nGRANT ALL ON t TO b;",
            "GRANT SELECT ON t TO b;\nGRANT ALL ON t TO a;",
        );
    }

    #[test]
    fn nonsense_is_digested_without_harm() {
        let deep = "(".repeat(100_000);
        check_differ("VIEW", &deep, &deep[1..]);
        check_differ("VIEW", ")(", "()");
        check_same("VIEW", "'open", "'open");
    }
}
