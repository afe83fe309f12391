//! Takes the casts out of a definition, and the parentheses that only they, or the flattening of chains, make differ.

use std::collections::BTreeSet;

use super::token::Token;

/// Definitions nested deeper than this exist only in damaged archives; they are digested as they are.
const DEEPEST: usize = 1000;

/// A definition without casts and superfluous parentheses.
pub(super) struct Reduced<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// The types cast to, without lengths and brackets.
    pub(super) casts: BTreeSet<&'a [u8]>,
}

/// Reduces a definition; nothing for unbalanced or absurdly nested text.
pub(super) fn reduce<'a>(tokens: &[Token<'a>]) -> Option<Reduced<'a>> {
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
