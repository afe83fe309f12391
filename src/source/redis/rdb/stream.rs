//! Streams: entries in listpacks that share their field names, then the stream's counters, its consumer groups and what
//! they have pending (`t_stream.c`; versions 15 of Redis 5, 19 of 7.0, 21 of 7.2, 26 and 27 of 8.6 and 8.8).
//!
//! What an older version does not say is what a newer server makes of it when it loads it, so a stream is equal to itself
//! after an upgrade.

use super::error::RdbProblem;
use super::input::Input;
use super::packed::{Format, Packed};
use super::text::Text;
use super::value::{FieldExpiry, Value, exact_text, mix};
use crate::contents::keyspace::KeyKind;

/// Milliseconds and a number among those of one millisecond.
type StreamId = (u64, u64);

/// Flags of an entry (`STREAM_ITEM_FLAG_*`).
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// The entries seen so far.
#[derive(Debug, Default)]
struct Entries {
    hash: u128,
    count: u64,
    bytes: u64,
    first: Option<StreamId>,
}

/// The stream's own counters.
#[derive(Debug)]
struct Counters {
    length: u64,
    last: StreamId,
    first: StreamId,
    max_deleted: StreamId,
    entries_added: u64,
}

/// Reads a stream.
pub(super) async fn read(input: &mut Input, type_byte: u8, scratch: &mut Vec<u8>) -> Result<Value, RdbProblem> {
    let mut entries = Entries::default();
    for _ in 0..input.length().await? {
        let master = raw_id(exact_text(input).await?);
        read_node(input.blob(scratch).await?, master, &mut entries)?;
    }
    let counters = read_counters(input, type_byte, entries.first).await?;
    let (mut groups, n_groups) = (0_u128, input.length().await?);
    for _ in 0..n_groups {
        groups = groups.wrapping_add(read_group(input, type_byte, &counters).await?);
    }
    let idempotence = if type_byte >= 26 { read_idempotence(input).await? } else { 0 };
    let Counters { length, last, max_deleted, entries_added, .. } = counters;
    let counters = mix([length.into(), id(last), id(max_deleted), entries_added.into()]);
    let hash = mix([entries.hash, entries.count.into(), counters, n_groups.into(), groups, idempotence]);
    let (elements, bytes) = (entries.count, entries.bytes);
    Ok(Value { kind: KeyKind::Stream, hash, elements, bytes, field_expiry: FieldExpiry::default(), module: None })
}

/// A listpack: how many entries there are and were, the field names of the first, and the entries.
fn read_node(block: &[u8], master: StreamId, entries: &mut Entries) -> Result<(), RdbProblem> {
    let mut packed = Packed::open(Format::Listpack, block)?;
    let (n_valid, n_deleted) = (packed.expect()?.integer()?, packed.expect()?.integer()?);
    let mut shared = Vec::new();
    for _ in 0..packed.expect()?.integer()? {
        shared.push(packed.expect()?.text());
    }
    packed.expect()?;
    let (mut n_entries, n_before) = (0, entries.count);
    while let Some(flags) = packed.next()? {
        read_entry(&mut packed, flags.integer()?, master, &shared, entries)?;
        n_entries += 1;
    }
    if i64::try_from(entries.count - n_before) != Ok(n_valid) || n_valid.checked_add(n_deleted) != Some(n_entries) {
        return Err(RdbProblem::Malformed("a part of a stream does not have the entries that it says"));
    }
    Ok(())
}

fn read_entry(
    packed: &mut Packed<'_>,
    flags: i64,
    master: StreamId,
    shared: &[Text],
    entries: &mut Entries,
) -> Result<(), RdbProblem> {
    let delta = (packed.expect()?.integer()?.cast_unsigned(), packed.expect()?.integer()?.cast_unsigned());
    let at = (master.0.wrapping_add(delta.0), master.1.wrapping_add(delta.1));
    let has_own = flags & SAME_FIELDS == 0;
    let n_fields = if has_own { packed.expect()?.integer()?.cast_unsigned() } else { shared.len() as u64 };
    let (mut hash, mut bytes) = (mix([id(at), n_fields.into()]), 16_u64);
    for idx in 0..n_fields {
        let field = match usize::try_from(idx).ok().and_then(|idx| shared.get(idx)) {
            Some(field) if !has_own => *field,
            _ => packed.expect()?.text(),
        };
        let value = packed.expect()?.text();
        hash = mix([hash, field.hash, value.hash]);
        bytes += field.len + value.len;
    }
    // The number of elements, for reading backwards.
    packed.expect()?;
    if flags & DELETED == 0 {
        entries.hash = mix([entries.hash, hash]);
        entries.count += 1;
        entries.bytes += bytes;
        entries.first.get_or_insert(at);
    }
    Ok(())
}

async fn read_counters(input: &mut Input, type_byte: u8, first: Option<StreamId>) -> Result<Counters, RdbProblem> {
    let (length, last) = (input.length().await?, two_lengths(input).await?);
    if type_byte == 15 {
        let first = first.unwrap_or_default();
        return Ok(Counters { length, last, first, max_deleted: (0, 0), entries_added: length });
    }
    let (first, max_deleted) = (two_lengths(input).await?, two_lengths(input).await?);
    Ok(Counters { length, last, first, max_deleted, entries_added: input.length().await? })
}

/// A group: its name, where it is, what is pending, its consumers and what is pending with each.
async fn read_group(input: &mut Input, type_byte: u8, counters: &Counters) -> Result<u128, RdbProblem> {
    let (name, last) = (input.text().await?, two_lengths(input).await?);
    let entries_read = if type_byte == 15 { counters.entries_read(last) } else { input.length().await? };
    let mut pending = 0_u128;
    for _ in 0..input.length().await? {
        let at = raw_id(input.array().await?);
        let delivered = u64::from_le_bytes(input.array().await?);
        pending = pending.wrapping_add(mix([id(at), delivered.into(), input.length().await?.into()]));
    }
    let (mut consumers, n_consumers) = (0_u128, input.length().await?);
    for _ in 0..n_consumers {
        consumers = consumers.wrapping_add(read_consumer(input, type_byte).await?);
    }
    let released = if type_byte >= 27 { read_pending_ids(input).await? } else { 0 };
    Ok(mix([name.hash, id(last), entries_read.into(), pending, n_consumers.into(), consumers, released]))
}

async fn read_consumer(input: &mut Input, type_byte: u8) -> Result<u128, RdbProblem> {
    let name = input.text().await?;
    let seen = u64::from_le_bytes(input.array().await?);
    let active = if type_byte >= 21 { u64::from_le_bytes(input.array().await?) } else { seen };
    Ok(mix([name.hash, seen.into(), active.into(), read_pending_ids(input).await?]))
}

async fn read_pending_ids(input: &mut Input) -> Result<u128, RdbProblem> {
    let mut pending = 0_u128;
    for _ in 0..input.length().await? {
        pending = pending.wrapping_add(mix([id(raw_id(input.array().await?))]));
    }
    Ok(pending)
}

/// What a stream remembers to drop messages that come twice. Its settings count; what it remembers is forgotten by time.
async fn read_idempotence(input: &mut Input) -> Result<u128, RdbProblem> {
    let (duration, max_entries) = two_lengths(input).await?;
    for _ in 0..input.length().await? {
        input.text().await?;
        for _ in 0..input.length().await? {
            input.text().await?;
            two_lengths(input).await?;
        }
    }
    two_lengths(input).await?;
    Ok(mix([duration.into(), max_entries.into()]))
}

impl Counters {
    /// How many entries a group has read by its position, as a server estimates it when a stream of Redis before 7 does
    /// not say (`streamEstimateDistanceFromFirstEverEntry`); all bits set if nothing can be said.
    fn entries_read(&self, at: StreamId) -> u64 {
        const UNKNOWN: u64 = u64::MAX;
        let is_whole = self.max_deleted == (0, 0) || self.max_deleted < self.first;
        if self.entries_added == 0 {
            0
        } else if self.length == 0 && at <= self.last || at == self.last {
            self.entries_added
        } else if at > self.last || !is_whole || at > self.first {
            UNKNOWN
        } else {
            self.entries_added - self.length + u64::from(at == self.first)
        }
    }
}

async fn two_lengths(input: &mut Input) -> Result<(u64, u64), RdbProblem> {
    Ok((input.length().await?, input.length().await?))
}

/// Identifiers outside of lengths are as in the server's tree, so that bytes sort as numbers do.
fn raw_id(bytes: [u8; 16]) -> StreamId {
    let [ms, seq]: [[u8; 8]; 2] = std::array::from_fn(|half| std::array::from_fn(|idx| bytes[8 * half + idx]));
    (u64::from_be_bytes(ms), u64::from_be_bytes(seq))
}

fn id((ms, seq): StreamId) -> u128 {
    u128::from(ms) << 64 | u128::from(seq)
}
