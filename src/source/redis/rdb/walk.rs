//! From the first byte of an RDB to its last: opcodes, keys and what stands beside them (`rdbLoadRio`).

use std::collections::BTreeMap;

use super::entry::{Entry, KeyEntry, Outbox};
use super::error::{KeyPlace, RdbError, RdbProblem};
use super::input::Input;
use super::module::{self, ModuleType};
use super::text::{Text, Wanted};
use super::value::{self, Dialect, Value, exact_text, mix, read_value};
use super::{RdbFacts, RdbOptions, RdbSummary};
use crate::contents::keyspace::{Keys, Keyspace, KindContents};

/// Of a key's name at most so much stands in an error.
const SHOWN_OF_KEY: usize = 60;

/// Of a fact about the RDB at most so much is kept.
const MAX_FACT: usize = 1 << 10;

/// A reader on its way.
struct Walk {
    input: Input,
    options: RdbOptions,
    outbox: Option<Outbox>,
    facts: RdbFacts,
    dialect: Dialect,
    keyspace: Keyspace,
    database: u64,
    marks: Marks,
    key: Vec<u8>,
    /// The type of the value that is being read; its key is known then.
    type_byte: Option<u8>,
    scratch: Vec<u8>,
}

/// What stands before a key and is about it.
#[derive(Debug, Default)]
struct Marks {
    expires_at: Option<i64>,
    idle: Option<u64>,
    frequency: Option<u8>,
    /// Metadata of modules, as it stands there.
    metadata: Vec<u8>,
}

/// Reads an RDB from its first byte to its last.
pub(super) async fn walk(input: Input, options: RdbOptions, outbox: Option<Outbox>) -> Result<RdbSummary, RdbError> {
    let mut walk = Walk {
        input,
        options,
        outbox,
        facts: RdbFacts::default(),
        dialect: Dialect::Redis,
        keyspace: Keyspace::default(),
        database: 0,
        marks: Marks::default(),
        key: Vec::new(),
        type_byte: None,
        scratch: Vec::new(),
    };
    match walk.run().await {
        Ok(()) => Ok(RdbSummary { bytes: walk.input.offset(), facts: walk.facts, keyspace: walk.keyspace }),
        Err(problem) => Err(walk.error(problem)),
    }
}

impl Walk {
    async fn run(&mut self) -> Result<(), RdbProblem> {
        self.header().await?;
        loop {
            match self.input.byte().await? {
                255 => return self.end().await,
                type_byte @ 0..=242 => self.value(type_byte).await?,
                opcode => self.opcode(opcode).await?,
            }
        }
    }

    /// `REDIS0011`, or since its version 80 `VALKEY080`.
    async fn header(&mut self) -> Result<(), RdbProblem> {
        let header = self.input.array::<9>().await.map_err(|_| RdbProblem::NotAnRdb)?;
        let (dialect, digits) = match header.strip_prefix(b"REDIS") {
            Some(digits) => (Dialect::Redis, digits),
            None => (Dialect::Valkey, header.strip_prefix(b"VALKEY").ok_or(RdbProblem::NotAnRdb)?),
        };
        let version = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        self.dialect = dialect;
        // A file that says nothing else of its writer says this.
        self.facts.product = (dialect == Dialect::Valkey).then_some("valkey");
        self.facts.rdb_version = version.ok_or(RdbProblem::NotAnRdb)?;
        // Checksums came with version 5.
        if self.facts.rdb_version < 5 { Err(RdbProblem::TooOld(self.facts.rdb_version)) } else { Ok(()) }
    }

    async fn opcode(&mut self, opcode: u8) -> Result<(), RdbProblem> {
        match opcode {
            254 => self.database = self.input.length().await?,
            253 => {
                let seconds = i32::from_le_bytes(self.input.array().await?);
                self.marks.expires_at = Some(i64::from(seconds) * 1000);
            }
            252 => self.marks.expires_at = Some(i64::from_le_bytes(self.input.array().await?)),
            251 => self.skip_lengths(2).await?,
            250 => self.fact().await?,
            249 => self.marks.frequency = Some(self.input.byte().await?),
            248 => self.marks.idle = Some(self.input.length().await?),
            247 => {
                let module = module::read_record(&mut self.input).await?;
                see_module(&mut self.keyspace, module, |module| &mut module.records);
            }
            246 => return Err(RdbProblem::PreRelease("a function of type 246")),
            245 => self.function().await?,
            244 => self.skip_lengths(3).await?,
            _ if self.dialect == Dialect::Valkey => self.slot_import().await?,
            _ => self.key_metadata().await?,
        }
        Ok(())
    }

    async fn value(&mut self, type_byte: u8) -> Result<(), RdbProblem> {
        let marks = std::mem::take(&mut self.marks);
        self.key.clear();
        let limit = if self.outbox.is_some() { self.options.max_entry } else { SHOWN_OF_KEY };
        let key = self.input.wanted_text(Wanted { bytes: &mut self.key, limit }).await?;
        self.type_byte = Some(type_byte);
        if self.outbox.is_some() {
            let begun = [&marks.metadata[..], &[type_byte]].concat();
            self.input.keep(begun, self.options.max_entry);
        }
        let value = match type_byte {
            // Most values are strings, and most of those are there.
            0 => self.input.text_at_hand()?.map(value::string),
            _ => None,
        };
        let value = match value {
            Some(value) => Some(value),
            None => {
                let passing_until = self.options.passing_until;
                read_value(&mut self.input, type_byte, self.dialect, passing_until, &mut self.scratch).await?
            }
        };
        let rdb_version = self.facts.rdb_version;
        let value = value.ok_or(RdbProblem::UnknownType { type_byte, rdb_version })?;
        self.record(key, &value, marks.expires_at);
        if let Some(outbox) = &self.outbox {
            let name = std::mem::take(&mut self.key);
            let payload = self.input.kept().filter(|_| name.len() as u64 == key.len);
            let Marks { expires_at, idle, frequency, .. } = marks;
            let (database, kind) = (self.database, value.kind);
            outbox.put(Entry::Key(KeyEntry { database, key: name, kind, expires_at, idle, frequency, payload }));
        }
        if let Some(module) = value.module {
            see_module(&mut self.keyspace, module, |module| &mut module.keys);
        }
        self.type_byte = None;
        Ok(())
    }

    /// Counts a key where it belongs.
    fn record(&mut self, key: Text, value: &Value, expires_at: Option<i64>) {
        let expiry = expires_at.map_or(u128::MAX, |at| u128::from(at.cast_unsigned()));
        let hash = mix([self.database.into(), value.kind as u128, key.hash, expiry, value.hash]);
        let contents = self.keyspace.databases.entry(self.database).or_default().entry(value.kind).or_default();
        let fields = value.field_expiry.span;
        let moments = [expires_at, fields.map(|it| it.0), fields.map(|it| it.1)];
        moments.into_iter().flatten().for_each(|at| contents.see_expiry(at));
        let keys = self.options.class_of(value, expires_at, contents);
        keys.keys += 1;
        keys.elements += value.elements;
        keys.bytes = keys.bytes.saturating_add(key.len).saturating_add(value.bytes);
        keys.digest.add(hash);
    }

    /// A fact about the RDB as a name and a value.
    async fn fact(&mut self) -> Result<(), RdbProblem> {
        let (mut name, mut value) = (Vec::new(), Vec::new());
        self.input.wanted_text(Wanted { bytes: &mut name, limit: MAX_FACT }).await?;
        self.input.wanted_text(Wanted { bytes: &mut value, limit: MAX_FACT }).await?;
        self.facts.see(&String::from_utf8_lossy(&name), &String::from_utf8_lossy(&value));
        Ok(())
    }

    async fn function(&mut self) -> Result<(), RdbProblem> {
        let (mut code, limit) = (Vec::new(), if self.outbox.is_some() { self.options.max_entry } else { 0 });
        let text = self.input.wanted_text(Wanted { bytes: &mut code, limit }).await?;
        let functions = &mut self.keyspace.functions;
        functions.libraries += 1;
        functions.bytes = functions.bytes.saturating_add(text.len);
        functions.digest.add(mix([text.hash]));
        match &self.outbox {
            Some(_) if code.len() as u64 != text.len => {
                let limit = self.options.max_entry as u64;
                return Err(RdbProblem::TooLarge { what: "a function library", bytes: text.len, limit });
            }
            Some(outbox) => outbox.put(Entry::Function(code)),
            None => {}
        }
        Ok(())
    }

    /// Redis 8.6: what modules say of the next key: so many classes, each its number of four bytes and marked pieces.
    async fn key_metadata(&mut self) -> Result<(), RdbProblem> {
        if self.outbox.is_some() {
            self.input.keep(vec![243], self.options.max_entry);
        }
        for _ in 0..self.input.length().await? {
            self.input.array::<4>().await?;
            module::skip(&mut self.input).await?;
        }
        self.facts.has_key_metadata = true;
        self.marks.metadata = self.input.kept().unwrap_or_default();
        Ok(())
    }

    /// Valkey 9: slots that were on their way into this server. Their keys are not this server's yet.
    async fn slot_import(&mut self) -> Result<(), RdbProblem> {
        self.facts.has_slots_on_their_way = true;
        exact_text::<40>(&mut self.input).await?;
        for _ in 0..self.input.length().await? {
            self.skip_lengths(2).await?;
        }
        Ok(())
    }

    async fn skip_lengths(&mut self, count: usize) -> Result<(), RdbProblem> {
        for _ in 0..count {
            self.input.length().await?;
        }
        Ok(())
    }

    /// The checksum of all bytes before it; 0 if the server was told not to compute it.
    async fn end(&mut self) -> Result<(), RdbProblem> {
        let computed = self.input.checksum();
        let stored = u64::from_le_bytes(self.input.array().await?);
        self.facts.has_checksum = stored != 0;
        if stored != 0 && stored != computed {
            return Err(RdbProblem::Checksum { stored, computed });
        }
        Ok(())
    }

    fn error(&self, problem: RdbProblem) -> RdbError {
        let name = || {
            let shown = &self.key[..self.key.len().min(SHOWN_OF_KEY)];
            let cut = if self.key.len() >= SHOWN_OF_KEY { "…" } else { "" };
            format!("{}{cut}", shown.escape_ascii())
        };
        let place = |type_byte| KeyPlace { database: self.database, name: name(), type_byte };
        RdbError { offset: self.input.offset(), key: self.type_byte.map(place), problem }
    }
}

impl RdbOptions {
    /// Where a key is counted.
    fn class_of<'a>(self, value: &Value, expires_at: Option<i64>, contents: &'a mut KindContents) -> &'a mut Keys {
        let is_passing = |at| self.passing_until.is_some_and(|until| at <= until);
        if value.is_passing() || expires_at.is_some_and(is_passing) {
            &mut contents.passing
        } else if expires_at.or(value.field_expiry.next).is_some() {
            &mut contents.expiring
        } else {
            &mut contents.persistent
        }
    }
}

fn see_module(
    keyspace: &mut Keyspace,
    ModuleType { name, version }: ModuleType,
    count: fn(&mut crate::contents::keyspace::ModuleUse) -> &mut u64,
) {
    let modules: &mut BTreeMap<_, _> = &mut keyspace.modules;
    let module = modules.entry(name).or_default();
    module.version = version;
    *count(module) += 1;
}
