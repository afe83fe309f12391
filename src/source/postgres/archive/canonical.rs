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
//! - the column definitions of a table with `INHERITS`, and the statements of grants, are taken without their order.
//!
//! Everything else counts: names, operators, literals, bodies of functions, types of columns.

mod token;

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_128;

use self::token::{Token, tokens};
use super::entry::Entry;
use crate::contents::Digest;

/// Definitions nested deeper than this exist only in damaged archives; they are digested as they are.
const DEEPEST: usize = 1000;

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
        _ => digest.add(hash_items(reduced.tokens)),
    }
    digest
}

/// A definition without casts and superfluous parentheses.
struct Reduced<'a> {
    tokens: Vec<Token<'a>>,
    casts: BTreeSet<&'a [u8]>,
}

/// The content of one pair of parentheses, or of the whole.
#[derive(Default)]
struct Frame<'a> {
    tokens: Vec<Token<'a>>,
    shape: Vec<Shape>,
}

/// What an item at the top level of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A name or a literal, or parentheses that were dropped around one operand.
    Operand,
    /// A name that may have arguments.
    Name,
    Dot,
    /// Parentheses or brackets.
    Group,
    CaseBegin,
    CaseEnd,
    And,
    Or,
    /// Anything else that joins operands.
    Other,
}

/// Nothing for unbalanced or absurdly nested text.
fn reduce<'a>(tokens: &[Token<'a>]) -> Option<Reduced<'a>> {
    let mut casts = BTreeSet::new();
    let mut stack = vec![Frame::default()];
    let mut position = 0;
    while let Some(&token) = tokens.get(position) {
        position += 1;
        match token {
            Token::Cast => position = skip_type(tokens, position, &mut casts),
            Token::Open(_) if stack.len() > DEEPEST => return None,
            Token::Open(_) => stack.push(Frame::default()),
            Token::Close(bracket) => {
                let inner = stack.pop()?;
                stack.last_mut()?.add_group(inner, bracket);
            }
            other => stack.last_mut()?.add(other),
        }
    }
    let outermost = stack.pop()?;
    stack.is_empty().then_some(Reduced { tokens: outermost.tokens, casts })
}

impl<'a> Frame<'a> {
    fn add(&mut self, token: Token<'a>) {
        self.shape.push(match token {
            Token::Word(b"CASE") => Shape::CaseBegin,
            Token::Word(b"END") => Shape::CaseEnd,
            Token::Word(b"AND") => Shape::And,
            Token::Word(b"OR") => Shape::Or,
            Token::Word(word) if JOINING_WORDS.contains(&word) => Shape::Other,
            Token::Word(_) => Shape::Name,
            Token::Literal(_) => Shape::Operand,
            Token::Symbol(b".") => Shape::Dot,
            _ => Shape::Other,
        });
        self.tokens.push(token);
    }

    fn add_group(&mut self, inner: Self, close: u8) {
        if close == b')' && inner.is_single_operand() {
            // After a name these are the arguments of a call.
            let is_call = self.shape.last() == Some(&Shape::Name);
            self.shape.push(if is_call { Shape::Group } else { Shape::Operand });
            self.tokens.extend(inner.tokens);
            return;
        }
        self.shape.push(Shape::Group);
        let (open, close) = match (close, inner.chain()) {
            (b')', Some(chain)) => chain,
            (b')', None) => (Token::Open(b'('), Token::Close(b')')),
            _ => (Token::Open(b'['), Token::Close(close)),
        };
        self.tokens.push(open);
        match inner.chain() {
            Some(chain) => self.tokens.extend(flattened(&inner.tokens, chain)),
            None => self.tokens.extend(inner.tokens),
        }
        self.tokens.push(close);
    }

    /// Whether all operands are joined by `AND`, or all by `OR`: the brackets that stand for such a chain.
    fn chain(&self) -> Option<(Token<'a>, Token<'a>)> {
        let has = |shape| self.shape.contains(&shape);
        match (has(Shape::And), has(Shape::Or), has(Shape::Other)) {
            (true, false, false) => Some((Token::Open(b'&'), Token::Close(b'&'))),
            (false, true, false) => Some((Token::Open(b'|'), Token::Close(b'|'))),
            _ => None,
        }
    }

    /// Whether this is `name.name`, `call(…)`, `ARRAY[…]`, `(…)`, `CASE … END`, a literal.
    fn is_single_operand(&self) -> bool {
        match self.shape.as_slice() {
            [Shape::CaseBegin, .., Shape::CaseEnd] => is_one_case(&self.shape),
            [Shape::Operand | Shape::Name | Shape::Group, rest @ ..] => {
                let mut previous = Shape::Other;
                rest.iter().all(|shape| {
                    let belongs = match shape {
                        Shape::Dot | Shape::Group => true,
                        Shape::Operand | Shape::Name => previous == Shape::Dot,
                        _ => false,
                    };
                    previous = *shape;
                    belongs
                })
            }
            _ => false,
        }
    }
}

/// The tokens of a chain without the brackets of its operands that are the same kind of chain.
fn flattened<'a>(tokens: &[Token<'a>], (open, close): (Token<'a>, Token<'a>)) -> Vec<Token<'a>> {
    let mut depth = 0_usize;
    let is_kept = |token: &&Token<'a>| match token {
        Token::Open(_) => {
            depth += 1;
            depth > 1 || **token != open
        }
        Token::Close(_) => {
            depth -= 1;
            depth > 0 || **token != close
        }
        _ => true,
    };
    tokens.iter().filter(is_kept).copied().collect()
}

/// Words between operands. A word that is not among them and is followed by parentheses is taken for a call.
const JOINING_WORDS: [&[u8]; 24] = [
    b"NOT",
    b"WHEN",
    b"THEN",
    b"ELSE",
    b"SELECT",
    b"FROM",
    b"WHERE",
    b"ON",
    b"AS",
    b"BY",
    b"IS",
    b"IN",
    b"DISTINCT",
    b"DEFAULT",
    b"USING",
    b"CHECK",
    b"BETWEEN",
    b"LIKE",
    b"RETURN",
    b"HAVING",
    b"LIMIT",
    b"OFFSET",
    b"COLLATE",
    b"VALUES",
];

fn is_one_case(shape: &[Shape]) -> bool {
    let mut depth = 0_usize;
    let ends = shape.iter().enumerate().filter(|(_, shape)| {
        match shape {
            Shape::CaseBegin => depth += 1,
            Shape::CaseEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    ends.map(|(position, _)| position).eq([shape.len() - 1])
}

/// The position after the type name at `position`; its first word and what qualifies it are noted.
fn skip_type<'a>(tokens: &[Token<'a>], mut position: usize, casts: &mut BTreeSet<&'a [u8]>) -> usize {
    let word = |position: usize| match tokens.get(position) {
        Some(Token::Word(word)) => Some(*word),
        _ => None,
    };
    let Some(mut name) = word(position) else { return position };
    position += 1;
    while let (Some(Token::Symbol(b".")), Some(qualified)) = (tokens.get(position), word(position + 1)) {
        (name, position) = (qualified, position + 2);
    }
    casts.insert(name);
    loop {
        match (tokens.get(position), name) {
            (Some(Token::Open(_)), _) => position = skip_group(tokens, position),
            (Some(Token::Word(next)), _) if continues_type(name, next) => position += 1,
            _ => return position,
        }
    }
}

/// The types whose names have several words, as `format_type_be` writes them.
fn continues_type(first: &[u8], next: &[u8]) -> bool {
    let more: &[&[u8]] = match first {
        b"character" | b"bit" => &[b"varying"],
        b"double" => &[b"precision"],
        b"time" | b"timestamp" => &[b"with", b"without", b"time", b"zone"],
        b"interval" => &[b"year", b"month", b"day", b"hour", b"minute", b"second", b"to"],
        _ => &[],
    };
    more.contains(&next)
}

fn skip_group(tokens: &[Token<'_>], mut position: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(position) {
        position += 1;
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) if depth <= 1 => return position,
            Token::Close(_) => depth -= 1,
            _ => {}
        }
    }
    position
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
