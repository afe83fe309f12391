//! Writes an RDB out of the payloads of `DUMP`, which hold a type, an object as an RDB has it, and the RDB's version.

/// Writes an RDB piece by piece.
#[derive(Default)]
pub(super) struct RdbText {
    written: Vec<u8>,
    checksum: Checksum,
    begun: bool,
    /// Where the next keys are. A database without keys is not mentioned.
    database: Option<u32>,
    selected: Option<u32>,
}

/// The version of an RDB without anything in it, which every server since 5.0 loads.
const OLDEST: u16 = 9;
/// From here on versions are Valkey's own, and so is the header.
const VALKEY: u16 = 80;
const FOOTER: usize = 2 + 8;

// Opcodes of an RDB, as rdb.h of Redis has them.
const OP_FUNCTION: u8 = 245;
const OP_EXPIRY_MS: u8 = 252;
const OP_SELECT: u8 = 254;
const OP_END: u8 = 255;

/// What a payload of `DUMP` or `FUNCTION DUMP` holds, and the version of the RDB it would be in. Behind it are the version
/// and a checksum, which the reader of the RDB has no use for.
pub(super) fn payload_parts(payload: &[u8]) -> Option<(&[u8], u16)> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER)?)?;
    let version = u16::from_le_bytes(footer[..2].try_into().ok()?);
    let checksum = u64::from_le_bytes(footer[2..].try_into().ok()?);
    let mut computed = Checksum::default();
    computed.update(body);
    computed.update(&footer[..2]);
    (computed.value() == checksum).then_some((body, version))
}

impl RdbText {
    /// The libraries of `FUNCTION DUMP`.
    pub(super) fn functions(&mut self, version: u16, libraries: &[u8]) {
        self.begin(version);
        self.written.extend_from_slice(libraries);
    }

    /// The code of one library.
    pub(super) fn function(&mut self, version: u16, code: &[u8]) {
        self.begin(version);
        self.written.push(OP_FUNCTION);
        self.string(code);
    }

    /// The keys that follow are in this database.
    pub(super) fn select(&mut self, database: u32) {
        self.database = Some(database);
    }

    /// A key with the value of its payload: the type, then the object.
    pub(super) fn key(&mut self, version: u16, key: &[u8], expiry: Option<i64>, value: &[u8]) {
        self.begin(version);
        if self.database != self.selected {
            self.selected = self.database;
            self.written.push(OP_SELECT);
            self.length(u64::from(self.database.unwrap_or_default()));
        }
        if let Some(moment) = expiry {
            self.written.push(OP_EXPIRY_MS);
            self.written.extend_from_slice(&moment.to_le_bytes());
        }
        let (kind, object) = value.split_at(value.len().min(1));
        self.written.extend_from_slice(kind);
        self.string(key);
        self.written.extend_from_slice(object);
    }

    /// The end.
    pub(super) fn finish(&mut self) {
        self.begin(OLDEST);
        self.written.push(OP_END);
        self.checksum.update(&self.written);
        let checksum = self.checksum.value();
        self.written.extend_from_slice(&checksum.to_le_bytes());
        self.checksum = Checksum::default();
    }

    /// What was written since the last time. After `finish` it is the last piece.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.checksum.update(&self.written);
        std::mem::take(&mut self.written)
    }

    fn begin(&mut self, version: u16) {
        if !self.begun {
            self.begun = true;
            let header = if version < VALKEY { format!("REDIS{version:04}") } else { format!("VALKEY{version:03}") };
            self.written.extend_from_slice(header.as_bytes());
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.length(text.len() as u64);
        self.written.extend_from_slice(text);
    }

    /// An RDB's length: 6, 14, 32 or 64 bits, the higher ones first.
    fn length(&mut self, length: u64) {
        match length {
            0..64 => self.written.push(length.to_le_bytes()[0]),
            64..16384 => {
                let [low, high, ..] = length.to_le_bytes();
                self.written.extend_from_slice(&[0x40 | high, low]);
            }
            _ => match u32::try_from(length) {
                Ok(length) => {
                    self.written.push(0x80);
                    self.written.extend_from_slice(&length.to_be_bytes());
                }
                Err(_) => {
                    self.written.push(0x81);
                    self.written.extend_from_slice(&length.to_be_bytes());
                }
            },
        }
    }
}

/// CRC-64/Redis.
pub(super) struct Checksum(crc_fast::Digest);

impl Default for Checksum {
    fn default() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Redis))
    }
}

impl Checksum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::{Checksum, RdbText, payload_parts};

    fn checksum(bytes: &[u8]) -> u64 {
        let mut checksum = Checksum::default();
        checksum.update(bytes);
        checksum.value()
    }

    #[test]
    fn the_checksum_is_the_one_of_redis() {
        assert_eq!(checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    /// `DUMP k` after `SET k 10` on 7.0.
    const PAYLOAD: &[u8] = b"\x00\xc0\x0a\x0a\x00\x6e\x9f\x57\x45\x0e\xae\x63\xbb";

    #[test]
    fn a_payload_is_taken_apart_and_a_damaged_one_is_not() {
        assert_eq!(payload_parts(PAYLOAD), Some((&b"\x00\xc0\x0a"[..], 10)));
        let mut damaged = PAYLOAD.to_vec();
        damaged[2] ^= 1;
        assert_eq!(payload_parts(&damaged), None);
        assert_eq!(payload_parts(b"short"), None);
    }

    #[test]
    fn an_rdb_of_a_key_ends_with_its_checksum() {
        let mut text = RdbText::default();
        text.select(3);
        text.key(10, b"k", Some(1), b"\x00\xc0\x0a");
        let mut rdb = text.take();
        text.finish();
        rdb.extend(text.take());
        let (body, trailer) = rdb.split_at(rdb.len() - 8);
        assert_eq!(body, b"REDIS0010\xfe\x03\xfc\x01\0\0\0\0\0\0\0\x00\x01k\xc0\x0a\xff");
        assert_eq!(u64::from_le_bytes(trailer.try_into().unwrap()), checksum(body));
    }
}
