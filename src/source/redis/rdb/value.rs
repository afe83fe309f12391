//! Values: from any encoding to counts and one hash of what clients see.
//!
//! Every value becomes a hash of its elements' hashes: a sum for sets, sorted sets and hashes, whose order means nothing, a
//! chain for lists and streams, whose order does. So nothing larger than an element is ever held.

use xxhash_rust::xxh3::xxh3_128;

use super::error::RdbProblem;
use super::input::Input;
use super::node::Node;
use super::packed::{Format, Packed, intset, parse_score, zipmap};
use super::text::{Text, Wanted};
use super::{module, stream};
use crate::contents::keyspace::KeyKind;

/// What a value is.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) kind: KeyKind,
    pub(super) hash: u128,
    pub(super) elements: u64,
    pub(super) bytes: u64,
    pub(super) field_expiry: FieldExpiry,
    /// The module type that wrote it.
    pub(super) module: Option<module::ModuleType>,
}

/// When fields of a hash expire, if any do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FieldExpiry {
    /// The first and the last moment.
    pub(super) span: Option<(i64, i64)>,
    /// The first of those that are not passing.
    pub(super) next: Option<i64>,
    /// Passing fields. They are in no other figure and in no hash: the server may take each of them away at any time.
    pub(super) n_passing: u64,
}

/// Who wrote the RDB, where the same number means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Redis,
    /// Since RDB version 80; before that Valkey writes what Redis 7.2 wrote.
    Valkey,
}

/// The hash of some hashes and numbers in this order.
pub(super) fn mix<const N: usize>(parts: [u128; N]) -> u128 {
    let mut bytes = [[0; 16]; N];
    for (bytes, part) in bytes.iter_mut().zip(parts) {
        *bytes = part.to_le_bytes();
    }
    xxh3_128(bytes.as_flattened())
}

/// Counts and hashes the elements of one value.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hash: u128,
    elements: u64,
    bytes: u64,
    field_expiry: FieldExpiry,
    passing_until: Option<i64>,
}

impl Value {
    /// Whether all that it has is passing.
    pub(super) fn is_passing(&self) -> bool {
        self.elements == 0 && self.field_expiry.n_passing > 0
    }
}

impl Tally {
    /// The next element of a list.
    fn item(&mut self, item: Text) {
        self.hash = mix([self.hash, item.hash]);
        self.count(item.len);
    }

    /// A member of a set.
    fn member(&mut self, member: Text) {
        self.hash = self.hash.wrapping_add(mix([member.hash]));
        self.count(member.len);
    }

    /// A member of a sorted set. Packed encodings lose the sign of a zero.
    fn scored(&mut self, member: Text, score: f64) {
        let score = if score == 0.0 { 0.0 } else { score };
        self.hash = self.hash.wrapping_add(mix([member.hash, score.to_bits().into()]));
        self.count(member.len + 8);
    }

    /// A field of a hash.
    fn field(&mut self, field: Text, value: Text, expires_at: Option<i64>) {
        if let Some(at) = expires_at {
            let expiry = &mut self.field_expiry;
            let (first, last) = expiry.span.unwrap_or((at, at));
            expiry.span = Some((first.min(at), last.max(at)));
            if self.passing_until.is_some_and(|until| at <= until) {
                expiry.n_passing += 1;
                return;
            }
            expiry.next = Some(expiry.next.map_or(at, |next| next.min(at)));
        }
        let expiry = expires_at.map_or(u128::MAX, |at| u128::from(at.cast_unsigned()));
        self.hash = self.hash.wrapping_add(mix([field.hash, value.hash, expiry]));
        self.count(field.len + value.len);
    }

    fn count(&mut self, bytes: u64) {
        self.elements += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn into_value(self, kind: KeyKind) -> Value {
        let Self { hash, elements, bytes, field_expiry, passing_until: _ } = self;
        Value { kind, hash: mix([elements.into(), hash]), elements, bytes, field_expiry, module: None }
    }
}

/// Reads a value of a type; `None` if the type is unknown. Numbers are those of `RDB_TYPE_*` in `rdb.h`. Fields that expire
/// up to `passing_until` are passing.
pub(super) async fn read_value(
    input: &mut Input,
    type_byte: u8,
    dialect: Dialect,
    passing_until: Option<i64>,
    scratch: &mut Vec<u8>,
) -> Result<Option<Value>, RdbProblem> {
    let mut tally = Tally { passing_until, ..Tally::default() };
    let kind = match (type_byte, dialect) {
        (0, _) => return Ok(Some(string(input.text().await?))),
        (1 | 10 | 14 | 18, _) => {
            list(input, type_byte, scratch, &mut tally).await?;
            KeyKind::List
        }
        (2 | 11 | 20, _) => {
            set(input, type_byte, scratch, &mut tally).await?;
            KeyKind::Set
        }
        (3 | 5 | 12 | 17, _) => {
            sorted_set(input, type_byte, scratch, &mut tally).await?;
            KeyKind::Zset
        }
        (4 | 9 | 13 | 16, _) => {
            hash(input, type_byte, scratch, &mut tally).await?;
            KeyKind::Hash
        }
        (22, Dialect::Valkey) => {
            valkey_expiring_hash(input, &mut tally).await?;
            KeyKind::Hash
        }
        (22 | 24, Dialect::Redis) => {
            expiring_hash(input, type_byte, &mut tally).await?;
            KeyKind::Hash
        }
        (23 | 25, Dialect::Redis) => {
            packed_expiring_hash(input, type_byte, scratch, &mut tally).await?;
            KeyKind::Hash
        }
        (15 | 19 | 21, _) | (26 | 27, Dialect::Redis) => {
            return stream::read(input, type_byte, scratch).await.map(Some);
        }
        (6, _) => return Err(RdbProblem::PreRelease("a module's value of type 6")),
        (7, _) => return module::read_value(input).await.map(Some),
        _ => return Ok(None),
    };
    Ok(Some(tally.into_value(kind)))
}

/// A string is one element.
pub(super) fn string(text: Text) -> Value {
    let Text { hash, len: bytes } = text;
    Value { kind: KeyKind::String, hash, elements: 1, bytes, field_expiry: FieldExpiry::default(), module: None }
}

async fn list(input: &mut Input, type_byte: u8, scratch: &mut Vec<u8>, tally: &mut Tally) -> Result<(), RdbProblem> {
    // A plain list counts its elements, a quicklist its nodes, a ziplist is one node.
    let count = if type_byte == 10 { 1 } else { input.length().await? };
    for _ in 0..count {
        let format = match type_byte {
            1 => {
                tally.item(input.text().await?);
                continue;
            }
            18 => match input.length().await? {
                1 => {
                    tally.item(input.text().await?);
                    continue;
                }
                2 => Format::Listpack,
                value => return Err(RdbProblem::UnknownEncoding { what: "quicklist container", value }),
            },
            _ => Format::Ziplist,
        };
        let layout = input.layout().await?;
        if !layout.is_small() {
            Box::pin(Node::open(input, layout)?.read(format, |element| tally.item(element))).await?;
            continue;
        }
        let mut packed = Packed::open(format, input.blob_of(layout, scratch).await?)?;
        while let Some(element) = packed.next()? {
            tally.item(element.text());
        }
    }
    Ok(())
}

async fn set(input: &mut Input, type_byte: u8, scratch: &mut Vec<u8>, tally: &mut Tally) -> Result<(), RdbProblem> {
    match type_byte {
        11 => intset(input.blob(scratch).await?, |member| tally.member(Text::of_integer(member)))?,
        20 => {
            let mut packed = Packed::open(Format::Listpack, input.blob(scratch).await?)?;
            while let Some(element) = packed.next()? {
                tally.member(element.text());
            }
        }
        _ => {
            for _ in 0..input.length().await? {
                tally.member(input.text().await?);
            }
        }
    }
    Ok(())
}

async fn sorted_set(
    input: &mut Input,
    type_byte: u8,
    scratch: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<(), RdbProblem> {
    let format = match type_byte {
        12 => Format::Ziplist,
        17 => Format::Listpack,
        _ => {
            for _ in 0..input.length().await? {
                let member = input.text().await?;
                let score =
                    if type_byte == 5 { f64::from_le_bytes(input.array().await?) } else { old_score(input).await? };
                tally.scored(member, score);
            }
            return Ok(());
        }
    };
    let mut packed = Packed::open(format, input.blob(scratch).await?)?;
    while let Some(member) = packed.next()? {
        tally.scored(member.text(), packed.expect()?.score()?);
    }
    Ok(())
}

/// A length in one byte, of which the highest three mean something else, and decimal text.
async fn old_score(input: &mut Input) -> Result<f64, RdbProblem> {
    match input.byte().await? {
        255 => Ok(f64::NEG_INFINITY),
        254 => Ok(f64::INFINITY),
        253 => Ok(f64::NAN),
        length => {
            input.ensure(length.into()).await?;
            parse_score(input.take(length.into()))
        }
    }
}

async fn hash(input: &mut Input, type_byte: u8, scratch: &mut Vec<u8>, tally: &mut Tally) -> Result<(), RdbProblem> {
    let format = match type_byte {
        9 => return zipmap(input.blob(scratch).await?, |field, value| tally.field(field, value, None)),
        13 => Format::Ziplist,
        16 => Format::Listpack,
        _ => {
            for _ in 0..input.length().await? {
                let (field, value) = (input.text().await?, input.text().await?);
                tally.field(field, value, None);
            }
            return Ok(());
        }
    };
    let mut packed = Packed::open(format, input.blob(scratch).await?)?;
    while let Some(field) = packed.next()? {
        tally.field(field.text(), packed.expect()?.text(), None);
    }
    Ok(())
}

/// Redis 7.4: each field's expiry comes first, since 7.4.0 relative to the earliest and one more, so that 0 is none.
async fn expiring_hash(input: &mut Input, type_byte: u8, tally: &mut Tally) -> Result<(), RdbProblem> {
    let base = if type_byte == 24 { i64::from_le_bytes(input.array().await?).wrapping_sub(1) } else { 0 };
    for _ in 0..input.length().await? {
        let expiry = input.length().await?.cast_signed();
        let (field, value) = (input.text().await?, input.text().await?);
        tally.field(field, value, (expiry != 0).then(|| base.wrapping_add(expiry)));
    }
    Ok(())
}

/// Redis 7.4, packed: field, value and expiry in turn, where 0 is none. The earliest expiry stands before, since 7.4.0.
async fn packed_expiring_hash(
    input: &mut Input,
    type_byte: u8,
    scratch: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<(), RdbProblem> {
    if type_byte == 25 {
        input.array::<8>().await?;
    }
    let mut packed = Packed::open(Format::Listpack, input.blob(scratch).await?)?;
    while let Some(field) = packed.next()? {
        let (value, expiry) = (packed.expect()?.text(), packed.expect()?.integer()?);
        tally.field(field.text(), value, (expiry != 0).then_some(expiry));
    }
    Ok(())
}

/// Valkey 9: field, value, and the expiry in milliseconds, where -1 is none.
async fn valkey_expiring_hash(input: &mut Input, tally: &mut Tally) -> Result<(), RdbProblem> {
    for _ in 0..input.length().await? {
        let (field, value) = (input.text().await?, input.text().await?);
        let expiry = i64::from_le_bytes(input.array().await?);
        tally.field(field, value, (expiry >= 0).then_some(expiry));
    }
    Ok(())
}

/// Reads a string that must have so many bytes.
pub(super) async fn exact_text<const N: usize>(input: &mut Input) -> Result<[u8; N], RdbProblem> {
    let mut bytes = Vec::with_capacity(N);
    let text = input.wanted_text(Wanted { bytes: &mut bytes, limit: N }).await?;
    match bytes.first_chunk() {
        Some(array) if text.len == N as u64 => Ok(*array),
        _ => Err(RdbProblem::Malformed("an identifier does not have its length")),
    }
}
